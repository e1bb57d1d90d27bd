import { Redis } from 'ioredis';
import { messageOf } from '@imart/core';
import {
  MarkersUnavailableError,
  type KeptMarker,
  type MarkRequest,
  type Markers,
} from '@imart/event-service';
import type { Logger } from '@imart/pipeline';
import { CONNECT_TIMEOUT_MS, DISCONNECT_TIMEOUT_MS, RECONNECT_DELAY_MAX_MS } from './bounds';
import { createErrorLog } from './errorLog';
import { RedisClusterError, RedisPolicyError } from './errors';
import { DROP_MARKER, OVERDUE_MARKERS, PLACE_MARKER, READ_MARKER, SETTLE_MARKER } from './markerScripts';
import { evictionPolicy, isOfCluster, redisHost } from './redisJobs';

/** @defaultValue for `prefix` */
export const MARKER_PREFIX_DEFAULT = 'imart:marker';
/** Whoever asks waits for it: a marker that takes longer is none. */
const COMMAND_TIMEOUT_MS = 500;
/** Part of `maxmemory` beyond which no marker is set (E23): what else is there needs the rest. */
const MEMORY_USED_MAX = 0.9;
/** For how long one look at the memory is believed. */
const MEMORY_KEPT_MS = 250;

export interface RedisMarkersOptions {
  /** `redis://` or `rediss://`. Never logged. */
  readonly url: string;
  /** Of all keys. @defaultValue {@link MARKER_PREFIX_DEFAULT} */
  readonly prefix?: string;
  /** Tells the database that the markers are of from every other one. */
  readonly database: string;
  /** How long a marker is kept after its last command. */
  readonly ttlMs: number;
  readonly logger: Logger;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/** Markers in Redis, of any number of aggregate types. */
export interface RedisMarkers {
  /**
   * Connects for the first time.
   * @throws {RedisClusterError} @throws {RedisPolicyError} what is there cannot be used.
   * @throws {MarkersUnavailableError} `retry`
   */
  check(): Promise<void>;
  /** @param type an aggregate type. */
  of(type: string): Markers;
  close(): void;
}

/** A lost connection is made again, for ever; what is asked meanwhile fails at once. */
export function createRedisMarkers(options: RedisMarkersOptions): RedisMarkers {
  const { url, prefix = MARKER_PREFIX_DEFAULT, database, ttlMs, logger, now } = options;
  const where = `redis ${redisHost(url)}`;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), RECONNECT_DELAY_MAX_MS),
  });
  redis.on('error', createErrorLog(logger, { redis: redisHost(url) }, now, 'the markers report an error'));
  const scripts = {
    read: scriptOf(redis, 'imartReadMarker', READ_MARKER, 1),
    place: scriptOf(redis, 'imartPlaceMarker', PLACE_MARKER, 2),
    settle: scriptOf(redis, 'imartSettleMarker', SETTLE_MARKER, 2),
    drop: scriptOf(redis, 'imartDropMarker', DROP_MARKER, 2),
    overdue: scriptOf(redis, 'imartOverdueMarkers', OVERDUE_MARKERS, 1),
  };

  const available = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MarkersUnavailableError) throw error;
      throw new MarkersUnavailableError(where, messageOf(error), error);
    }
  };

  let memory = { full: false, until: -Infinity };
  const refuseWhenFull = async (): Promise<void> => {
    if (now() >= memory.until)
      memory = { full: isFull(await redis.info('memory')), until: now() + MEMORY_KEPT_MS };
    if (memory.full)
      throw new MarkersUnavailableError(
        where,
        `more than ${MEMORY_USED_MAX * 100} % of its maxmemory is used; give it more, or remove what is not needed there`,
      );
  };

  return {
    async check() {
      const [server, memoryInfo] = await available(async () => {
        if (redis.status === 'wait') await redis.connect();
        return [await redis.info('server'), await redis.info('memory')] as const;
      });
      if (isOfCluster(server)) throw new RedisClusterError(redisHost(url));
      const policy = evictionPolicy(memoryInfo);
      if (policy !== 'noeviction') throw new RedisPolicyError(redisHost(url), policy, 'markers of commands');
    },
    of(type): Markers {
      const keys = `${prefix}:${database}:${type}:`;
      const pending = `${keys}pending`;
      const markers = `${keys}of:`;
      return {
        read: (aggregateId) =>
          available(async (): Promise<KeptMarker | null> => {
            const found = (await scripts.read(markers + aggregateId)) as [string, string, number] | null;
            if (found === null) return null;
            const [event, asked, ageMs] = found;
            return { ...decoded(event, asked), ageMs };
          }),
        place: (request) =>
          available(async () => {
            await refuseWhenFull();
            const { aggregateId, validatedEventId, event } = request;
            const placed = await scripts.place(
              markers + aggregateId,
              pending,
              validatedEventId ?? '',
              event.eventId,
              encodedEvent({ ...event, timeUs: null }),
              encodedRequest(request),
              ttlMs,
              aggregateId,
            );
            return placed === 1;
          }),
        settle: (aggregateId, event) =>
          available(async () => {
            await scripts.settle(
              markers + aggregateId,
              pending,
              event.eventId,
              encodedEvent(event),
              ttlMs,
              aggregateId,
            );
          }),
        drop: (aggregateId, eventId) =>
          available(async () => {
            await scripts.drop(markers + aggregateId, pending, eventId, aggregateId);
          }),
        overdue: (ageMs, limit) =>
          available(async () => (await scripts.overdue(pending, ageMs, limit, markers)) as string[]),
      };
    },
    close: () => redis.disconnect(),
  };
}

