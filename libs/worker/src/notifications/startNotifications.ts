import { messageOf, type SeqNoCodec, type SubjectId } from '@imart/core';
import type { SubjectStore } from '@imart/pipeline';
import type { Logger, Shutdown } from '@imart/runtime';
import { openNotifications, type DatabasePool } from '@imart/storage';
import { createNotificationLists, createRedisLink } from '@imart/stream';
import { databaseThere } from '../databaseThere';
import type { WorkerConfig } from '../settings';
import { createNotifierStats, runNotifier, type NotifierStats } from './notifier';

/** How long a push may take, and how long none is tried after one that failed. */
const PUSH_TIMEOUT_MS = 1_000;
const PUSH_REST_MS = 1_000;

export interface StartNotificationsOptions {
  readonly config: Pick<
    WorkerConfig,
    'notifications' | 'notificationsFrom' | 'notificationsListMax' | 'redisUrl' | 'leaseMs'
  >;
  readonly pool: DatabasePool;
  /** The subject's number. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly seqNos: SeqNoCodec;
  readonly store: SubjectStore;
  readonly holder: string;
  readonly logger: Logger;
  readonly shutdown: Pick<Shutdown, 'signal' | 'onClose'>;
}

/** Notifications of this process. */
export interface StartedNotifications {
  readonly stats: Readonly<NotifierStats>;
  /** Why it tells nobody any more; `null`: it does, or stands by. */
  readonly failure: string | null;
}

/**
 * Tells accounts what happened, beside the lanes, until the shutdown. What ends it for good ends only it: the chain goes on, and metrics
 * and the log say so.
 * @returns `null` where nobody is to be told.
 */
export async function startNotifications(
  options: StartNotificationsOptions,
): Promise<StartedNotifications | null> {
  const { config, pool, subject, subjectId, seqNos, store, holder, logger, shutdown } = options;
  const { notifications: when, redisUrl } = config;
  if (when === 'off') return null;
  const { signal } = shutdown;
  const notifications = await databaseThere(
    () =>
      openNotifications({
        pool,
        subject,
        subjectId,
        seqNos,
        from: config.notificationsFrom,
        push: redisUrl !== undefined,
      }),
    { logger, signal },
  );
  const redis =
    redisUrl === undefined
      ? null
      : createRedisLink({
          url: redisUrl,
          timeoutMs: PUSH_TIMEOUT_MS,
          restMs: PUSH_REST_MS,
          logger,
          now: () => performance.now(),
        });
  const stats = createNotifierStats();
  let failure: string | null = null;
  const running = runNotifier(
    {
      store: notifications,
      feed: store,
      lists: redis === null ? null : createNotificationLists(redis, config.notificationsListMax),
      when,
      holder,
      leaseMs: config.leaseMs,
      logger,
      random: Math.random,
      stats,
    },
    signal,
  ).catch((error: unknown) => {
    if (signal.aborted) return;
    failure = messageOf(error);
    logger.error(`nobody is told of anything any more: ${failure}`, { subject: subjectId, error });
  });
  shutdown.onClose('notifications', async () => {
    await running;
    redis?.close();
  });
  return {
    stats,
    get failure() {
      return failure;
    },
  };
}
