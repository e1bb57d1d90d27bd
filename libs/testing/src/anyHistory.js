'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.liveThrough = liveThrough;
const blockSeqNo_1 = require('./blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const faultyStore_1 = require('./faultyStore');
const feedModel_1 = require('./feedModel');
const forkingChain_1 = require('./forkingChain');
const seededRandom_1 = require('./seededRandom');
const silentLogger_1 = require('./silentLogger');
const storeSteps_1 = require('./storeSteps');
const straightFold_1 = require('./straightFold');
const never = new AbortController().signal;
/**
 * A market's history as it may happen: the chain grows, forks and becomes final; its provider leaves events out and makes some up;
 * second readings mend that; aggregates are parked, retried, skipped; an operator goes back below finality; the database fails and
 * processes die all along. In the end everything is read and executed, and mended by a last second reading.
 */
async function liveThrough(opened, options) {
  const random = (0, seededRandom_1.seededRandom)(options.seed);
  const chain = (0, forkingChain_1.createForkingChain)(random);
  chain.grow(random.between(1, 6));
  const happened = {};
  const count = (what) => {
    happened[what] = (happened[what] ?? 0) + 1;
  };
  const { store } = opened;
  const faulty = (0, faultyStore_1.createFaultyStore)(store, random, options.faults);
  const stats = (0, pipeline_1.createPipelineStats)();
  let process = createProcess(faulty, random, stats);
  const readers = [(0, feedModel_1.createFeedModel)('all'), (0, feedModel_1.createFeedModel)('kept')];
  for (let round = 0; round < options.rounds; round++) {
    changeChain(chain, random);
    const work = [];
    if (random.chance(0.8)) work.push(unlessHalted(process.ingest(chain)));
    for (let lane = 0; lane < store.lanes; lane++)
      if (random.chance(0.6)) work.push(unlessHalted(process.worker.wake(lane, never)));
    if (random.chance(0.5)) work.push(operate(faulty, chain, random, count));
    for (const reader of readers) if (random.chance(0.3)) work.push(reader.read(store, random));
    await Promise.all(work);
    if (random.chance(0.3)) process = createProcess(faulty, random, stats);
  }
  const last = createProcess(store, random, stats);
  await last.ingest(chain);
  await mend(store, chain, 0n, chain.head);
  for (let lane = 0; lane < store.lanes; lane++) await last.worker.wake(lane, never);
  for (const reader of readers) await reader.read(store, random, true);
  for (const [name, value] of Object.entries(stats)) if (value > 0) happened[name] = value;
  return { actual: await actualEnd(opened, readers), expected: await expectedEnd(opened, chain), happened };
}
/** A rewind lets nobody go on before it is done. */
async function unlessHalted(work) {
  await work.catch((error) => {
    if (!(error instanceof pipeline_1.HaltedError)) throw error;
  });
}
function changeChain(chain, random) {
  if (random.chance(0.4)) chain.fork(random.between(1, 8), random.between(0, 8));
  else chain.grow(random.between(0, 6));
  const position = chain.finalized + BigInt(random.between(0, 3));
  if (random.chance(0.3) && position < chain.head) chain.finalize(position);
}
/** One process: everything that it keeps in memory. */
function createProcess(store, random, stats = (0, pipeline_1.createPipelineStats)()) {
  const executor = () =>
    (0, pipeline_1.createExecutor)({
      store,
      observer: straightFold_1.MARKET_OBSERVER,
      cachedStatesMax: random.between(1, 20),
      parkedAggregatesMax: 1000,
    });
  const snapshotRule = (0, pipeline_1.snapshotEvery)(random.between(1, 4));
  const common = { store, stats, logger: silentLogger_1.silentLogger, random: () => 0, now: () => 0 };
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      (0, pipeline_1.createLane)({
        ...common,
        lane,
        executor: executor(),
        snapshotRule,
        runEventsMax: random.between(1, 9),
      }),
    ]),
  );
  const worker = (0, pipeline_1.createLaneWorker)({
    ...common,
    lanes,
    receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
    onExecuted: () => undefined,
    onStop: () => undefined,
  });
  const catchUp = (0, pipeline_1.createCatchUp)({
    ...common,
    executor: executor(),
    onCommitted: () => undefined,
    snapshotRule,
  });
  return {
    worker,
    ingest: (chain) =>
      (0, pipeline_1.runIngest)(
        {
          ...common,
          subject: chain.createSubject(random.pick([0, 0.5, 1])),
          observer: straightFold_1.MARKET_OBSERVER,
          sender: { send: async () => undefined },
          catchUp,
          onCaughtUp: () => Promise.resolve(),
          onHead: () => undefined,
          onIngested: () => undefined,
        },
        never,
      ),
  };
}
/** What an operator, or a second reading, does meanwhile. Tried again when the database fails, as they would. */
async function operate(store, chain, random, count) {
  const changes = { store, observer: straightFold_1.MARKET_OBSERVER, logger: silentLogger_1.silentLogger };
  const what = random.pick(['late', 'late', 'late', 'skip', 'retry', 'rewind']);
  const { nextPosition } = await persistently(() => store.progress());
  const to = BigInt(random.between(0, Math.max(0, Number(nextPosition) - 1)));
  const from = to > 5n ? to - BigInt(random.between(0, 5)) : 0n;
  // An operator goes back to what is final, or before: the rest sorts itself out.
  const toPosition = BigInt(random.between(-1, Number(chain.finalized)));
  if (what === 'rewind' && !random.chance(0.3)) return;
  const eventsPerStep = random.between(1, 20);
  const doing = async () => {
    if (what === 'late') {
      count(`late: ${await mend(store, chain, from, to)}`);
    } else if (what === 'rewind') {
      await (0, pipeline_1.rewind)(
        changes,
        { toPosition, dryRun: false, ...storeSteps_1.AN_OPERATOR },
        eventsPerStep,
      );
      count('rewind');
    } else {
      const parked = await store.parked();
      if (parked.length === 0) return;
      const request = { ...random.pick(parked), actedBy: 'an operator', reason: 'because' };
      const { kind } = await (what === 'skip' ? pipeline_1.skipParked : pipeline_1.retryParked)(
        changes,
        request,
      );
      count(`${what}: ${kind}`);
    }
  };
  await persistently(doing);
}
async function persistently(work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(0, pipeline_1.mayRetry)(error, attempt)) throw error;
    }
  }
}
/** A second reading of a range, applied. */
async function mend(store, chain, fromPosition, toPosition) {
  const range = await store.rangeEvents(fromPosition, toPosition);
  const change = chain.difference(range, fromPosition, toPosition);
  const options = { store, observer: straightFold_1.MARKET_OBSERVER, logger: silentLogger_1.silentLogger };
  // Meanwhile the log may have become shorter.
  if (range.nextPosition <= toPosition) return 'beyond';
  const { kind } = await (0, pipeline_1.applyLateChange)(options, change);
  return kind;
}
async function actualEnd({ store, contents }, readers) {
  const { nextPosition, lanes } = await store.progress();
  return {
    ...(await contents()),
    log: (await store.rangeEvents(0n, nextPosition)).events,
    discovered: byAddress((await store.resumePoint()).discovered),
    readers: readers.map((reader) => reader.events()),
    lanes,
    nextPosition,
  };
}
async function expectedEnd({ store, kept }, chain) {
  const events = chain.events();
  const skipped = new Set((await kept()).skipped);
  return {
    ...(await (0, storeSteps_1.contentsOfStraightFold)(events.filter(({ seqNo }) => !skipped.has(seqNo)))),
    log: events,
    discovered: byAddress([...chain.discovered().values()]),
    readers: [events, events],
    lanes: Array.from({ length: store.lanes }, () => blockSeqNo_1.blockSeqNo.last(chain.head)),
    nextPosition: chain.head + 1n,
  };
}
const byAddress = (contracts) => [...contracts].sort((a, b) => (a.address < b.address ? -1 : 1));
