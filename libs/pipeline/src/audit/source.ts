import type { BlockRef, DiscoveredContract, Event, SubjectId } from '@imart/core';

/** Positions from `fromPosition` to `toPosition`, both inclusive; never empty. */
export interface PositionRange {
  readonly fromPosition: bigint;
  readonly toPosition: bigint;
}

/**
 * How hard a range is looked at. `quick`: as the live stream reads it. `thorough`: from another endpoint than the live stream
 * asks first, where there is one, and blocks whose header promises logs that the answer lacks, or of which the node tells other logs
 * when it is asked for the block alone, are read whole. `whole`: every block by the receipts of all its transactions, which no index
 * of the node stands behind.
 */
export type ReadingDepth = 'quick' | 'thorough' | 'whole';

export interface RangeRequest extends PositionRange {
  readonly depth: ReadingDepth;
  /** Discovered contracts that are known; each is followed from its place on, whatever the order. */
  readonly known: readonly DiscoveredContract[];
}

/** What a second reading of a range gave: complete, from one moment of one endpoint. */
export interface RangeReading extends PositionRange {
  /** Every event of the range by what is followed now and by `known`, ascending. */
  readonly events: readonly Event[];
  /** Every contract that events of the range named, known or not, each at its first place. */
  readonly discovered: readonly DiscoveredContract[];
  /** Blocks of the range, ascending: all of them unless the reading was `quick`; always the last one. */
  readonly blocks: readonly BlockRef[];
  /** How many blocks were read whole, which costs the provider much more than the others. */
  readonly wholeBlocks: number;
  /** Whether events of this contract would have been read, had there been any. */
  follows(address: string): boolean;
}

/** One block by all its receipts: what it does not have was not in the chain. */
export interface BlockReading {
  readonly position: bigint;
  /** `null`: the chain has no block at this height. */
  readonly block: BlockRef | null;
  readonly events: readonly Event[];
  readonly discovered: readonly DiscoveredContract[];
  /** Whether the log at this place of the block is one that nobody follows now. */
  isForeign(index: number): boolean;
}

/** Reads what was read before, with everything that is followed now. Retries what can be retried, until the signal aborts. */
export interface RangeSource {
  readonly id: SubjectId;
  /** How many positions a range had best have, by what the provider gave so far. */
  readonly positionsPerRange: number;
  /** How often providers have said that they are asked too often. */
  readonly rateLimited: number;
  /** @throws {WorkerError} when the range cannot be had: pruned, beyond the head, or refused by every endpoint. */
  readRange(request: RangeRequest, signal: AbortSignal): Promise<RangeReading>;
  /** The blocks at these positions, each for itself. @throws as `readRange` does. */
  readBlocks(
    positions: readonly bigint[],
    known: readonly DiscoveredContract[],
    signal: AbortSignal,
  ): Promise<readonly BlockReading[]>;
}
