/**
 * A chain for specs and benchmarks: it takes blocks back, its nodes lie, and it knows what is right. Guarantees: blocks, hashes, blooms
 * and receipts agree with each other; the same seed and calls give the same chain; whatever nodes do, the chain is not changed by it.
 */
export {
  createFakeChain,
  hashOf,
  quantity,
  type Branch,
  type FakeBlock,
  type FakeChain,
  type FakeChainOptions,
  type FakeLog,
  type FakeTransaction,
} from '../../../libs/chain-evm/src/testing/fakeChain';
export {
  receiptsOf,
  startFakeRpc,
  type FakeRpc,
  type FakeRpcOptions,
  type FakeRpcRules,
} from '../../../libs/chain-evm/src/testing/fakeRpc';
export {
  PASSING_FAULTS,
  unlucky,
  type PassingFault,
  type Scripted,
} from '../../../libs/chain-evm/src/testing/fakeRules';
export { contractAt, encodeLog, type MeantLog } from './encodeLog';
export { collectionCreated, erc1155Logs, erc721Logs, imartLogs, type FakeTerms } from './marketLogs';
export {
  createMarketTraffic,
  type MarketTraffic,
  type MarketTrafficOptions,
  type TrafficReorg,
} from './marketTraffic';
export {
  startFakeMarket,
  type FakeMarket,
  type FakeMarketOptions,
  type FakeMarketPlaces,
} from './startFakeMarket';
