import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  aggregateHash,
  aggregateKeyText,
  BEFORE_FIRST,
  laneOf,
  type Event,
  type Observer,
  type Snapshot,
  type SubjectId,
} from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import {
  decodeState,
  EpochMovedError,
  FencedError,
  LedgerGapError,
  type SubjectStore,
  type SubjectTransaction,
} from '@imart/pipeline';
import { createChangeSteps, type ChangeMoment } from './inMemory/changeSteps';
import { createPassSteps } from './inMemory/passSteps';
import {
  addSnapshot,
  copyOf,
  newestSnapshot,
  nothingCommitted,
  park,
  readStored,
  refuse,
  storedOf,
  type Committed,
} from './inMemory/committed';
import { readFeed } from './inMemory/feed';
import {
  contentsOf,
  keptOf,
  mustBeTheSame,
  progressOf,
  rangeOf,
  statesOf,
  type StoreContents,
  type StoreKept,
} from './inMemory/reads';
import { createMutex } from './mutex';

/** A moment at which a store can be made to fail. `committed`: the transaction is done, and its caller does not learn it. */
export type StoreMoment =
  | 'progress'
  | 'resumePoint'
  | 'heartbeat'
  | 'parked'
  | 'loadStates'
  | 'snapshotVersions'
  | 'begin'
  | 'lockIngest'
  | 'lockLanes'
  | 'append'
  | 'finalize'
  | 'readRun'
  | 'writeRun'
  | 'setCheckpoints'
  | ChangeMoment
  | 'commit'
  | 'committed';

export interface InMemorySubjectStoreOptions {
  readonly subjectId: SubjectId;
  readonly lanes: number;
  readonly observer: Observer;
  /** Called at each moment; what it throws is thrown there. */
  readonly onMoment?: (moment: StoreMoment) => void;
  /** The number of the newest holder of the lease, where a spec has one. */
  readonly newestFencing?: () => bigint;
}

/**
 * A subject's store in memory, with the semantics of the real one: transactions are atomic, what they write is seen by
 * others after their commit; locks are waited for; events are read back from their stored text. Stricter in one
 * thing: it throws on what the real one is never asked for (a lock out of order, a write without its lock, an
 * activity written twice).
 *
 * A transaction does not see its own writes before it begins to change what was told: ingest and lanes read before they write.
 */
export interface InMemorySubjectStore extends SubjectStore {
  contents(): StoreContents;
  /** All snapshots, in the order they were made. */
  snapshots(): readonly Snapshot[];
  events(): readonly Event[];
  /** What else it keeps. */
  kept(): StoreKept;
  /** As an operator would: the aggregate's later events are folded again, from its next one on. */
  removeSnapshots(): void;
}

