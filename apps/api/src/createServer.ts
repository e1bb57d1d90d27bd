import fastifySwagger from '@fastify/swagger';
import type { Logger, Metrics } from '@imart/runtime';
import { STALE_AFTER_MS_DEFAULT, type ReadDatabase } from '@imart/storage';
import type { ReadCache } from '@imart/stream';
import fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify';
import { createAnswerCache } from './answerCache';
import { answerUnknownPath, createErrorHandler } from './errors';
import { flagStale } from './flagStale';
import { openApi } from './openApi';
import { registerAccounts } from './resources/accounts';
import { registerActivities } from './resources/activities';
import { registerAggregates, type Commands } from './resources/aggregates/registerAggregates';
import { registerClaims } from './resources/claims';
import { registerCollections } from './resources/collections';
import { registerCommissions } from './resources/commissions';
import { registerCurationOffers } from './resources/curationOffers';
import { registerExhibits } from './resources/exhibits';
import { registerGalleries } from './resources/galleries';
import { registerJobsBoard, type JobsBoardOptions } from './resources/jobs/registerJobsBoard';
import { registerLotteries } from './resources/lotteries';
import { registerNotifications } from './resources/notifications';
import { registerOffers } from './resources/offers';
import { registerOrders } from './resources/orders';
import { createPurchaseMetrics } from './resources/purchases/metrics';
import { registerPurchases, type PurchasesOptions } from './resources/purchases/registerPurchases';
import { registerProcess } from './resources/process';
import { registerStatus } from './resources/status';
import { registerStreams, type StreamOptions } from './resources/streams/registerStreams';
import { registerTokenDetails } from './resources/tokenDetails';
import { registerTokens } from './resources/tokens';
import { registerWebhooks, type WebhookDependencies } from './resources/webhooks/registerWebhooks';

/** What the API works with; whoever made them closes them. */
export interface ApiDependencies {
  readonly db: ReadDatabase;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How old states may be before answers are flagged as stale. @defaultValue {@link STALE_AFTER_MS_DEFAULT} */
  readonly staleAfterMs?: number;
  /**
   * Shows the OpenAPI document to people, under the prefix that it is given. Handed in, because it brings files of its own
   * that a bundle must find.
   */
  readonly docsPage?: FastifyPluginCallback<{ routePrefix: string }>;
  /** Shows the wake-up jobs to operators, at `/ops/jobs`. Without it there is no such page. */
  readonly jobsBoard?: JobsBoardOptions;
  /** Takes commands, from those who have a key. Without it, nothing is written. */
  readonly commands?: Commands;
  /** Takes addresses that are to be told of events. Without it, there are no such paths. */
  readonly webhooks?: WebhookDependencies;
  /** How topics are streamed. @defaultValue as {@link StreamOptions} says */
  readonly streams?: StreamOptions;
  /** Takes purchases, and shows them. Without it there are no such paths. */
  readonly purchases?: PurchasesOptions;
  /** Answers that are kept for a while. @defaultValue there is none: everything is read from the database */
  readonly cache?: ReadCache | null;
  /** Whoever shows it may mark notifications as read. Without it nobody may. */
  readonly notificationsToken?: string | undefined;
}

const DURATION_BOUNDS_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

/** The API, not listening yet. Its OpenAPI document is at `/openapi.json`, for people at `/docs`. */
export async function createServer(dependencies: ApiDependencies): Promise<FastifyInstance> {
  const { staleAfterMs = STALE_AFTER_MS_DEFAULT } = dependencies;
  const { db, logger, metrics, docsPage, jobsBoard, commands = null, purchases } = dependencies;
  const { notificationsToken, cache = null } = dependencies;
  const answerError = createErrorHandler(logger);
  const app = fastify({
    logger: false,
    // An aggregate's id has up to 256 characters, each of which may be escaped as three.
    routerOptions: { maxParamLength: 768 },
    // Ours says more than the default: what is unknown is refused, everything wrong is told at once, with what is allowed.
    ajv: {
      customOptions: { removeAdditional: false, allErrors: true, verbose: true, keywords: ['allowed'] },
    },
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerUnknownPath);
  observeRequests(app, logger, metrics);
  flagStale(app, { db, staleAfterMs, now: () => performance.now() });

  await app.register(fastifySwagger, openApi);
  if (docsPage !== undefined) await app.register(docsPage, { routePrefix: '/docs' });
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'));
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  const answers = createAnswerCache(db, cache, metrics);
  registerOrders(app, db, answers);
  registerOffers(app, db);
  registerActivities(app, db);
  registerTokens(app, db, answers);
  registerTokenDetails(app, db);
  registerClaims(app, db);
  registerCollections(app, db, answers);
  registerGalleries(app, db);
  registerExhibits(app, db);
  registerCurationOffers(app, db);
  registerCommissions(app, db);
  registerLotteries(app, db);
  registerAccounts(app, db);
  registerNotifications(app, db, notificationsToken);
  registerAggregates(app, db, commands);
  registerStreams(app, commands?.types ?? new Map(), dependencies.streams);
  if (dependencies.webhooks !== undefined) registerWebhooks(app, dependencies.webhooks);
  registerStatus(app, db, staleAfterMs);
  const readings = purchases === undefined ? [] : [createPurchaseMetrics(metrics, purchases.desk)];
  registerProcess(app, db, metrics, staleAfterMs, commands?.types ?? new Map(), readings);
  if (purchases !== undefined) registerPurchases(app, purchases, logger);
  if (jobsBoard !== undefined) await registerJobsBoard(app, db, logger, jobsBoard);
  return app;
}

function observeRequests(app: FastifyInstance, logger: Logger, metrics: Metrics): void {
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'From the first byte of the request to the last of the answer.',
    DURATION_BOUNDS_SECONDS,
    ['method', 'route', 'status'],
  );
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const ms = reply.elapsedTime;
    durations.observe(ms / 1000, { method: request.method, route, status: String(reply.statusCode) });
    logger.debug('request answered', {
      method: request.method,
      path: request.url,
      status: reply.statusCode,
      ms: Math.round(ms),
    });
  });
}
