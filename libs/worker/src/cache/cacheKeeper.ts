import { randomUUID } from 'node:crypto';
import type { Event } from '@imart/core';
import {
  runFeedProcess,
  type FeedChange,
  type FeedReader,
  type IngestLeases,
  type Logger,
  type SubjectProgress,
} from '@imart/pipeline';
import type { Touched } from '@imart/storage';
import { cacheScope, type CacheDropper, type CachePosition } from '@imart/stream';

/** How much of the feed one look takes at most. */
const CHANGES_MAX = 100;
const EVENTS_MAX = 2_000;
/** More changes at once than this: it is cheaper to drop everything. */
const BEHIND_MAX = 100n;
/** Touched names that are remembered; beyond it everything is dropped, and remembering begins anew. */
const SCOPES_MAX = 50_000;
/** How often it is said that somebody drops what changes, when nothing does. */
const HEARTBEAT_MS = 1_000;
const POLL_MS_DEFAULT = 25;
/** How long the keeper rests while the log is far behind the head. */
const REST_MS = 1_000;

export interface CacheKeeperOptions {
  readonly subjectId: string;
  readonly feed: FeedReader;
  readonly leases: IngestLeases;
  readonly dropper: CacheDropper;
  readonly progress: () => Promise<SubjectProgress>;
  /** What executed events have changed. */
  readonly touchedBy: (events: readonly Event[]) => Promise<Touched>;
  /** Whether the log is near the source's head. Farther behind everything changes all the time, and nothing is kept. */
  readonly isNearHead: () => Promise<boolean>;
  /** Unique to this process. */
  readonly holder: string;
  /** @defaultValue that of `runFeedProcess` */
  readonly leaseMs?: number;
  readonly logger: Logger;
  readonly random: () => number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** @defaultValue `25` */
  readonly pollMs?: number;
  readonly stats: CacheKeeperStats;
}

/** What the keeper of this process has done. */
export interface CacheKeeperStats {
  /** Names whose answers were dropped. */
  drops: number;
  /** Times that everything was dropped: at its start, after a reorg or late knowledge, when Redis was away. */
  eras: number;
  /** Whether it drops what changes now, so that the cache may be used. */
  keeping: boolean;
}

export function createCacheKeeperStats(): CacheKeeperStats {
  return { drops: 0, eras: 0, keeping: false };
}

/**
 * Drops from the API's cache what the changes of one subject's feed touch, after they are executed. While it is away, or cannot
 * reach Redis, nobody uses the cache: it says every second that it is there.
 * @throws what is of disposition `stop`.
 */
export async function runCacheKeeper(options: CacheKeeperOptions, signal: AbortSignal): Promise<void> {
  const { subjectId, leases, holder, leaseMs, logger, random, stats } = options;
  let keeper: ReturnType<typeof createKeeper> | null = null;
  let keptUnder: bigint | null = null;
  await runFeedProcess(
    {
      label: `${subjectId}/cache`,
      leases,
      holder,
      ...(leaseMs === undefined ? {} : { leaseMs }),
      logger,
      random,
      pollMs: options.pollMs ?? POLL_MS_DEFAULT,
    },
    signal,
    async (fencing) => {
      // Whoever kept it meanwhile, what this process remembers of it is worth nothing.
      if (keeper === null || keptUnder !== fencing) keeper = createKeeper(options);
      keptUnder = fencing;
      try {
        return await keeper();
      } catch (error) {
        keeper = null;
        stats.keeping = false;
        throw error;
      }
    },
  );
  stats.keeping = false;
}

