import type { Event } from '@imart/core';
import { isTold } from '@imart/market';
import { FencedError, runFeedProcess, type FeedChange, type FeedReader, type Logger } from '@imart/pipeline';
import type { NotificationStore, ReaderPosition, ToldChange } from '@imart/storage';
import type { NotificationLists } from '@imart/stream';
import { pushMessage } from './pushMessage';

/** How much of the feed one look takes at most. */
const CHANGES_MAX = 100;
const EVENTS_MAX = 2_000;
/** Most notifications pushed with one call. */
const PUSHED_MAX = 500;
/** How often the feed is looked at when there was nothing. */
const POLL_MS_DEFAULT = 250;

/**
 * When accounts are told. `final`: when an event cannot be taken back any more. `executed`: as soon as it shows in the tables; what a reorg
 * takes back is retracted.
 */
export type ToldWhen = 'final' | 'executed';

export interface NotifierOptions {
  readonly store: NotificationStore;
  readonly feed: FeedReader;
  /** `null`: nothing is pushed. */
  readonly lists: NotificationLists | null;
  readonly when: ToldWhen;
  /** Unique to this process. */
  readonly holder: string;
  /** @defaultValue that of `runFeedProcess` */
  readonly leaseMs?: number;
  readonly logger: Logger;
  readonly random: () => number;
  /** @defaultValue `250` */
  readonly pollMs?: number;
  readonly stats: NotifierStats;
}

/** What the reader of this process has done. */
export interface NotifierStats {
  told: number;
  retracted: number;
  pushed: number;
  /** Pushes that Redis did not take. They are tried again. */
  pushFailures: number;
  /** Changes of the feed that are not read, when it last looked; 0 while another process reads. */
  behind: number;
}

export function createNotifierStats(): NotifierStats {
  return { told: 0, retracted: 0, pushed: 0, pushFailures: 0, behind: 0 };
}

/**
 * Tells accounts what concerns them: reads the feed of one subject, keeps the notifications of each change in line with log and tables, and
 * pushes what has changed. Rows are exact, whoever dies when, because they and the cursor commit together; pushes come at least once.
 * @throws what is of disposition `stop`.
 */
export async function runNotifier(options: NotifierOptions, signal: AbortSignal): Promise<void> {
  const { store, holder, leaseMs, logger, random, stats } = options;
  const readOn = createReader(options);
  await runFeedProcess(
    {
      label: `${store.subjectId}/notifications`,
      leases: store.leases,
      holder,
      ...(leaseMs === undefined ? {} : { leaseMs }),
      logger,
      random,
      pollMs: options.pollMs ?? POLL_MS_DEFAULT,
    },
    signal,
    async (fencing) => {
      const read = await readOn(fencing);
      const pushed = await pushOn(options);
      return read || pushed;
    },
  );
  stats.behind = 0;
}

/** A change that is waited with until it is final. */
interface Waiting extends Pick<ReaderPosition, 'afterFeedNo' | 'epoch'> {
  /** The last event of it that is left. */
  readonly for: bigint;
}

/** One look at the feed after the other. @returns whether the cursor moved. */
function createReader(options: NotifierOptions): (fencing: bigint) => Promise<boolean> {
  let waiting: Waiting | null = null;
  return async (fencing) => {
    const position = await options.store.position();
    options.stats.behind = Number(position.lastFeedNo - position.afterFeedNo);
    if (options.stats.behind === 0) return false;
    // What is waited with is not read again and again: it is the same until it is final, or something was taken back.
    const isSame = waiting?.afterFeedNo === position.afterFeedNo && waiting.epoch === position.epoch;
    if (isSame && waiting !== null && waiting.for > position.finalized) return false;
    const { moved, wait } = await readOn(options, fencing, position);
    waiting = wait;
    return moved;
  };
}

