import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import {
  aggregateKeyText,
  BEFORE_FIRST,
  type EventDataCodec,
  type Observer,
  type SeqNoCodec,
  type SubjectId,
} from '@imart/core';
import type { FoldedRun, ParkMarker } from '@imart/pipeline';
import { applyViews } from '../views';
import { insertParkMarker } from '../subject/parkMarkers';
import { SUBJECTS_LOCK } from '../subject/openSubject';
import { toStorageError } from '../subject/pgErrors';
import { COPY_ACTIVITIES } from '../subject/activities';
import { copyInto } from '../subject/copyInto';
import { marketTables, type MarketTable } from '../subject/marketTables';
import { encodeActivities, encodeRows } from '../subject/encodeRows';
import { copyStatement } from '../subject/tables';
import { compareTable, type TableDifference } from './compareTables';
import { ReplayError } from './errors';
import { executedCondition, foldLog } from './foldLog';
import {
  createFreshTables,
  dropFreshTables,
  freshName,
  indexStatements,
  REPLAYED_TABLES,
  switchTables,
} from './freshTables';
import { bothDone, withSession, type Session } from './session';

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
  /** By subject and aggregate: an aggregate that is folded again fails again. */
  readonly parked: Map<string, { readonly subject: number; readonly marker: ParkMarker }>;
}

interface ReplayedSubject {
  readonly subject: number;
  readonly subjectId: SubjectId;
  /** How far each lane is, by its number. */
  readonly lanes: readonly bigint[];
  readonly parked: readonly ParkMarker[];
}

/**
 * Rebuilds every state and activity from the log into fresh tables, compares them with the live ones, and switches in one
 * transaction. Reads are served, and workers work, all along; what they commit meanwhile is folded in at the end; they wait
 * while tables are compared and switched. Killed at any moment, it leaves the live tables as they were. Needs a pool of at
 * least four connections.
 *
 * @throws {ReplayError} when the log was tampered with, or another replay is running.
 * @throws {StorageUnavailableError} when the database went away; the live tables are untouched.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  return withSession(options.pool, async (control) => {
    // One replay at a time; the lock goes with the connection.
    const { rows } = await control.query(`SELECT pg_try_advisory_lock(${REPLAY_LOCK}) AS ours`);
    if (!(rows[0] as { ours: boolean }).ours)
      throw new ReplayError('another replay is running on this database: wait for its end, or stop it');
    try {
      return await rebuild(options, control);
    } catch (error) {
      await control.query('ROLLBACK').catch(() => undefined);
      throw toStorageError(error);
    } finally {
      await dropFreshTables(control).catch(() => undefined);
      await control.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`).catch(() => undefined);
    }
  });
}

const REPLAY_LOCK = 72707371;

async function rebuild(options: ReplayOptions, control: Session): Promise<ReplayResult> {
  const { pool, onDifference, onProgress } = options;
  await refuseForeignViews(control, options.viewsFile);
  const counts: Counts = { events: 0, activities: 0, rows: 0, parked: new Map() };
  await createFreshTables(control);
  const first = await readSubjects(options, control);
  for (const subject of first) await foldSubject(options, control, subject, null, counts);
  onProgress({ step: 'indexing' });
  await buildIndexes(pool, control);
  await lockBehindWorkers(options, control, first, counts);
  onProgress({ step: 'comparing' });
  const differences = await compareTables(pool);
  if (differences.length > 0 && onDifference === 'refuse') {
    await control.query('ROLLBACK');
    return { ...resultOf(counts), differences, switched: false };
  }
  onProgress({ step: 'switching' });
  // What fails only now is set aside with the tables that lack it.
  for (const { subject, marker } of counts.parked.values()) await insertParkMarker(control, subject, marker);
  await switchTables(control, () => applyViews(control, options.viewsFile));
  // What workers keep in memory was folded from the old tables: under another epoch they read it anew.
  await control.query('UPDATE subjects SET epoch = epoch + 1');
  await control.query('COMMIT');
  onProgress({ step: 'done' });
  return { ...resultOf(counts), differences, switched: true };
}

/** A view of somebody else is bound to the tables that are to go: better to say so before an hour of folding than after. */
async function refuseForeignViews(control: Session, viewsFile: string): Promise<void> {
  const ours = [...readFileSync(viewsFile, 'utf8').matchAll(/^CREATE OR REPLACE VIEW (\w+)/gm)].map(
    ([, name]) => name,
  );
  const { rows } = await control.query(
    `SELECT DISTINCT v.oid::regclass::text AS name FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
       JOIN pg_class v ON v.oid = r.ev_class
     WHERE d.refobjid = ANY($1::regclass[]) AND v.relkind IN ('v', 'm') AND v.oid::regclass::text <> ALL($2) ORDER BY 1`,
    [REPLAYED_TABLES, ours],
  );
  const names = (rows as { name: string }[]).map(({ name }) => name);
  if (names.length === 0) return;
  throw new ReplayError(
    `views that are not the worker's read its tables: ${names.join(', ')}. Replay puts other tables in their place: drop these views, replay, and make them again`,
    { views: names },
  );
}

