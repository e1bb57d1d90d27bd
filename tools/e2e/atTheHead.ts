import {
  openTraffic,
  startDevnet,
  startLiveTraffic,
  type Devnet,
  type DevnetOptions,
  type Expected,
  type Traffic,
} from '../devnet/src';
import { chainOf, executedReaches, type Chain } from './market';
import type { Program } from './programs';

async function open(options: DevnetOptions, seed: number): Promise<{ devnet: Devnet; traffic: Traffic }> {
  const devnet = await startDevnet(options);
  try {
    return { devnet, traffic: await openTraffic(devnet, seed) };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/** A chain that waits, after each block, for the worker to have executed it: everything happens at the head. */
export interface SteppedChain {
  readonly chain: Chain;
  /** Mines so many blocks of so many actions, each when the worker has executed the one before. */
  trade(blocks: number, perBlock: number, worker: Program, databaseUrl: string): Promise<Expected>;
  stop(): Promise<void>;
}

export async function startSteppedChain(options: DevnetOptions, seed: number): Promise<SteppedChain> {
  const { devnet, traffic } = await open(options, seed);
  return {
    chain: chainOf(devnet),
    async trade(blocks, perBlock, worker, databaseUrl) {
      for (let block = 0; block < blocks; block++) {
        await traffic.submit(perBlock, false);
        await devnet.mine();
        while (traffic.pending > 0) await traffic.confirm();
        await executedReaches(databaseUrl, traffic.expected().lastBlock, worker);
      }
      return traffic.expected();
    },
    stop: () => devnet.stop(),
  };
}

/** A chain that is mined by the clock, with traffic for as long as a test wants it. */
export interface LiveChain {
  readonly chain: Chain;
  /** Ends the traffic; the chain goes on. */
  endTraffic(): Promise<Expected>;
  stop(): Promise<void>;
}

export async function startLiveChain(seed: number, perSecond: number): Promise<LiveChain> {
  const { devnet, traffic } = await open({ blockTimeSec: 1 }, seed);
  const running = startLiveTraffic(devnet, traffic, { perSecond });
  return {
    chain: chainOf(devnet),
    async endTraffic() {
      await running.stop();
      return traffic.expected();
    },
    async stop() {
      await running.stop().catch(() => undefined);
      await devnet.stop();
    },
  };
}
