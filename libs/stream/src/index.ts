/**
 * Wake-ups for lanes, and events for subscribers, as BullMQ jobs, in PostgreSQL or in Redis. Guarantees: one queue for each lane and one job at a time
 * in it; a job's id is its wake-up's, its result the fate of its event; nothing is kept here that the database cannot
 * rebuild; the jobs of a dead worker are taken over within 10 seconds.
 */
export {
  createWakeUpStream,
  JOBS_SCHEMA_DEFAULT,
  REDIS_PREFIX_DEFAULT,
  type LaneJobCounts,
  type WakeUpBackend,
  type WakeUpJob,
  type WakeUpStream,
  type WakeUpStreamOptions,
} from './createWakeUpStream';
export { COMPLETED_JOBS_KEPT, FAILED_JOBS_KEPT, SEND_CHUNK_MAX } from './bounds';
export {
  createEventConsumer,
  createEventQueue,
  eventQueueName,
  type EventConsumer,
  type EventConsumerOptions,
  type EventQueue,
  type EventQueueOptions,
  type QueuedEvent,
} from './eventQueue';
export { openJobQueues, type JobQueues, type JobQueuesOptions } from './jobQueues';
export {
  EventNotTakenError,
  RedisClusterError,
  RedisPolicyError,
  StreamUnavailableError,
  WakeUpDataError,
} from './errors';
export {
  createRedisSessionCache,
  SESSION_KEPT_MS_DEFAULT,
  SESSION_PREFIX_DEFAULT,
  type RedisSessionCache,
  type RedisSessionCacheOptions,
} from './sessionCache';
export {
  createNotificationLists,
  NOTIFICATION_LIST_MAX_DEFAULT,
  NOTIFICATION_LIST_TTL_SECONDS,
  notificationListKey,
  type NotificationLists,
  type NotificationMessage,
} from './notificationLists';
export {
  CACHE_KEEPER_SILENT_MAX_MS,
  cacheFeedKey,
  cacheKey,
  cacheScope,
  createCacheDropper,
  createReadCache,
  type CachedAnswer,
  type CachedKind,
  type CacheDropper,
  type CacheLook,
  type CachePosition,
  type ReadCache,
} from './readCache';
export { createRedisLink, type RedisLink, type RedisLinkOptions } from './redisLink';
export {
  createRedisMarkers,
  MARKER_PREFIX_DEFAULT,
  type RedisMarkers,
  type RedisMarkersOptions,
} from './redisMarkers';
export type { WakeUpStats } from './stats';
export { laneQueueName } from './wakeUpJob';
