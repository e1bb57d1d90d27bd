import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  aggregateHash,
  aggregateKeyText,
  BEFORE_FIRST,
  evmSeqNo,
  laneOf,
  type Activity,
  type AggregateKey,
  type BlockRef,
  type DiscoveredContract,
  type Event,
  type FoldState,
  type Observer,
  type SeqNo,
  type Snapshot,
  type StateRow,
  type SubjectId,
} from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  decodeState,
  encodeState,
  EventConflictError,
  LedgerGapError,
  type ParkMarker,
  type SubjectProgress,
  type SubjectStore,
  type SubjectTransaction,
} from '@imart/pipeline';
import { aggregateOfRow } from './aggregateOfRow';
import { createMutex } from './mutex';

/** A moment at which a store can be made to fail. `committed`: the transaction is done, and its caller does not learn it. */
export type StoreMoment =
  | 'progress'
  | 'parked'
  | 'loadStates'
  | 'begin'
  | 'lockIngest'
  | 'lockLanes'
  | 'append'
  | 'readRun'
  | 'writeRun'
  | 'setCheckpoints'
  | 'commit'
  | 'committed';

export interface InMemorySubjectStoreOptions {
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly observer: Observer;
  /** Called at each moment; what it throws is thrown there. */
  readonly onMoment?: (moment: StoreMoment) => void;
}

/** Everything that is committed, in an order of its own: two stores that hold the same give equal contents. */
export interface StoreContents {
  readonly rows: readonly StateRow[];
  readonly activities: readonly (Omit<Activity, 'event'> & { readonly seqNo: SeqNo })[];
  readonly parked: readonly ParkMarker[];
}

interface StoredEvent {
  readonly event: Omit<Event, 'data'>;
  /** As the log keeps it: what is read is decoded from it. */
  readonly text: string;
}

/**
 * A subject's store in memory, with the semantics of the real one: transactions are atomic, what they write is seen by
 * others after their commit; locks are waited for; events are read back from their stored text. Stricter in one
 * thing: it throws on what the real one is never asked for (a lock out of order, a write without its lock, an
 * activity written twice).
 *
 * A transaction does not see its own writes: the engine reads before it writes.
 */
export interface InMemorySubjectStore extends SubjectStore {
  contents(): StoreContents;
  /** All snapshots, in the order they were made. */
  snapshots(): readonly Snapshot[];
  events(): readonly Event[];
  /** As an operator would: the aggregate's later events are folded again, from its next one on. */
  removeSnapshots(): void;
}

