import type { PurchaseBacklog, PurchaseWorker } from '@imart/purchase';
import { TOPICS } from '@imart/purchase';
import type { GaugeMetric, Metrics } from '@imart/runtime';

/** What is counted of ended purchases: by how they ended, and why. */
export interface EndedCounter {
  count(status: string, error: string | null): void;
}

/**
 * Registers what the services count, and what waits in the database whoever works on it: of one look for all that is shown together. A
 * database that is away leaves the last values.
 */
export function registerPurchaseMetrics(
  metrics: Metrics,
  worker: PurchaseWorker,
  backlog: () => Promise<PurchaseBacklog>,
): EndedCounter {
  const ofServices = (
    name: string,
    help: string,
    read: (stats: { messages: number; failures: number; setBack: number }) => number,
  ): void => {
    metrics.counter(name, help, ['service'], (counter) => {
      for (const [service, stats] of worker.services.stats) counter.add(read(stats), { service });
    });
  };
  ofServices('purchase_messages_total', 'Messages that services have worked on.', (stats) => stats.messages);
  ofServices('purchase_failures_total', 'Rounds of services that failed.', (stats) => stats.failures);
  ofServices(
    'purchase_set_back_total',
    'Messages put behind all others because they could not be worked on.',
    (stats) => stats.setBack,
  );
  const ended = metrics.counter('purchases_ended_total', 'Purchases that this process has ended.', [
    'status',
    'error',
  ]);
  let looking: Promise<PurchaseBacklog | null> | null = null;
  const look = () =>
    (looking ??= backlog()
      .catch(() => null)
      .finally(() => (looking = null)));
  const ofBacklog = (
    name: string,
    help: string,
    labels: readonly string[],
    show: (gauge: GaugeMetric, found: PurchaseBacklog) => void,
  ): void => {
    metrics.gauge(name, help, labels, async (gauge) => {
      const found = await look();
      if (found !== null) show(gauge, found);
    });
  };
  ofBacklog('purchases_pending', 'Purchases that have not come to their end.', [], (gauge, found) =>
    gauge.set(found.pending),
  );
  ofBacklog(
    'purchases_oldest_pending_seconds',
    'How long the oldest of them is under way.',
    [],
    (gauge, found) => gauge.set(found.oldestPendingMs / 1_000),
  );
  ofBacklog('purchase_messages_waiting', 'Messages on each topic.', ['topic'], (gauge, found) => {
    for (const topic of TOPICS) gauge.set(found.waiting.get(topic) ?? 0, { topic });
  });
  return { count: (status, error) => ended.add(1, { status, error: error ?? '' }) };
}
