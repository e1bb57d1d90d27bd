import { type DiscoveredContract, type Event, type LateChange, type Subject } from '@imart/core';
import type { LogRange } from '@imart/pipeline';
import type { SeededRandom } from './seededRandom';
/** A chain that grows, forks and becomes final, whose providers are not to be trusted. Everything follows from one number. */
export interface ForkingChain {
  readonly head: bigint;
  readonly finalized: bigint;
  grow(blocks: number): void;
  /** Another branch takes the place of the last blocks that are not final, and includes some of their events again, elsewhere. */
  fork(depth: number, blocks: number): void;
  finalize(position: bigint): void;
  events(): readonly Event[];
  /** The contracts that are known when all events are, by address, each by its first event. */
  discovered(): ReadonlyMap<string, DiscoveredContract>;
  /** A reading of what a provider tells first. */
  createSubject(catchingUp: number): Subject;
  /** What a second, better reading of a range finds. */
  difference(range: LogRange, fromPosition: bigint, toPosition: bigint): LateChange;
}
export declare function createForkingChain(random: SeededRandom): ForkingChain;
