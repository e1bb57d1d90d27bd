import type { Pool, PoolClient } from 'pg';
import type { EventDataCodec, Observer, SeqNoCodec, SubjectId } from '@imart/core';
import type { FoldedRun, ParkMarker } from '@imart/pipeline';
import { applyViews } from '../views';
import { insertParkMarker } from '../subject/parkMarkers';
import { COPY_ACTIVITIES } from '../subject/activities';
import { copyInto } from '../subject/copyInto';
import { marketTables, type MarketTable } from '../subject/marketTables';
import { encodeActivities, encodeRows } from '../subject/encodeRows';
import { copyStatement } from '../subject/tables';
import { compareTable, type TableDifference } from './compareTables';
import { ReplayError } from './errors';
import { foldLog } from './foldLog';
import {
  createFreshTables,
  dropFreshTables,
  freshName,
  indexStatements,
  REPLAYED_TABLES,
  switchTables,
} from './freshTables';

export interface ReplayOptions {
  readonly pool: Pool;
  readonly viewsFile: string;
  readonly codec: EventDataCodec;
  /** How the seq nos of a subject are made; by its id. */
  readonly seqNosOf: (subjectId: SubjectId) => SeqNoCodec;
  /** The observer of a subject. */
  readonly observerOf: (subjectId: SubjectId) => Observer;
  /**
   * What to do when the rebuilt tables are not equal to the live ones: keep the live ones, or switch all the same (the reducers
   * have changed, and the new states are wanted).
   */
  readonly onDifference: 'refuse' | 'switch';
  readonly onProgress: (step: ReplayStep) => void;
}

export type ReplayStep =
  | { readonly step: 'folding'; readonly events: number }
  | { readonly step: 'indexing' | 'comparing' | 'switching' | 'done' };

export interface ReplayResult {
  readonly events: number;
  readonly activities: number;
  readonly rows: number;
  /** Aggregates that failed now and had not before. */
  readonly newlyParked: number;
  readonly differences: readonly TableDifference[];
  readonly switched: boolean;
}

interface Counts {
  events: number;
  activities: number;
  rows: number;
  readonly parked: { readonly subject: number; readonly marker: ParkMarker }[];
}

interface ReplayedSubject {
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly executed: bigint;
  readonly parked: readonly ParkMarker[];
}

