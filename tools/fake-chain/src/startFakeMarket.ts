import { createFakeChain } from '../../../libs/chain-evm/src/testing/fakeChain';
import { startFakeRpc, type FakeRpc, type FakeRpcRules } from '../../../libs/chain-evm/src/testing/fakeRpc';
import { DEVNET_CHAIN_ID } from '../../devnet/src/devnet';
import { controlMethods } from './controlMethods';
import { createMarketTraffic, type MarketTraffic } from './marketTraffic';

export interface FakeMarketOptions {
  /** @defaultValue 1 */
  readonly seed?: number;
  /** Of the first endpoint, on 127.0.0.1; the others get free ones. @defaultValue a free one */
  readonly port?: number;
  /** How many nodes serve the chain. @defaultValue 1 */
  readonly endpoints?: number;
  /** Rules of every node to begin with. */
  readonly rules?: FakeRpcRules;
  /** Blocks have the time of the clock, not 12 seconds each. @defaultValue false */
  readonly byClock?: boolean;
  /** Keeps every call that the nodes got. @defaultValue true */
  readonly recordCalls?: boolean;
}

/** Where a fake market is, in the words of a development chain. */
export interface FakeMarketPlaces {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  /** Of all endpoints. */
  readonly rpcUrls: readonly string[];
  readonly chainId: number;
  readonly market: string;
  readonly mixverse: string;
  readonly curation: string;
  readonly commissionPool: string;
  readonly lottery: string;
  readonly collections: readonly string[];
  readonly factories: { readonly single: string; readonly multiple: string };
  readonly startBlock: number;
}

/** A chain with a market on it, served by nodes of its own. */
export interface FakeMarket {
  readonly traffic: MarketTraffic;
  readonly nodes: readonly FakeRpc[];
  readonly places: FakeMarketPlaces;
  /** A node without faults over the chain as it is and will be: for the clean run that others are compared with. */
  cleanNode(): Promise<FakeRpc>;
  close(): Promise<void>;
}

export async function startFakeMarket(options: FakeMarketOptions = {}): Promise<FakeMarket> {
  const { seed = 1, port = 0, endpoints = 1, rules = {}, byClock = false, recordCalls = true } = options;
  const clock = byClock
    ? { clock: () => Date.now() / 1_000, genesisTime: Math.floor(Date.now() / 1_000) }
    : {};
  const chain = createFakeChain(1, DEVNET_CHAIN_ID, { salt: String(seed), ...clock });
  const traffic = createMarketTraffic({ seed, chain });
  const nodes: FakeRpc[] = [];
  const start = async (at: number, own: FakeRpcRules): Promise<FakeRpc> => {
    const node = await startFakeRpc(chain, own, {
      port: at,
      recordCalls,
      webSocket: true,
      methods: (method, params) => controlMethods(traffic, nodes, method, params),
    });
    return node;
  };
  const clean: FakeRpc[] = [];
  for (let i = 0; i < endpoints; i++) nodes.push(await start(i === 0 ? port : 0, { ...rules }));
  const [first] = nodes as [FakeRpc];
  const { singleCollective, multipleCollective, erc721, erc1155, ...named } = traffic.contracts;
  return {
    traffic,
    nodes,
    places: {
      rpcUrl: first.url,
      wsUrl: first.wsUrl,
      rpcUrls: nodes.map(({ url }) => url),
      chainId: chain.chainId,
      ...named,
      collections: [erc721, erc1155],
      factories: { single: singleCollective, multiple: multipleCollective },
      startBlock: 1,
    },
    async cleanNode() {
      const node = await startFakeRpc(chain);
      clean.push(node);
      return node;
    },
    async close() {
      await Promise.all([...nodes, ...clean].map((node) => node.close()));
    },
  };
}
