import type { Pool } from 'pg';
import { COMMAND_OBSERVER } from '@imart/event-service';
import { readSubjectReadings, type LaneLag } from '../subject/subjectReadings';
import { translated } from './session';

/** What is read of one aggregate type for its metrics alone (E25). */
export interface CommandReadings {
  readonly lanes: readonly LaneLag[];
  /** Accepted commands that are not in the log, and how long the first of them waits. */
  readonly pending: number;
  readonly oldestPendingSeconds: number;
  readonly parkedAggregates: number;
  /** A server process that holds locks which others of this database wait for; 0: there is none. */
  readonly blockingPid: number;
  /** Of the marker that was set longest ago; 0: there is none. */
  readonly oldestMarkerSeconds: number;
  /** Most events that reading one of the aggregates that changed lately folds after its newest snapshot. */
  readonly snapshotDistance: number;
  /** Changes that each subscription has not been told of, the furthest behind first. */
  readonly subscriptions: readonly { readonly name: string; readonly changesBehind: number }[];
}

/** The snapshot distance is that of the aggregates of so many last events. */
const RECENT_EVENTS = 1_000;
const SUBSCRIPTIONS_MAX = 100;

/** Parameters: subject, reducer version. */
const SELECT = `
  SELECT (SELECT count(*) FROM command_outbox WHERE subject = $1) AS pending,
    coalesce((SELECT extract(epoch FROM clock_timestamp()) - time_us / 1e6 FROM command_outbox
      WHERE subject = $1 ORDER BY id LIMIT 1), 0)::float8 AS oldest_pending,
    (SELECT count(*) FROM park_markers WHERE subject = $1) AS parked,
    coalesce((SELECT b.pid FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS b(pid)
      WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' LIMIT 1), 0) AS blocking,
    coalesce((SELECT extract(epoch FROM clock_timestamp() - min(marked_at)) FROM command_markers WHERE subject = $1), 0)::float8 AS marker,
    coalesce((SELECT max(r.version - coalesce((SELECT s.version FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = r.hash
        AND s.aggregate_type = r.type AND s.aggregate_id = r.id AND s.reducer_version = $2 ORDER BY s.seq_no DESC LIMIT 1), 0))
      FROM (SELECT aggregate_hash AS hash, aggregate_type AS type, aggregate_id AS id, max(version) AS version
        FROM (SELECT * FROM event_log WHERE subject = $1 ORDER BY seq_no DESC LIMIT ${RECENT_EVENTS}) e GROUP BY 1, 2, 3) r), 0) AS distance`;

/** @throws {StorageUnavailableError} `retry` */
export async function readCommandReadings(
  pool: Pool,
  subject: number,
  reducerVersion: number,
): Promise<CommandReadings> {
  const [{ lanes }, numbers, behind] = await Promise.all([
    readSubjectReadings(pool, subject, COMMAND_OBSERVER),
    translated(() => pool.query(SELECT, [subject, reducerVersion])),
    translated(() =>
      pool.query(
        `SELECT c.name, s.last_feed_no - c.feed_no AS behind FROM subscriptions c JOIN subjects s ON s.id = c.subject
         WHERE c.subject = $1 ORDER BY c.feed_no, c.name LIMIT ${SUBSCRIPTIONS_MAX}`,
        [subject],
      ),
    ),
  ]);
  const row = numbers.rows[0] as Record<string, string | number>;
  return {
    lanes,
    pending: Number(row['pending']),
    oldestPendingSeconds: Math.max(0, Number(row['oldest_pending'])),
    parkedAggregates: Number(row['parked']),
    blockingPid: Number(row['blocking']),
    oldestMarkerSeconds: Math.max(0, Number(row['marker'])),
    snapshotDistance: Number(row['distance']),
    subscriptions: (behind.rows as { name: string; behind: string }[]).map((one) => ({
      name: one.name,
      changesBehind: Number(one.behind),
    })),
  };
}
