import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import {
  aggregateHash,
  aggregateKeyText,
  BEFORE_FIRST,
  COMMAND_SUBJECT_PREFIX,
  type SubjectId,
} from '@imart/core';
import { waitMs, type ParkMarker } from '@imart/pipeline';
import {
  compareReducers,
  ReducersChangedError,
  reducerVersionsText,
  SELECT_REDUCER_VERSIONS,
  writeReducerVersions,
} from '../passes/reducerVersions';
import { applyViews } from '../views';
import { insertParkMarker } from '../subject/parkMarkers';
import { SUBJECTS_LOCK } from '../subject/openSubject';
import { toStorageError } from '../subject/pgErrors';
import { marketTables, type MarketTable } from '../subject/marketTables';
import { compareTable, fingerprint, type TableDifference } from './compareTables';
import { ReplayError } from './errors';
import { executedCondition } from './foldLog';
import {
  evenParts,
  foldPart,
  WRITERS_LOCK,
  type AggregateSelection,
  type FoldMeans,
  type FoldPart,
  type OnFolded,
} from './foldPart';
import {
  createFreshTables,
  dropFreshTables,
  freshName,
  indexStatements,
  REPLAYED_TABLES,
  switchTables,
  takeTables,
  usersOfTables,
} from './freshTables';
import { allDone, endedBy, withSession, type Session } from './session';

export interface ReplayOptions extends FoldMeans {
  readonly pool: Pool;
  readonly viewsFile: string;
  /**
   * What to do when the rebuilt tables are not equal to the live ones: keep the live ones, or switch all the same (the reducers
   * have changed, and the new states are wanted).
   */
  readonly onDifference: 'refuse' | 'switch';
  readonly onProgress: (step: ReplayStep) => void;
  /** Ends it between two batches, and whatever statement runs; the live tables stay as they were. @defaultValue nothing ends it */
  readonly signal?: AbortSignal;
  /** How long to wait for the last writes of a replay that was killed, in ms. @defaultValue 10,000 */
  readonly patienceMs?: number;
  /** Folds parts of the log at the same time. @defaultValue all is folded by the caller's thread */
  readonly elsewhere?: FoldElsewhere;
}

/** Other threads, or processes, that fold with the same reducers. */
export interface FoldElsewhere {
  /** How many there are beside the caller's own. */
  readonly threads: number;
  /** A smaller log is not worth their start: it is folded by the caller's thread alone. */
  readonly fromLogBytes: number;
  /**
   * Does {@link foldPart} on connections of its own. When the signal aborts it ends, and only then rejects: nothing is written after that.
   * @throws what the part met, and what `onFolded` throws.
   */
  fold(part: FoldPart, onFolded: OnFolded, signal: AbortSignal): Promise<void>;
}

export type ReplayStep =
  | { readonly step: 'folding'; readonly events: number }
  | { readonly step: 'indexing' | 'comparing' | 'switching' | 'done' }
  /** Somebody reads the live tables for long: it is looked again in a while, and everybody goes on meanwhile. */
  | { readonly step: 'waiting'; readonly readers: readonly string[] };

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
  /** Raised by every change of what had been told. */
  readonly epoch: bigint;
  readonly lastFeedNo: bigint;
  readonly parked: readonly ParkMarker[];
}

/**
 * Rebuilds every state and activity from the log into fresh tables, compares them with the live ones, and switches in one
 * transaction. Reads are served, and workers work, all along; what they commit meanwhile is folded in at the end; they wait
 * while tables are compared and switched. A transaction that reads the live tables for long, as a backup does, is waited for, and
 * nobody waits behind it. Killed at any moment, it leaves the live tables as they were. Needs a pool of at least four connections.
 *
 * @throws the signal's reason when it aborts before the switch: the live tables are untouched, and the next replay begins anew.
 * @throws {ReplayError} when the log was tampered with, or another replay is running.
 * @throws {StorageUnavailableError} when the database went away; the live tables are untouched.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  return withSession(options.pool, async (control) => {
    // One replay at a time; the lock goes with the connection.
    if (!(await holdReplayLock(control, options.patienceMs ?? PATIENCE_MS_DEFAULT)))
      throw new ReplayError('another replay is running on this database: wait for its end, or stop it', {
        busy: true,
      });
    try {
      return await rebuild(options, control);
    } catch (error) {
      await control.query('ROLLBACK').catch(() => undefined);
      // What became of the statement that ran is a consequence of it.
      options.signal?.throwIfAborted();
      throw toStorageError(error);
    } finally {
      await dropFreshTables(control).catch(() => undefined);
      await control.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`).catch(() => undefined);
    }
  });
}

const REPLAY_LOCK = 72707371;
const PATIENCE_MS_DEFAULT = 10_000;

/**
 * @returns whether it is held: no other replay runs, and nobody writes for an earlier one any more. Connections of one that was killed are
 * there until the server has noticed.
 */
