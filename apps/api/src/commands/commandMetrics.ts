import type { Metrics } from '@imart/runtime';
import type { CommandType } from './commandSide';

/**
 * What an operator must know of commands, per aggregate type.
 * @returns reads them before they are shown; a database that is away leaves the last values.
 */
export function createCommandMetrics(
  metrics: Metrics,
  types: ReadonlyMap<string, CommandType>,
): () => Promise<void> {
  const gauge = (name: string, help: string, ...labels: string[]): ReturnType<Metrics['gauge']> =>
    metrics.gauge(name, help, ['type', ...labels]);
  const laneAge = gauge(
    'command_lane_oldest_seconds',
    'How long ago the oldest event that the lane has not executed came into the log, in seconds.',
    'lane',
  );
  const pending = gauge('command_pending', 'Accepted commands that are not in the log.');
  const pendingAge = gauge('command_pending_oldest_seconds', 'How long the first of them waits, in seconds.');
  const parked = gauge('command_parked_aggregates', 'Aggregates set aside after a failure.');
  const blocking = gauge(
    'command_blocking_pid',
    'Server process of PostgreSQL that holds locks which others of this database wait for; 0: none.',
  );
  const marker = gauge('command_marker_oldest_seconds', 'Age of the oldest marker, in seconds.');
  const distance = gauge(
    'command_snapshot_distance_events',
    'Most events that reading an aggregate that changed lately folds after its snapshot.',
  );
  const behind = gauge(
    'command_subscription_changes_behind',
    'Changes that a subscription has not been told of: snapshots, or the webhook furthest behind.',
    'subscription',
  );
  const working = gauge('command_working', '0 when this process has stopped working on the type.');
  for (const [name, help, read] of [
    [
      'command_events_total',
      'Events appended by this process.',
      (type: CommandType) => type.stats.ingestedEvents,
    ],
    [
      'command_rejected_total',
      'Accepted commands that were refused after all.',
      (type: CommandType) => type.stats.rejectedCommands,
    ],
    [
      'command_revalidated_total',
      'Commands that were validated anew and kept.',
      (type: CommandType) => type.stats.revalidatedCommands,
    ],
    [
      'command_retries_total',
      'Transactions that had to be tried again.',
      (type: CommandType) => type.stats.retries,
    ],
  ] as const) {
    metrics.counter(name, help, ['type'], (counter) => {
      for (const [label, type] of types) counter.add(read(type), { type: label });
    });
  }

  return async () => {
    for (const [label, type] of types) {
      const labels = { type: label };
      working.set(type.failure() === null ? 1 : 0, labels);
      const readings = await type.readings().catch(() => null);
      if (readings === null) continue;
      for (const { lane, oldestSeconds } of readings.lanes)
        laneAge.set(oldestSeconds, { ...labels, lane: String(lane) });
      pending.set(readings.pending, labels);
      pendingAge.set(readings.oldestPendingSeconds, labels);
      parked.set(readings.parkedAggregates, labels);
      blocking.set(readings.blockingPid, labels);
      marker.set(readings.oldestMarkerSeconds, labels);
      distance.set(readings.snapshotDistance, labels);
      // Webhooks come and go: a label for each of them would never end.
      for (const kind of ['snapshots', 'webhook']) {
        const of = readings.subscriptions.filter(({ name }) => name.split(':')[0] === kind);
        behind.set(Math.max(0, ...of.map(({ changesBehind }) => changesBehind)), {
          ...labels,
          subscription: kind,
        });
      }
    }
  };
}