function resultOf({
  events,
  activities,
  rows,
  parked,
}: Counts): Omit<ReplayResult, 'differences' | 'switched'> {
  return { events, activities, rows, newlyParked: parked.size };
}

async function readSubjects(options: ReplayOptions, client: Session): Promise<readonly ReplayedSubject[]> {
  const { rows } = await client.query(
    `SELECT s.id, s.subject_id,
       coalesce((SELECT json_agg(json_build_object('observer', c.observer, 'seqNo', c.seq_no::text) ORDER BY c.lane)
         FROM checkpoints c WHERE c.subject = s.id), '[]') AS lanes,
       coalesce((SELECT json_agg(json_build_object('aggregateType', p.aggregate_type, 'aggregateId', p.aggregate_id,
         'fromSeqNo', p.from_seq_no::text, 'code', p.code, 'message', p.message)) FROM park_markers p WHERE p.subject = s.id), '[]') AS parked
     FROM subjects s ORDER BY s.id`,
  );
  return (
    rows as {
      id: number;
      subject_id: string;
      lanes: { observer: string; seqNo: string }[];
      parked: Record<string, string>[];
    }[]
  ).map((row) => {
    const subjectId = row.subject_id as SubjectId;
    const observer = options.observerOf(subjectId).name;
    return {
      subject: row.id,
      subjectId,
      lanes: row.lanes.filter((lane) => lane.observer === observer).map(({ seqNo }) => BigInt(seqNo)),
      parked: row.parked.map(
        (p) => ({ ...p, fromSeqNo: BigInt(p.fromSeqNo as string) }) as unknown as ParkMarker,
      ),
    };
  });
}

async function foldSubject(
  options: ReplayOptions,
  control: Session,
  replayed: ReplayedSubject,
  onlyHashes: readonly bigint[] | null,
  counts: Counts,
): Promise<void> {
  const { pool, codec, onProgress } = options;
  const { subject, subjectId } = replayed;
  const fold = async (reader: Session, states: Session, history: Session): Promise<void> => {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // The aggregate index gives the order for nothing; a sort of the whole log would not.
    await reader.query('SET LOCAL enable_seqscan = off; SET LOCAL cursor_tuple_fraction = 1');
    await foldLog(reader, {
      log: { subject, subjectId, codec, seqNos: options.seqNosOf(subjectId) },
      observer: options.observerOf(subjectId),
      lanes: replayed.lanes,
      parked: replayed.parked,
      onlyHashes,
      take: async (run) => {
        // Without it the lock is gone: another replay may be at work on the same tables.
        control.mustBeThere();
        counts.activities += run.activities.length;
        counts.rows += run.rows.length;
        await bothDone(writeStates(states, subject, run), writeActivities(history, subject, run));
      },
      onParked: (markers) => {
        for (const marker of markers) {
          const key = aggregateKeyText(marker.aggregateType, marker.aggregateId);
          counts.parked.set(`${subject}/${key}`, { subject, marker });
        }
      },
      onEvents: (count) => {
        counts.events += count;
        onProgress({ step: 'folding', events: counts.events });
      },
    });
    await reader.query('COMMIT');
  };
  await withSession(pool, (reader) =>
    withSession(pool, (states) => withSession(pool, (history) => fold(reader, states, history))),
  );
}

async function writeStates(client: Session, subject: number, run: FoldedRun): Promise<void> {
  for (const [name, text] of await encodeRows(subject, run.rows)) {
    await copyInto(client, copyStatement(marketTables.get(name) as MarketTable, freshName(name)), text);
  }
}

async function writeActivities(client: Session, subject: number, run: FoldedRun): Promise<void> {
  if (run.activities.length === 0) return;
  const statement = COPY_ACTIVITIES.replace('"activities"', `"${freshName('activities')}"`);
  await copyInto(client, statement, await encodeActivities(subject, run.activities));
}

/** Two at a time: that is what a small machine has, and one large table does not wait for the many small ones. */
async function twoAtATime<T>(
  pool: Pool,
  work: readonly T[],
  one: (client: Session, item: T) => Promise<void>,
): Promise<void> {
  const left = [...work];
  const take = (): Promise<void> =>
    withSession(pool, async (client) => {
      await client.query(
        `SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'; SET max_parallel_maintenance_workers = 0`,
      );
      for (let next = left.shift(); next !== undefined; next = left.shift()) await one(client, next);
      await client.query(
        'RESET maintenance_work_mem; RESET work_mem; RESET max_parallel_maintenance_workers',
      );
    });
  await bothDone(take(), take());
}

