import type { Pool, PoolClient } from 'pg';
import {
  aggregateHash,
  aggregateKeyText,
  laneOf,
  type AggregateKey,
  type Event,
  type SeqNo,
  type Snapshot,
  type StateRow,
} from '@imart/core';
import {
  createRunFolder,
  createStateCache,
  decodeState,
  inSlices,
  type ParkMarker,
  type StateAudit,
  type StateDifference,
} from '@imart/pipeline';
import type { SubjectStoreOptions } from '../subject/createSubjectStore';
import { activitiesText } from '../subject/activities';
import { readEvents, type LogContext } from '../subject/eventLog';
import {
  byType,
  keyTextOf,
  marketJson,
  marketTables,
  rowKey,
  type MarketTable,
} from '../subject/marketTables';
import { toStorageError } from '../subject/pgErrors';
import { readRow, selectList } from '../subject/tables';
import { withSession } from '../replay/session';
import { mustBeOfReducers, SELECT_REDUCER_VERSIONS } from './reducerVersions';
import { stableJson } from './stableJson';
import {
  activityCells,
  differentColumns,
  SELECT_ACTIVITY,
  stateCells,
  storedActivityCells,
  type RowCells,
} from './storedRows';

/** Aggregates that are compared in one transaction. */
const AGGREGATES_PER_ROUND = 200;

/** What `readEvents` reads. */
const EVENT_COLUMNS =
  `seq_no, aggregate_type, aggregate_id, name, data, time_us, ` +
  `encode(tx_hash, 'hex') AS tx_hash, encode(block_hash, 'hex') AS block_hash, address`;

/** Events in one read of a round. */
const EVENTS_PER_READ = 2_500;

