import type { Pool } from 'pg';
import { toStorageError } from './pgErrors';

/** More unapplied events than this are not counted: a bound for what one look costs. */
const COUNTED_EVENTS_MAX = 100_000;

/** What waits in the log for one lane. */
export interface LaneLag {
  readonly lane: number;
  /** Events of this lane that are not executed; counted up to a bound of 100,000. */
  readonly events: number;
  /** How long ago the oldest of them was committed to the log, by the database's clock; 0 when there is none. */
  readonly oldestSeconds: number;
  /** When its block was made, by the chain's clock; `null` when there is none. */
  readonly oldestTimeUs: bigint | null;
}

/** Second readings of one kind: how many events they found to be wrong, and how far the newest has come. */
export interface PassFindings {
  readonly kind: string;
  readonly missingEvents: number;
  readonly differentEvents: number;
  readonly extraEvents: number;
  readonly nextPosition: bigint;
}

/** How often operators have had a parked aggregate folded again by one action, since the database began. */
export interface Releases {
  readonly action: 'retry' | 'skip';
  /** Without those that failed at the same event again. */
  readonly aggregates: number;
}

/** What is read of a subject for its metrics alone. */
export interface SubjectReadings {
  readonly lanes: readonly LaneLag[];
  readonly passes: readonly PassFindings[];
  readonly parkedAggregates: number;
  /** Of each action, also of one that nobody has made. */
  readonly releases: readonly Releases[];
  readonly headPosition: bigint | null;
  readonly headTimeUs: bigint | null;
}

/** Per lane: the events after its checkpoint, and when the oldest was committed. The primary key's end, as far as it is unapplied. */
const SELECT_LANES = `
  SELECT c.lane, w.events, w.time_us, coalesce(extract(epoch FROM clock_timestamp() - f.committed_at), 0) AS oldest_seconds
  FROM checkpoints c JOIN subjects s ON s.id = c.subject
  CROSS JOIN LATERAL (
    SELECT count(*) AS events, (array_agg(u.feed_no ORDER BY u.seq_no))[1] AS feed_no,
      (array_agg(u.time_us ORDER BY u.seq_no))[1] AS time_us FROM (
      SELECT e.seq_no, e.feed_no, e.time_us FROM event_log e
      WHERE e.subject = c.subject AND e.seq_no > c.seq_no AND e.seq_no <= s.ingested_seq_no
        AND (s.lanes = 1 OR (e.aggregate_hash & 9223372036854775807) % s.lanes = c.lane)
      ORDER BY e.seq_no LIMIT ${COUNTED_EVENTS_MAX}
    ) u
  ) w
  LEFT JOIN feed f ON f.subject = c.subject AND f.feed_no = w.feed_no
  WHERE c.observer = $2 AND c.subject = $1 ORDER BY c.lane`;

const SELECT_PASSES = `
  SELECT kind, sum(missing_events) AS missing, sum(different_events) AS different, sum(extra_events) AS extra,
    (array_agg(next_position ORDER BY id DESC))[1] AS next_position
  FROM passes WHERE subject = $1 GROUP BY kind ORDER BY kind`;

const SELECT_RELEASES = `
  SELECT r.action, count(a.id) AS aggregates FROM (VALUES ('retry'), ('skip')) r(action)
  LEFT JOIN park_actions a ON a.subject = $1 AND a.action = r.action AND a.outcome <> 'unchanged'
  GROUP BY r.action ORDER BY r.action`;

/** @throws {StorageUnavailableError} `retry` */
export async function readSubjectReadings(
  pool: Pool,
  subject: number,
  observer: string,
): Promise<SubjectReadings> {
  try {
    const [lanes, passes, releases, subjects] = await Promise.all([
      pool.query(SELECT_LANES, [subject, observer]),
      pool.query(SELECT_PASSES, [subject]),
      pool.query(SELECT_RELEASES, [subject]),
      pool.query(
        `SELECT head_position, head_time_us, (SELECT count(*) FROM park_markers WHERE subject = $1) AS parked
         FROM subjects WHERE id = $1`,
        [subject],
      ),
    ]);
    const row = subjects.rows[0] as Record<'head_position' | 'head_time_us' | 'parked', string | null>;
    const bigintOrNull = (cell: string | null): bigint | null => (cell === null ? null : BigInt(cell));
    return {
      lanes: (lanes.rows as Record<string, string | null>[]).map((lane) => ({
        lane: Number(lane['lane']),
        events: Number(lane['events']),
        oldestSeconds: Number(lane['oldest_seconds']),
        oldestTimeUs: bigintOrNull(lane['time_us'] as string | null),
      })),
      passes: (passes.rows as Record<string, string>[]).map((pass) => ({
        kind: pass['kind'] as string,
        missingEvents: Number(pass['missing']),
        differentEvents: Number(pass['different']),
        extraEvents: Number(pass['extra']),
        nextPosition: BigInt(pass['next_position'] as string),
      })),
      parkedAggregates: Number(row.parked),
      releases: (releases.rows as { action: Releases['action']; aggregates: string }[]).map(
        ({ action, aggregates }) => ({ action, aggregates: Number(aggregates) }),
      ),
      headPosition: bigintOrNull(row.head_position),
      headTimeUs: bigintOrNull(row.head_time_us),
    };
  } catch (error) {
    throw toStorageError(error);
  }
}
