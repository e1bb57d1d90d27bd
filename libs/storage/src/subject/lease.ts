import type { ClientBase, Pool } from 'pg';
import type { SubjectId } from '@imart/core';
import { FencedError, type IngestLeases, type LeaseAnswer } from '@imart/pipeline';
import { toStorageError } from './pgErrors';

/** How long taking over waits for the locks that the last holder left, before it ends that one's transactions. */
const LOCK_TIMEOUT_MS = 1_000;

const LOCK_NOT_AVAILABLE = '55P03';

export interface IngestLeasesOptions {
  readonly pool: Pool;
  /** The subject's number, from `openSubject`. */
  readonly subject: number;
}

/**
 * Leases in `ingest_leases`, on the database's clock. The number changes hands under the subject's row lock: whatever the
 * last holder still commits is committed before the next one reads where to go on.
 *
 * A holder is also the `application_name` of its process's connections. One that is paused in the middle of a transaction keeps
 * its locks however long its lease is over: then its transactions are ended from here. What a living process loses that way, it
 * does again.
 */
export function createIngestLeases({ pool, subject }: IngestLeasesOptions): IngestLeases {
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error);
    }
  };

  const held = async (): Promise<LeaseAnswer | null> => {
    const { rows } = await pool.query(
      `SELECT holder, extract(epoch FROM expires_at - clock_timestamp()) * 1000 AS ms FROM ingest_leases
       WHERE subject = $1 AND expires_at > clock_timestamp()`,
      [subject],
    );
    const row = rows[0] as { holder: string; ms: string } | undefined;
    return row === undefined
      ? null
      : { kind: 'held', holder: row.holder, expiresInMs: Math.ceil(Number(row.ms)) };
  };

  /** @returns `null` when somebody else was faster. */
  const take = async (holder: string, durationMs: number): Promise<bigint | null> => {
    const client = await pool.connect();
    let broken = false;
    const onError = (): void => {
      broken = true;
    };
    client.on('error', onError);
    try {
      await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);
      const { rows } = await client.query(
        `INSERT INTO ingest_leases AS l (subject, fencing, holder, expires_at)
         VALUES ($1, 1, $2, clock_timestamp() + $3 * interval '1 ms')
         ON CONFLICT (subject) DO UPDATE SET fencing = l.fencing + 1, holder = excluded.holder, expires_at = excluded.expires_at
         WHERE l.expires_at <= clock_timestamp() RETURNING fencing`,
        [subject, holder, durationMs],
      );
      await client.query('COMMIT');
      const row = rows[0] as { fencing: string } | undefined;
      return row === undefined ? null : BigInt(row.fencing);
    } catch (error) {
      await client.query('ROLLBACK').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  /** @returns who held the lease last. */
  const endTransactionsOfLastHolder = async (): Promise<string> => {
    const { rows } = await pool.query(
      `WITH last AS (SELECT holder, expires_at FROM ingest_leases WHERE subject = $1 AND expires_at <= clock_timestamp()),
         ended AS (SELECT pg_terminate_backend(pid) FROM pg_stat_activity, last
           WHERE application_name = last.holder AND last.expires_at > '-infinity'
             AND datname = current_database() AND xact_start IS NOT NULL)
       SELECT last.holder, (SELECT count(*) FROM ended) FROM last`,
      [subject],
    );
    return (rows[0] as { holder: string } | undefined)?.holder ?? 'unknown';
  };

  return {
    acquire: (holder, durationMs) =>
      translated(async (): Promise<LeaseAnswer> => {
        const now = await held();
        if (now !== null) return now;
        try {
          const fencing = await take(holder, durationMs);
          if (fencing !== null) return { kind: 'acquired', fencing };
          return (await held()) ?? { kind: 'held', holder: 'unknown', expiresInMs: 0 };
        } catch (error) {
          if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
          return { kind: 'held', holder: await endTransactionsOfLastHolder(), expiresInMs: 0 };
        }
      }),

    renew: (fencing, durationMs) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          `UPDATE ingest_leases SET expires_at = clock_timestamp() + $3 * interval '1 ms' WHERE subject = $1 AND fencing = $2`,
          [subject, fencing.toString(), durationMs],
        );
        return rowCount === 1;
      }),

    release: (fencing) =>
      translated(async () => {
        await pool.query(
          `UPDATE ingest_leases SET expires_at = '-infinity' WHERE subject = $1 AND fencing = $2`,
          [subject, fencing.toString()],
        );
      }),
  };
}

/**
 * That nobody has taken the lease since it was ours under this number. Holds until the end of the transaction when its subject's row is
 * locked. @throws {FencedError}
 */
export async function checkFencing(
  client: ClientBase | Pool,
  { subject, subjectId }: { readonly subject: number; readonly subjectId: SubjectId },
  fencing: bigint,
): Promise<void> {
  const { rows } = await client.query(selectFencing(subject));
  refuseFenced(subjectId, fencing, rows[0]);
}

/** What {@link refuseFenced} looks at, as a statement without parameters. */
export const selectFencing = (subject: number): string =>
  `SELECT fencing FROM ingest_leases WHERE subject = ${subject}`;

/** @throws {FencedError} when the lease has another number. */
export function refuseFenced(subjectId: SubjectId, fencing: bigint, found: unknown): void {
  const row = found as { fencing: string } | undefined;
  const newest = row === undefined ? null : BigInt(row.fencing);
  if (newest !== fencing) throw new FencedError(subjectId, fencing, newest);
}
