import type { Metrics } from '@imart/runtime';
import type { PurchasesOptions } from './registerPurchases';

/**
 * What waits of purchases. The services tell it too; that none of them runs is told here alone.
 * @returns reads it before it is shown; a database that is away leaves the last values.
 */
export function createPurchaseMetrics(metrics: Metrics, desk: PurchasesOptions['desk']): () => Promise<void> {
  const pending = metrics.gauge('purchases_pending', 'Purchases that have not come to their end.');
  const oldest = metrics.gauge(
    'purchases_oldest_pending_seconds',
    'How long the oldest of them is under way.',
  );
  return async () => {
    try {
      const found = await (await desk()).backlog();
      pending.set(found.pending);
      oldest.set(found.oldestPendingMs / 1_000);
    } catch {
      // `database_up` says so.
    }
  };
}
