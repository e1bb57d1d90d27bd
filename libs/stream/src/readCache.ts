import type { RedisLink } from './redisLink';

/** What is kept in the cache, by the names that the keys have. */
export type CachedKind = 'order' | 'token' | 'collectionstats';

/** The key of one answer. */
export const cacheKey = (kind: CachedKind, subject: string, id: string): string =>
  `cache:imart:${kind}:id:${subject}:${id}`;

/** The key of what all answers about a subject are checked against. */
export const cacheFeedKey = (subject: string): string => `cache:imart:feed:${subject}`;

/**
 * What an answer may depend on, as names. A change of the feed touches some of them; an answer that was read before is then no answer any
 * more. Whoever touches a token touches its collection too.
 */
export const cacheScope = {
  order: (aggregateId: string): string => `order:${aggregateId}`,
  token: (collection: string, tokenId: string): string => `token:${collection}:${tokenId}`,
  collection: (collection: string): string => `collection:${collection}`,
  maker: (contract: string, maker: string): string => `maker:${contract}:${maker}`,
};

/** Up to where changes are dropped from the cache, and what the database had executed by then at least. */
export interface CachePosition {
  readonly feedNo: bigint;
  readonly epoch: bigint;
  readonly executed: bigint;
  /** Chain time in microseconds since 1970. */
  readonly timeUs: bigint;
}

/** What the cache says before the database is asked. Whatever is kept later is kept as of here. */
export interface CacheLook {
  readonly era: string;
  readonly position: CachePosition;
  /** An answer that no change has touched since; `null`: there is none. */
  readonly hit: { readonly body: string; readonly executed: string } | null;
}

/** An answer to keep. */
export interface CachedAnswer {
  readonly body: string;
  /** The executed SeqNo that it was read at: every event up to there is in it. */
  readonly executed: string;
  /** Names of {@link cacheScope}. */
  readonly scopes: readonly string[];
  /** Chain time, in microseconds since 1970, from which on it says something else without any event; `null`: never. */
  readonly untilUs: bigint | null;
}

/** Answers that were read from the database, shared by all processes of the API. */
export interface ReadCache {
  /** @returns `undefined`: Redis is away, or nobody drops what changes: the database is to be asked, and nothing to be kept. */
  look(kind: CachedKind, subject: string, id: string): Promise<CacheLook | undefined>;
  /**
   * Keeps an answer that was read after a look. It may be late: what changed since the look makes it no answer, whether it is
   * kept before or after that.
   */
  keep(kind: CachedKind, subject: string, id: string, look: CacheLook, answer: CachedAnswer): Promise<void>;
}

/** Drops from the cache of one subject what changes. */
export interface CacheDropper {
  /** Drops everything, and begins anew: all changes up to this position are executed. @returns `false`: Redis is away. */
  begin(era: string, position: CachePosition): Promise<boolean>;
  /**
   * Drops what the changes after `fromFeedNo` up to `position` touch, and says that somebody is still there.
   * @returns how many scopes are remembered; `'lost'`: the cache is not as this process left it; `undefined`: Redis is away.
   */
  advance(
    era: string,
    fromFeedNo: bigint,
    position: CachePosition,
    scopes: readonly string[],
  ): Promise<number | 'lost' | undefined>;
  /** Nobody drops what changes any more: the cache is not used from now on. */
  end(): Promise<void>;
}

/** When nobody has said for so long that changes are dropped, the cache is not asked any more. */
export const CACHE_KEEPER_SILENT_MAX_MS = 5_000;

/** Beyond 2^53 numbers of Redis' scripts are not exact; chain time in microseconds comes there in the year 2255. */
const NEVER_US = 9_007_199_254_740_991n;

/** Fields of the hash at `cacheFeedKey` that are no scopes. Everything is in one key: it is lost as a whole, or not at all. */
const FEED_FIELDS = "'era', 'feedNo', 'epoch', 'executed', 'timeUs'";

const LOOK = `
local feed = redis.call('HMGET', KEYS[1], ${FEED_FIELDS})
if not feed[1] then return {} end
local kept = redis.call('HMGET', KEYS[2], 'era', 'feedNo', 'untilUs', 'scopes', 'executed', 'body')
if kept[1] ~= feed[1] or tonumber(kept[3]) <= tonumber(feed[5]) then return feed end
for scope in string.gmatch(kept[4], '[^\\n]+') do
  local touched = redis.call('HGET', KEYS[1], scope)
  if touched and tonumber(touched) > tonumber(kept[2]) then return feed end
end
feed[6] = kept[5]
feed[7] = kept[6]
return feed`;

