import { isDeepStrictEqual } from 'node:util';
import type { AggregateDefinition } from './aggregate';
import { ReducerChangedError } from './errors';
import { createCommandReducer, type AggregateState } from './observer';
import type { AggregateReads } from './ports';

/** Aggregates that are looked at, and the longest history that is folded for it. */
const AGGREGATES = 5;
const EVENTS_MAX = 1_000;

/**
 * At start: that the reducer gives the states that its version has stored. Folds the events of some aggregates from the beginning, and
 * compares them with their snapshots.
 *
 * @throws {ReducerChangedError} somebody has changed the reducer and not its version (E8).
 */
export async function checkReducer(definition: AggregateDefinition, reads: AggregateReads): Promise<void> {
  const reducer = createCommandReducer(definition);
  for (const aggregateId of await reads.snapshotAggregates(AGGREGATES)) {
    const stored = (await reads.readSnapshot(aggregateId, { kind: 'latest' })) as AggregateState | null;
    if (stored === null || stored.version > EVENTS_MAX) continue;
    const { events } = await reads.readStateSource(
      aggregateId,
      { kind: 'seqNo', seqNo: stored.seqNo },
      false,
    );
    const state = events.reduce(
      (before: AggregateState, event) => reducer.fold(before, event).state,
      reducer.initial(aggregateId),
    );
    if (!isDeepStrictEqual(plain(state.value), plain(stored.value))) {
      throw new ReducerChangedError(definition.type, aggregateId, definition.reducer.version);
    }
  }
}

/** As it comes back from where it was stored. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify([value], (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)),
  ) as unknown;
}