async function holdReplayLock(control: Session, patienceMs: number): Promise<boolean> {
  const { rows } = await control.query(`SELECT pg_try_advisory_lock(${REPLAY_LOCK}) AS ours`);
  if (!(rows[0] as { ours: boolean }).ours) return false;
  await control.query(`SET lock_timeout = ${patienceMs}`);
  try {
    await control.query(`SELECT pg_advisory_lock(${WRITERS_LOCK})`);
    await control.query(`SELECT pg_advisory_unlock(${WRITERS_LOCK})`);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    await control.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`);
    return false;
  } finally {
    await control.query('RESET lock_timeout').catch(() => undefined);
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** Until it is looked again whether the tables can be had: workers go on meanwhile. Doubled each time, up to the most. */
const READERS_RETRY_MS = 1_000;
const READERS_RETRY_MAX_MS = 30_000;

const NEVER = new AbortController().signal;

async function rebuild(options: ReplayOptions, control: Session): Promise<ReplayResult> {
  const { onDifference, onProgress, signal } = options;
  await refuseForeignViews(control, options.viewsFile);
  const counts: Counts = { events: 0, activities: 0, rows: 0, parked: new Map() };
  await waitingFor(options, control, () => createFreshTables(control));
  const first = await readSubjects(options, control);
  await refuseOlderReducers(options, control, first);
  for (const subject of first) await foldWhole(options, control, subject, counts);
  onProgress({ step: 'indexing' });
  await buildIndexes(options, control);
  let folded = first;
  let differences: readonly TableDifference[];
  for (let attempt = 1; ; attempt++) {
    folded = await lockBehindWorkers(options, control, folded, counts);
    onProgress({ step: 'comparing' });
    differences = await compareTables(options, control);
    signal?.throwIfAborted();
    if (differences.length > 0 && onDifference === 'refuse') {
      await control.query('ROLLBACK');
      return { ...resultOf(counts), differences, switched: false };
    }
    onProgress({ step: 'switching' });
    if (await takeTables(control)) break;
    await control.query('ROLLBACK');
    onProgress({ step: 'waiting', readers: await usersOfTables(control) });
    await waitMs(Math.min(READERS_RETRY_MAX_MS, READERS_RETRY_MS * 2 ** (attempt - 1)), signal ?? NEVER);
    signal?.throwIfAborted();
  }
  // What fails only now is set aside with the tables that lack it.
  for (const { subject, marker } of counts.parked.values()) await insertParkMarker(control, subject, marker);
  await waitingFor(options, control, () =>
    switchTables(control, () => applyViews(control, options.viewsFile)),
  );
  // What workers keep in memory was folded from the old tables: under another epoch they read it anew.
  await control.query('UPDATE subjects SET epoch = epoch + 1');
  const [one] = first;
  if (one !== undefined) await writeReducerVersions(control, options.observerOf(one.subjectId));
  await control.query('COMMIT');
  onProgress({ step: 'done' });
  return { ...resultOf(counts), differences, switched: true };
}

/** States of newer reducers are not replaced by those of older ones. */
async function refuseOlderReducers(
  options: ReplayOptions,
  control: Session,
  [one]: readonly ReplayedSubject[],
): Promise<void> {
  if (one === undefined) return;
  const { rows } = await control.query(`SELECT ${SELECT_REDUCER_VERSIONS} AS text`);
  const { text } = rows[0] as { text: string | null };
  const own = reducerVersionsText(options.observerOf(one.subjectId));
  if (text !== null && compareReducers(text, own) === 'older') throw new ReducersChangedError(text, own);
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

/** The chains. States of commands are no tables: nothing of them is made anew. */
async function readSubjects(options: ReplayOptions, client: Session): Promise<readonly ReplayedSubject[]> {
  const { rows } = await client.query(
    `SELECT s.id, s.subject_id, s.epoch, s.last_feed_no,
       coalesce((SELECT json_agg(json_build_object('observer', c.observer, 'seqNo', c.seq_no::text) ORDER BY c.lane)
         FROM checkpoints c WHERE c.subject = s.id), '[]') AS lanes,
       coalesce((SELECT json_agg(json_build_object('aggregateType', p.aggregate_type, 'aggregateId', p.aggregate_id,
         'fromSeqNo', p.from_seq_no::text, 'code', p.code, 'message', p.message)) FROM park_markers p WHERE p.subject = s.id), '[]') AS parked
     FROM subjects s WHERE NOT starts_with(s.subject_id, $1) ORDER BY s.id`,
    [COMMAND_SUBJECT_PREFIX],
  );
  return (
    rows as {
      id: number;
      subject_id: string;
      epoch: string;
      last_feed_no: string;
      lanes: { observer: string; seqNo: string }[];
      parked: Record<string, string>[];
    }[]
  ).map((row) => {
    const subjectId = row.subject_id as SubjectId;
    const observer = options.observerOf(subjectId).name;
    return {
      subject: row.id,
      subjectId,
      epoch: BigInt(row.epoch),
      lastFeedNo: BigInt(row.last_feed_no),
      lanes: row.lanes.filter((lane) => lane.observer === observer).map(({ seqNo }) => BigInt(seqNo)),
      parked: row.parked.map(
        (p) => ({ ...p, fromSeqNo: BigInt(p.fromSeqNo as string) }) as unknown as ParkMarker,
      ),
    };
  });
}

async function logBytes(client: Session): Promise<number> {
  const { rows } = await client.query(`SELECT pg_table_size('event_log') AS bytes`);
  return Number((rows[0] as { bytes: string }).bytes);
}

/** Folds all of a subject's log, in as many parts at the same time as there are threads for. */
async function foldWhole(
  options: ReplayOptions,
  control: Session,
  replayed: ReplayedSubject,
  counts: Counts,
): Promise<void> {
  const { elsewhere } = options;
  if (elsewhere === undefined || (await logBytes(control)) < elsewhere.fromLogBytes)
    return foldHere(options, control, replayed, 'all', counts);
  const [own, ...others] = evenParts(1 + elsewhere.threads);
  const failed = new AbortController();
  const signal =
    options.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, options.signal]);
  const orEnd = (folding: Promise<void>): Promise<void> =>
    folding.catch((error: unknown) => failed.abort(error));
  await allDone([
    orEnd(foldHere({ ...options, signal }, control, replayed, own as AggregateSelection, counts)),
    ...others.map((bounds) =>
      orEnd(
        elsewhere.fold(partOf(replayed, bounds), countingFor(options, control, replayed, counts), signal),
      ),
    ),
  ]);
  // What the others met was only that they had to end.
  failed.signal.throwIfAborted();
}

/** Folds some aggregates of a subject on connections of this replay's own pool. */
async function foldHere(
  options: ReplayOptions,
  control: Session,
  replayed: ReplayedSubject,
  aggregates: AggregateSelection,
  counts: Counts,
): Promise<void> {
  const { pool, signal } = options;
  const onFolded = countingFor(options, control, replayed, counts);
  await foldPart(pool, partOf(replayed, aggregates), options, onFolded, (reader, work) =>
    endedBy(signal, control, reader, work),
  );
}

const partOf = (
  { subject, subjectId, lanes, parked }: ReplayedSubject,
  aggregates: AggregateSelection,
): FoldPart => ({ subject, subjectId, lanes, parked, aggregates });

function countingFor(
  { onProgress, signal }: ReplayOptions,
  control: Session,
  { subject }: ReplayedSubject,
  counts: Counts,
): OnFolded {
  return ({ events, rows, activities, parked }) => {
    // Without it the lock is gone: another replay may be at work on the same tables.
    control.mustBeThere();
    signal?.throwIfAborted();
    counts.events += events;
    counts.rows += rows;
    counts.activities += activities;
    for (const marker of parked) {
      const key = aggregateKeyText(marker.aggregateType, marker.aggregateId);
      counts.parked.set(`${subject}/${key}`, { subject, marker });
    }
    onProgress({ step: 'folding', events: counts.events });
  };
}

/** Two at a time: that is what a small machine has, and one large table does not wait for the many small ones. */
async function twoAtATime<T>(
  { pool, signal }: ReplayOptions,
  control: Session,
  work: readonly T[],
  one: (client: Session, item: T) => Promise<void>,
): Promise<void> {
  const left = [...work];
  const take = (): Promise<void> =>
    withSession(pool, async (client) => {
      await client.query(
        `SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'; SET max_parallel_maintenance_workers = 0;
         SET max_parallel_workers_per_gather = 0`,
      );
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const item = next;
        await endedBy(signal, control, client, () => one(client, item));
      }
      await client.query(
        `RESET maintenance_work_mem; RESET work_mem; RESET max_parallel_maintenance_workers;
         RESET max_parallel_workers_per_gather`,
      );
    });
  await allDone([take(), take()]);
}

/**
 * Statements that may wait for locks of others: for a lane's run, for a reader of a table that is to go. Whoever waits for the end of this
 * one has no time for theirs.
 */
function waitingFor(
  { pool, signal }: ReplayOptions,
  control: Session,
  work: () => Promise<void>,
): Promise<void> {
  return withSession(pool, (other) => endedBy(signal, other, control, work));
}

/** The largest first. */
const BY_SIZE = [...REPLAYED_TABLES].reverse();

async function buildIndexes(options: ReplayOptions, control: Session): Promise<void> {
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
  await twoAtATime(options, control, builds, run);
  for (const statement of keys) await run(control, statement);
}

/**
 * The live tables stand still meanwhile: the caller holds the workers' locks. The fresh ones get their statistics beside it,
 * which readers' plans need from the first moment on.
 */
async function compareTables(options: ReplayOptions, control: Session): Promise<readonly TableDifference[]> {
  const fingerprints = new Map<string, string>();
  const takeFingerprint = (name: string) => async (client: Session) => {
    fingerprints.set(name, await fingerprint(client, name));
  };
  // From 9,000 rows, not 30,000: enough for plans, in a quarter of the time; autovacuum takes its own later.
  const analyze = (table: string) => async (client: Session) => {
    await client.query('SET default_statistics_target = 30');
    await client.query(`ANALYZE "${freshName(table)}"`);
    await client.query('RESET default_statistics_target');
  };
  const tasks = [
    ...BY_SIZE.flatMap((table) => [takeFingerprint(table), takeFingerprint(freshName(table))]),
    ...BY_SIZE.map(analyze),
  ];
  await twoAtATime(options, control, tasks, (client, task) => task(client));
  const differences: TableDifference[] = [];
  const unequal = REPLAYED_TABLES.filter(
    (table) => fingerprints.get(table) !== fingerprints.get(freshName(table)),
  );
  await twoAtATime(options, control, unequal, async (client, table) => {
    const difference = await compareTable(client, table);
    if (difference !== null) differences.push(difference);
  });
  return differences;
}

/**
 * Workers went on while the log was folded: the aggregates that they touched are folded again, whole, until nobody is ahead.
 * Then ingests and lanes wait, in the order in which they lock, until the transaction that is open now ends.
 * @returns how far each subject is folded.
 */
async function lockBehindWorkers(
  options: ReplayOptions,
  control: Session,
  first: readonly ReplayedSubject[],
  counts: Counts,
): Promise<readonly ReplayedSubject[]> {
  for (let folded = first; ;) {
    await waitingFor(options, control, async () => {
      await control.query('BEGIN');
      await control.query(`SELECT pg_advisory_xact_lock(${SUBJECTS_LOCK})`);
      await control.query('SELECT id FROM subjects ORDER BY id FOR UPDATE');
      await control.query('SELECT lane FROM checkpoints ORDER BY observer, subject, lane FOR UPDATE');
    });
    const now = await readSubjects(options, control);
    const ahead = now.filter((subject) => {
      const before = foldedBefore(folded, subject);
      return (
        subject.epoch !== before.epoch || subject.lanes.some((seqNo, lane) => seqNo !== before.lanes[lane])
      );
    });
    if (ahead.length === 0) return folded;
    // Nobody waits while the rest is folded.
    await control.query('COMMIT');
    for (const subject of ahead) {
      const hashes = await eraseTouched(options, control, foldedBefore(folded, subject), subject, counts);
      if (hashes.length > 0) await foldHere(options, control, subject, { only: hashes }, counts);
    }
    folded = now;
  }
}

const foldedBefore = (folded: readonly ReplayedSubject[], now: ReplayedSubject): ReplayedSubject =>
  folded.find((one) => one.subject === now.subject) ?? {
    ...now,
    lanes: now.lanes.map(() => BEFORE_FIRST),
    epoch: now.epoch,
    lastFeedNo: 0n,
  };

/**
 * Aggregates that have been given events since, and those of which a change of what had been told took events, added some below what was
 * folded, or changed which of them count. After a reorg the new branch's events, too, lie below what was folded. Parameters: subject,
 * least lane before, last feed number before, whether the epoch is another.
 */
const selectTouched = (lanes: readonly bigint[], before: readonly bigint[]): string => `
  SELECT aggregate_hash AS hash, aggregate_type AS type, aggregate_id AS id FROM event_log
    WHERE subject = $1 AND seq_no > $2 AND ${executedCondition(lanes)} AND NOT (${executedCondition(before)})
  UNION SELECT e.aggregate_hash, e.aggregate_type, e.aggregate_id FROM feed f JOIN event_log e ON e.subject = f.subject
    AND e.seq_no BETWEEN f.from_seq_no AND f.to_seq_no AND e.feed_no = f.feed_no
    WHERE $4 AND f.subject = $1 AND f.feed_no > $3
  UNION SELECT aggregate_hash, aggregate_type, aggregate_id FROM retracted_events
    WHERE $4 AND subject = $1 AND retracted_feed_no > $3
  UNION SELECT NULL, aggregate_type, aggregate_id FROM feed
    WHERE $4 AND subject = $1 AND feed_no > $3 AND aggregate_id IS NOT NULL`;

/** Removes from the fresh tables whatever aggregates have been touched since. @returns their hashes. */
async function eraseTouched(
  options: ReplayOptions,
  control: Session,
  before: ReplayedSubject,
  { subject, subjectId, lanes, epoch }: ReplayedSubject,
  counts: Counts,
): Promise<readonly bigint[]> {
  const least = before.lanes.reduce((a, b) => (b < a ? b : a));
  const touched = await control.query(selectTouched(lanes, before.lanes), [
    subject,
    least.toString(),
    before.lastFeedNo.toString(),
    epoch !== before.epoch,
  ]);
  const found = touched.rows as { hash: string | null; type: string; id: string }[];
  const hashes = [...new Set(found.map(({ hash, type, id }) => hash ?? aggregateHash(type, id).toString()))];
  if (hashes.length === 0) return [];
  // Others share a hash: they are folded again with these.
  const ids = await control.query(
    `SELECT aggregate_type AS type, aggregate_id AS id FROM event_log WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[])
     UNION SELECT aggregate_type, aggregate_id FROM retracted_events WHERE subject = $1 AND retracted_feed_no > $3
       AND aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes, before.lastFeedNo.toString()],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING event_log e WHERE a.subject = $1 AND e.subject = $1 AND e.seq_no = a.seq_no
     AND e.aggregate_hash = ANY($2::bigint[])`,
    [subject, hashes],
  );
  await control.query(
    `DELETE FROM "${freshName('activities')}" a USING retracted_events e WHERE a.subject = $1 AND e.subject = $1
     AND e.seq_no = a.seq_no AND e.retracted_feed_no > $2`,
    [subject, before.lastFeedNo.toString()],
  );
  for (const { type, id } of ids.rows as { type: string; id: string }[]) {
    counts.parked.delete(`${subject}/${aggregateKeyText(type, id)}`);
  }
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
