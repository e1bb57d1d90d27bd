import { startTestServer } from '../../libs/storage/src/testing/testDatabase';
import { isRedisInstalled, startTestRedis } from '../../libs/stream/src/testing/redisServer';
import { createMarket } from '../e2e/market';
import { runFullHistory } from './fullHistory';
import type { Interruption } from './interruption';

/** What histories of the whole worker have come to. */
export interface FullHistories {
  readonly seeds: number;
  readonly blocks: number;
  /** Events that nodes had left out, and the second pass has found. */
  readonly found: number;
  /** Seeds of histories that did not end as the chain's model says. */
  readonly failed: readonly number[];
}

/** Histories of the whole worker of consecutive seeds, on servers of their own: so many, or until it is time. */
export async function runFullHistories(
  from: number,
  count: number,
  isOver: () => boolean,
  interruption: Interruption,
  tell: (line: string) => void,
): Promise<FullHistories> {
  const failed: number[] = [];
  let [seeds, blocks, found] = [0, 0, 0];
  const endings: (() => Promise<void>)[] = [];
  /** Once: after the run, or when it is interrupted. */
  const toBeEnded = (end: () => Promise<void>): void => {
    const ended = interruption.onInterruption(end);
    endings.push(async () => {
      ended();
      if (!interruption.happened) await end();
    });
  };
  try {
    const server = await startTestServer();
    toBeEnded(() => server.stop());
    const redis = isRedisInstalled() ? await startTestRedis() : null;
    if (redis !== null) toBeEnded(() => redis.stop());
    const programs = createMarket();
    toBeEnded(() => programs.close());
    for (; seeds < count && !isOver(); seeds++) {
      const seed = from + seeds;
      const history = await runFullHistory({ programs, server, redis }, seed);
      // What it lacks, it lacks because its processes were ended.
      if (interruption.happened) break;
      blocks += history.blocks;
      found += history.found;
      const { differences, steps, seconds } = history;
      tell(
        `whole worker, seed ${seed}: ${history.blocks} blocks, ${history.found} events found later, ${seconds.toFixed(1)} s: ${steps.join('; ')}`,
      );
      if (differences.length === 0) continue;
      failed.push(seed);
      tell(`seed ${seed} is not as the chain's model: npm run test:faults -- --full --seed ${seed}`);
      for (const difference of differences) tell(`  ${difference}`);
    }
  } finally {
    for (const end of endings.reverse()) await end();
  }
  return { seeds, blocks, found, failed };
}
