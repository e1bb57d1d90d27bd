import { openTraffic, startDevnet, type Devnet, type Expected, type Traffic } from '../devnet/src';
import { chainOf, executedReaches, type Chain } from './market';
import type { Program } from './programs';

/** A chain that waits, after each block, for the worker to have executed it: everything happens at the head. */
export interface SteppedChain {
  readonly chain: Chain;
  /** Mines so many blocks of so many actions, each when the worker has executed the one before. */
  trade(blocks: number, perBlock: number, worker: Program, databaseUrl: string): Promise<Expected>;
  stop(): Promise<void>;
}

export async function startSteppedChain(seed: number): Promise<SteppedChain> {
  const devnet: Devnet = await startDevnet();
  const traffic: Traffic = await openTraffic(devnet, seed).catch(async (error: unknown) => {
    await devnet.stop();
    throw error;
  });
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
