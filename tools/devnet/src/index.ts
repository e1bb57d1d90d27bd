/**
 * A development chain with IMart's contracts and market traffic on it. Guarantees: the chain ends with the process that
 * started it and is saved then; what the traffic expects comes from what it asked for, never from reading events.
 */
export type { Action } from './actions';
export { interfaceOf, type ContractName, type DevnetContracts } from './contracts';
export {
  DEVNET_CHAIN_ID,
  MANUAL_BLOCK_SECONDS,
  startDevnet,
  type Devnet,
  type DevnetOptions,
} from './devnet';
export type {
  Expected,
  ExpectedActivity,
  ExpectedActivityKind,
  ExpectedBalance,
  ExpectedCollection,
  ExpectedLog,
  ExpectedOffer,
  ExpectedOrder,
  ExpectedPlace,
  ExpectedToken,
  LogArgument,
} from './expected';
export { startLiveTraffic, type LiveTraffic, type LiveTrafficOptions } from './liveTraffic';
export { createDevnetRpc, type DevnetRpc, type RpcCall } from './rpc';
export { openTraffic, runTraffic, type Traffic, type TrafficRun } from './traffic';
