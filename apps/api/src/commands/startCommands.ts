import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@imart/core';
import { createPersonalData } from '@imart/event-service';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from '@imart/pipeline';
import type { Logger, Shutdown } from '@imart/runtime';
import {
  applyViews,
  createApiKeys,
  createPool,
  createWebhooks,
  MARKER_TTL_MS_DEFAULT,
  migrate,
  prismaDirectory,
  readDatabaseIdentity,
  toConnectError,
  type DatabasePool,
} from '@imart/storage';
import { createRedisMarkers, type RedisMarkers, type WakeUpBackend } from '@imart/stream';
import { createKeyAccess } from '../access/keyAccess';
import type { ApiConfig } from '../config';
import type { ApiDependencies } from '../createServer';
import { systemResolve } from '../webhooks/addresses';
import { createWebhookRunner } from '../webhooks/webhookRunner';
import { connectionsFor, openCommandSide, type CommandSide } from './commandSide';
import { readEventQueues, runEventQueues } from './eventQueues';
import { loadAggregates } from './loadAggregates';

/** What the server needs of commands. */
export type StartedCommands = Required<Pick<ApiDependencies, 'commands' | 'webhooks'>>;

/**
 * Takes commands of the types that `AGGREGATES` defines, on the database at the program's schema; waits for one that is not there yet.
 * @returns `null`: there are none.
 * @throws {ConfigError} what is wrong with the files, before anything connects.
 */
export async function startCommands(
  config: ApiConfig,
  connectionString: string,
  logger: Logger,
  shutdown: Shutdown,
): Promise<StartedCommands | null> {
  const { aggregates, commandLanes: lanes, parkedAggregatesMax } = config;
  const definitions = await loadAggregates(aggregates ?? []);
  const queues = readEventQueues(
    config.eventQueues ?? [],
    definitions.map(({ type }) => type),
  );
  if (definitions.length === 0) return null;
  const pool = createPool({
    connectionString,
    max: connectionsFor(definitions.length, lanes),
    applicationName: 'imart-api commands',
    logger,
  });
  shutdown.onClose('database connections of commands', () => pool.end());
  const holder = `imart-api ${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const open = async (): Promise<CommandSide> => {
    const prisma = prismaDirectory();
    const applied = await migrate(pool, join(prisma, 'migrations'));
    if (applied.length > 0) logger.info('migrations applied', { applied });
    await applyViews(pool, join(prisma, 'views.sql'));
    const markers = await openMarkers(config, pool, logger);
    try {
      const opened = await openCommandSide({
        pool,
        definitions,
        lanes,
        parkedAggregatesMax,
        holder,
        logger,
        random: Math.random,
        now: () => performance.now(),
        newId: randomUUID,
        personalData:
          config.personalDataKey === undefined
            ? null
            : createPersonalData(Buffer.from(config.personalDataKey, 'hex')),
        ...(markers === null ? {} : { markersOf: markers.of }),
      });
      if (markers !== null) shutdown.onClose('markers of commands', () => markers.close());
      return opened;
    } catch (error) {
      markers?.close();
      throw error;
    }
  };
  const side = await whenThere(open, logger, shutdown.signal);
  const access = createKeyAccess({ keys: createApiKeys(pool), now: () => performance.now() });
  const webhooks = createWebhooks(pool);
  const rules = { resolve: systemResolve, allowPrivate: config.webhooksPrivate };
  const runner = createWebhookRunner({
    pool,
    webhooks,
    types: side.types,
    rules,
    logger,
    random: Math.random,
    holder,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    failingMaxMs: config.webhookFailingMaxMs,
  });
  const backend: WakeUpBackend =
    config.redisUrl === undefined
      ? { kind: 'postgres', connectionString }
      : { kind: 'redis', url: config.redisUrl };
  const running = Promise.all([
    side.run(shutdown.signal),
    runner.run(shutdown.signal),
    runEventQueues(
      { pool, types: side.types, queues, backend, logger, random: Math.random, holder },
      shutdown.signal,
    ),
  ]);
  shutdown.onClose('commands', async () => void (await running));
  logger.info('takes commands', { types: definitions.map(({ type }) => type) });
  return {
    commands: { ...side, access },
    webhooks: { webhooks, types: side.types, access, rules, onChanged: () => runner.changed() },
  };
}

/**
 * Redis as it keeps markers; `null`: the database does.
 * @throws {RedisPolicyError} @throws {RedisClusterError} @throws {MarkersUnavailableError} `retry`
 */
async function openMarkers(
  { commandMarker, redisUrl }: ApiConfig,
  pool: DatabasePool,
  logger: Logger,
): Promise<RedisMarkers | null> {
  if (commandMarker !== 'redis' || redisUrl === undefined) return null;
  const markers = createRedisMarkers({
    url: redisUrl,
    database: await readDatabaseIdentity(pool),
    ttlMs: MARKER_TTL_MS_DEFAULT,
    logger,
    now: () => performance.now(),
  });
  try {
    await markers.check();
    return markers;
  } catch (error) {
    markers.close();
    throw error;
  }
}

/** Tries again while the database is away. */
async function whenThere<T>(work: () => Promise<T>, logger: Logger, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const error = toConnectError(cause);
      if (signal.aborted || !mayRetry(error, attempt)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, Math.random);
      logger.warn('what commands are kept in is not there, trying again', {
        attempt,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
