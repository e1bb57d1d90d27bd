import type { Pool, PoolClient } from 'pg';
import { waitMs } from '@imart/pipeline';
import { TOPICS, type Topic } from '@imart/purchase';
import { CHANNEL } from './context';

/** How long it waits before it connects again. */
const RECONNECT_MS = 1_000;

/** Hears what is said on the topics, over one connection of its own that is made again when it is lost. Until the signal aborts. */
export async function listenToTopics(
  pool: Pool,
  onSaid: (topic: Topic) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await listenOnce(await pool.connect(), onSaid, signal);
    } catch {
      // Whoever listens looks by themselves as well, and meets a database that is away there.
    }
    await waitMs(RECONNECT_MS, signal);
  }
}

async function listenOnce(
  client: PoolClient,
  onSaid: (topic: Topic) => void,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  const onLost = (): void => lost.abort();
  client.on('notification', ({ payload }) => {
    const topic = TOPICS.find((one) => one === payload);
    if (topic !== undefined) onSaid(topic);
  });
  client.on('error', onLost);
  client.on('end', onLost);
  try {
    await client.query(`LISTEN ${CHANNEL}`);
    // What was said before was heard by nobody here.
    for (const topic of TOPICS) onSaid(topic);
    await new Promise<void>((resolve) => {
      const over = AbortSignal.any([signal, lost.signal]);
      if (over.aborted) resolve();
      over.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    // Closed, not given back: whoever gets it next does not listen.
    client.release(true);
  }
}