/** One look at the feed after the other, from its end on. @returns whether there was anything. */
function createKeeper(options: CacheKeeperOptions): () => Promise<boolean> {
  const { feed, dropper, progress, isNearHead, now, stats } = options;
  /** Everything up to here is dropped; `null`: not known yet. */
  let at: bigint | null = null;
  /** `null`: there is none, and the cache is not used. */
  let era: string | null = null;
  let saidAt = -Infinity;
  let restsUntil = -Infinity;
  /** Where the subject was when the feed had nothing new; `null`: it had. */
  let nothingNewAt: SubjectProgress | null = null;

  const begin = async (position: CachePosition): Promise<void> => {
    const next = randomUUID();
    era = (await dropper.begin(next, position)) ? next : null;
    stats.keeping = era !== null;
    if (era !== null) stats.eras++;
    saidAt = now();
  };

  const leave = async (): Promise<void> => {
    await dropper.end();
    at = null;
    era = null;
    stats.keeping = false;
  };

  return async () => {
    if (now() < restsUntil) return false;
    if (at === null) {
      if (!(await isNearHead())) {
        restsUntil = now() + REST_MS;
        return false;
      }
      at = (await progress()).lastFeedNo;
    }
    // The end of the feed may not be executed yet: what it changes would be missing in answers that seem to have it.
    if (era === null && at > 0n && (await feed.readFeed(at - 1n, { changesMax: 1 })).length === 0)
      return false;
    // Nearly every look finds what the one before found: one statement tells, instead of the six that read the feed.
    const looked = await progress();
    if (
      era !== null &&
      nothingNewAt !== null &&
      now() - saidAt < HEARTBEAT_MS &&
      isSame(looked, nothingNewAt)
    )
      return false;
    const changes = await feed.readFeed(at, { changesMax: CHANGES_MAX, eventsMax: EVENTS_MAX });
    // After the feed: all that it showed was executed then.
    const seen = await progress();
    // What has come since `looked` and was not shown: the next look finds another place, and reads again.
    nothingNewAt = changes.length === 0 ? looked : null;
    if (seen.lastFeedNo - at > BEHIND_MAX && !(await isNearHead())) {
      await leave();
      return false;
    }
    const last = changes.at(-1)?.feedNo ?? at;
    const position: CachePosition = {
      feedNo: last,
      epoch: seen.epoch,
      executed: seen.executed,
      timeUs: seen.chainTimeUs ?? 0n,
    };
    const from = at;
    at = last;
    if (era === null || changes.some(rewrites) || countOf(changes) > EVENTS_MAX) {
      if (era !== null || now() - saidAt >= HEARTBEAT_MS || changes.length > 0) await begin(position);
      return changes.length > 0;
    }
    if (changes.length === 0 && now() - saidAt < HEARTBEAT_MS) return false;
    const scopes = scopesOf(
      await options.touchedBy(changes.flatMap(({ added }) => added.map(({ event }) => event))),
    );
    const remembered = await dropper.advance(era, from, position, scopes);
    saidAt = now();
    if (remembered === 'lost' || (remembered !== undefined && remembered > SCOPES_MAX)) await begin(position);
    else if (remembered === undefined) {
      era = null;
      stats.keeping = false;
    } else stats.drops += scopes.length;
    return changes.length > 0;
  };
}

/** Nothing was added to the feed, and nothing of it executed. */
const isSame = (a: SubjectProgress, b: SubjectProgress): boolean =>
  a.lastFeedNo === b.lastFeedNo && a.executed === b.executed && a.epoch === b.epoch;

/** What was before is something else now: nobody names all that depends on it. */
const rewrites = ({ kind }: FeedChange): boolean => kind !== 'appended';

const countOf = (changes: readonly FeedChange[]): number =>
  changes.reduce((sum, { added }) => sum + added.length, 0);

function scopesOf({ orders, tokens, collections, makers }: Touched): readonly string[] {
  return [
    ...orders.map((id) => cacheScope.order(id)),
    ...tokens.map(({ collection, tokenId }) => cacheScope.token(collection, tokenId)),
    ...collections.map((collection) => cacheScope.collection(collection)),
    ...makers.map(({ contract, maker }) => cacheScope.maker(contract, maker)),
  ];
}
