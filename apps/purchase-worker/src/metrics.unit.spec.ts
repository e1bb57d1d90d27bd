import type { PurchaseBacklog, PurchaseWorker } from '@imart/purchase';
import { createMetrics } from '@imart/runtime';
import { registerPurchaseMetrics } from './metrics';

const worker = { services: { stats: new Map() } } as unknown as PurchaseWorker;
const FOUND: PurchaseBacklog = {
  waiting: new Map([['purchase.received', 2]]),
  pending: 3,
  oldestPendingMs: 4_500,
};

describe('metrics of purchases', () => {
  let looks = 0;
  let isAway = false;
  const metrics = createMetrics({ processMetrics: false });
  registerPurchaseMetrics(metrics, worker, async () => {
    looks++;
    if (isAway) throw new Error('the database is away');
    return FOUND;
  });
  const expectFound = async (): Promise<void> => {
    const text = await metrics.render();
    expect(text).toMatch(/^imart_purchases_pending 3$/m);
    expect(text).toMatch(/^imart_purchases_oldest_pending_seconds 4.5$/m);
    expect(text).toMatch(/^imart_purchase_messages_waiting\{topic="purchase.received"\} 2$/m);
  };

  it('are of one look at the database, the first time too', async () => {
    await expectFound();
    expect(looks).toBe(1);
  });

  it('keep their last values while the database is away, and are shown', async () => {
    isAway = true;
    await expectFound();
    expect(looks).toBe(2);
  });
});
