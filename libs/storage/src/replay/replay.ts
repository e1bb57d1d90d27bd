import { readFileSync } from 'node:fs';
import { waitMs } from '@imart/pipeline';
import { writeReducerVersions } from '../passes/reducerVersions';
import { insertParkMarker } from '../subject/parkMarkers';
import { toStorageError } from '../subject/pgErrors';
import { applyViews } from '../views';
import { lockBehindWorkers } from './behindWorkers';
import { waitingFor } from './sideSessions';
import type { TableDifference } from './compareTables';
import { resultOf, type Counts } from './counts';
import { ReplayError } from './errors';
import { buildIndexes, compareTables } from './finishTables';
import { foldWhole } from './foldSubject';
import {
  createFreshTables,
  dropFreshTables,
  REPLAYED_TABLES,
  switchTables,
  takeTables,
  usersOfTables,
} from './freshTables';
import type { ReplayOptions, ReplayResult } from './options';
import { readSubjects, refuseOlderReducers } from './replayedSubjects';
import { holdReplayLock, releaseReplayLock } from './replayLock';
import { withSession, type Session } from './session';

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
      await releaseReplayLock(control).catch(() => undefined);
    }
  });
}

const PATIENCE_MS_DEFAULT = 10_000;

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