const KEEP = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'era', ARGV[1], 'feedNo', ARGV[2], 'untilUs', ARGV[3], 'scopes', ARGV[4], 'executed', ARGV[5], 'body', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])`;

const BEGIN = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'era', ARGV[1], 'feedNo', ARGV[2], 'epoch', ARGV[3], 'executed', ARGV[4], 'timeUs', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])`;

const ADVANCE = `
local feed = redis.call('HMGET', KEYS[1], 'era', 'feedNo')
if feed[1] ~= ARGV[1] or feed[2] ~= ARGV[7] then return -1 end
redis.call('HSET', KEYS[1], 'feedNo', ARGV[2], 'epoch', ARGV[3], 'executed', ARGV[4], 'timeUs', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
for i = 8, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[2]) end
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return redis.call('HLEN', KEYS[1])`;

/**
 * @param ttlMs how long an answer is kept at most.
 *
 * An answer is good while it is of the same era as the feed's key and none of its scopes was touched after the feed number of the look
 * that came before the reading. A change that is executed before that look is in the answer; one that comes later touches the scopes with a
 * greater number, whenever the answer is written. So no order of reading, changing, dropping and keeping leaves an old answer good.
 */
export function createReadCache(redis: RedisLink, ttlMs: number): ReadCache {
  return {
    async look(kind, subject, id) {
      const found = await redis.ask((client) =>
        client.eval(LOOK, 2, cacheFeedKey(subject), cacheKey(kind, subject, id)),
      );
      const [era, feedNo, epoch, executed, timeUs, keptExecuted, body] = (found ?? []) as (
        string | undefined
      )[];
      if (era === undefined) return undefined;
      return {
        era,
        position: {
          feedNo: BigInt(feedNo as string),
          epoch: BigInt(epoch as string),
          executed: BigInt(executed as string),
          timeUs: BigInt(timeUs as string),
        },
        hit: body === undefined ? null : { body, executed: keptExecuted as string },
      };
    },
    async keep(kind, subject, id, { era, position }, { body, executed, scopes, untilUs }) {
      const key = cacheKey(kind, subject, id);
      const until = String(untilUs === null || untilUs > NEVER_US ? NEVER_US : untilUs);
      const entry = [era, String(position.feedNo), until, scopes.join('\n'), executed, body, ttlMs];
      await redis.ask((client) => client.eval(KEEP, 1, key, ...entry));
    },
  };
}

export function createCacheDropper(redis: RedisLink, subject: string): CacheDropper {
  const feedKey = cacheFeedKey(subject);
  const fields = (era: string, { feedNo, epoch, executed, timeUs }: CachePosition): (string | number)[] => [
    era,
    ...[feedNo, epoch, executed, timeUs].map(String),
    CACHE_KEEPER_SILENT_MAX_MS,
  ];
  return {
    async begin(era, position) {
      const done = await redis.ask(async (client) => {
        await client.eval(BEGIN, 1, feedKey, ...fields(era, position));
        return true;
      });
      return done ?? false;
    },
    async advance(era, fromFeedNo, position, scopes) {
      const keys = [feedKey, ...scopes.flatMap((scope) => entryOf(subject, scope))];
      const remembered = await redis.ask((client) =>
        client.eval(ADVANCE, keys.length, ...keys, ...fields(era, position), String(fromFeedNo), ...scopes),
      );
      if (remembered === undefined) return undefined;
      return Number(remembered) < 0 ? 'lost' : Number(remembered);
    },
    async end() {
      await redis.ask((client) => client.del(feedKey));
    },
  };
}

/** The answer that is about what a scope names: it goes at once, to make room. */
function entryOf(subject: string, scope: string): readonly string[] {
  const colon = scope.indexOf(':');
  const id = scope.slice(colon + 1);
  switch (scope.slice(0, colon)) {
    case 'order':
      return [cacheKey('order', subject, id)];
    case 'token':
      return [cacheKey('token', subject, id)];
    case 'collection':
      return [cacheKey('collectionstats', subject, id)];
    default:
      return [];
  }
}
