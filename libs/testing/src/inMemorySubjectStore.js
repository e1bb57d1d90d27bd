'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createInMemorySubjectStore = createInMemorySubjectStore;
const promises_1 = require('node:timers/promises');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('./blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const changeSteps_1 = require('./inMemory/changeSteps');
const passSteps_1 = require('./inMemory/passSteps');
const committed_1 = require('./inMemory/committed');
const feed_1 = require('./inMemory/feed');
const reads_1 = require('./inMemory/reads');
const mutex_1 = require('./mutex');
function createInMemorySubjectStore(options) {
  const { subjectId, lanes, observer, onMoment = () => undefined, newestFencing = () => 0n } = options;
  let committed = (0, committed_1.nothingCommitted)(lanes);
  const ingestLock = (0, mutex_1.createMutex)();
  const laneLocks = Array.from({ length: lanes }, mutex_1.createMutex);
  const open = () => {
    const writes = [];
    const releases = [];
    const held = new Set();
    /** The transaction's own copy, once it changes what was told. Nobody else can commit meanwhile: it has all locks. */
    let draft = null;
    /** The halt when that copy was made: somebody may halt the subject meanwhile. */
    let haltBefore = null;
    const write = (work) => {
      if (draft === null) writes.push(work);
      else work(draft);
    };
    const change = (work) => {
      if (held.size !== lanes + 1) (0, committed_1.refuse)('what was told is changed without all locks');
      if (draft === null) {
        draft = (0, committed_1.copyOf)(committed);
        haltBefore = committed.halt;
        for (const earlier of writes.splice(0)) earlier(draft);
      }
      work(draft);
    };
    const transaction = {
      ...(0, changeSteps_1.createChangeSteps)({
        subjectId,
        observer,
        view: () => draft ?? committed,
        change,
        onMoment,
      }),
      ...(0, passSteps_1.createPassSteps)(() => draft ?? committed, write),
      async lockIngest() {
        if (held.size > 0) (0, committed_1.refuse)('ingest is locked before lanes, and once');
        held.add('ingest');
        releases.push(await ingestLock.lock());
        onMoment('lockIngest');
        return (0, reads_1.progressOf)(committed);
      },
      async lockLanes(wanted) {
        for (const lane of wanted) {
          if ([...held].some((one) => one.startsWith('lane') && Number(one.slice(4)) >= lane))
            (0, committed_1.refuse)('lanes are locked ascending');
          held.add(`lane${lane}`);
          releases.push(
            await (laneLocks[lane] ?? (0, committed_1.refuse)(`there is no lane ${lane}`)).lock(),
          );
        }
        onMoment('lockLanes');
        return (0, reads_1.progressOf)(committed);
      },
      async append({ message }) {
        await (0, promises_1.setImmediate)();
        onMoment('append');
        if (!held.has('ingest')) (0, committed_1.refuse)('append without the lock on ingest');
        const { fromPosition, toPosition, toSeqNo, events } = message;
        const from = blockSeqNo_1.blockSeqNo.first(fromPosition);
        events.forEach((event, i) => {
          const before = events[i - 1]?.seqNo ?? from - 1n;
          if (event.seqNo <= before || event.seqNo > toSeqNo)
            (0, committed_1.refuse)(`event ${event.seqNo} is not in the order of its range`);
        });
        if (toPosition < committed.nextPosition) {
          (0, reads_1.mustBeTheSame)(subjectId, committed, { events, from, to: toSeqNo });
          return { kind: 'already-there' };
        }
        if (fromPosition !== committed.nextPosition)
          throw new pipeline_1.LedgerGapError(subjectId, committed.nextPosition, fromPosition);
        const feedNo = committed.lastFeedNo + 1n;
        write((state) => {
          state.log.push(...events.map((event) => (0, committed_1.storedOf)(event, feedNo)));
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
        await (0, promises_1.setImmediate)();
        onMoment('finalize');
        if (!held.has('ingest')) (0, committed_1.refuse)('finalize without the lock on ingest');
        write((state) => {
          if (state.finalizedPosition !== null && position <= state.finalizedPosition) return;
          state.finalizedPosition = position;
          state.finalized = upToSeqNo;
        });
      },
      async writeRun({ run }) {
        await (0, promises_1.setImmediate)();
        onMoment('writeRun');
        write((state) => {
          for (const row of run.rows) state.rows.set(`${row.table}/${row.key}`, row);
          for (const activity of run.activities) {
            const key = `${activity.event.seqNo}/${activity.item}`;
            if (state.activities.has(key)) (0, committed_1.refuse)(`activity ${key} is written twice`);
            state.activities.set(key, activity);
          }
          for (const snapshot of run.snapshots) (0, committed_1.addSnapshot)(state, snapshot);
          for (const marker of run.parked) (0, committed_1.park)(state, marker);
        });
      },
      async setCheckpoints(moved, seqNo, epoch) {
        await (0, promises_1.setImmediate)();
        onMoment('setCheckpoints');
        for (const lane of moved)
          if (!held.has(`lane${lane}`))
            (0, committed_1.refuse)(`checkpoint of lane ${lane} without its lock`);
        if (committed.epoch !== epoch)
          throw new pipeline_1.EpochMovedError(subjectId, epoch, committed.epoch);
        write((state) => {
          state.lanes = state.lanes.map((old, lane) => (moved.includes(lane) && old < seqNo ? seqNo : old));
        });
      },
      async readRun(lane, afterSeqNo, upToSeqNo, limit) {
        await (0, promises_1.setImmediate)();
        onMoment('readRun');
        return committed.log
          .filter(({ event }) => event.seqNo > afterSeqNo && event.seqNo <= upToSeqNo)
          .filter(({ event }) => !committed.skipped.has(event.seqNo))
          .filter(
            ({ event }) =>
              (0, core_1.laneOf)((0, core_1.aggregateHash)(event.aggregateType, event.aggregateId), lanes) ===
              lane,
          )
          .slice(0, limit)
          .map(committed_1.readStored);
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
  const memory = {
    subjectId,
    lanes,
    fenced(fencing) {
      const check = () => {
        if (newestFencing() !== fencing)
          throw new pipeline_1.FencedError(subjectId, fencing, newestFencing());
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
      await (0, promises_1.setImmediate)();
      onMoment('progress');
      return (0, reads_1.progressOf)(committed);
    },
    async resumePoint() {
      await (0, promises_1.setImmediate)();
      onMoment('resumePoint');
      const { epoch, nextPosition, finalizedPosition, blocks, discovered } = committed;
      return { epoch, nextPosition, window: [...blocks], finalizedPosition, discovered: [...discovered] };
    },
    async parked() {
      await (0, promises_1.setImmediate)();
      onMoment('parked');
      return [...committed.parked.values()];
    },
    async fateOf(lane, seqNo) {
      const { lanes: at, log, parked } = committed;
      if ((at[lane] ?? core_1.BEFORE_FIRST) < seqNo) return null;
      const stored = log.find(({ event }) => event.seqNo === seqNo);
      if (stored === undefined) return 'executed';
      const marker = parked.get(
        (0, core_1.aggregateKeyText)(stored.event.aggregateType, stored.event.aggregateId),
      );
      return marker !== undefined && marker.fromSeqNo <= seqNo ? 'parked' : 'executed';
    },
    async loadStates(keys) {
      await (0, promises_1.setImmediate)();
      onMoment('loadStates');
      return (0, reads_1.statesOf)(committed, observer, keys);
    },
    async snapshotVersions(keys) {
      await (0, promises_1.setImmediate)();
      onMoment('snapshotVersions');
      const versions = new Map();
      for (const key of keys) {
        const version = observer.reducers.get(key.aggregateType)?.version;
        const newest = (0, committed_1.newestSnapshot)(committed, key, 2n ** 63n, version);
        if (newest !== undefined)
          versions.set((0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId), newest.version);
      }
      return versions;
    },
    prepareAppend: (message) => Promise.resolve({ message }),
    prepareRun: (run) => Promise.resolve({ run }),
    async heartbeat() {
      await (0, promises_1.setImmediate)();
      onMoment('heartbeat');
      return { epoch: committed.epoch, halt: committed.halt };
    },
    async rangeEvents(fromPosition, toPosition) {
      await (0, promises_1.setImmediate)();
      return (0, reads_1.rangeOf)(committed, fromPosition, toPosition);
    },
    // What is in memory nobody changes behind the store's back.
    tamperedEvents: () => Promise.resolve([]),
    async eventsAt(addresses) {
      await (0, promises_1.setImmediate)();
      return committed.log
        .filter(({ event }) => addresses.includes(event.source.address))
        .map(({ event }) => event.seqNo);
    },
    async readFeed(afterFeedNo, limits = {}) {
      await (0, promises_1.setImmediate)();
      return (0, feed_1.readFeed)(subjectId, committed, afterFeedNo, limits);
    },
    async halted() {
      await (0, promises_1.setImmediate)();
      return committed.halt;
    },
    async halt(code, message) {
      await (0, promises_1.setImmediate)();
      return (committed.halt ??= { code, message, haltedAtMs: 0 });
    },
    async clearHalt(code, { actedBy, reason }) {
      await (0, promises_1.setImmediate)();
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
    contents: () => (0, reads_1.contentsOf)(committed),
    snapshots: () =>
      committed.snapshots.map(({ text, snapshot }) => ({
        ...snapshot,
        state: (0, pipeline_1.decodeState)(text),
      })),
    events: () => committed.log.map(committed_1.readStored),
    kept: () => (0, reads_1.keptOf)(committed),
    removeSnapshots() {
      committed.snapshots = [];
    },
  };
  return memory;
}
