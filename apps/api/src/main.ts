import { join } from 'node:path';
import { ConfigError, messageOf } from '@imart/core';
import {
  createLogger,
  createMetrics,
  createShutdown,
  toConfigError,
  type Logger,
  type Shutdown,
} from '@imart/runtime';
import { createApiKeys, createPool, createReadDatabase, startEmbeddedPostgres } from '@imart/storage';
import {
  createReadCache,
  createRedisLink,
  createRedisSessionCache,
  openJobQueues,
  type ReadCache,
  type WakeUpBackend,
} from '@imart/stream';
import { authorizePurchases } from './access/authorizePurchases';
import { createKeyAccess, type KeyAccess } from './access/keyAccess';
import { loadApiConfig, type ApiConfig } from './config';
import { startCommands } from './commands/startCommands';
import { createServer } from './createServer';
import { docsPage } from './docsPage';
import { openPurchaseDesk } from './openPurchaseDesk';
import type { JobsBoardOptions } from './resources/jobs/registerJobsBoard';
import type { PurchasesOptions } from './resources/purchases/registerPurchases';
import { staticFiles } from './staticFiles';
import { seqNosOf } from './seqNosOf';

/** Fewer do not open the sales. */
const PURCHASE_CONNECTIONS_MIN = 6;

async function main(): Promise<void> {
  const { config, warnings, secrets, shown } = loadApiConfig();
  const logger = createLogger({
    level: config.logLevel,
    secrets,
    errorLogDir: config.logDir,
    errorLogSetting: 'LOG_DIR',
    fields: { app: 'api' },
  });
  const shutdown = createShutdown({ logger, graceMs: config.graceMs, flush: () => logger.close() });
  for (const warning of warnings) logger.warn(warning);
  logger.info('starting', { settings: shown });
  try {
    const connectionString = await databaseUrl(config, logger, shutdown);
    const db = createReadDatabase({
      seqNosOf,
      connectionString,
      connectionsMax: config.connectionsMax,
      queryTimeoutMs: config.queryTimeoutMs,
    });
    shutdown.onClose('database connections', () => db.close());

    const commands = await startCommands(config, connectionString, logger, shutdown);
    const app = await createServer({
      db,
      logger,
      metrics: createMetrics({ labels: { app: 'api' } }),
      staleAfterMs: config.staleAfterMs,
      docsPage,
      ...commands,
      notificationsToken: config.notificationsToken,
      cache: openCache(config, logger, shutdown),
      ...jobsBoardOf(config, connectionString, logger),
      ...purchasesOf(config, connectionString, logger, shutdown, commands?.commands.access),
    });
    const address = await listen(app, config);
    shutdown.onClose('requests', () => app.close());
    logger.info('listening', { address, docs: `${address}/docs` });
  } catch (error) {
    // Asked to end while it waited for the database: what it was doing then has not failed.
    if (shutdown.signal.aborted) return shutdown.stop('asked to end');
    logger.error('cannot start', { error });
    await shutdown.stop('it cannot start', error instanceof ConfigError ? 2 : 1);
  }
}

/** How long Redis may take for an answer, and how long it is not asked after a failure: a database is quick as well. */
const CACHE_TIMEOUT_MS = 100;
const CACHE_REST_MS = 1_000;

function openCache(config: ApiConfig, logger: Logger, shutdown: Shutdown): ReadCache | null {
  const url = config.cacheRedisUrl ?? config.redisUrl;
  if (url === undefined || config.cacheTtlMs === 0) return null;
  const redis = createRedisLink({
    url,
    timeoutMs: CACHE_TIMEOUT_MS,
    restMs: CACHE_REST_MS,
    logger,
    now: () => performance.now(),
  });
  shutdown.onClose('cache', () => redis.close());
  return createReadCache(redis, config.cacheTtlMs);
}

/** The board of jobs, for those who have a token for it. */
function jobsBoardOf(
  { opsToken, redisUrl }: ApiConfig,
  connectionString: string,
  logger: Logger,
): { jobsBoard?: JobsBoardOptions } {
  if (opsToken === undefined) return {};
  const backend: WakeUpBackend =
    redisUrl === undefined ? { kind: 'postgres', connectionString } : { kind: 'redis', url: redisUrl };
  return {
    jobsBoard: {
      token: opsToken,
      openQueues: () => openJobQueues({ backend, logger }),
      pagesDirectory: staticFiles('bull-board', '@bull-board/ui', '.'),
      now: () => Date.now(),
    },
  };
}

/**
 * Purchases, where they are taken: they need connections that write.
 * @param access the door that commands have: a key's rate holds for both together.
 */
function purchasesOf(
  { purchases, purchasesOpen, purchaseDeadlineMs, sessionRedisUrl, connectionsMax }: ApiConfig,
  connectionString: string,
  logger: Logger,
  shutdown: Shutdown,
  access?: KeyAccess,
): { purchases?: PurchasesOptions } {
  if (!purchases) return {};
  const pool = createPool({
    connectionString,
    max: Math.max(connectionsMax, PURCHASE_CONNECTIONS_MIN),
    applicationName: 'imart-api',
    logger,
  });
  shutdown.onClose('connections of purchases', () => pool.end());
  const sessions =
    sessionRedisUrl === undefined ? undefined : createRedisSessionCache({ url: sessionRedisUrl, logger });
  if (sessions !== undefined) shutdown.onClose('cache of results', () => sessions.close());
  const cache = sessions === undefined ? {} : { sessions };
  const desk = openPurchaseDesk({ pool, deadlineMs: purchaseDeadlineMs, ...cache });
  if (purchasesOpen) {
    logger.warn('whoever reaches this API may buy: PURCHASES_OPEN');
    return { purchases: { desk } };
  }
  const door = access ?? createKeyAccess({ keys: createApiKeys(pool), now: () => performance.now() });
  return { purchases: { desk, authorize: authorizePurchases(door) } };
}

async function databaseUrl(config: ApiConfig, logger: Logger, shutdown: Shutdown): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const embedded = await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres'), logger });
  shutdown.onClose('embedded PostgreSQL', () => embedded.stop());
  return embedded.url;
}

/** @throws {ConfigError} when the port cannot be had. */
async function listen(app: Awaited<ReturnType<typeof createServer>>, config: ApiConfig): Promise<string> {
  const { host } = config;
  const [port, portSetting] =
    config.apiPort === undefined ? [config.port, 'PORT'] : [config.apiPort, 'API_PORT'];
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw toConfigError(error as NodeJS.ErrnoException, { host, port, portSetting });
  }
}

main().catch((error: unknown) => {
  // There is no logger yet. Exit code 2: settings that cannot be used, as the worker has it.
  process.stderr.write(`${error instanceof ConfigError ? error.message : messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
