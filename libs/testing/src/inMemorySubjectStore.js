"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.createInMemorySubjectStore = createInMemorySubjectStore;
const promises_1 = require("node:timers/promises");
const node_util_1 = require("node:util");
const core_1 = require("@imart/core");
const pipeline_1 = require("@imart/pipeline");
const aggregateOfRow_1 = require("./aggregateOfRow");
const changeSteps_1 = require("./inMemory/changeSteps");
const passSteps_1 = require("./inMemory/passSteps");
const committed_1 = require("./inMemory/committed");
const feed_1 = require("./inMemory/feed");
const mutex_1 = require("./mutex");
function createInMemorySubjectStore(options) {
    const { subjectId, lanes, observer, onMoment = () => undefined, newestFencing = () => 0n } = options;
    let committed = (0, committed_1.nothingCommitted)(lanes);
    const ingestLock = (0, mutex_1.createMutex)();
    const laneLocks = Array.from({ length: lanes }, mutex_1.createMutex);
    const progressOf = (state) => ({
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
    const open = () => {
        const writes = [];
        const releases = [];
        const held = new Set();
        /** The transaction's own copy, once it changes what was told. Nobody else can commit meanwhile: it has all locks. */
        let draft = null;
        const write = (work) => {
            if (draft === null)
                writes.push(work);
            else
                work(draft);
        };
        const change = (work) => {
            if (held.size !== lanes + 1)
                (0, committed_1.refuse)('what was told is changed without all locks');
            if (draft === null) {
                draft = (0, committed_1.copyOf)(committed);
                for (const earlier of writes.splice(0))
                    earlier(draft);
            }
            work(draft);
        };
        const sameAgain = (events, from, to) => {
            const within = committed.log.filter(({ event }) => event.seqNo >= from && event.seqNo <= to);
            const stored = new Map(within.map((one) => [one.event.seqNo, one]));
            for (const event of events) {
                const known = stored.get(event.seqNo);
                if (known === undefined)
                    throw new pipeline_1.EventConflictError(subjectId, event.seqNo, 'it was not there');
                if (!(0, node_util_1.isDeepStrictEqual)(known, (0, committed_1.storedOf)(event, known.feedNo)))
                    throw new pipeline_1.EventConflictError(subjectId, event.seqNo, 'another content');
                stored.delete(event.seqNo);
            }
            for (const seqNo of stored.keys())
                throw new pipeline_1.EventConflictError(subjectId, seqNo, 'the source no longer has it');
        };
        const transaction = {
            ...(0, changeSteps_1.createChangeSteps)({ subjectId, observer, view: () => draft ?? committed, change, onMoment }),
            ...(0, passSteps_1.createPassSteps)(() => draft ?? committed, write),
            async lockIngest() {
                if (held.size > 0)
                    (0, committed_1.refuse)('ingest is locked before lanes, and once');
                held.add('ingest');
                releases.push(await ingestLock.lock());
                onMoment('lockIngest');
                return progressOf(committed);
            },
            async lockLanes(wanted) {
                for (const lane of wanted) {
                    if ([...held].some((one) => one.startsWith('lane') && Number(one.slice(4)) >= lane))
                        (0, committed_1.refuse)('lanes are locked ascending');
                    held.add(`lane${lane}`);
                    releases.push(await (laneLocks[lane] ?? (0, committed_1.refuse)(`there is no lane ${lane}`)).lock());
                }
                onMoment('lockLanes');
                return progressOf(committed);
            },
            async append({ message }) {
                await (0, promises_1.setImmediate)();
                onMoment('append');
                if (!held.has('ingest'))
                    (0, committed_1.refuse)('append without the lock on ingest');
                const { fromPosition, toPosition, toSeqNo, events } = message;
                const from = core_1.evmSeqNo.first(fromPosition);
                events.forEach((event, i) => {
                    const before = events[i - 1]?.seqNo ?? from - 1n;
                    if (event.seqNo <= before || event.seqNo > toSeqNo)
                        (0, committed_1.refuse)(`event ${event.seqNo} is not in the order of its range`);
                });
                if (toPosition < committed.nextPosition) {
                    sameAgain(events, from, toSeqNo);
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
                    state.blocks = [...state.blocks, ...message.blocks].filter((block) => block.position >= toPosition || block.position >= (state.finalizedPosition ?? -1n));
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
                if (!held.has('ingest'))
                    (0, committed_1.refuse)('finalize without the lock on ingest');
                write((state) => {
                    if (state.finalizedPosition !== null && position <= state.finalizedPosition)
                        return;
                    state.finalizedPosition = position;
                    state.finalized = upToSeqNo;
                });
            },
            async writeRun({ run }) {
                await (0, promises_1.setImmediate)();
                onMoment('writeRun');
                write((state) => {
                    for (const row of run.rows)
                        state.rows.set(`${row.table}/${row.key}`, row);
                    for (const activity of run.activities) {
                        const key = `${activity.event.seqNo}/${activity.item}`;
                        if (state.activities.has(key))
                            (0, committed_1.refuse)(`activity ${key} is written twice`);
                        state.activities.set(key, activity);
                    }
                    for (const snapshot of run.snapshots)
                        (0, committed_1.addSnapshot)(state, snapshot);
                    for (const marker of run.parked)
                        (0, committed_1.park)(state, marker);
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
                    .filter(({ event }) => (0, core_1.laneOf)((0, core_1.aggregateHash)(event.aggregateType, event.aggregateId), lanes) === lane)
                    .slice(0, limit)
                    .map(committed_1.readStored);
            },
        };
        return {
            transaction,
            commit() {
                if (draft !== null)
                    committed = { ...draft, halt: committed.halt };
                else
                    for (const work of writes)
                        work(committed);
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
                transaction: (work) => memory.transaction((tx) => work({
                    ...tx,
                    async lockIngest() {
                        const at = await tx.lockIngest();
                        check();
                        return at;
                    },
                })),
            };
        },
        async progress() {
            await (0, promises_1.setImmediate)();
            onMoment('progress');
            return progressOf(committed);
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
            if ((at[lane] ?? core_1.BEFORE_FIRST) < seqNo)
                return null;
            const stored = log.find(({ event }) => event.seqNo === seqNo);
            if (stored === undefined)
                return 'executed';
            const marker = parked.get((0, core_1.aggregateKeyText)(stored.event.aggregateType, stored.event.aggregateId));
            return marker !== undefined && marker.fromSeqNo <= seqNo ? 'parked' : 'executed';
        },
        async loadStates(keys) {
            await (0, promises_1.setImmediate)();
            onMoment('loadStates');
            const wanted = new Set(keys.map((key) => (0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId)));
            const found = new Map();
            for (const row of committed.rows.values()) {
                const key = (0, aggregateOfRow_1.aggregateOfRow)(row);
                const text = (0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId);
                if (!wanted.has(text))
                    continue;
                const entry = found.get(text) ?? { key, rows: [] };
                entry.rows.push(row);
                found.set(text, entry);
            }
            const states = new Map();
            for (const [text, { key, rows: own }] of found) {
                const reducer = observer.reducers.get(key.aggregateType);
                if (reducer !== undefined)
                    states.set(text, reducer.restore(key.aggregateId, own));
            }
            return states;
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
            const within = (position) => position >= fromPosition && position <= toPosition;
            const { epoch, nextPosition, log, blocks, discovered } = committed;
            const events = log.map(committed_1.readStored).filter(({ source }) => within(source.position));
            const known = new Map(events.map(({ source }) => [source.position, source.blockHash]));
            for (const { position, hash } of blocks)
                if (within(position))
                    known.set(position, hash);
            return {
                epoch,
                nextPosition,
                events,
                blocks: [...known]
                    .map(([position, hash]) => ({ position, hash }))
                    .sort((a, b) => Number(a.position - b.position)),
                discovered: discovered.filter(({ discoveredAt }) => within(core_1.evmSeqNo.decode(discoveredAt).position)),
            };
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
        async clearHalt() {
            await (0, promises_1.setImmediate)();
            committed.halt = null;
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
            }
            finally {
                end();
            }
        },
        contents: () => ({
            rows: [...committed.rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
            activities: [...committed.activities.values()]
                .map(({ event, ...activity }) => ({ ...activity, seqNo: event.seqNo }))
                .sort((a, b) => Number(a.seqNo - b.seqNo) || a.item - b.item),
            parked: [...committed.parked.values()].sort((a, b) => Number(a.fromSeqNo - b.fromSeqNo)),
        }),
        snapshots: () => committed.snapshots.map(({ text, snapshot }) => ({ ...snapshot, state: (0, pipeline_1.decodeState)(text) })),
        events: () => committed.log.map(committed_1.readStored),
        kept: () => ({
            parkActions: [...committed.parkActions],
            skipped: [...committed.skipped].sort((a, b) => (a < b ? -1 : 1)),
            snapshots: committed.snapshots
                .map(({ snapshot: { aggregateType, aggregateId }, seqNo }) => ({ aggregateType, aggregateId, seqNo }))
                .sort((a, b) => Number(a.seqNo - b.seqNo)),
            parkedAt: [...committed.parked.keys()].map((key) => String(committed.parkedAt.get(key)?.at)),
        }),
        removeSnapshots() {
            committed.snapshots = [];
        },
    };
    return memory;
}