/**
 * Rebuilds every state and activity from the log into fresh tables, compares them with the live ones, and switches in one
 * transaction. Reads are served, and workers work, all along; what they commit meanwhile is folded in at the end, while they
 * wait. Killed at any moment, it leaves the live tables as they were.
 *
 * @throws {ReplayError} when the tables differ and that is to be refused, or the log was tampered with.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { pool, onDifference, onProgress } = options;
  const control = await pool.connect();
  const counts: Counts = { events: 0, activities: 0, rows: 0, parked: [] };
  try {
    // One replay at a time; the lock goes with the connection.
    const { rows } = await control.query(`SELECT pg_try_advisory_lock(72707371) AS ours`);
    if (!(rows[0] as { ours: boolean }).ours)
      throw new ReplayError('another replay is running on this database');
    await createFreshTables(control);
    const before = await readSubjects(control);
    for (const subject of before) await foldSubject(options, subject, null, counts);
    onProgress({ step: 'indexing' });
    await buildIndexes(pool, control);
    await control.query('BEGIN');
    // Ingests and lanes wait from here on, in the order in which they lock.
    await control.query('SELECT id FROM subjects ORDER BY id FOR UPDATE');
    await control.query('SELECT lane FROM checkpoints ORDER BY observer, subject, lane FOR UPDATE');
    for (const subject of await readSubjects(control)) {
      await foldMeanwhile(options, control, before, subject, counts);
    }
    onProgress({ step: 'comparing' });
    const differences = await compareTables(pool);
    if (differences.length > 0 && onDifference === 'refuse') {
      await control.query('ROLLBACK');
      return { ...resultOf(counts), differences, switched: false };
    }
    onProgress({ step: 'switching' });
    // What fails only now is set aside with the tables that lack it.
    for (const { subject, marker } of counts.parked) await insertParkMarker(control, subject, marker);
    await switchTables(control, () => applyViews(control, options.viewsFile));
    await control.query('COMMIT');
    onProgress({ step: 'done' });
    return { ...resultOf(counts), differences, switched: true };
  } catch (error) {
    await control.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await dropFreshTables(control).catch(() => undefined);
    control.release(true);
  }
}

function resultOf({
  events,
  activities,
  rows,
  parked,
}: Counts): Omit<ReplayResult, 'differences' | 'switched'> {
  return { events, activities, rows, newlyParked: parked.length };
}

async function readSubjects(client: PoolClient): Promise<readonly ReplayedSubject[]> {
  const { rows } = await client.query(
    `SELECT s.id, s.subject_id, (SELECT min(c.seq_no) FROM checkpoints c WHERE c.subject = s.id)::text AS executed,
       (SELECT max(c.seq_no) FROM checkpoints c WHERE c.subject = s.id)::text AS furthest,
       coalesce((SELECT json_agg(json_build_object('aggregateType', p.aggregate_type, 'aggregateId', p.aggregate_id,
         'fromSeqNo', p.from_seq_no::text, 'code', p.code, 'message', p.message)) FROM park_markers p WHERE p.subject = s.id), '[]') AS parked
     FROM subjects s ORDER BY s.id`,
  );
  return (
    rows as {
      id: number;
      subject_id: string;
      executed: string;
      furthest: string;
      parked: Record<string, string>[];
    }[]
  ).map((row) => {
    if (row.executed !== row.furthest) {
      throw new ReplayError(
        `${row.subject_id}: its lanes are at different places (${row.executed} to ${row.furthest}); let the worker catch up, then replay`,
      );
    }
    return {
      subject: row.id,
      subjectId: row.subject_id as SubjectId,
      executed: BigInt(row.executed),
      parked: row.parked.map(
        (p) => ({ ...p, fromSeqNo: BigInt(p.fromSeqNo as string) }) as unknown as ParkMarker,
      ),
    };
  });
}

async function foldSubject(
  options: ReplayOptions,
  replayed: ReplayedSubject,
  onlyHashes: readonly bigint[] | null,
  counts: Counts,
): Promise<void> {
  const { pool, codec, onProgress } = options;
  const { subject, subjectId } = replayed;
  const [reader, states, history] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  try {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // The aggregate index gives the order for nothing; a sort of the whole log would not.
    await reader.query('SET LOCAL enable_seqscan = off; SET LOCAL cursor_tuple_fraction = 1');
    await foldLog(reader, {
      pool,
      log: { subject, subjectId, codec, seqNos: options.seqNosOf(subjectId) },
      observer: options.observerOf(subjectId),
      upToSeqNo: replayed.executed,
      parked: replayed.parked,
      onlyHashes,
      take: async (run) => {
        counts.activities += run.activities.length;
        counts.rows += run.rows.length;
        await Promise.all([writeStates(states, subject, run), writeActivities(history, subject, run)]);
      },
      onParked: (markers) => {
        counts.parked.push(...markers.map((marker) => ({ subject, marker })));
      },
      onEvents: (count) => {
        counts.events += count;
        onProgress({ step: 'folding', events: counts.events });
      },
    });
    await reader.query('COMMIT');
  } finally {
    for (const client of [reader, states, history]) client.release();
  }
}

async function writeStates(client: PoolClient, subject: number, run: FoldedRun): Promise<void> {
  for (const [name, text] of await encodeRows(subject, run.rows)) {
    await copyInto(client, copyStatement(marketTables.get(name) as MarketTable, freshName(name)), text);
  }
}

async function writeActivities(client: PoolClient, subject: number, run: FoldedRun): Promise<void> {
  if (run.activities.length === 0) return;
  const statement = COPY_ACTIVITIES.replace('"activities"', `"${freshName('activities')}"`);
  await copyInto(client, statement, await encodeActivities(subject, run.activities));
}

/** Two at a time: that is what a small machine has, and one large table does not wait for the many small ones. */
async function twoAtATime<T>(
  pool: Pool,
  work: readonly T[],
  one: (client: PoolClient, item: T) => Promise<void>,
): Promise<void> {
  const left = [...work];
  const take = async (): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query(`SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'`);
      for (let next = left.shift(); next !== undefined; next = left.shift()) await one(client, next);
      await client.query('RESET maintenance_work_mem; RESET work_mem');
    } finally {
      client.release();
    }
  };
  await Promise.all([take(), take()]);
}

