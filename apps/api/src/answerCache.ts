import type { Metrics } from '@imart/runtime';
import { readCursor, type ReadCursor, type ReadDatabase, type Reads } from '@imart/storage';
import type { CachedKind, CacheLook, ReadCache } from '@imart/stream';
import type { FastifyReply } from 'fastify';

/** The header of answers that may come from the cache: up to where the chain is executed in them, `eip155:1;123456`. */
export const EXECUTED_HEADER = 'x-imart-executed';

/** What was read of the database, and what it depends on. */
export interface Loaded<T> {
  /** `null`: there is no such thing. */
  readonly value: T | null;
  /** Names of `cacheScope`. */
  readonly scopes: readonly string[];
  /** Chain time, in microseconds since 1970, from which on it is something else without any event; `null`: never. */
  readonly untilUs: bigint | null;
}

/** Reads through the cache, where there is one. */
export interface AnswerCache {
  /**
   * What the cache has, or else what `load` gives. The answer's header tells the cursor that it was read at, from the cache or not: it is of
   * that very moment.
   */
  read<T>(
    reply: FastifyReply,
    kind: CachedKind,
    key: { readonly subject: string; readonly id: string },
    load: (db: Reads, cursor: ReadCursor) => Promise<Loaded<T>>,
  ): Promise<T | null>;
}

/** @param cache `null`: there is none. */
export function createAnswerCache(db: ReadDatabase, cache: ReadCache | null, metrics: Metrics): AnswerCache {
  const counter = (name: string, help: string): ReturnType<Metrics['counter']> =>
    metrics.counter(name, help, ['kind']);
  const hits = counter('cache_hits_total', 'Answers that came from the cache.');
  const misses = counter('cache_misses_total', 'Answers that the cache did not have.');
  const bypasses = counter(
    'cache_bypasses_total',
    'Answers read without the cache: Redis is away, or nobody drops what changes.',
  );
  return {
    async read<T>(
      reply: FastifyReply,
      kind: CachedKind,
      { subject, id }: { readonly subject: string; readonly id: string },
      load: (db: Reads, cursor: ReadCursor) => Promise<Loaded<T>>,
    ): Promise<T | null> {
      const look = await cache?.look(kind, subject, id);
      if (look !== undefined && look.hit !== null) {
        hits.add(1, { kind });
        void reply.header(EXECUTED_HEADER, `${subject};${look.hit.executed}`);
        return JSON.parse(look.hit.body) as T;
      }
      if (cache !== null) (look === undefined ? bypasses : misses).add(1, { kind });
      // Of two replicas the one that is asked for the value may be behind the one that gave the cursor.
      const { cursor, value, scopes, untilUs } = await db.snapshot(async (reads) => {
        const at = await readCursor(reads, subject);
        return { cursor: at, ...(await load(reads, at)) };
      });
      void reply.header(EXECUTED_HEADER, `${subject};${cursor.executed}`);
      if (cache !== null && look !== undefined && value !== null && hasAllOf(cursor, look)) {
        const answer = { body: JSON.stringify(value), executed: String(cursor.executed), scopes, untilUs };
        // Nobody waits for it: when it is late it is no answer.
        void cache.keep(kind, subject, id, look, answer);
      }
      return value;
    },
  };
}

/**
 * Whether the database has everything that was dropped before the look. A read replica may not have it yet: what it gives must not be kept
 * as if it did.
 */
function hasAllOf(cursor: ReadCursor, { position }: CacheLook): boolean {
  if (cursor.lastFeedNo < position.feedNo) return false;
  return (
    cursor.epoch > position.epoch || (cursor.epoch === position.epoch && cursor.executed >= position.executed)
  );
}

const ISO = /^(\d{4}-.*T\d\d:\d\d:\d\d)\.(\d{6})Z$/;

/** The microseconds since 1970 of a moment as the reads give it; `null`: it lies beyond the year 9999, as mistaken times do. */
function microsecondsOf(moment: string): bigint | null {
  const [, seconds, fraction] = ISO.exec(moment) ?? [];
  return seconds === undefined || fraction === undefined
    ? null
    : BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction);
}

/** The first of some moments that lies behind a chain time; `null`: none does. */
export function nextTurn(moments: readonly (string | null)[], afterUs: bigint): bigint | null {
  return moments
    .map((moment) => (moment === null ? null : microsecondsOf(moment)))
    .filter((us) => us !== null && us > afterUs)
    .reduce((least, us) => (least === null || (us !== null && us < least) ? us : least), null);
}
