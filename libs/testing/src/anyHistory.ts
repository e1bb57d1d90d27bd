import { type DiscoveredContract, type Event, type SeqNo } from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import {
  applyLateChange,
  createCatchUp,
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  HaltedError,
  mayRetry,
  retryParked,
  rewind,
  runIngest,
  skipParked,
  snapshotEvery,
  type LaneWorker,
  type SubjectStore,
} from '@imart/pipeline';
import { createFaultyStore } from './faultyStore';
import { createFeedModel, type FeedModel } from './feedModel';
import { createForkingChain, type ForkingChain } from './forkingChain';
import type { StoreContents } from './inMemory/reads';
import { seededRandom, type SeededRandom } from './seededRandom';
import { silentLogger } from './silentLogger';
import { AN_OPERATOR, contentsOfStraightFold } from './storeSteps';
import { MARKET_OBSERVER } from './straightFold';
import type { OpenedStore } from './storeFeatures';

export interface AnyHistoryOptions {
  /** Everything that happens follows from it. */
  readonly seed: number;
  readonly rounds: number;
  /** How probable it is that a call of the store fails. */
  readonly faults: number;
}

/** Where a history has led, and where it should have. */
export interface AnyHistoryEnd {
  readonly actual: HistoryEnd;
  readonly expected: HistoryEnd;
  /** What happened, for who looks into a failing seed. */
  readonly happened: Readonly<Record<string, number>>;
}

interface HistoryEnd extends StoreContents {
  readonly log: readonly Event[];
  readonly discovered: readonly DiscoveredContract[];
  /** What a reader of the feed has made of all changes that it was told. */
  readonly readers: readonly (readonly Event[])[];
  readonly lanes: readonly SeqNo[];
  readonly nextPosition: bigint;
}

const never = new AbortController().signal;

/**
 * A market's history as it may happen: the chain grows, forks and becomes final; its provider leaves events out and makes some up;
 * second readings mend that; aggregates are parked, retried, skipped; an operator goes back below finality; the database fails and
 * processes die all along. In the end everything is read and executed, and mended by a last second reading.
 */
export async function liveThrough(opened: OpenedStore, options: AnyHistoryOptions): Promise<AnyHistoryEnd> {
  const random = seededRandom(options.seed);
  const chain = createForkingChain(random);
  chain.grow(random.between(1, 6));
  const happened: Record<string, number> = {};
  const count = (what: string): void => {
    happened[what] = (happened[what] ?? 0) + 1;
  };
  const { store } = opened;
  const faulty = createFaultyStore(store, random, options.faults);
  const stats = createPipelineStats();
  let process = createProcess(faulty, random, stats);
  const readers = [createFeedModel('all'), createFeedModel('kept')];

  for (let round = 0; round < options.rounds; round++) {
    changeChain(chain, random);
    const work: Promise<unknown>[] = [];
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
  for (const [name, value] of Object.entries(stats)) if (value > 0) happened[name] = value as number;
  return { actual: await actualEnd(opened, readers), expected: await expectedEnd(opened, chain), happened };
}

/** A rewind lets nobody go on before it is done. */
async function unlessHalted(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof HaltedError)) throw error;
  });
}

function changeChain(chain: ForkingChain, random: SeededRandom): void {
  if (random.chance(0.4)) chain.fork(random.between(1, 8), random.between(0, 8));
  else chain.grow(random.between(0, 6));
  const position = chain.finalized + BigInt(random.between(0, 3));
  if (random.chance(0.3) && position < chain.head) chain.finalize(position);
}

/** One process: everything that it keeps in memory. */
function createProcess(store: SubjectStore, random: SeededRandom, stats = createPipelineStats()) {
  const executor = () =>
    createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: random.between(1, 20),
      parkedAggregatesMax: 1000,
    });
  const snapshotRule = snapshotEvery(random.between(1, 4));
  const common = { store, stats, logger: silentLogger, random: () => 0, now: () => 0 };
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({ ...common, lane, executor: executor(), snapshotRule, runEventsMax: random.between(1, 9) }),
    ]),
  );
  const worker: LaneWorker = createLaneWorker({
    ...common,
    lanes,
    receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
    onExecuted: () => undefined,
    onStop: () => undefined,
  });
  const catchUp = createCatchUp({
    ...common,
    executor: executor(),
    onCommitted: () => undefined,
    snapshotRule,
  });
  return {
    worker,
    ingest: (chain: ForkingChain) =>
      runIngest(
        {
          ...common,
          subject: chain.createSubject(random.pick([0, 0.5, 1])),
          observer: MARKET_OBSERVER,
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
async function operate(
  store: SubjectStore,
  chain: ForkingChain,
  random: SeededRandom,
  count: (what: string) => void,
): Promise<void> {
  const changes = { store, observer: MARKET_OBSERVER, logger: silentLogger };
  const what = random.pick(['late', 'late', 'late', 'skip', 'retry', 'rewind'] as const);
  const { nextPosition } = await persistently(() => store.progress());
  const to = BigInt(random.between(0, Math.max(0, Number(nextPosition) - 1)));
  const from = to > 5n ? to - BigInt(random.between(0, 5)) : 0n;
  // An operator goes back to what is final, or before: the rest sorts itself out.
  const toPosition = BigInt(random.between(-1, Number(chain.finalized)));
  if (what === 'rewind' && !random.chance(0.3)) return;
  const eventsPerStep = random.between(1, 20);
  const doing = async (): Promise<void> => {
    if (what === 'late') {
      count(`late: ${await mend(store, chain, from, to)}`);
    } else if (what === 'rewind') {
      await rewind(changes, { toPosition, dryRun: false, ...AN_OPERATOR }, eventsPerStep);
      count('rewind');
    } else {
      const parked = await store.parked();
      if (parked.length === 0) return;
      const request = { ...random.pick(parked), actedBy: 'an operator', reason: 'because' };
      const { kind } = await (what === 'skip' ? skipParked : retryParked)(changes, request);
      count(`${what}: ${kind}`);
    }
  };
  await persistently(doing);
}

async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
    }
  }
}

/** A second reading of a range, applied. */
async function mend(
  store: SubjectStore,
  chain: ForkingChain,
  fromPosition: bigint,
  toPosition: bigint,
): Promise<string> {
  const range = await store.rangeEvents(fromPosition, toPosition);
  const change = chain.difference(range, fromPosition, toPosition);
  const options = { store, observer: MARKET_OBSERVER, logger: silentLogger };
  // Meanwhile the log may have become shorter.
  if (range.nextPosition <= toPosition) return 'beyond';
  const { kind } = await applyLateChange(options, change);
  return kind;
}

async function actualEnd(
  { store, contents }: OpenedStore,
  readers: readonly FeedModel[],
): Promise<HistoryEnd> {
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

async function expectedEnd({ store, kept }: OpenedStore, chain: ForkingChain): Promise<HistoryEnd> {
  const events = chain.events();
  const skipped = new Set((await kept()).skipped);
  return {
    ...(await contentsOfStraightFold(events.filter(({ seqNo }) => !skipped.has(seqNo)))),
    log: events,
    discovered: byAddress([...chain.discovered().values()]),
    readers: [events, events],
    lanes: Array.from({ length: store.lanes }, () => blockSeqNo.last(chain.head)),
    nextPosition: chain.head + 1n,
  };
}

const byAddress = (contracts: readonly DiscoveredContract[]): readonly DiscoveredContract[] =>
  [...contracts].sort((a, b) => (a.address < b.address ? -1 : 1));
