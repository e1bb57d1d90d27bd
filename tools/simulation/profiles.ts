import { createRandom } from '../devnet/src/random';
import type { HistoryOptions } from './history';
import type { Role } from './world';

/** How the work is divided. */
const COMPOSITIONS: readonly (readonly Role[])[] = [
  ['all'],
  ['all', 'apply'],
  ['ingest', 'apply'],
  ['ingest', 'apply', 'apply'],
  ['ingest', 'ingest', 'apply'],
  ['all', 'all', 'apply'],
];

/** A history with faults at random; all of it follows from the seed. */
export function randomHistoryOf(seed: number): HistoryOptions {
  const random = createRandom(seed);
  const omitted = random.pick([0, 0, 1, 5]);
  const others: Role[] = [
    ...(omitted > 0 ? (['second-pass'] as const) : []),
    ...(random.chance(0.3) ? (['operator'] as const) : []),
  ];
  return {
    seed,
    chain: {
      transactions: 8 + random.below(40),
      poison: random.below(4),
      forkChance: random.pick([0, 0.15, 0.3, 0.5]),
      finalityDepth: 2 + random.below(6),
      emptyChance: random.pick([0, 0.2, 0.5]),
      omitted,
    },
    queue: {
      lost: random.pick([0, 0.3, 1]),
      duplicated: random.pick([0, 0.3]),
      delayTurnsMax: random.pick([0, 5, 60]),
      flushed: random.pick([0, 0.1]),
      redelivered: random.pick([0, 1]),
    },
    composition: random.pick(['app', 'engine']),
    roles: [...random.pick(COMPOSITIONS), ...others],
    lanesMax: random.pick([1, 4]),
    faults: [],
    faultChance: random.pick([0.002, 0.01, 0.03]),
  };
}

/** A history without faults of its own, small enough to try a fault at each of its points. */
export function plainHistoryOf(
  seed: number,
  composition: HistoryOptions['composition'],
  roles: readonly Role[],
  transactions: number,
): HistoryOptions {
  return {
    seed,
    composition,
    chain: {
      transactions,
      poison: 2,
      forkChance: 0.35,
      finalityDepth: 4,
      emptyChance: 0.25,
      omitted: roles.includes('second-pass') ? 2 : 0,
    },
    queue: { lost: 0.2, duplicated: 0.2, delayTurnsMax: 15, flushed: 0.03, redelivered: 0.5 },
    roles,
    lanesMax: 3,
    faults: [],
    faultChance: 0,
  };
}