/** The largest first. */
const BY_SIZE = [...REPLAYED_TABLES].reverse();

async function buildIndexes(pool: Pool, control: PoolClient): Promise<void> {
  const statements: string[] = [];
  for (const table of BY_SIZE) statements.push(...(await indexStatements(control, table)));
  await twoAtATime(pool, statements, async (client, statement) => {
    await client.query(statement);
  });
  await control.query(`ANALYZE ${REPLAYED_TABLES.map((table) => `"${freshName(table)}"`).join(', ')}`);
}

/** The live tables stand still meanwhile: the caller holds the workers' locks. */
async function compareTables(pool: Pool): Promise<readonly TableDifference[]> {
  const differences: TableDifference[] = [];
  await twoAtATime(pool, BY_SIZE, async (client, table) => {
    const difference = await compareTable(client, table);
    if (difference !== null) differences.push(difference);
  });
  return differences;
}

/** Workers went on while the log was folded: the aggregates they touched are folded again, whole. */
async function foldMeanwhile(
  options: ReplayOptions,
  control: PoolClient,
  before: readonly ReplayedSubject[],
  subject: ReplayedSubject,
  counts: Counts,
): Promise<void> {
  const known = before.find((b) => b.subject === subject.subject)?.executed ?? -1n;
  if (known === subject.executed) return;
  const { rows } = await control.query(
    `SELECT DISTINCT aggregate_hash::text AS hash FROM event_log WHERE subject = $1 AND seq_no > $2 AND seq_no <= $3`,
    [subject.subject, known.toString(), subject.executed.toString()],
  );
  const hashes = (rows as { hash: string }[]).map((row) => BigInt(row.hash));
  if (hashes.length === 0) return;
  const ids = await control.query(
    `SELECT DISTINCT aggregate_type AS type, aggregate_id AS id FROM event_log WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[])`,
    [subject.subject, hashes.map(String)],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING event_log e WHERE a.subject = $1 AND e.subject = $1 AND e.seq_no = a.seq_no
     AND e.aggregate_hash = ANY($2::bigint[])`,
    [subject.subject, hashes.map(String)],
  );
  const observer = options.observerOf(subject.subjectId);
  for (const { type, id } of ids.rows as { type: string; id: string }[]) {
    for (const name of observer.reducers.get(type)?.tables ?? []) {
      const table = marketTables.get(name) as MarketTable;
      const match = table.idColumns.map(
        (column, i) =>
          `"${column}" = ($2::text[])[${i + 1}]${table.idTypes[i] === 'numeric[]' ? '::numeric' : ''}`,
      );
      await control.query(
        `DELETE FROM "${freshName(name)}" WHERE subject = $1 AND ${match.join(' AND ')}${table.sharedByTypes ? ' AND aggregate_type = $3' : ''}`,
        table.sharedByTypes
          ? [subject.subject, table.idValues(id), type]
          : [subject.subject, table.idValues(id)],
      );
    }
  }
  // The deletions must be committed to the other connections that write the rows again: the workers' locks are taken anew.
  await control.query('COMMIT');
  await foldSubject(options, subject, hashes, counts);
  await control.query('BEGIN');
  await control.query('SELECT id FROM subjects ORDER BY id FOR UPDATE');
  await control.query('SELECT lane FROM checkpoints ORDER BY observer, subject, lane FOR UPDATE');
  const again = (await readSubjects(control)).find((s) => s.subject === subject.subject) as ReplayedSubject;
  await foldMeanwhile(options, control, [subject], again, counts);
}
