import type { Metrics } from '@imart/runtime';
import type { StartedNotifications } from './startNotifications';

/** Registers what an operator must know of notifications. */
export function registerNotifications(metrics: Metrics, notifications: StartedNotifications): void {
  const { stats } = notifications;
  const count = (name: string, help: string, read: () => number): void => {
    metrics.counter(name, help, [], (counter) => counter.add(read()));
  };
  count('notifications_told_total', 'Notifications that this process told, or told anew.', () => stats.told);
  count(
    'notifications_retracted_total',
    'Notifications that this process retracted: what they told did not happen.',
    () => stats.retracted,
  );
  count('notifications_pushed_total', "Notifications pushed to receivers' lists.", () => stats.pushed);
  count(
    'notification_push_failures_total',
    'Pushes that Redis did not take; they are tried again.',
    () => stats.pushFailures,
  );
  metrics.gauge(
    'notifications_feed_behind',
    'Changes of the feed that this process has still to read for notifications, or to wait with; 0 while another one reads.',
    [],
    (gauge) => gauge.set(stats.behind),
  );
  metrics.gauge(
    'notifications_failed',
    '1: this process tells nobody any more; the log says why.',
    [],
    (gauge) => gauge.set(notifications.failure === null ? 0 : 1),
  );
}
