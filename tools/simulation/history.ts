import { messageOf, type DiscoveredContract } from '@imart/core';
import { FencedError } from '@imart/pipeline';
import {
  createInMemorySubjectStore,
  type InMemorySubjectStore,
} from '../../libs/testing/src/inMemorySubjectStore';
import { SUBJECT } from '../../libs/testing/src/marketEvents';
import { MARKET_OBSERVER, straightFold } from '../../libs/testing/src/straightFold';
import { createRandom, type Random } from '../devnet/src/random';
import { createChainScript, readBlocks, type ChainScript, type ChainScriptOptions } from './chainScript';
import { differencesOf } from './differences';
import {
  createFaultPoints,
  describePoint,
  type FaultKind,
  type FaultPoint,
  type PlannedFault,
} from './faultPoints';
import { startFeedReader, type SimulatedReader } from './feedReader';
import { createSimulatedLeases } from './leases';
import type { MortalProcess } from './mortalProcess';
import { startOperator } from './operator';
import { startSecondPass } from './secondPass';
import { createSimulatedChain } from './simulatedSubject';
import { inVirtualTime, turns } from './virtualTime';
import { createWakeUpQueue, type QueueFaults, type WakeUpQueue } from './wakeUpQueue';
import { startAppProcess } from './appProcess';
import { startEngineProcess } from './engineProcess';
import type { ProcessNews, Role, World, WorkerSettings } from './world';

/** A whole history, from one number. */
export interface HistoryOptions {
  readonly seed: number;
  readonly chain: ChainScriptOptions;
  readonly queue: QueueFaults;
  readonly composition: WorkerSettings['composition'];
  /** The processes; one that dies is started again. */
  readonly roles: readonly Role[];
  readonly lanesMax: number;
  /** Faults at points with these numbers. */
  readonly faults: readonly PlannedFault[];
  /** How likely a fault happens at any other point, as long as none was for a while: what never gets anywhere shows nothing. */
  readonly faultChance: number;
}

export interface HistoryResult {
  /** What is not as one clean pass over the final chain leaves it; empty when all is well. */
  readonly differences: readonly string[];
  readonly points: readonly FaultPoint[];
  readonly met: readonly PlannedFault[];
  readonly events: number;
  /** Events that the readers of the feed were told, retracted since or not. */
  readonly told: number;
  readonly forks: number;
  readonly starts: number;
  readonly queue: WakeUpQueue['counts'];
}

/** A history that takes longer hangs. */
const TURNS_MAX = 60_000;
const KINDS: readonly FaultKind[] = ['crash', 'error', 'freeze'];

/** Runs a history to its end and compares what it left with one clean, single-threaded pass over the final chain. */
export function runHistory(options: HistoryOptions): Promise<HistoryResult> {
  return inVirtualTime(createRandom(~options.seed), (now) => run(options, now));
}

async function run(options: HistoryOptions, now: () => number): Promise<HistoryResult> {
  const random = createRandom(options.seed);
  const script = createChainScript(random, options.chain);
  const chain = createSimulatedChain(random, script);
  const leases = createSimulatedLeases(now, () => store);
  const store = createInMemorySubjectStore({
    subjectId: SUBJECT,
    lanes: 1 + random.below(options.lanesMax),
    observer: MARKET_OBSERVER,
    newestFencing: leases.newest,
  });
  const queue = createWakeUpQueue(random, options.queue);
  const points = createFaultPoints(options.faults, randomFaults(random, options.faultChance));
  const settings: WorkerSettings = {
    composition: options.composition,
    runEventsMax: 1 + random.below(8),
    cachedStatesMax: 1 + random.below(8),
    snapshotEvery: 1 + random.below(4),
    rangeBlocksMax: 1 + random.below(6),
  };
  const world: World = { chain, store, observer: MARKET_OBSERVER, queue, leases, points, random, settings };

  let starts = 0;
  /** The chain has been read to its end. */
  let ended = false;
  /** Nothing is missing in the log, as far as a second pass could see after that. */
  let complete = !options.roles.includes('second-pass');
  let over = false;
  const stopped: string[] = [];
  const running = new Set<MortalProcess>();
  const start = (role: Role): void => {
    const worker = startProcess(world, role, `${role}${starts++}`, (news, process) => {
      if (over) return;
      if (news.kind === 'end') {
        if (role === 'second-pass') complete = true;
        else ended = true;
      } else if (news.kind === 'died') {
        running.delete(process);
        start(role);
      } else if (news.error instanceof FencedError) {
        // It ends, and whoever looks after processes starts it again.
        process.kill();
      } else {
        stopped.push(`${process.name} stopped: ${messageOf(news.error)}`);
      }
    });
    running.add(worker);
  };
  for (const role of options.roles) start(role);
  const readers = [
    startFeedReader('a reader', store, random, false),
    startFeedReader('a reader that was away', store, random, true),
  ];

  const done = async (): Promise<boolean> => {
    if (stopped.length > 0) return true;
    if (!ended || !complete) return false;
    const { executed, ingested } = await store.progress();
    return executed === ingested;
  };
  let left = TURNS_MAX;
  while (left > 0 && !(await done())) {
    await turns(1);
    left--;
  }
  const hung = left === 0 ? [await describeStandStill(store, ended)] : [];
  over = true;
  for (const process of running) process.kill();
  for (const reader of readers) reader.stop();
  await turns(5);
  const failed = [...stopped, ...hung];
  if (failed.length === 0) for (const reader of readers) await reader.drain();

  return {
    // Of a history that did not come to its end, the rest is missing.
    differences:
      failed.length > 0 ? failed : [...(await compare(store, script)), ...readersOf(readers, store)],
    told: readers.reduce((sum, { told }) => sum + told, 0),
    points: points.passed,
    met: points.met,
    events: store.events().length,
    forks: script.forks,
    starts,
    queue: queue.counts,
  };
}

