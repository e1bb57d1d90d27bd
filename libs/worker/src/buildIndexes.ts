import { messageOf } from '@imart/core';
import type { Logger } from '@imart/runtime';
import { ensureSecondaryIndexes, type DatabasePool } from '@imart/storage';

/** Builds the indexes that only readers need, where they are not built yet. A failure is logged: reads are slower, no more. */
export async function buildIndexes({
  pool,
  logger,
}: {
  readonly pool: DatabasePool;
  readonly logger: Logger;
}): Promise<void> {
  try {
    const client = await pool.connect();
    try {
      const started = performance.now();
      let built = 0;
      await ensureSecondaryIndexes(client, (progress) => {
        if (progress.built) built++;
      });
      if (built > 0)
        logger.info('indexes built', {
          built,
          seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
        });
    } finally {
      client.release();
    }
  } catch (error) {
    logger.error('indexes could not be built; reads are slower until the next start', {
      error: messageOf(error),
    });
  }
}
