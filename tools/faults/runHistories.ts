import { setImmediate } from 'node:timers/promises';
import { describeMet, runHistory } from '../simulation/history';
import { randomHistoryOf } from '../simulation/profiles';

/** What histories have come to, in sums. */
export interface Histories {
  readonly seeds: number;
  readonly faults: number;
  readonly forks: number;
  readonly points: number;
  /** Seeds of histories that did not end as one clean pass does. */
  readonly failed: readonly number[];
}

/** Between two lines that tell how far it is. */
const TELL_EVERY = 100;

/** Histories in memory of consecutive seeds: so many, or until it is time. Each failure is told with the command that repeats it. */
export async function runHistories(
  from: number,
  count: number,
  isOver: () => boolean,
  tell: (line: string) => void,
): Promise<Histories> {
  const failed: number[] = [];
  let [seeds, faults, forks, points] = [0, 0, 0, 0];
  for (; seeds < count && !isOver(); seeds++) {
    const seed = from + seeds;
    // Its time is virtual: without this, no signal would be heard until all are done.
    await setImmediate();
    const result = await runHistory(randomHistoryOf(seed));
    faults += result.met.length;
    forks += result.forks;
    points += result.points.length;
    if (result.differences.length > 0) {
      failed.push(seed);
      tell(`seed ${seed} is not as one clean pass: npm run test:faults -- --seed ${seed}`);
      for (const difference of result.differences) tell(`  ${difference}`);
      tell(`  after: ${describeMet(result)}`);
    }
    if ((seeds + 1) % TELL_EVERY === 0) tell(`seeds ${from} to ${seed}: ${faults} faults, ${forks} forks`);
  }
  return { seeds, faults, forks, points, failed };
}