function startProcess(
  world: World,
  role: Role,
  name: string,
  onNews: (news: ProcessNews, worker: MortalProcess) => void,
): MortalProcess {
  if (role === 'second-pass') return startSecondPass(world, name, onNews);
  if (role === 'operator') return startOperator(world, name, onNews);
  const startWorker = world.settings.composition === 'app' ? startAppProcess : startEngineProcess;
  return startWorker(world, role, name, onNews);
}

/** Every reader ends with the events of the log, whatever it was told on the way. */
function readersOf(readers: readonly SimulatedReader[], store: InMemorySubjectStore): string[] {
  return readers.flatMap(({ name, events, contradictions }) => [
    ...contradictions.slice(0, 3),
    ...differencesOf(`event of ${name}`, store.events(), events, (event) => String(event.seqNo)),
  ]);
}

/** Faults at random: rarely one soon after another, so that work gets done in between. */
function randomFaults(random: Random, chance: number): (point: FaultPoint) => FaultKind | undefined {
  if (chance === 0) return () => undefined;
  let quiet = 0;
  return () => {
    if (quiet-- > 0 || !random.chance(chance)) return undefined;
    // A second one in the recovery from the first is what finds most.
    quiet = random.chance(0.4) ? random.below(20) : 150;
    return random.pick(KINDS);
  };
}

async function describeStandStill(store: InMemorySubjectStore, ended: boolean): Promise<string> {
  const { ingested, lanes, nextPosition, epoch } = await store.progress();
  return `it stands still: ${ended ? 'the chain is read' : 'the chain is not read to its end'}, position ${nextPosition}, ingested ${ingested}, lanes ${lanes.join(', ')}, epoch ${epoch}`;
}

/** The oracle: one clean pass over the final chain. */
async function compare(store: InMemorySubjectStore, script: ChainScript): Promise<string[]> {
  const { blocks } = script.states.at(-1) as ChainScript['states'][number];
  const { events, discovered } = readBlocks(blocks, []);
  const skipped = new Set(store.kept().skipped);
  const counted = events.filter(({ seqNo }) => !skipped.has(seqNo));
  const clean = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
  await clean.transaction(async (tx) => tx.writeRun(await clean.prepareRun(straightFold(counted))));
  const resume = await store.resumePoint();
  const orphans = resume.window.filter((block) => blocks[Number(block.position)]?.hash !== block.hash);
  return [
    ...differencesOf('event', events, store.events(), (event) => String(event.seqNo)),
    ...differencesOf('row', clean.contents().rows, store.contents().rows, (row) => `${row.table}/${row.key}`),
    ...differencesOf(
      'activity',
      clean.contents().activities,
      store.contents().activities,
      (activity) => `${activity.seqNo}/${activity.item}`,
    ),
    ...differencesOf(
      'park marker',
      clean.contents().parked,
      store.contents().parked,
      (marker) => `${marker.aggregateType}/${marker.aggregateId}`,
    ),
    ...differencesOf('discovered contract', discovered, inOrder(resume.discovered), (one) => one.address),
    ...orphans.map((block) => `remembered block ${block.position} ${block.hash} is not in the final chain`),
    ...(resume.nextPosition === BigInt(blocks.length)
      ? []
      : [`next position ${resume.nextPosition}, the chain ends before ${blocks.length}`]),
  ];
}

const inOrder = (contracts: readonly DiscoveredContract[]): DiscoveredContract[] =>
  [...contracts].sort((a, b) => (a.discoveredAt < b.discoveredAt ? -1 : 1));

/** Where the faults of a history were, for a message. */
export function describeMet({ met, points }: HistoryResult): string {
  return met.map(({ at, kind }) => `${kind} ${describePoint(points[at] as FaultPoint)} (#${at})`).join('; ');
}