/** The audit of one subject's states. Reads only. */
export function createStateAudit(options: SubjectStoreOptions): StateAudit {
  const { pool, subject, observer, codec, seqNos } = options;
  const log: LogContext = { subject, subjectId: observer.subjectId, codec, seqNos };
  const bounds = ({ fromPosition, toPosition }: { fromPosition: bigint; toPosition: bigint }) => [
    subject,
    seqNos.first(fromPosition).toString(),
    seqNos.last(toPosition).toString(),
  ];

  return {
    aggregatesIn: (range) =>
      translated(async () => {
        const keys = new Map<string, AggregateKey>();
        const add = (key: AggregateKey): void => void keys.set(keyTextOf(key), key);
        const { rows } = await pool.query(
          `SELECT DISTINCT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId" FROM event_log
           WHERE subject = $1 AND seq_no BETWEEN $2 AND $3`,
          bounds(range),
        );
        for (const key of rows as AggregateKey[]) if (observer.reducers.has(key.aggregateType)) add(key);
        for (const reducer of observer.reducers.values()) {
          for (const name of reducer.tables) {
            const table = marketTables.get(name) as MarketTable;
            const typed = table.sharedByTypes ? ` AND aggregate_type = '${reducer.aggregateType}'` : '';
            const found = await pool.query(
              `SELECT DISTINCT ${table.idColumns.map((c) => `"${c}"::text`).join(` || ':' || `)} AS id FROM "${name}"
               WHERE subject = $1 AND seq_no BETWEEN $2 AND $3${typed}`,
              bounds(range),
            );
            for (const { id } of found.rows as { id: string }[])
              add({ aggregateType: reducer.aggregateType, aggregateId: id });
          }
        }
        return [...keys.values()];
      }),

    strayActivities: (range) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT a.seq_no, a.item FROM activities a WHERE a.subject = $1 AND a.seq_no BETWEEN $2 AND $3
             AND NOT EXISTS (SELECT FROM event_log e WHERE e.subject = a.subject AND e.seq_no = a.seq_no) ORDER BY 1, 2`,
          bounds(range),
        );
        return (rows as { seq_no: string; item: number }[]).map(({ seq_no, item }) => ({
          seqNo: BigInt(seq_no) as SeqNo,
          item,
        }));
      }),

    compare: (keys) =>
      translated(async () => {
        const differences: StateDifference[] = [];
        for (let start = 0; start < keys.length; start += AGGREGATES_PER_ROUND) {
          const round = keys.slice(start, start + AGGREGATES_PER_ROUND);
          differences.push(
            ...(await withSnapshot(pool, (client) => compareRound(client, options, log, round))),
          );
        }
        return differences;
      }),
  };
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Everything that is read, is read as of one moment: workers may work meanwhile. */
function withSnapshot<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return withSession(pool, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });
}

/** What the log makes of some aggregates. */
interface Expected {
  readonly rows: readonly StateRow[];
  readonly activities: ReadonlyMap<string, { readonly event: Event; readonly cells: RowCells }>;
  readonly snapshots: readonly Snapshot[];
  readonly parked: readonly ParkMarker[];
  /** Places of their events, each with its aggregate, also of events that wait. */
  readonly places: ReadonlyMap<SeqNo, AggregateKey>;
}

interface StoredSnapshot extends AggregateKey {
  readonly seqNo: SeqNo;
  readonly reducerVersion: number;
  readonly version: number;
  readonly state: string;
}

async function compareRound(
  client: PoolClient,
  options: SubjectStoreOptions,
  log: LogContext,
  keys: readonly AggregateKey[],
): Promise<readonly StateDifference[]> {
  const { rows } = await client.query(`SELECT ${SELECT_REDUCER_VERSIONS} AS text`);
  mustBeOfReducers((rows[0] as { text: string | null }).text, options.observer);
  const markers = await readMarkers(client, options, keys);
  const snapshots = await readSnapshots(client, options, keys);
  const expected = await foldExpected(client, options, log, keys, markers, snapshots);
  return [
    ...(await compareRows(client, options, keys, expected)),
    ...(await compareActivities(client, options, keys, expected)),
    ...compareSnapshots(snapshots, expected),
    ...compareMarkers(markers, expected),
  ];
}

async function readMarkers(
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
async function readSnapshots(
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

const hashesOf = (keys: readonly AggregateKey[]): readonly string[] =>
  keys.map((key) => aggregateHash(key.aggregateType, key.aggregateId).toString());

async function foldExpected(
  client: PoolClient,
  { subject, lanes, observer }: SubjectStoreOptions,
  log: LogContext,
  keys: readonly AggregateKey[],
  markers: readonly ParkMarker[],
  snapshots: readonly StoredSnapshot[],
): Promise<Expected> {
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
    `DECLARE audited NO SCROLL CURSOR FOR SELECT ${EVENT_COLUMNS} FROM event_log
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

async function compareRows(
  client: PoolClient,
  { subject, observer }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
  { rows: folded }: Expected,
): Promise<readonly StateDifference[]> {
  const expected = new Map(folded.map((row) => [`${row.table}/${row.key}`, row]));
  const differences: StateDifference[] = [];
  for (const [type, group] of byType(keys)) {
    for (const name of observer.reducers.get(type)?.tables ?? []) {
      const table = marketTables.get(name) as MarketTable;
      const ids = new Map(group.map((key) => [table.idValues(key.aggregateId).join(':'), key]));
      const values = group.map((key) => table.idValues(key.aggregateId));
      const found = await client.query(
        `SELECT ${selectList(table, 't')} FROM unnest(${table.idTypes.map((t, i) => `$${i + 2}::${t}`).join(', ')})
         AS k(${table.idColumns.map((_name, i) => `k${i}`).join(', ')}) JOIN "${name}" t ON t.subject = $1
         AND ${table.idColumns.map((c, i) => `t."${c}" = k.k${i}`).join(' AND ')}
         ${table.sharedByTypes ? `AND t.aggregate_type = '${type}'` : ''}`,
        [subject, ...table.idColumns.map((_name, i) => values.map((v) => v[i]))],
      );
      for (const stored of found.rows as Record<string, unknown>[]) {
        const key = rowKey(table, stored);
        const own = expected.get(`${name}/${key}`);
        expected.delete(`${name}/${key}`);
        const aggregate = ids.get(table.idColumns.map((c) => String(stored[c])).join(':')) ?? null;
        const row = readRow(table, stored, key, marketJson);
        const columns = differentColumns(
          stateCells(table.columns, row),
          own === undefined ? null : stateCells(table.columns, own),
        );
        if (columns.length === 0) continue;
        differences.push({
          table: name,
          key,
          aggregate,
          kind: own === undefined ? 'extra' : 'different',
          columns,
        });
      }
    }
  }
  for (const row of expected.values()) {
    const table = marketTables.get(row.table) as MarketTable;
    const columns = differentColumns(null, stateCells(table.columns, row));
    differences.push({
      table: row.table,
      key: row.key,
      aggregate: aggregateOf(table, row, keys),
      kind: 'missing',
      columns,
    });
  }
  return differences;
}

/** The aggregate of a row that the log makes. */
function aggregateOf(table: MarketTable, row: StateRow, keys: readonly AggregateKey[]): AggregateKey | null {
  const cells = stateCells(table.columns, row);
  const id = table.idColumns.map((name) => cells[name]).join(':');
  const type = table.sharedByTypes ? cells['aggregate_type'] : null;
  return (
    keys.find(
      (key) =>
        table.idValues(key.aggregateId).join(':') === id && (type === null || key.aggregateType === type),
    ) ?? null
  );
}

async function compareActivities(
  client: PoolClient,
  { subject }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
  { activities, places }: Expected,
): Promise<readonly StateDifference[]> {
  const { rows } = await client.query(
    `SELECT a.seq_no, a.item, ${SELECT_ACTIVITY} FROM event_log e JOIN activities a ON a.subject = e.subject AND a.seq_no = e.seq_no
     WHERE e.subject = $1 AND e.aggregate_hash = ANY($2::bigint[])`,
    [subject, hashesOf(keys)],
  );
  const left = new Map(activities);
  const differences: StateDifference[] = [];
  for (const stored of rows as Record<string, unknown>[]) {
    const aggregate = places.get(BigInt(stored['seq_no'] as string) as SeqNo);
    // Of another aggregate with the same hash.
    if (aggregate === undefined) continue;
    const key = `${stored['seq_no']}:${stored['item']}`;
    const own = left.get(key);
    left.delete(key);
    const columns = differentColumns(storedActivityCells(stored), own?.cells ?? null);
    if (columns.length === 0) continue;
    differences.push({
      table: 'activities',
      key,
      aggregate,
      kind: own === undefined ? 'extra' : 'different',
      columns,
    });
  }
  for (const [key, { event, cells }] of left) {
    const { aggregateType, aggregateId } = event;
    const columns = differentColumns(null, cells);
    differences.push({
      table: 'activities',
      key,
      aggregate: { aggregateType, aggregateId },
      kind: 'missing',
      columns,
    });
  }
  return differences;
}

/** Only those that are there count: none is needed. */
function compareSnapshots(
  stored: readonly StoredSnapshot[],
  { snapshots }: Expected,
): readonly StateDifference[] {
  const keyOf = (one: AggregateKey, seqNo: SeqNo): string => `${keyTextOf(one)}@${seqNo}`;
  const expected = new Map(snapshots.map((one) => [keyOf(one, one.state.seqNo), stableJson(one.state)]));
  return stored.flatMap((one): StateDifference[] => {
    const key = keyOf(one, one.seqNo);
    const should = expected.get(key) ?? null;
    const is = stableJson(decodeState(one.state));
    if (should === is) return [];
    const { aggregateType, aggregateId } = one;
    return [
      {
        table: 'snapshots',
        key,
        aggregate: { aggregateType, aggregateId },
        kind: should === null ? 'extra' : 'different',
        columns: [{ column: 'state', stored: is, expected: should }],
      },
    ];
  });
}

function compareMarkers(
  stored: readonly ParkMarker[],
  { parked, places }: Expected,
): readonly StateDifference[] {
  const difference = (
    { aggregateType, aggregateId, fromSeqNo, code }: ParkMarker,
    kind: 'missing' | 'extra',
  ): StateDifference => ({
    table: 'park_markers',
    key: `${aggregateKeyText(aggregateType, aggregateId)}@${fromSeqNo}`,
    aggregate: { aggregateType, aggregateId },
    kind,
    columns: [
      { column: 'code', stored: kind === 'extra' ? code : null, expected: kind === 'extra' ? null : code },
    ],
  });
  return [
    ...parked.map((marker) => difference(marker, 'missing')),
    // A marker of an event that the log does not have sets its aggregate aside for nothing.
    ...stored
      .filter((marker) => keyTextOf(places.get(marker.fromSeqNo) ?? NOBODY) !== keyTextOf(marker))
      .map((marker) => difference(marker, 'extra')),
  ];
}

const NOBODY: AggregateKey = { aggregateType: '', aggregateId: '' };
