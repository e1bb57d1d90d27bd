import { markersBeside, type CommandStore, type Markers } from '@imart/event-service';
import { silentLogger, type Logger } from '@imart/runtime';
import type { OpenedCommands } from '@imart/storage';
import { createRedisMarkers, type RedisMarkers } from '@imart/stream';

/** The markers of a Redis, connected, as a process has them. */
export async function openMarkers(
  url: string,
  { ttlMs = 60_000, database = 'spec' }: { readonly ttlMs?: number; readonly database?: string } = {},
): Promise<RedisMarkers> {
  const markers = createRedisMarkers({
    url,
    database,
    ttlMs,
    logger: silentLogger,
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

/** A process's store with its markers beside the database. */
export function withMarkers(
  { store, producer }: OpenedCommands,
  markers: Markers,
  {
    logger = silentLogger,
    pendingMaxMs = 20,
  }: { readonly logger?: Logger; readonly pendingMaxMs?: number } = {},
): CommandStore {
  return markersBeside({ store, producer, markers, logger, now: () => performance.now(), pendingMaxMs });
}
