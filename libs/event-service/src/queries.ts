import {
  dispositionOf,
  messageOf,
  UNDECODABLE,
  WorkerError,
  type Event,
  type SeqNo,
  type UndecodableData,
} from '@imart/core';
import type { AggregateDefinition, EventsOf, Stored } from './aggregate';
import { storedEvent } from './codec';
import { createCommandReducer, type AggregateState } from './observer';
import type { AggregateReads, Moment, SnapshotPlace } from './ports';
import { SNAPSHOT_EVENTS_DEFAULT, everyEvents } from './snapshotPolicy';

/** An aggregate's state at a moment. */
export interface StateReading<State> {
  readonly state: State;
  /** Of the last event in it; 0: there is none. */
  readonly version: number;
  /** Of the last event in it; -1: there is none. */
  readonly seqNo: SeqNo;
  /** Time of the last event in it, in microseconds since 1970; 0: there is none. */
  readonly timeUs: bigint;
  /** How many events were folded for it. */
  readonly folded: number;
  /** Why it goes no further: the event at `seqNo` sets the aggregate aside, or has. `null`: it does go as far as was asked for. */
  readonly stopped: { readonly seqNo: SeqNo; readonly code: string; readonly message: string } | null;
}

/** An event that this program cannot read. */
export interface UnreadableEvent {
  readonly seqNo: SeqNo;
  readonly reason: string;
}

/** A page of an aggregate's events. */
export interface EventsPage<Events extends EventsOf = EventsOf> {
  readonly events: readonly Stored<Events>[];
  /** The first event that cannot be read ends the page. `null`: all could. */
  readonly unreadable: UnreadableEvent | null;
}

/** @defaultValue most events in one page */
export const EVENTS_PAGE_MAX = 1_000;

/** The three questions about an aggregate. Readers see what is in the log; accepted commands may still be on their way. */
export interface AggregateQueries<State = unknown, Events extends EventsOf = EventsOf> {
  /** @param page versions after `afterVersion`, ascending, at most `limit` (bounded by {@link EVENTS_PAGE_MAX}). */
  events(
    id: string,
    page?: { readonly afterVersion?: number; readonly limit?: number },
  ): Promise<EventsPage<Events>>;
  /** The newest snapshot not after the moment; `null`: there is none of this reducer's version. */
  snapshot(id: string, moment?: Moment): Promise<Omit<StateReading<State>, 'folded' | 'stopped'> | null>;
  /** Snapshot and the events after it, of one moment, folded. */
  state(id: string, moment?: Moment): Promise<StateReading<State>>;
}

const LATEST: Moment = { kind: 'latest' };

export interface AggregateQueriesOptions {
  readonly reads: AggregateReads;
  /** A snapshot that could not be written: nothing depends on it. */
  readonly onSnapshotFailed: (error: unknown) => void;
}

export function createAggregateQueries<State, Events extends EventsOf>(
  definition: AggregateDefinition<State, Events>,
  { reads, onSnapshotFailed }: AggregateQueriesOptions,
): AggregateQueries<State, Events> {
  const plain = definition as unknown as AggregateDefinition<State>;
  const policy = definition.snapshots ?? everyEvents(SNAPSHOT_EVENTS_DEFAULT);

  /** Beside the answer, which does not wait for it. */
  const keepSnapshot = (id: string, folded: FoldedState<State>): void => {
    const { state, base, names } = folded;
    if (names.length === 0) return;
    const due = policy({
      ...placeOf(base),
      version: state.version,
      timeUs: state.timeUs,
      names,
      reading: true,
    });
    if (!due) return;
    reads
      .writeSnapshots([{ aggregateType: definition.type, aggregateId: id, state }])
      .catch(onSnapshotFailed);
  };

  return {
    async events(id, { afterVersion = 0, limit = EVENTS_PAGE_MAX } = {}) {
      const found = await reads.readEvents(id, afterVersion, Math.min(limit, EVENTS_PAGE_MAX));
      const wrong = found.findIndex(({ name }) => name === UNDECODABLE);
      const readable = wrong === -1 ? found : found.slice(0, wrong);
      const bad = found[wrong];
      return {
        events: readable.map(storedEvent) as unknown as readonly Stored<Events>[],
        unreadable:
          bad === undefined ? null : { seqNo: bad.seqNo, reason: (bad.data as UndecodableData).reason },
      };
    },
    async snapshot(id, moment = LATEST) {
      const found = (await reads.readSnapshot(id, moment)) as AggregateState<State> | null;
      if (found === null) return null;
      const { value: state, version, seqNo, timeUs } = found;
      return { state, version, seqNo, timeUs };
    },
    async state(id, moment = LATEST) {
      const folded = await foldState(plain, reads, id, moment);
      if (moment.kind === 'latest') keepSnapshot(id, folded);
      const { value: state, version, seqNo, timeUs } = folded.state;
      return { state, version, seqNo, timeUs, folded: folded.names.length, stopped: folded.stopped };
    },
  };
}

/** What folding an aggregate gave. */
export interface FoldedState<State> {
  readonly state: AggregateState<State>;
  /** The snapshot that it was folded from. */
  readonly base: AggregateState<State> | null;
  /** Names of the events folded. */
  readonly names: readonly string[];
  readonly stopped: StateReading<State>['stopped'];
}

/** Folds an aggregate from what one statement has read. */
export async function foldState<State>(
  definition: AggregateDefinition<State>,
  reads: AggregateReads,
  aggregateId: string,
  moment: Moment,
): Promise<FoldedState<State>> {
  const reducer = createCommandReducer(definition);
  const source = await reads.readStateSource(aggregateId, moment);
  const base = source.snapshot as AggregateState<State> | null;
  let state = base ?? reducer.initial(aggregateId);
  const names: string[] = [];
  let failed: Event | null = null;
  const { parked } = source;
  let stopped: StateReading<State>['stopped'] =
    parked === null ? null : { seqNo: parked.fromSeqNo, code: parked.code, message: parked.message };
  try {
    for (const event of source.events) {
      failed = event;
      if (event.name === UNDECODABLE) {
        const { reason } = event.data as UndecodableData;
        throw new WorkerError(reason, { code: 'UNDECODABLE', disposition: 'park' });
      }
      state = reducer.fold(state, event).state;
      names.push(event.name);
    }
  } catch (error) {
    // The lanes have not come to it yet; they will set the aggregate aside there.
    if (dispositionOf(error) === 'stop' || failed === null) throw error;
    const code = error instanceof WorkerError ? error.code : 'REDUCER_FAILED';
    stopped = { seqNo: failed.seqNo, code, message: messageOf(error) };
  }
  return { state, base, names, stopped };
}

/** What a snapshot is of, as policies ask for it. */
export function placeOf(place: SnapshotPlace | null | undefined): {
  snapshotVersion: number;
  snapshotTimeUs: bigint | null;
} {
  return { snapshotVersion: place?.version ?? 0, snapshotTimeUs: place?.timeUs ?? null };
}