/** The largest first. */
const BY_SIZE = [...REPLAYED_TABLES].reverse();

async function buildIndexes(pool: Pool, control: Session): Promise<void> {
  const builds: string[] = [];
  const keys: string[] = [];
  for (const table of BY_SIZE) {
    const { build, attach } = await indexStatements(control, table);
    builds.push(...build);
    keys.push(...attach);
  }
  const run = async (client: Session, statement: string): Promise<void> => {
    await client.query(statement);
  };
  await twoAtATime(pool, builds, run);
  for (const statement of keys) await run(control, statement);
}

/**
 * The live tables stand still meanwhile: the caller holds the workers' locks. The fresh ones get their statistics beside it,
 * which readers' plans need from the first moment on.
 */
async function compareTables(pool: Pool): Promise<readonly TableDifference[]> {
  const differences: TableDifference[] = [];
  const compare = (table: string) => async (client: Session) => {
    const difference = await compareTable(client, table);
    if (difference !== null) differences.push(difference);
  };
  const analyze = (table: string) => async (client: Session) => {
    await client.query(`ANALYZE "${freshName(table)}"`);
  };
  await twoAtATime(pool, [...BY_SIZE.map(compare), ...BY_SIZE.map(analyze)], (client, task) => task(client));
  return differences;
}

/**
 * Workers went on while the log was folded: the aggregates that they touched are folded again, whole, until nobody is ahead.
 * Then ingests and lanes wait, in the order in which they lock, until the transaction that is open now ends.
 */
async function lockBehindWorkers(
  options: ReplayOptions,
  control: Session,
  first: readonly ReplayedSubject[],
  counts: Counts,
): Promise<void> {
  for (let folded = first; ;) {
    await control.query('BEGIN');
    await control.query(`SELECT pg_advisory_xact_lock(${SUBJECTS_LOCK})`);
    await control.query('SELECT id FROM subjects ORDER BY id FOR UPDATE');
    await control.query('SELECT lane FROM checkpoints ORDER BY observer, subject, lane FOR UPDATE');
    const now = await readSubjects(options, control);
    const ahead = now.filter((subject) => {
      const before = lanesBefore(folded, subject);
      return subject.lanes.some((seqNo, lane) => seqNo !== before[lane]);
    });
    if (ahead.length === 0) return;
    // Nobody waits while the rest is folded.
    await control.query('COMMIT');
    for (const subject of ahead) {
      const hashes = await eraseTouched(options, control, lanesBefore(folded, subject), subject);
      if (hashes.length > 0) await foldSubject(options, control, subject, hashes, counts);
    }
    folded = now;
  }
}

const lanesBefore = (folded: readonly ReplayedSubject[], { subject, lanes }: ReplayedSubject) =>
  folded.find((one) => one.subject === subject)?.lanes ?? lanes.map(() => BEFORE_FIRST);

/** Removes from the fresh tables whatever aggregates have been given events since. @returns their hashes. */
async function eraseTouched(
  options: ReplayOptions,
  control: Session,
  before: readonly bigint[],
  { subject, subjectId, lanes }: ReplayedSubject,
): Promise<readonly bigint[]> {
  const least = before.reduce((a, b) => (b < a ? b : a));
  const { rows } = await control.query(
    `SELECT DISTINCT aggregate_hash::text AS hash FROM event_log WHERE subject = $1 AND seq_no > $2
     AND ${executedCondition(lanes)} AND NOT (${executedCondition(before)})`,
    [subject, least.toString()],
  );
  const hashes = (rows as { hash: string }[]).map((row) => row.hash);
  if (hashes.length === 0) return [];
  const ids = await control.query(
    `SELECT DISTINCT aggregate_type AS type, aggregate_id AS id FROM event_log WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING event_log e WHERE a.subject = $1 AND e.subject = $1 AND e.seq_no = a.seq_no
     AND e.aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes],
  );
  const observer = options.observerOf(subjectId);
  for (const { type, id } of ids.rows as { type: string; id: string }[]) {
    for (const name of observer.reducers.get(type)?.tables ?? []) {
      const table = marketTables.get(name) as MarketTable;
      const match = table.idColumns.map(
        (column, i) =>
          `"${column}" = ($2::text[])[${i + 1}]${table.idTypes[i] === 'numeric[]' ? '::numeric' : ''}`,
      );
      await control.query(
        `DELETE FROM "${freshName(name)}" WHERE subject = $1 AND ${match.join(' AND ')}${table.sharedByTypes ? ' AND aggregate_type = $3' : ''}`,
        table.sharedByTypes ? [subject, table.idValues(id), type] : [subject, table.idValues(id)],
      );
    }
  }
  return hashes.map(BigInt);
}
