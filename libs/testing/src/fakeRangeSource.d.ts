import { type BlockRef, type Event, type SubjectId } from '@imart/core';
import type { RangeRequest, RangeSource } from '@imart/pipeline';
export interface FakeRangeSourceOptions {
  readonly subjectId: SubjectId;
  /** Everything that is in the chain, ascending. May be changed between readings. */
  readonly events: () => readonly Event[];
  /** Contracts that are followed whatever happens. @defaultValue every contract */
  readonly contracts?: ReadonlySet<string>;
  /** The contract that an event names. @defaultValue none does */
  readonly names?: (event: Event) => string | null;
  /** What answers to ranges leave out; blocks that are read whole have it. @defaultValue nothing */
  readonly omits?: (event: Event) => boolean;
  /** @defaultValue that of `fakeBlock` */
  readonly block?: (position: bigint) => BlockRef | null;
  /** Called before each reading. */
  readonly onRead?: (request: RangeRequest) => void | Promise<void>;
  /** @defaultValue 1,000 */
  readonly positionsPerRange?: number;
}
/** A source whose second reading is written down beforehand. */
export interface FakeRangeSource extends RangeSource {
  readonly requests: readonly RangeRequest[];
  /** Positions that were read whole, in order. */
  readonly whole: readonly bigint[];
  rateLimited: number;
}
export declare function createFakeRangeSource(options: FakeRangeSourceOptions): FakeRangeSource;