export function createInMemorySubjectStore(options: InMemorySubjectStoreOptions): InMemorySubjectStore {
  const { subjectId, lanes, observer, onMoment = () => undefined, newestFencing = () => 0n } = options;
  let committed = nothingCommitted(lanes);
  const ingestLock = createMutex();
  const laneLocks = Array.from({ length: lanes }, createMutex);

  const open = (): { transaction: SubjectTransaction; commit: () => void; end: () => void } => {
    const writes: ((state: Committed) => void)[] = [];
    const releases: (() => void)[] = [];
    const held = new Set<string>();
    /** The transaction's own copy, once it changes what was told. Nobody else can commit meanwhile: it has all locks. */
    let draft: Committed | null = null;
    /** The halt when that copy was made: somebody may halt the subject meanwhile. */
    let haltBefore: Committed['halt'] = null;

    const write = (work: (state: Committed) => void): void => {
      if (draft === null) writes.push(work);
      else work(draft);
    };
    const change = (work: (state: Committed) => void): void => {
      if (held.size !== lanes + 1) refuse('what was told is changed without all locks');
      if (draft === null) {
        draft = copyOf(committed);
        haltBefore = committed.halt;
        for (const earlier of writes.splice(0)) earlier(draft);
      }
      work(draft);
    };

    const transaction: SubjectTransaction = {
      ...createChangeSteps({ subjectId, observer, view: () => draft ?? committed, change, onMoment }),
      ...createPassSteps(() => draft ?? committed, write),
      async lockIngest() {
        if (held.size > 0) refuse('ingest is locked before lanes, and once');
        held.add('ingest');
        releases.push(await ingestLock.lock());
        onMoment('lockIngest');
        return progressOf(committed);
      },
      async lockLanes(wanted) {
        for (const lane of wanted) {
          if ([...held].some((one) => one.startsWith('lane') && Number(one.slice(4)) >= lane))
            refuse('lanes are locked ascending');
          held.add(`lane${lane}`);
          releases.push(await (laneLocks[lane] ?? refuse(`there is no lane ${lane}`)).lock());
        }
        onMoment('lockLanes');
        return progressOf(committed);
      },
      async append({ message }) {
        await nextTurn();
        onMoment('append');
        if (!held.has('ingest')) refuse('append without the lock on ingest');
        const { fromPosition, toPosition, toSeqNo, events } = message;
        const from = blockSeqNo.first(fromPosition);
        events.forEach((event, i) => {
          const before = events[i - 1]?.seqNo ?? from - 1n;
          if (event.seqNo <= before || event.seqNo > toSeqNo)
            refuse(`event ${event.seqNo} is not in the order of its range`);
        });
        if (toPosition < committed.nextPosition) {
          mustBeTheSame(subjectId, committed, { events, from, to: toSeqNo });
          return { kind: 'already-there' };
        }
        if (fromPosition !== committed.nextPosition)
          throw new LedgerGapError(subjectId, committed.nextPosition, fromPosition);
        const feedNo = committed.lastFeedNo + 1n;
        write((state) => {
          state.log.push(...events.map((event) => storedOf(event, feedNo)));
          state.feed.push({
            feedNo,
            kind: 'appended',
            epoch: state.epoch,
            fromSeqNo: from,
            toSeqNo,
            aggregate: null,
          });
          state.blocks = [...state.blocks, ...message.blocks].filter(
            (block) => block.position >= toPosition || block.position >= (state.finalizedPosition ?? -1n),
          );
          const known = new Set(state.discovered.map(({ address }) => address));
          state.discovered.push(...message.discovered.filter(({ address }) => !known.has(address)));
          state.chainTimeUs = message.blocks.at(-1)?.timeUs ?? state.chainTimeUs;
          state.ingested = toSeqNo;
          state.nextPosition = toPosition + 1n;
          state.lastFeedNo = feedNo;
        });
        return { kind: 'appended', feedNo, events: events.length };
      },
      async finalize({ position, upToSeqNo }) {
        await nextTurn();
        onMoment('finalize');
        if (!held.has('ingest')) refuse('finalize without the lock on ingest');
        write((state) => {
          if (state.finalizedPosition !== null && position <= state.finalizedPosition) return;
          state.finalizedPosition = position;
          state.finalized = upToSeqNo;
        });
      },
      async writeRun({ run }) {
        await nextTurn();
        onMoment('writeRun');
        write((state) => {
          for (const row of run.rows) state.rows.set(`${row.table}/${row.key}`, row);
          for (const activity of run.activities) {
            const key = `${activity.event.seqNo}/${activity.item}`;
            if (state.activities.has(key)) refuse(`activity ${key} is written twice`);
            state.activities.set(key, activity);
          }
          for (const snapshot of run.snapshots) addSnapshot(state, snapshot);
          for (const marker of run.parked) park(state, marker);
        });
      },
      async setCheckpoints(moved, seqNo, epoch) {
        await nextTurn();
        onMoment('setCheckpoints');
        for (const lane of moved)
          if (!held.has(`lane${lane}`)) refuse(`checkpoint of lane ${lane} without its lock`);
        if (committed.epoch !== epoch) throw new EpochMovedError(subjectId, epoch, committed.epoch);
        write((state) => {
          state.lanes = state.lanes.map((old, lane) => (moved.includes(lane) && old < seqNo ? seqNo : old));
        });
      },
      async readRun(lane, afterSeqNo, upToSeqNo, limit) {
        await nextTurn();
        onMoment('readRun');
        return committed.log
          .filter(({ event }) => event.seqNo > afterSeqNo && event.seqNo <= upToSeqNo)
          .filter(({ event }) => !committed.skipped.has(event.seqNo))
          .filter(
            ({ event }) =>
              lane === null || laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes) === lane,
          )
          .slice(0, limit)
          .map(readStored);
      },
    };
    return {
      transaction,
      commit() {
        if (draft !== null)
          committed = { ...draft, halt: draft.halt === haltBefore ? committed.halt : draft.halt };
        else for (const work of writes) work(committed);
      },
      end: () => releases.forEach((release) => release()),
    };
  };

  const memory: InMemorySubjectStore = {
    subjectId,
    lanes,
    fenced(fencing) {
      const check = (): void => {
        if (newestFencing() !== fencing) throw new FencedError(subjectId, fencing, newestFencing());
      };
      return {
        ...memory,
        async heartbeat(head) {
          check();
          return memory.heartbeat(head);
        },
        transaction: (work) =>
          memory.transaction((tx) =>
            work({
              ...tx,
              async lockIngest() {
                const at = await tx.lockIngest();
                check();
                return at;
              },
            }),
          ),
      };
    },
    async progress() {
      await nextTurn();
      onMoment('progress');
      return progressOf(committed);
    },
    async resumePoint() {
      await nextTurn();
      onMoment('resumePoint');
      const { epoch, nextPosition, finalizedPosition, blocks, discovered } = committed;
      return { epoch, nextPosition, window: [...blocks], finalizedPosition, discovered: [...discovered] };
    },
    async parked() {
      await nextTurn();
      onMoment('parked');
      return [...committed.parked.values()];
    },
    async fateOf(lane, seqNo) {
      const { lanes: at, log, parked } = committed;
      if ((at[lane] ?? BEFORE_FIRST) < seqNo) return null;
      const stored = log.find(({ event }) => event.seqNo === seqNo);
      if (stored === undefined) return 'executed';
      const marker = parked.get(aggregateKeyText(stored.event.aggregateType, stored.event.aggregateId));
      return marker !== undefined && marker.fromSeqNo <= seqNo ? 'parked' : 'executed';
    },

    async loadStates(keys) {
      await nextTurn();
      onMoment('loadStates');
      return statesOf(committed, observer, keys);
    },
    async snapshotVersions(keys) {
      await nextTurn();
      onMoment('snapshotVersions');
      const versions = new Map<string, number>();
      for (const key of keys) {
        const version = observer.reducers.get(key.aggregateType)?.version;
        const newest = newestSnapshot(committed, key, 2n ** 63n, version);
        if (newest !== undefined)
          versions.set(aggregateKeyText(key.aggregateType, key.aggregateId), newest.version);
      }
      return versions;
    },
    prepareAppend: (message) => Promise.resolve({ message }),
    prepareRun: (run) => Promise.resolve({ run }),
    async heartbeat() {
      await nextTurn();
      onMoment('heartbeat');
      return { epoch: committed.epoch, halt: committed.halt };
    },
    async rangeEvents(fromPosition, toPosition) {
      await nextTurn();
      return rangeOf(committed, fromPosition, toPosition);
    },
    // What is in memory nobody changes behind the store's back.
    tamperedEvents: () => Promise.resolve([]),
    async eventsAt(addresses) {
      await nextTurn();
      return committed.log
        .filter(({ event }) => addresses.includes(event.source.address))
        .map(({ event }) => event.seqNo);
    },
    async readFeed(afterFeedNo, limits = {}) {
      await nextTurn();
      return readFeed(subjectId, committed, afterFeedNo, limits);
    },
    async halted() {
      await nextTurn();
      return committed.halt;
    },
    async halt(code, message) {
      await nextTurn();
      return (committed.halt ??= { code, message, haltedAtMs: 0 });
    },
    async clearHalt(code, { actedBy, reason }) {
      await nextTurn();
      const { halt } = committed;
      if (halt?.code !== code) return false;
      committed.halt = null;
      committed.operatorActions.push({
        action: 'resume',
        actedBy,
        reason,
        toPosition: null,
        halt,
        events: 0n,
        nextPosition: null,
        isFinished: true,
      });
      return true;
    },
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
    contents: () => contentsOf(committed),
    snapshots: () =>
      committed.snapshots.map(({ text, snapshot }) => ({ ...snapshot, state: decodeState(text) })),
    events: () => committed.log.map(readStored),
    kept: () => keptOf(committed),
    removeSnapshots() {
      committed.snapshots = [];
    },
  };
  return memory;
}