async function readOn(
  options: NotifierOptions,
  fencing: bigint,
  // Of before the feed is read: what it says to be final was not taken back then, and will not be.
  position: ReaderPosition,
): Promise<{ readonly moved: boolean; readonly wait: Waiting | null }> {
  const { store, feed, when, stats } = options;
  if (isBeforeBeginning(position)) {
    await orFenced(store, fencing, () => store.skip(fencing, position.lastFeedNo));
    return { moved: true, wait: null };
  }
  const changes = await feed.readFeed(position.afterFeedNo, {
    changesMax: CHANGES_MAX,
    eventsMax: EVENTS_MAX,
  });
  let passed = position.afterFeedNo;
  let written = passed;
  let wait: Waiting | null = null;
  for (const change of changes) {
    const last = when === 'final' ? lastLeft(change) : -1n;
    if (last > position.finalized) {
      wait = { afterFeedNo: passed, epoch: position.epoch, for: last };
      break;
    }
    passed = change.feedNo;
    const told = concerned(change, position.sinceUs);
    if (told.seqNos.length === 0 && told.aggregates.length === 0) continue;
    const { seqNos, wanted } = await store.wanted(told, position.sinceUs);
    const outcome = await orFenced(store, fencing, () =>
      store.reconcile(fencing, change.feedNo, seqNos, wanted),
    );
    written = change.feedNo;
    stats.told += outcome.told;
    stats.retracted += outcome.retracted;
  }
  if (passed > written) await orFenced(store, fencing, () => store.skip(fencing, passed));
  stats.behind = Number(position.lastFeedNo - passed);
  return { moved: passed > position.afterFeedNo, wait };
}

/** Nothing in the log is of a time that anybody is told of: chain time never goes back. */
function isBeforeBeginning({ sinceUs, chainTimeUs }: ReaderPosition): boolean {
  return sinceUs !== null && (chainTimeUs === null || chainTimeUs < sinceUs);
}

/** The last event of a change that has not been taken back; below everything when there is none. */
function lastLeft({ added }: FeedChange): bigint {
  return added.reduce(
    (last, { event, retractedBy }) => (retractedBy === null && event.seqNo > last ? event.seqNo : last),
    -1n,
  );
}

/** What of a change somebody may be told of. Who changes what was before makes the later events of an aggregate mean something else. */
function concerned(change: FeedChange, sinceUs: bigint | null): ToldChange {
  const { feedNo, kind, aggregate, fromSeqNo } = change;
  const events = [...change.added, ...change.retracted].map(({ event }) => event).filter(isTold);
  const seqNos = events
    .filter(({ source }) => sinceUs === null || source.timeUs >= sinceUs)
    .map(({ seqNo }) => seqNo);
  if (kind === 'late') {
    // Also events that nobody is told of, such as a listing: what follows them may be told otherwise.
    const touched = [...change.added, ...change.retracted].map(({ event }) => event).filter(isTrade);
    return { feedNo, seqNos, aggregates: earliestOfEach(touched) };
  }
  return { feedNo, seqNos, aggregates: aggregate === null ? [] : [{ ...aggregate, fromSeqNo }] };
}

const TRADED = new Set(['order', 'offer', 'curation-offer', 'exhibit']);
const isTrade = ({ aggregateType }: Event): boolean => TRADED.has(aggregateType);

function earliestOfEach(events: readonly Event[]): ToldChange['aggregates'] {
  const earliest = new Map<string, Event>();
  for (const event of events) {
    const key = `${event.aggregateType}/${event.aggregateId}`;
    const known = earliest.get(key);
    if (known === undefined || event.seqNo < known.seqNo) earliest.set(key, event);
  }
  return [...earliest.values()].map(({ aggregateType, aggregateId, seqNo }) => ({
    aggregateType,
    aggregateId,
    fromSeqNo: seqNo,
  }));
}

/** @returns whether there may be more to push. */
async function pushOn({ store, lists, stats }: NotifierOptions): Promise<boolean> {
  if (lists === null) return false;
  const outgoing = await store.outgoing(PUSHED_MAX);
  if (outgoing.length === 0) return false;
  if (!(await lists.push(outgoing.map((one) => pushMessage(store.subjectId, one))))) {
    stats.pushFailures++;
    return false;
  }
  await store.pushed(outgoing);
  stats.pushed += outgoing.length;
  return outgoing.length === PUSHED_MAX;
}

/** @throws {FencedError} when somebody else reads now: nothing was written. */
async function orFenced<T>(
  { subjectId }: NotificationStore,
  fencing: bigint,
  write: () => Promise<T>,
): Promise<Exclude<T, null | false>> {
  const result = await write();
  if (result === null || result === false) throw new FencedError(`${subjectId}/notifications`, fencing, null);
  return result as Exclude<T, null | false>;
}
