import type { PoolClient } from 'pg';
import {
  aggregateHash,
  laneOf,
  type AggregateKey,
  type Event,
  type SeqNo,
  type Snapshot,
  type StateRow,
} from '@imart/core';
import { createRunFolder, createStateCache, inSlices, type ParkMarker } from '@imart/pipeline';
import type { SubjectStoreOptions } from '../subject/createSubjectStore';
import { activitiesText } from '../subject/activities';
import { eventColumns, readEvents, type LogContext } from '../subject/eventLog';
import { keyTextOf } from '../subject/marketTables';
import { activityCells, type RowCells } from './storedRows';

/** Events in one read of a round. */
const EVENTS_PER_READ = 2_500;

/** What the log makes of some aggregates. */
export interface ExpectedStates {
  readonly rows: readonly StateRow[];
  readonly activities: ReadonlyMap<string, { readonly event: Event; readonly cells: RowCells }>;
  readonly snapshots: readonly Snapshot[];
  readonly parked: readonly ParkMarker[];
  /** Places of their events, each with its aggregate, also of events that wait. */
  readonly places: ReadonlyMap<SeqNo, AggregateKey>;
}

/** A snapshot as it is stored. */
export interface StoredSnapshot extends AggregateKey {
  readonly seqNo: SeqNo;
  readonly reducerVersion: number;
  readonly version: number;
  readonly state: string;
}

/** Why aggregates are set aside, as it is stored. */
export async function readMarkers(
  client: PoolClient,
  { subject }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
): Promise<readonly ParkMarker[]> {
  const { rows } = await client.query(
    `SELECT p.aggregate_type, p.aggregate_id, p.from_seq_no, p.code, p.message FROM park_markers p
     JOIN unnest($2::text[], $3::text[]) k(type, id) ON p.aggregate_type = k.type AND p.aggregate_id = k.id WHERE p.subject = $1`,
    [subject, keys.map((key) => key.aggregateType), keys.map((key) => key.aggregateId)],
  );
  return (rows as Record<string, string>[]).map((row) => ({
    aggregateType: row.aggregate_type as string,
    aggregateId: row.aggregate_id as string,
    fromSeqNo: BigInt(row.from_seq_no as string) as SeqNo,
    code: row.code as string,
    message: row.message as string,
  }));
}

/** Of the version of each reducer; others are used by nobody. */
export async function readSnapshots(
  client: PoolClient,
  { subject, observer }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
): Promise<readonly StoredSnapshot[]> {
  const { rows } = await client.query(
    `SELECT aggregate_type, aggregate_id, seq_no, reducer_version, version, state FROM snapshots
     WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[]) ORDER BY seq_no`,
    [subject, hashesOf(keys)],
  );
  const wanted = new Set(keys.map(keyTextOf));
  return (rows as Record<string, string | number>[])
    .map((row) => ({
      aggregateType: String(row.aggregate_type),
      aggregateId: String(row.aggregate_id),
      seqNo: BigInt(row.seq_no as string) as SeqNo,
      reducerVersion: Number(row.reducer_version),
      version: Number(row.version),
      state: String(row.state),
    }))
    .filter(
      (one) =>
        wanted.has(keyTextOf(one)) &&
        observer.reducers.get(one.aggregateType)?.version === one.reducerVersion,
    );
}

/** What the log finds aggregates by. */
export const hashesOf = (keys: readonly AggregateKey[]): readonly string[] =>
  keys.map((key) => aggregateHash(key.aggregateType, key.aggregateId).toString());

/** Folds the events of some aggregates as far as lanes have executed them, with a snapshot wherever one is stored. */
export async function foldExpected(
  client: PoolClient,
  { subject, lanes, observer }: SubjectStoreOptions,
  log: LogContext,
  keys: readonly AggregateKey[],
  markers: readonly ParkMarker[],
  snapshots: readonly StoredSnapshot[],
): Promise<ExpectedStates> {
  const checkpoints = await client.query(
    'SELECT seq_no FROM checkpoints WHERE observer = $1 AND subject = $2 ORDER BY lane',
    [observer.name, subject],
  );
  const executed = (checkpoints.rows as { seq_no: string }[]).map((row) => BigInt(row.seq_no));
  const skipped = await client.query('SELECT seq_no FROM skipped_events WHERE subject = $1', [subject]);
  const isSkipped = new Set((skipped.rows as { seq_no: string }[]).map((row) => BigInt(row.seq_no)));
  const parkedFrom = new Map(markers.map((marker) => [keyTextOf(marker), marker.fromSeqNo]));
  const wanted = new Map(keys.map((key) => [keyTextOf(key), key]));
  const versions = new Set(snapshots.map(({ version }) => version));

  const places = new Map<SeqNo, AggregateKey>();
  const activities = new Map<string, { event: Event; cells: RowCells }>();
  const folder = createRunFolder({
    observer,
    cache: createStateCache(Infinity, true),
    parked: new Set(),
    snapshotRule: (_before, after) => versions.has(after),
  });
  await client.query(
    `DECLARE audited NO SCROLL CURSOR FOR SELECT ${eventColumns('event_log')} FROM event_log
     WHERE subject = ${subject} AND aggregate_hash = ANY('{${hashesOf(keys).join(',')}}'::bigint[])
     ORDER BY aggregate_hash, aggregate_type, aggregate_id, seq_no`,
  );
  for (;;) {
    const { rows } = await client.query(`FETCH ${EVENTS_PER_READ} FROM audited`);
    const events = readEvents(log, rows).filter((event) => wanted.has(keyTextOf(event)));
    await inSlices(events, (slice) => {
      for (const event of slice) places.set(event.seqNo, wanted.get(keyTextOf(event)) as AggregateKey);
      folder.fold(
        slice.filter((event) => {
          const lane = laneOf(aggregateHash(event.aggregateType, event.aggregateId), lanes);
          const waits = event.seqNo >= (parkedFrom.get(keyTextOf(event)) ?? Infinity);
          return !waits && event.seqNo <= (executed[lane] ?? -1n) && !isSkipped.has(event.seqNo);
        }),
      );
    });
    if (rows.length < EVENTS_PER_READ) break;
  }
  await client.query('CLOSE audited');
  const run = folder.result();
  for (const activity of run.activities) {
    const line = activitiesText(subject, [activity]).slice(0, -1);
    activities.set(`${activity.event.seqNo}:${activity.item}`, {
      event: activity.event,
      cells: activityCells(line),
    });
  }
  return { rows: run.rows, activities, snapshots: run.snapshots, parked: run.parked, places };
}
