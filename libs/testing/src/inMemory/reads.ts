import { isDeepStrictEqual } from 'node:util';
import {
  aggregateKeyText,
  type Activity,
  type AggregateKey,
  type Event,
  type FoldState,
  type KnownBlock,
  type Observer,
  type SeqNo,
  type StateRow,
  type SubjectId,
} from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import {
  EventConflictError,
  type LogRange,
  type OperatorAction,
  type ParkAction,
  type ParkMarker,
  type SubjectProgress,
} from '@imart/pipeline';
import { aggregateOfRow } from '../aggregateOfRow';
import { readStored, storedOf, type Committed } from './committed';

/** Everything that is committed, in an order of its own: two stores that hold the same give equal contents. */
export interface StoreContents {
  readonly rows: readonly StateRow[];
  readonly activities: readonly (Omit<Activity, 'event'> & { readonly seqNo: SeqNo })[];
  readonly parked: readonly ParkMarker[];
}

/** What a store keeps besides its contents, in the order in which it came about. */
export interface StoreKept {
  readonly parkActions: readonly ParkAction[];
  readonly operatorActions: readonly OperatorAction[];
  /** Ascending. */
  readonly skipped: readonly SeqNo[];
  /** By aggregate, ascending. */
  readonly snapshots: readonly (AggregateKey & { readonly seqNo: SeqNo })[];
  /** Since when each marker is there, in the order of their events; the same text for the same time. */
  readonly parkedAt: readonly string[];
}

/** How far the subject is. */
export const progressOf = (state: Committed): SubjectProgress => ({
  epoch: state.epoch,
  ingested: state.ingested,
  nextPosition: state.nextPosition,
  lanes: [...state.lanes],
  executed: state.lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least)),
  lastFeedNo: state.lastFeedNo,
  finalized: state.finalized,
  finalizedPosition: state.finalizedPosition,
  chainTimeUs: state.chainTimeUs,
  halt: state.halt,
});

/** The states of aggregates, as their rows hold them. */
export function statesOf(
  committed: Committed,
  observer: Observer,
  keys: readonly AggregateKey[],
): ReadonlyMap<string, FoldState> {
  const wanted = new Set(keys.map((key) => aggregateKeyText(key.aggregateType, key.aggregateId)));
  const found = new Map<string, { key: AggregateKey; rows: StateRow[] }>();
  for (const row of committed.rows.values()) {
    const key = aggregateOfRow(row);
    const text = aggregateKeyText(key.aggregateType, key.aggregateId);
    if (!wanted.has(text)) continue;
    const entry = found.get(text) ?? { key, rows: [] };
    entry.rows.push(row);
    found.set(text, entry);
  }
  const states = new Map<string, FoldState>();
  for (const [text, { key, rows: own }] of found) {
    const reducer = observer.reducers.get(key.aggregateType);
    if (reducer !== undefined) states.set(text, reducer.restore(key.aggregateId, own));
  }
  return states;
}

/** The log between two positions. */
export function rangeOf(committed: Committed, fromPosition: bigint, toPosition: bigint): LogRange {
  const within = (position: bigint): boolean => position >= fromPosition && position <= toPosition;
  const { epoch, nextPosition, log, blocks, discovered } = committed;
  const events = log.map(readStored).filter(({ source }) => within(source.position));
  const known = new Map(events.map(({ source }) => [source.position, source.blockHash]));
  for (const { position, hash } of blocks) if (within(position)) known.set(position, hash);
  return {
    epoch,
    nextPosition,
    events,
    blocks: [...known]
      .map(([position, hash]): KnownBlock => ({ position, hash }))
      .sort((a, b) => Number(a.position - b.position)),
    discovered: discovered.filter(({ discoveredAt }) => within(blockSeqNo.decode(discoveredAt).position)),
  };
}

/**
 * That a range which is there has the same events.
 * @throws {EventConflictError} it has others.
 */
export function mustBeTheSame(
  subjectId: SubjectId,
  committed: Committed,
  { events, from, to }: { readonly events: readonly Event[]; readonly from: SeqNo; readonly to: SeqNo },
): void {
  const within = committed.log.filter(({ event }) => event.seqNo >= from && event.seqNo <= to);
  const stored = new Map(within.map((one) => [one.event.seqNo, one]));
  for (const event of events) {
    const known = stored.get(event.seqNo);
    if (known === undefined) throw new EventConflictError(subjectId, event.seqNo, 'it was not there');
    if (!isDeepStrictEqual(known, storedOf(event, known.feedNo)))
      throw new EventConflictError(subjectId, event.seqNo, 'another content');
    stored.delete(event.seqNo);
  }
  for (const seqNo of stored.keys())
    throw new EventConflictError(subjectId, seqNo, 'the source no longer has it');
}

/** Everything that is committed. */
export const contentsOf = (committed: Committed): StoreContents => ({
  rows: [...committed.rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
  activities: [...committed.activities.values()]
    .map(({ event, ...activity }) => ({ ...activity, seqNo: event.seqNo }))
    .sort((a, b) => Number(a.seqNo - b.seqNo) || a.item - b.item),
  parked: [...committed.parked.values()].sort((a, b) => Number(a.fromSeqNo - b.fromSeqNo)),
});

/** What else is kept. */
export const keptOf = (committed: Committed): StoreKept => ({
  parkActions: [...committed.parkActions],
  operatorActions: [...committed.operatorActions],
  skipped: [...committed.skipped].sort((a, b) => (a < b ? -1 : 1)),
  snapshots: committed.snapshots
    .map(({ snapshot: { aggregateType, aggregateId }, seqNo }) => ({ aggregateType, aggregateId, seqNo }))
    .sort((a, b) => Number(a.seqNo - b.seqNo)),
  parkedAt: [...committed.parked.keys()].map((key) => String(committed.parkedAt.get(key)?.at)),
});
