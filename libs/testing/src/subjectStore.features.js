"use strict";
var __importDefault = (this && this.__importDefault) || function (mod) {
    return (mod && mod.__esModule) ? mod : { "default": mod };
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.histories = void 0;
exports.catchUpWith = catchUpWith;
exports.describeSubjectStore = describeSubjectStore;
const globals_1 = require("@jest/globals");
const fast_check_1 = __importDefault(require("fast-check"));
const core_1 = require("@imart/core");
const market_1 = require("@imart/market");
const pipeline_1 = require("@imart/pipeline");
const fakeSubject_1 = require("./fakeSubject");
const feed_features_1 = require("./feed.features");
const marketEvents_1 = require("./marketEvents");
const randomMarket_1 = require("./randomMarket");
const marketOfEverything_1 = require("./marketOfEverything");
const silentLogger_1 = require("./silentLogger");
const storeSteps_1 = require("./storeSteps");
const subjectChanges_features_1 = require("./subjectChanges.features");
const straightFold_1 = require("./straightFold");
const never = new AbortController().signal;
const allLanes = (store) => Array.from({ length: store.lanes }, (_, lane) => lane);
/** Something that is waited for. */
function gate() {
    let open = () => undefined;
    const opened = new Promise((resolve) => (open = resolve));
    return { opened, open: () => open() };
}
/** Takes ranges as a worker that catches up does. */
async function catchUpWith(store, messages, cachedStatesMax = 1000) {
    const catchUp = (0, pipeline_1.createCatchUp)({
        store,
        executor: (0, pipeline_1.createExecutor)({
            store,
            observer: straightFold_1.MARKET_OBSERVER,
            cachedStatesMax,
            parkedAggregatesMax: 1000,
        }),
        stats: (0, pipeline_1.createPipelineStats)(),
        logger: silentLogger_1.silentLogger,
        random: () => 0,
        now: () => 0,
        onCommitted: () => undefined,
    });
    for (const message of messages)
        (0, globals_1.expect)(await catchUp.push(message, never)).toBe(true);
    await catchUp.drain(never);
}
/** The state of every aggregate after these events, by its reducer alone. */
function foldedStates(events) {
    const states = new Map();
    const cache = (0, pipeline_1.createStateCache)(Number.MAX_SAFE_INTEGER, true);
    (0, pipeline_1.foldRun)(events, {
        observer: straightFold_1.MARKET_OBSERVER,
        cache,
        parked: new Set(),
        snapshotRule: pipeline_1.noSnapshots,
    });
    for (const event of events) {
        const text = (0, core_1.aggregateKeyText)(event.aggregateType, event.aggregateId);
        const state = cache.get(text);
        if (state !== undefined && state.version > 0)
            states.set(text, state);
    }
    return states;
}
/** Refolds an aggregate from a place on, up to where the lanes are. */
const refoldOne = (store, touched) => store.transaction(async (tx) => {
    await tx.lockIngest();
    const { executed } = await tx.lockLanes(allLanes(store));
    await tx.unpark([touched]);
    await (0, pipeline_1.refold)(tx, { store, observer: straightFold_1.MARKET_OBSERVER }, [{ ...touched, upToSeqNo: executed }]);
});
async function readAggregate(store, range) {
    const events = [];
    await store.transaction((tx) => tx.readAggregates([range], async (piece) => {
        events.push(...piece);
    }));
    return events;
}
const keysOf = (events) => [
    ...new Map(events.map(({ aggregateType, aggregateId }) => [
        (0, core_1.aggregateKeyText)(aggregateType, aggregateId),
        { aggregateType, aggregateId },
    ])).values(),
];
/** No chain of this project tells a time after the year 9999. */
const CALENDAR_END_US = 253402300800000000n;
/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
exports.histories = fast_check_1.default
    .record({
    history: randomMarket_1.randomHistory,
    poison: fast_check_1.default.array(fast_check_1.default.nat({ max: 59 }), { maxLength: 2 }),
    widths: fast_check_1.default.array(fast_check_1.default.integer({ min: 1, max: 6 }), { minLength: 40, maxLength: 40 }),
})
    .map(({ history, poison, widths }) => {
    const events = history.map((event, i) => {
        if (poison.includes(i) && event.aggregateType === market_1.AGGREGATE.order)
            return { ...event, name: 'TokenMinted', data: { to: marketEvents_1.ALICE, standard: 'erc721' } };
        const { expiresAtUs } = event.data;
        if (typeof expiresAtUs !== 'bigint' || expiresAtUs < CALENDAR_END_US)
            return event;
        return { ...event, data: { ...event.data, expiresAtUs: CALENDAR_END_US } };
    });
    const last = (events.at(-1)?.source.position ?? 0n) + 1n;
    const ends = [];
    for (let end = -1n, i = 0; end < last; i++)
        ends.push((end += i < widths.length ? BigInt(widths[i]) : last - end));
    return { events, ends };
});
const emptyRun = { rows: [], activities: [], snapshots: [], parked: [], folded: 0 };
/** The contract of {@link SubjectStore}: every store of a subject keeps it. */
function describeSubjectStore(name, features) {
    const { open, runs } = features;
    (0, globals_1.describe)(`${name}: the contract of a subject's store`, () => {
        if (features.afterEach !== undefined)
            (0, globals_1.afterEach)(() => features.afterEach?.());
        (0, globals_1.describe)('the log', () => {
            (0, globals_1.it)('takes a range and moves to its end in one transaction', async () => {
                const { store } = await open(1);
                (0, globals_1.expect)(await store.progress()).toEqual({
                    epoch: 0n,
                    ingested: core_1.BEFORE_FIRST,
                    nextPosition: 0n,
                    lanes: [core_1.BEFORE_FIRST],
                    executed: core_1.BEFORE_FIRST,
                    lastFeedNo: 0n,
                    finalized: core_1.BEFORE_FIRST,
                    finalizedPosition: null,
                    chainTimeUs: null,
                    halt: null,
                });
                const { events } = (0, marketEvents_1.createMarketScript)().listed('1').nextBlock(4n).filled('1');
                const [first, empty, second] = (0, fakeSubject_1.appendMessages)(events, [2n, 3n, 9n]);
                (0, globals_1.expect)(await (0, storeSteps_1.append)(store, first)).toEqual({ kind: 'appended', feedNo: 1n, events: 1 });
                (0, globals_1.expect)(await (0, storeSteps_1.append)(store, empty)).toEqual({ kind: 'appended', feedNo: 2n, events: 0 });
                (0, globals_1.expect)(await (0, storeSteps_1.append)(store, second)).toEqual({ kind: 'appended', feedNo: 3n, events: 1 });
                (0, globals_1.expect)(await store.progress()).toMatchObject({
                    ingested: core_1.evmSeqNo.last(9n),
                    nextPosition: 10n,
                    executed: core_1.BEFORE_FIRST,
                    lastFeedNo: 3n,
                    chainTimeUs: (0, fakeSubject_1.fakeBlock)(9n).timeUs,
                });
            });
            (0, globals_1.it)('gives back every event as it was', async () => {
                const { store } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                const read = await store.transaction((tx) => tx.readRun(0, core_1.BEFORE_FIRST, core_1.evmSeqNo.last(100n), 1000));
                (0, globals_1.expect)(read).toEqual(events);
            });
            (0, globals_1.it)('uses no feed number that was foreseen but is taken', async () => {
                const { store } = await open(1);
                const [first, second] = (0, fakeSubject_1.appendMessages)((0, marketEvents_1.createMarketScript)().listed('1').events, [0n, 5n]);
                const tooEarly = await store.prepareAppend(second, 1n);
                await (0, storeSteps_1.append)(store, first);
                const result = await store.transaction(async (tx) => {
                    await tx.lockIngest();
                    return tx.append(tooEarly);
                });
                (0, globals_1.expect)(result).toEqual({ kind: 'appended', feedNo: 2n, events: 1 });
                (0, globals_1.expect)((await store.progress()).lastFeedNo).toBe(2n);
            });
            (0, globals_1.it)('refuses a range that leaves a gap, and one that begins inside the log', async () => {
                const { store } = await open(1);
                await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 0n, 4n));
                await (0, globals_1.expect)((0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 6n, 8n))).rejects.toThrow(pipeline_1.LedgerGapError);
                await (0, globals_1.expect)((0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)([], 3n, 8n))).rejects.toThrow(pipeline_1.LedgerGapError);
                (0, globals_1.expect)(await store.progress()).toMatchObject({ nextPosition: 5n, lastFeedNo: 1n });
            });
            (0, globals_1.it)('takes a range again without writing anything', async () => {
                const { store } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                const messages = (0, fakeSubject_1.appendMessages)(events, [2n, 20n]);
                for (const message of messages)
                    await (0, storeSteps_1.append)(store, message);
                const before = await store.progress();
                for (const message of messages)
                    (0, globals_1.expect)(await (0, storeSteps_1.append)(store, message)).toEqual({ kind: 'already-there' });
                // Other borders make no difference.
                (0, globals_1.expect)(await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(events, 1n, 3n))).toEqual({ kind: 'already-there' });
                (0, globals_1.expect)(await store.progress()).toEqual(before);
            });
            (0, globals_1.it)('refuses a range that is there with another content: changed, missing, added', async () => {
                const { store } = await open(1);
                const { events } = (0, marketEvents_1.createMarketScript)().listed('1').listed('2').nextBlock().listed('3');
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                const before = await store.progress();
                const [one, two, three] = events;
                const changes = [
                    [one, { ...two, data: { ...two.data, price: 101n } }, three],
                    [one, { ...two, source: { ...two.source, blockHash: `0x${'77'.repeat(32)}` } }, three],
                    [one, three],
                    [one, two],
                    [],
                    [one, two, { ...two, seqNo: (two.seqNo + 1n) }, three],
                ];
                for (const changed of changes) {
                    const again = (0, storeSteps_1.append)(store, { ...(0, storeSteps_1.wholeRange)(events), events: changed });
                    await (0, globals_1.expect)(again).rejects.toThrow(pipeline_1.EventConflictError);
                    (0, globals_1.expect)(await store.progress()).toEqual(before);
                }
            });
            (0, globals_1.it)('keeps nothing of a transaction that fails, whatever it had done', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                const run = await store.prepareRun((0, straightFold_1.straightFold)(events));
                const failing = store.transaction(async (tx) => {
                    await tx.lockIngest();
                    await tx.lockLanes([0]);
                    await tx.append(await store.prepareAppend((0, storeSteps_1.wholeRange)(events), 1n));
                    await tx.writeRun(run);
                    await tx.setCheckpoints([0], core_1.evmSeqNo.last(3n), 0n);
                    await tx.finalize({ kind: 'finalize', upToSeqNo: core_1.evmSeqNo.last(2n), position: 2n });
                    throw new RangeError('on purpose');
                });
                await (0, globals_1.expect)(failing).rejects.toThrow(new RangeError('on purpose'));
                (0, globals_1.expect)(await contents()).toEqual({ rows: [], activities: [], parked: [] });
                (0, globals_1.expect)(await store.progress()).toMatchObject({
                    nextPosition: 0n,
                    executed: core_1.BEFORE_FIRST,
                    finalized: core_1.BEFORE_FIRST,
                    lastFeedNo: 0n,
                });
                (0, globals_1.expect)(await store.parked()).toEqual([]);
                (0, globals_1.expect)(await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events))).toMatchObject({ kind: 'appended', feedNo: 1n });
            });
        });
        (0, globals_1.describe)('reading the log', () => {
            globals_1.it.each([1, 4])('%i lanes part it: every event in exactly one, in order', async (lanes) => {
                const { store } = await open(lanes);
                const script = (0, marketEvents_1.createMarketScript)();
                for (let i = 1; i <= 30; i++)
                    script.listed(String(i)).minted(marketEvents_1.ALICE, BigInt(i)).nextBlock();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(script.events));
                const end = core_1.evmSeqNo.last(100n);
                const byLane = [];
                for (let lane = 0; lane < lanes; lane++)
                    byLane.push(await store.transaction((tx) => tx.readRun(lane, core_1.BEFORE_FIRST, end, 1000)));
                byLane.forEach((events, lane) => {
                    (0, globals_1.expect)(events).toEqual(script.events.filter((e) => (0, core_1.laneOf)((0, core_1.aggregateHash)(e.aggregateType, e.aggregateId), lanes) === lane));
                    (0, globals_1.expect)(events.length).toBeGreaterThan(0);
                });
                (0, globals_1.expect)(byLane.flat()).toHaveLength(60);
            });
            (0, globals_1.it)('gives events after one place, up to another, and no more than the limit', async () => {
                const { store } = await open(1);
                const script = (0, marketEvents_1.createMarketScript)();
                for (let i = 1; i <= 9; i++)
                    script.listed(String(i));
                const { events } = script;
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                const read = (from, to, limit) => store.transaction((tx) => tx.readRun(0, from, to, limit));
                (0, globals_1.expect)(await read(events[2].seqNo, events[6].seqNo, 100)).toEqual(events.slice(3, 7));
                (0, globals_1.expect)(await read(events[2].seqNo, events[6].seqNo, 2)).toEqual(events.slice(3, 5));
                (0, globals_1.expect)(await read(events[8].seqNo, core_1.evmSeqNo.last(50n), 2)).toEqual([]);
            });
            (0, globals_1.it)('gives the events of one aggregate, and of no other with a like id', async () => {
                const { store } = await open(4);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                for (const key of keysOf(events)) {
                    const own = events.filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId);
                    const read = (from, to) => readAggregate(store, { ...key, afterSeqNo: from, upToSeqNo: to });
                    (0, globals_1.expect)(await read(core_1.BEFORE_FIRST, core_1.evmSeqNo.last(100n))).toEqual(own);
                    (0, globals_1.expect)(await read(own[0].seqNo, own.at(-1).seqNo)).toEqual(own.slice(1));
                }
            });
        });
        (0, globals_1.describe)('states', () => {
            (0, globals_1.it)('come back as their reducers left them, for every type of aggregate', async () => {
                const { store } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store);
                const expected = foldedStates(events);
                (0, globals_1.expect)(new Set([...expected.keys()].map((key) => key.split('/')[0]))).toEqual(new Set(Object.values(market_1.AGGREGATE)));
                (0, globals_1.expect)(await store.loadStates(keysOf(events))).toEqual(expected);
            });
            (0, globals_1.it)('of what has no rows are missing, and of what is not asked for as well', async () => {
                const { store } = await open(1);
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)((0, marketEvents_1.createMarketScript)().listed('1').listed('2').events));
                await (0, storeSteps_1.executeLanes)(store);
                const key = (aggregateType, id) => ({
                    aggregateType,
                    aggregateId: `${marketEvents_1.MARKET}:${id}`,
                });
                const states = await store.loadStates([
                    key('order', '1'),
                    key('order', '3'),
                    key('offer', '2'),
                    key('undecodable', '1'),
                ]);
                (0, globals_1.expect)([...states.keys()]).toEqual([`order/${marketEvents_1.MARKET}:1`]);
                (0, globals_1.expect)(await store.loadStates([])).toEqual(new Map());
            });
            (0, globals_1.it)('of order 5 and offer 5 of one contract are two', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketEvents_1.createMarketScript)()
                    .listed('5', { price: 1n })
                    .offered('5', { price: 2n })
                    .listed('5', { side: 'offer', maker: marketEvents_1.CAROL, price: 3n });
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store);
                const states = await store.loadStates(keysOf(events));
                (0, globals_1.expect)([...states.keys()].sort()).toEqual([`offer/${marketEvents_1.MARKET}:5`, `order/${marketEvents_1.MARKET}:5`]);
                (0, globals_1.expect)(states.get(`offer/${marketEvents_1.MARKET}:5`)).toMatchObject({ row: { price: 2n, table: 'offers' } });
                (0, globals_1.expect)(states.get(`order/${marketEvents_1.MARKET}:5`)).toMatchObject({ row: { price: 3n, table: 'offers' } });
                (0, globals_1.expect)((await contents()).rows).toHaveLength(3);
            });
            (0, globals_1.it)('are of the newest of successive rows', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketEvents_1.createMarketScript)()
                    .listed('1', { price: 1n })
                    .filled('1')
                    .nextBlock()
                    .listed('1', { price: 2n })
                    .cancelled('1')
                    .nextBlock()
                    .listed('1', { price: 3n });
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store);
                (0, globals_1.expect)((await contents()).rows).toMatchObject([
                    { status: 'SOLD', price: 1n },
                    { status: 'CANCELED', price: 2n },
                    { status: 'LISTING', price: 3n },
                ]);
                const states = await store.loadStates(keysOf(events));
                (0, globals_1.expect)([...states.values()]).toMatchObject([{ version: 5, row: { price: 3n } }]);
            });
            (0, globals_1.it)('written again replace what was there', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                for (const upTo of [3, 9, events.length]) {
                    const run = (0, straightFold_1.straightFold)(events.slice(0, upTo));
                    await store.transaction(async (tx) => tx.writeRun(await store.prepareRun({ ...emptyRun, rows: run.rows })));
                }
                (0, globals_1.expect)((await contents()).rows).toEqual((await (0, storeSteps_1.contentsOfStraightFold)(events)).rows);
            });
            (0, globals_1.it)('of two runs of one transaction are those of the second', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketEvents_1.createMarketScript)().minted(marketEvents_1.ALICE).minted(marketEvents_1.ALICE, 2n).transferred(marketEvents_1.ALICE, marketEvents_1.BOB);
                const first = await store.prepareRun((0, straightFold_1.straightFold)(events.slice(0, 2)));
                const second = await store.prepareRun({ ...(0, straightFold_1.straightFold)(events), activities: [] });
                await store.transaction(async (tx) => {
                    await tx.writeRun(first);
                    await tx.writeRun(second);
                });
                (0, globals_1.expect)((await contents()).rows).toMatchObject([
                    { tokenId: 1n, owner: marketEvents_1.BOB, version: 2 },
                    { tokenId: 2n, owner: marketEvents_1.ALICE, version: 1 },
                ]);
            });
        });
        (0, globals_1.describe)('progress', () => {
            (0, globals_1.it)('of lanes never moves back, and is the least of them', async () => {
                const { store } = await open(3);
                const set = (lanes, position) => store.transaction(async (tx) => {
                    await tx.lockLanes(lanes);
                    await tx.setCheckpoints(lanes, core_1.evmSeqNo.last(position), 0n);
                });
                const at = (position) => core_1.evmSeqNo.last(position);
                await set([0, 2], 5n);
                (0, globals_1.expect)(await store.progress()).toMatchObject({ lanes: [at(5n), -1n, at(5n)], executed: -1n });
                await set([0, 1, 2], 4n);
                (0, globals_1.expect)(await store.progress()).toMatchObject({ lanes: [at(5n), at(4n), at(5n)], executed: at(4n) });
                await set([1], 9n);
                (0, globals_1.expect)(await store.progress()).toMatchObject({ lanes: [at(5n), at(9n), at(5n)], executed: at(5n) });
            });
            (0, globals_1.it)('of finality never moves back', async () => {
                const { store } = await open(1);
                const finalize = (position) => store.transaction(async (tx) => {
                    await tx.lockIngest();
                    await tx.finalize({ kind: 'finalize', upToSeqNo: core_1.evmSeqNo.last(position), position });
                });
                await finalize(0n);
                (0, globals_1.expect)(await store.resumePoint()).toMatchObject({ finalizedPosition: 0n });
                for (const position of [7n, 3n, 7n]) {
                    await finalize(position);
                    (0, globals_1.expect)((await store.progress()).finalized).toBe(core_1.evmSeqNo.last(7n));
                    (0, globals_1.expect)((await store.resumePoint()).finalizedPosition).toBe(7n);
                }
            });
            (0, globals_1.it)('tells a source where to go on: its window of blocks, what it discovered, what is final', async () => {
                const { store } = await open(1);
                (0, globals_1.expect)(await store.resumePoint()).toEqual({
                    epoch: 0n,
                    nextPosition: 0n,
                    window: [],
                    finalizedPosition: null,
                    discovered: [],
                });
                const blocks = (...positions) => positions.map(fakeSubject_1.fakeBlock);
                const discovered = [
                    { address: (0, marketEvents_1.address)('b'), kind: 'erc1155', discoveredAt: core_1.evmSeqNo.encode(1n, 4, 0) },
                    { address: (0, marketEvents_1.address)('a'), kind: 'erc721', discoveredAt: core_1.evmSeqNo.encode(2n, 0, 1) },
                ];
                await (0, storeSteps_1.append)(store, { ...(0, fakeSubject_1.appendMessage)([], 0n, 3n), blocks: blocks(1n, 2n, 3n), discovered });
                await (0, storeSteps_1.append)(store, { ...(0, fakeSubject_1.appendMessage)([], 4n, 5n), blocks: blocks(4n, 5n) });
                (0, globals_1.expect)(await store.resumePoint()).toEqual({
                    epoch: 0n,
                    nextPosition: 6n,
                    window: blocks(1n, 2n, 3n, 4n, 5n),
                    finalizedPosition: null,
                    discovered,
                });
                await store.transaction(async (tx) => {
                    await tx.lockIngest();
                    await tx.finalize({ kind: 'finalize', upToSeqNo: core_1.evmSeqNo.last(4n), position: 4n });
                });
                await (0, storeSteps_1.append)(store, { ...(0, fakeSubject_1.appendMessage)([], 6n, 6n), blocks: blocks(6n) });
                // Below finality nothing can be taken back: those blocks are forgotten.
                (0, globals_1.expect)((await store.resumePoint()).window).toEqual(blocks(4n, 5n, 6n));
                await store.transaction(async (tx) => {
                    await tx.lockIngest();
                    await tx.finalize({ kind: 'finalize', upToSeqNo: core_1.evmSeqNo.last(90n), position: 90n });
                });
                await (0, storeSteps_1.append)(store, { ...(0, fakeSubject_1.appendMessage)([], 7n, 8n), blocks: blocks(8n) });
                (0, globals_1.expect)(await store.resumePoint()).toMatchObject({ nextPosition: 9n, window: blocks(8n), discovered });
            });
            (0, globals_1.it)('does not care for heartbeats', async () => {
                const { store } = await open(1);
                const before = await store.progress();
                await store.heartbeat((0, fakeSubject_1.fakeBlock)(70n));
                (0, globals_1.expect)(await store.progress()).toEqual(before);
            });
        });
        (0, globals_1.describe)('parked aggregates', () => {
            (0, globals_1.it)('are told with their first reason, and the fate of their events with them', async () => {
                const { store } = await open(1);
                const { events } = (0, randomMarket_1.addPoison)((0, marketEvents_1.createMarketScript)().listed('1'), '1').filled('1').listed('2');
                const [listed, poison, filled, other] = events.map(({ seqNo }) => seqNo);
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                (0, globals_1.expect)(await store.fateOf(0, listed)).toBeNull();
                await (0, storeSteps_1.executeLanes)(store);
                const [marker] = await store.parked();
                (0, globals_1.expect)(marker).toMatchObject({ aggregateId: `${marketEvents_1.MARKET}:1`, fromSeqNo: poison });
                (0, globals_1.expect)(await store.fateOf(0, listed)).toBe('executed');
                (0, globals_1.expect)(await store.fateOf(0, poison)).toBe('parked');
                (0, globals_1.expect)(await store.fateOf(0, filled)).toBe('parked');
                (0, globals_1.expect)(await store.fateOf(0, other)).toBe('executed');
                (0, globals_1.expect)(await store.fateOf(0, core_1.evmSeqNo.last(2n))).toBe('executed');
                (0, globals_1.expect)(await store.fateOf(0, core_1.evmSeqNo.last(3n))).toBeNull();
                const again = { ...marker, fromSeqNo: filled, message: 'another' };
                await store.transaction(async (tx) => tx.writeRun(await store.prepareRun({ ...emptyRun, parked: [again] })));
                (0, globals_1.expect)(await store.parked()).toEqual([marker]);
            });
        });
        (0, globals_1.describe)('snapshots', () => {
            (0, globals_1.it)('below a place are told newest first, of one version of the reducer, of one aggregate', async () => {
                const { store } = await open(1);
                const script = (0, marketEvents_1.createMarketScript)().listed('1').offered('1');
                for (let i = 1n; i < 9n; i++)
                    script.nextBlock().priceChanged('1', { price: i });
                const { events } = script;
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(3));
                const own = events.filter((event) => event.aggregateType === 'order');
                const key = { aggregateType: 'order', aggregateId: `${marketEvents_1.MARKET}:1` };
                const below = async (seqNo, of = key) => {
                    const found = await store.transaction((tx) => tx.snapshotsBelow([{ ...of, fromSeqNo: seqNo }]));
                    return found.get((0, core_1.aggregateKeyText)(of.aggregateType, of.aggregateId)) ?? null;
                };
                const states = [3, 6, 9].map((n) => foldedStates(own.slice(0, n)).get((0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId)));
                (0, globals_1.expect)(await below(core_1.evmSeqNo.last(99n))).toEqual(states[2]);
                (0, globals_1.expect)(await below(own[8].seqNo)).toEqual(states[1]);
                (0, globals_1.expect)(await below(own[5].seqNo)).toEqual(states[0]);
                (0, globals_1.expect)(await below(own[2].seqNo)).toBeNull();
                (0, globals_1.expect)(await below(core_1.evmSeqNo.last(99n), { ...key, aggregateType: 'offer' })).toBeNull();
                (0, globals_1.expect)(await below(core_1.evmSeqNo.last(99n), { ...key, aggregateType: 'nobody' })).toBeNull();
                (0, globals_1.expect)(await store.snapshotVersions([key, { ...key, aggregateType: 'offer' }])).toEqual(new Map([[(0, core_1.aggregateKeyText)(key.aggregateType, key.aggregateId), 9]]));
                // One of another version of the reducer at the same event takes its place, and is not used.
                const reducerVersion = straightFold_1.MARKET_OBSERVER.reducers.get('order').version + 1;
                const another = { ...key, reducerVersion, state: states[2] };
                await store.transaction(async (tx) => tx.writeRun(await store.prepareRun({ ...emptyRun, snapshots: [another] })));
                (0, globals_1.expect)(await below(core_1.evmSeqNo.last(99n))).toEqual(states[1]);
                (0, globals_1.expect)([...(await store.snapshotVersions([key])).values()]).toEqual([6]);
            });
        });
        (0, globals_1.describe)('erasing an aggregate', () => {
            /** Everything executed, then one aggregate erased from a place on. */
            const erased = async (key, from) => {
                const { store, contents } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(1));
                const before = await contents();
                const own = events.filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId && e.seqNo >= from);
                await store.transaction(async (tx) => {
                    await tx.lockIngest();
                    await tx.lockLanes([0]);
                    await tx.eraseAggregates([{ ...key, fromSeqNo: from, keptSeqNo: (from - 1n) }]);
                    await tx.eraseActivities(own.map(({ seqNo }) => seqNo));
                });
                const request = { ...key, fromSeqNo: core_1.evmSeqNo.last(99n) };
                const [snapshot = null] = [
                    ...(await store.transaction((tx) => tx.snapshotsBelow([request]))).values(),
                ];
                return { before, after: await contents(), snapshot, events };
            };
            (0, globals_1.it)('from its beginning leaves nothing of it, and everything of the others', async () => {
                for (const key of keysOf((0, marketOfEverything_1.marketOfEverything)().events)) {
                    const { before, after, snapshot, events } = await erased(key, core_1.evmSeqNo.first(0n));
                    const own = new Set(events
                        .filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId)
                        .map((e) => e.seqNo));
                    (0, globals_1.expect)(snapshot).toBeNull();
                    (0, globals_1.expect)(after.parked).toEqual(before.parked);
                    (0, globals_1.expect)(after.activities).toEqual(before.activities.filter(({ seqNo }) => !own.has(seqNo)));
                    (0, globals_1.expect)(after.rows).toEqual(before.rows.filter(({ seqNo }) => !own.has(seqNo)));
                    (0, globals_1.expect)(after.rows.length).toBeLessThan(before.rows.length);
                }
            });
            (0, globals_1.it)('from a place on keeps the rows that were opened before, and the history up to there', async () => {
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                const own = events.filter((e) => e.aggregateId === `${marketEvents_1.MARKET}:5` && e.aggregateType === 'order');
                const [, sold, second] = own.map(({ seqNo }) => seqNo);
                const { before, after, snapshot } = await erased(own[0], second);
                const gone = (row) => row.aggregateType === 'order' &&
                    row.openedSeqNo === second;
                (0, globals_1.expect)(after.rows).toEqual(before.rows.filter((row) => !gone(row)));
                (0, globals_1.expect)(before.rows.filter(gone)).toHaveLength(1);
                (0, globals_1.expect)(snapshot?.seqNo).toBe(sold);
            });
        });
        (0, globals_1.describe)('two writers', () => {
            /** One that has its locks and keeps them until it may go on, and one that begins meanwhile. */
            const inTurns = async (store, first, second) => {
                const [locked, begun, mayLeave] = [gate(), gate(), gate()];
                const one = store.transaction((tx) => first(tx, () => {
                    locked.open();
                    return mayLeave.opened;
                }));
                await locked.opened;
                let isThrough = false;
                const two = store.transaction(async (tx) => {
                    begun.open();
                    const result = await second(tx);
                    isThrough = true;
                    return result;
                });
                await begun.opened;
                // What does not wait for a lock is through by now.
                for (let looks = 0; looks < 30; looks++)
                    await store.progress();
                const waited = !isThrough;
                mayLeave.open();
                return { waited, results: await Promise.all([one, two]) };
            };
            (0, globals_1.it)('of one lane take turns: the second sees what the first has committed', async () => {
                const { store } = await open(2);
                const { waited, results } = await inTurns(store, async (tx, holds) => {
                    const { lanes } = await tx.lockLanes([0, 1]);
                    await holds();
                    await tx.setCheckpoints([0, 1], core_1.evmSeqNo.last(1n), 0n);
                    return lanes;
                }, async (tx) => (await tx.lockLanes([1])).lanes);
                (0, globals_1.expect)(waited).toBe(true);
                (0, globals_1.expect)(results).toEqual([
                    [core_1.BEFORE_FIRST, core_1.BEFORE_FIRST],
                    [core_1.evmSeqNo.last(1n), core_1.evmSeqNo.last(1n)],
                ]);
            });
            (0, globals_1.it)('of the log take turns: one range is appended once', async () => {
                const { store } = await open(1);
                const message = (0, storeSteps_1.wholeRange)((0, marketOfEverything_1.marketOfEverything)().events);
                const appended = async (tx, holds = async () => undefined) => {
                    const { lastFeedNo } = await tx.lockIngest();
                    await holds();
                    return (await tx.append(await store.prepareAppend(message, lastFeedNo + 1n))).kind;
                };
                const { waited, results } = await inTurns(store, appended, (tx) => appended(tx));
                (0, globals_1.expect)(waited).toBe(true);
                (0, globals_1.expect)(results).toEqual(['appended', 'already-there']);
                (0, globals_1.expect)((await store.progress()).lastFeedNo).toBe(1n);
            });
            (0, globals_1.it)('that execute the same lane write every row and activity once', async () => {
                const { store, contents } = await open(1);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await Promise.all([(0, storeSteps_1.executeLanes)(store, pipeline_1.noSnapshots, 3), (0, storeSteps_1.executeLanes)(store, pipeline_1.noSnapshots, 5)]);
                (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
            });
        });
        (0, globals_1.describe)('any history', () => {
            (0, globals_1.it)('gives the tables of one clean pass, by catching up in any ranges and with any cache', async () => {
                await fast_check_1.default.assert(fast_check_1.default.asyncProperty(exports.histories, fast_check_1.default.integer({ min: 1, max: 4 }), fast_check_1.default.integer({ min: 1, max: 20 }), async ({ events, ends }, lanes, cachedStatesMax) => {
                    const { store, contents } = await open(lanes);
                    await catchUpWith(store, (0, fakeSubject_1.appendMessages)(events, ends, true), cachedStatesMax);
                    (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
                    const end = core_1.evmSeqNo.last(ends.at(-1));
                    (0, globals_1.expect)(await store.progress()).toMatchObject({ executed: end, ingested: end });
                    (0, globals_1.expect)(await store.loadStates(keysOf(events))).toEqual(foldedStates(events));
                }), { numRuns: runs });
            }, 300_000);
            (0, globals_1.it)('gives them by any lanes and runs, and refolding any aggregate from any event changes nothing', async () => {
                await fast_check_1.default.assert(fast_check_1.default.asyncProperty(exports.histories, fast_check_1.default.integer({ min: 1, max: 4 }), fast_check_1.default.integer({ min: 1, max: 10 }), fast_check_1.default.integer({ min: 1, max: 4 }), fast_check_1.default.nat(), async ({ events, ends }, lanes, runEventsMax, every, from) => {
                    const { store, contents } = await open(lanes);
                    for (const message of (0, fakeSubject_1.appendMessages)(events, ends))
                        await (0, storeSteps_1.append)(store, message);
                    await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(every), runEventsMax);
                    const expected = await (0, storeSteps_1.contentsOfStraightFold)(events);
                    (0, globals_1.expect)(await contents()).toEqual(expected);
                    for (const key of keysOf(events)) {
                        const fromSeqNo = events[from % events.length].seqNo;
                        await refoldOne(store, { ...key, fromSeqNo });
                    }
                    (0, globals_1.expect)(await contents()).toEqual(expected);
                }), { numRuns: runs });
            }, 300_000);
        });
        (0, globals_1.it)('refolding every aggregate from every event leaves all tables as they were', async () => {
            for (const every of [1, 3]) {
                const { store, contents } = await open(2);
                const { events } = (0, marketOfEverything_1.marketOfEverything)();
                await (0, storeSteps_1.append)(store, (0, storeSteps_1.wholeRange)(events));
                await (0, storeSteps_1.executeLanes)(store, (0, pipeline_1.snapshotEvery)(every));
                const before = await contents();
                (0, globals_1.expect)(before).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
                for (const key of keysOf(events)) {
                    const own = events.filter((e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId);
                    for (const { seqNo: fromSeqNo } of own) {
                        await refoldOne(store, { ...key, fromSeqNo });
                    }
                    (0, globals_1.expect)(await contents()).toEqual(before);
                }
            }
        });
    });
    (0, subjectChanges_features_1.describeSubjectChanges)(name, features);
    (0, feed_features_1.describeFeed)(name, features);
}