type RunScript = (...keysAndArguments: (string | number)[]) => Promise<unknown>;

/** Sent by its hash, and by its text to a server that does not know it (any more). */
function scriptOf(redis: Redis, name: string, lua: string, numberOfKeys: number): RunScript {
  redis.defineCommand(name, { lua, numberOfKeys });
  const defined = (redis as unknown as Record<string, RunScript>)[name];
  if (defined === undefined) throw new Error(`the script ${name} was not defined`);
  return (...args) => defined.apply(redis, args);
}

const encodedEvent = ({ version, eventId, name, data, timeUs }: KeptMarker['event']): string =>
  JSON.stringify([version, eventId, name, data, timeUs === null ? null : timeUs.toString()]);

/** The command without its event. Of a person's key only the number: the key itself is nowhere but in the database. */
function encodedRequest(request: MarkRequest): string {
  const { validatedVersion, validatedEventId, expectedVersion, actor, idempotency, personKey } = request;
  return JSON.stringify([
    request.aggregateId,
    validatedVersion,
    validatedEventId,
    expectedVersion,
    actor,
    idempotency,
    personKey?.id ?? null,
  ]);
}

function decoded(eventText: string, asked: string): Omit<KeptMarker, 'ageMs'> {
  const [version, eventId, name, data, timeUs] = JSON.parse(eventText) as [
    number,
    MarkRequest['event']['eventId'],
    string,
    string,
    string | null,
  ];
  const event = { version, eventId, name, data };
  const marked = { ...event, timeUs: timeUs === null ? null : BigInt(timeUs) };
  if (asked === '') return { event: marked, pending: null };
  const [aggregateId, validatedVersion, validatedEventId, expectedVersion, actor, idempotency, keyId] =
    JSON.parse(asked) as [
      string,
      number,
      MarkRequest['validatedEventId'],
      number | null,
      string,
      MarkRequest['idempotency'],
      string | null,
    ];
  const personKey = keyId === null ? null : { id: keyId, sealedKey: '' };
  return {
    event: marked,
    pending: {
      aggregateId,
      validatedVersion,
      validatedEventId,
      expectedVersion,
      event,
      actor,
      idempotency,
      personKey,
    },
  };
}

/** By what `INFO memory` tells: a server without a bound is never full. */
function isFull(info: string): boolean {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const most = number('maxmemory');
  return most > 0 && number('used_memory') > most * MEMORY_USED_MAX;
}