export function createInMemorySubjectStore(options: InMemorySubjectStoreOptions): InMemorySubjectStore {
  const { subjectId, lanes, observer, onMoment = () => undefined } = options;
  const log: StoredEvent[] = [];
  const rows = new Map<string, StateRow>();
  const activities = new Map<string, Activity>();
  const parked = new Map<string, ParkMarker>();
  let snapshots: {
    readonly text: string;
    readonly seqNo: SeqNo;
    readonly snapshot: Omit<Snapshot, 'state'>;
  }[] = [];
  const discovered: DiscoveredContract[] = [];
  let blocks: BlockRef[] = [];
  let finalizedPosition: bigint | null = null;
  let at = {
    epoch: 0n,
    ingested: BEFORE_FIRST,
    nextPosition: 0n,
    lanes: Array.from({ length: lanes }, () => BEFORE_FIRST),
    lastFeedNo: 0n,
    finalized: BEFORE_FIRST,
    chainTimeUs: null as bigint | null,
  };
  const ingestLock = createMutex();
  const laneLocks = Array.from({ length: lanes }, createMutex);

  const progress = (): SubjectProgress => ({
    ...at,
    lanes: [...at.lanes],
    executed: at.lanes.reduce((least, seqNo) => (seqNo < least ? seqNo : least)),
  });
  const read = ({ event, text }: StoredEvent): Event => ({
    ...event,
    data: marketEventCodec.decode(event.name, text),
  });
  const store = ({ data, ...event }: Event): StoredEvent => ({
    event,
    text: marketEventCodec.encode(event.name, data),
  });
  const isOf = (key: AggregateKey, other: AggregateKey): boolean =>
    key.aggregateType === other.aggregateType && key.aggregateId === other.aggregateId;

  /** A broken rule of the port, not of the data: no retry may hide it. */
  const refuse = (what: string): never => {
    throw new LedgerMisuse(what);
  };

  const open = (): { transaction: SubjectTransaction; commit: () => void; end: () => void } => {
    const writes: (() => void)[] = [];
    const releases: (() => void)[] = [];
    const held = new Set<string>();

    const sameAgain = (events: readonly Event[], from: SeqNo, to: SeqNo): void => {
      const stored = new Map(
        log
          .filter(({ event }) => event.seqNo >= from && event.seqNo <= to)
          .map((one) => [one.event.seqNo, one]),
      );
      for (const event of events) {
        const known = stored.get(event.seqNo);
        if (known === undefined) throw new EventConflictError(subjectId, event.seqNo, 'it was not there');
        if (!isDeepStrictEqual(known, store(event)))
          throw new EventConflictError(subjectId, event.seqNo, 'another content');
        stored.delete(event.seqNo);
      }
      for (const seqNo of stored.keys())
        throw new EventConflictError(subjectId, seqNo, 'the source no longer has it');
    };

    const transaction: SubjectTransaction = {
      async lockIngest() {
        if (held.size > 0) refuse('ingest is locked before lanes, and once');
        held.add('ingest');
        releases.push(await ingestLock.lock());
        onMoment('lockIngest');
        return progress();
      },
      async lockLanes(wanted) {
        for (const lane of wanted) {
          if ([...held].some((one) => one.startsWith('lane') && Number(one.slice(4)) >= lane))
            refuse('lanes are locked ascending');
          held.add(`lane${lane}`);
          releases.push(await (laneLocks[lane] ?? refuse(`there is no lane ${lane}`)).lock());
        }
        onMoment('lockLanes');
        return progress();
      },
      async append({ message }) {
        await nextTurn();
        onMoment('append');
        if (!held.has('ingest')) refuse('append without the lock on ingest');
        const { fromPosition, toPosition, toSeqNo, events } = message;
        const from = evmSeqNo.first(fromPosition);
        events.forEach((event, i) => {
          const before = events[i - 1]?.seqNo ?? from - 1n;
          if (event.seqNo <= before || event.seqNo > toSeqNo)
            refuse(`event ${event.seqNo} is not in the order of its range`);
        });
        if (toPosition < at.nextPosition) {
          sameAgain(events, from, toSeqNo);
          return { kind: 'already-there' };
        }
        if (fromPosition !== at.nextPosition)
          throw new LedgerGapError(subjectId, at.nextPosition, fromPosition);
        const feedNo = at.lastFeedNo + 1n;
        writes.push(() => {
          log.push(...events.map(store));
          blocks = [...blocks, ...message.blocks].filter(
            (block) => block.position >= toPosition || block.position >= (finalizedPosition ?? -1n),
          );
          discovered.push(...message.discovered);
          const chainTimeUs = message.blocks.at(-1)?.timeUs ?? at.chainTimeUs;
          at = { ...at, ingested: toSeqNo, nextPosition: toPosition + 1n, lastFeedNo: feedNo, chainTimeUs };
        });
        return { kind: 'appended', feedNo, events: events.length };
      },
      async finalize({ position, upToSeqNo }) {
        await nextTurn();
        if (!held.has('ingest')) refuse('finalize without the lock on ingest');
        writes.push(() => {
          if (finalizedPosition !== null && position <= finalizedPosition) return;
          finalizedPosition = position;
          at = { ...at, finalized: upToSeqNo };
        });
      },
      async writeRun({ run }) {
        await nextTurn();
        onMoment('writeRun');
        writes.push(() => {
          for (const row of run.rows) rows.set(`${row.table}/${row.key}`, row);
          for (const activity of run.activities) {
            const key = `${activity.event.seqNo}/${activity.item}`;
            if (activities.has(key)) refuse(`activity ${key} is written twice`);
            activities.set(key, activity);
          }
          for (const { state, ...snapshot } of run.snapshots) {
            snapshots.push({ text: encodeState(state), seqNo: state.seqNo, snapshot });
          }
          for (const marker of run.parked) {
            const key = aggregateKeyText(marker.aggregateType, marker.aggregateId);
            if (!parked.has(key)) parked.set(key, marker);
          }
        });
      },
      async setCheckpoints(moved, seqNo) {
        await nextTurn();
        onMoment('setCheckpoints');
        for (const lane of moved)
          if (!held.has(`lane${lane}`)) refuse(`checkpoint of lane ${lane} without its lock`);
        writes.push(() => {
          at = {
            ...at,
            lanes: at.lanes.map((old, lane) => (moved.includes(lane) && old < seqNo ? seqNo : old)),
          };
        });
      },
      async readRun(lane, afterSeqNo, upToSeqNo, limit) {
        await nextTurn();
        onMoment('readRun');
        return log
          .filter(({ event }) => event.seqNo > afterSeqNo && event.seqNo <= upToSeqNo)
          .filter(
            ({ event }) => laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes) === lane,
          )
          .slice(0, limit)
          .map(read);
      },
      async readAggregate(key, afterSeqNo, upToSeqNo) {
        await nextTurn();
        return log
          .filter(({ event }) => isOf(key, event) && event.seqNo > afterSeqNo && event.seqNo <= upToSeqNo)
          .map(read);
      },
      async snapshotBelow(key, seqNo, reducerVersion): Promise<FoldState | null> {
        await nextTurn();
        const usable = snapshots
          .filter(({ snapshot }) => isOf(key, snapshot) && snapshot.reducerVersion === reducerVersion)
          .filter((one) => one.seqNo < seqNo)
          .sort((a, b) => Number(b.seqNo - a.seqNo))[0];
        return usable === undefined ? null : decodeState(usable.text);
      },
      async eraseFrom(key, fromSeqNo) {
        await nextTurn();
        writes.push(() => {
          snapshots = snapshots.filter((one) => !isOf(key, one.snapshot) || one.seqNo < fromSeqNo);
          for (const [id, activity] of activities) {
            if (isOf(key, activity.event) && activity.event.seqNo >= fromSeqNo) activities.delete(id);
          }
          for (const [id, row] of rows) {
            // Of successive rows, those that were opened before the change stay; other aggregates have one row.
            const opened = (row as { openedSeqNo?: bigint }).openedSeqNo ?? fromSeqNo;
            if (isOf(key, aggregateOfRow(row)) && opened >= fromSeqNo) rows.delete(id);
          }
        });
      },
    };
    return {
      transaction,
      commit: () => writes.forEach((write) => write()),
      end: () => releases.forEach((release) => release()),
    };
  };

  return {
    subjectId,
    lanes,
    async progress() {
      await nextTurn();
      onMoment('progress');
      return progress();
    },
    resumePoint: () =>
      Promise.resolve({
        nextPosition: at.nextPosition,
        window: [...blocks],
        finalizedPosition,
        discovered: [...discovered],
      }),
    async parked() {
      await nextTurn();
      onMoment('parked');
      return [...parked.values()];
    },
    async fateOf(lane, seqNo) {
      if ((at.lanes[lane] ?? BEFORE_FIRST) < seqNo) return null;
      const stored = log.find(({ event }) => event.seqNo === seqNo);
      if (stored === undefined) return 'executed';
      const marker = parked.get(aggregateKeyText(stored.event.aggregateType, stored.event.aggregateId));
      return marker !== undefined && marker.fromSeqNo <= seqNo ? 'parked' : 'executed';
    },

    async loadStates(keys) {
      await nextTurn();
      onMoment('loadStates');
      const wanted = new Set(keys.map((key) => aggregateKeyText(key.aggregateType, key.aggregateId)));
      const found = new Map<string, { key: AggregateKey; rows: StateRow[] }>();
      for (const row of rows.values()) {
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
    },
    prepareAppend: (message) => Promise.resolve({ message }),
    prepareRun: (run) => Promise.resolve({ run }),
    heartbeat: () => Promise.resolve(),
    async transaction(work) {
      onMoment('begin');
      const { transaction, commit, end } = open();
      try {
        const result = await work(transaction);
        onMoment('commit');
        commit();
        onMoment('committed');
        return result;
      } finally {
        end();
      }
    },
    contents: () => ({
      rows: [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
      activities: [...activities.values()]
        .map(({ event, ...activity }) => ({ ...activity, seqNo: event.seqNo }))
        .sort((a, b) => Number(a.seqNo - b.seqNo) || a.item - b.item),
      parked: [...parked.values()].sort((a, b) => Number(a.fromSeqNo - b.fromSeqNo)),
    }),
    snapshots: () => snapshots.map(({ text, snapshot }) => ({ ...snapshot, state: decodeState(text) })),
    events: () => log.map(read),
    removeSnapshots() {
      snapshots = [];
    },
  };
}

/** The port is used as it must not be. Of disposition `stop`, so that a spec sees it. */
class LedgerMisuse extends LedgerGapError {
  constructor(what: string) {
    super('in-memory store', 0n, 0n);
    this.message = `the store is used wrongly: ${what}`;
  }
}
