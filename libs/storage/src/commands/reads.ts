import {
  aggregateHash,
  aggregateKeyText,
  type AggregateKey,
  type FoldState,
  type Observer,
  type SeqNo,
} from '@imart/core';
import type {
  AggregateReads,
  AggregateState,
  Moment,
  SnapshotPlace,
  StateSource,
} from '@imart/event-service';
import { COMMAND_OBSERVER } from '@imart/event-service';
import { decodeState, encodeState } from '@imart/pipeline';
import { NOT_SKIPPED } from '../subject/eventLog';
import { LOG_AND_ARCHIVE } from './archive';
import { COMMAND_EVENT_COLUMNS, commandEvents, type RawRow } from './commandEvents';
import { keyOf, type CommandContext } from './context';
import { executeRaw, type PreparedStatement, type PreparedValue } from './prepared';
import { onConnection, translated } from './session';

/** Snapshots that are kept of an aggregate and reducer version: states of the past are folded from them. */
const SNAPSHOTS_KEPT = 10;

const MAX_SEQ_NO = '9223372036854775807';

/** SQL: the event `e` is of the aggregate `k`. */
const OF_AGGREGATE =
  'e.subject = $1 AND e.aggregate_hash = k.hash AND e.aggregate_type = k.type AND e.aggregate_id = k.id AND e.version IS NOT NULL';

/**
 * Of each aggregate: where it is set aside, its snapshot, and the events after it, all of one statement and so of one moment (E10).
 * `upTo` is SQL for the last seq no, of `k`. Each is looked up by itself, and by its own index (which gives the order; `+ 0` keeps that of seq nos
 * out of it): a plan that joins whole tables would be one for the tables as they were when it was made. Parameters: subject, hashes, types, ids, reducer version, whether snapshots are used.
 */
const selectSources = (upTo: string): string => `
  WITH asked AS MATERIALIZED (
    SELECT k.*, (${upTo}) AS up_to, p.from_seq_no AS parked_from, p.code, p.message
    FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS k(hash, type, id, place)
    LEFT JOIN LATERAL (SELECT p.from_seq_no, p.code, p.message FROM park_markers p
      WHERE p.subject = $1 AND p.aggregate_type = k.type AND p.aggregate_id = k.id LIMIT 1) p ON true
  ), bounded AS MATERIALIZED (
    SELECT *, least(up_to, parked_from - 1) AS last FROM asked
  ), base AS MATERIALIZED (
    SELECT k.place, s.version, s.state FROM bounded k CROSS JOIN LATERAL (
      SELECT s.version, s.state FROM snapshots s WHERE $6 AND s.subject = $1 AND s.aggregate_hash = k.hash AND s.aggregate_type = k.type
        AND s.aggregate_id = k.id AND s.reducer_version = $5 AND s.seq_no <= k.last ORDER BY s.seq_no DESC LIMIT 1) s
  )
  SELECT NULL AS head, NULL AS data, NULL AS address, k.place,
    b.state, CASE WHEN k.parked_from <= k.up_to THEN k.parked_from END AS parked_from, k.code, k.message
  FROM bounded k LEFT JOIN base b USING (place)
  UNION ALL
  SELECT r.*, k.place, NULL, NULL, NULL, NULL
  FROM bounded k LEFT JOIN base b USING (place) CROSS JOIN LATERAL (
    SELECT ${COMMAND_EVENT_COLUMNS} FROM ${LOG_AND_ARCHIVE} e WHERE ${OF_AGGREGATE} AND e.version > coalesce(b.version, 0)
      AND e.seq_no + 0 <= k.last AND ${NOT_SKIPPED} ORDER BY e.version OFFSET 0) r`;

/** Where the columns of {@link selectSources} are that are not an event's. */
const PLACE = 3;
const STATE = 4;
const PARKED_FROM = 5;
const CODE = 6;
const MESSAGE = 7;

/** Parameters: subject, hash, type, id, after, limit. */
const READ_EVENTS: PreparedStatement = {
  name: 'imart_read_events',
  types: ['smallint', 'bigint', 'text', 'text', 'bigint', 'bigint'],
  text:
    `SELECT ${COMMAND_EVENT_COLUMNS} FROM ${LOG_AND_ARCHIVE} e WHERE e.subject = $1 AND e.aggregate_hash = $2 ` +
    `AND e.aggregate_type = $3 AND e.aggregate_id = $4 AND e.version > $5 ORDER BY e.version LIMIT $6`,
};

/** The lane of `k` has executed so far. */
const executedUpTo = (lanes: number): string =>
  `SELECT c.seq_no FROM checkpoints c WHERE c.observer = '${COMMAND_OBSERVER}' AND c.subject = $1
   AND c.lane = (k.hash & ${MAX_SEQ_NO}) % ${lanes}`;

/** Up to which seq no of `k`. The moment's parameter is $7. */
const UP_TO = {
  latest: `SELECT ${MAX_SEQ_NO}::bigint`,
  seqNo: 'SELECT $7::bigint',
  // Times of an aggregate rise with its versions.
  time: `SELECT coalesce((SELECT e.seq_no FROM ${LOG_AND_ARCHIVE} e WHERE ${OF_AGGREGATE} AND e.time_us <= $7
    ORDER BY e.version DESC LIMIT 1), -1)`,
} as const;

const SOURCE_TYPES = ['smallint', 'bigint[]', 'text[]', 'text[]', 'integer', 'boolean'];

const sourcesStatement = (name: string, upTo: string): PreparedStatement => ({
  name: `imart_sources_${name}`,
  types: [...SOURCE_TYPES, ...(upTo.includes('$7') ? ['bigint'] : [])],
  text: selectSources(upTo),
});

const SOURCES = {
  latest: sourcesStatement('latest', UP_TO.latest),
  seqNo: sourcesStatement('seq_no', UP_TO.seqNo),
  time: sourcesStatement('time', UP_TO.time),
} as const;

/** The moment's parameter. */
function momentOf(moment: Moment): readonly string[] {
  if (moment.kind === 'latest') return [];
  return [(moment.kind === 'seqNo' ? moment.seqNo : moment.timeUs).toString()];
}

function parkedOf(row: RawRow): StateSource['parked'] {
  const from = row[PARKED_FROM] ?? null;
  if (from === null) return null;
  return { fromSeqNo: BigInt(from) as SeqNo, code: row[CODE] ?? '', message: row[MESSAGE] ?? '' };
}

export interface CommandReads extends AggregateReads {
  /** The states that the lanes have come to; aggregates without an event are missing. Keyed by `aggregateKeyText`. */
  loadStates(observer: Observer, keys: readonly AggregateKey[]): Promise<ReadonlyMap<string, FoldState>>;
  /** Latest sources of several aggregates, of one statement; keyed by aggregate id. */
  readStateSources(ids: readonly string[]): Promise<ReadonlyMap<string, StateSource>>;
}

export function createReads(context: CommandContext): CommandReads {
  const { pool, log, aggregateType, reducerVersion, lanes } = context;
  const { subject } = log;

  const execute = async (
    statement: PreparedStatement,
    values: readonly PreparedValue[],
  ): Promise<readonly RawRow[]> => {
    if (!context.isWithin)
      return (await onConnection(pool, (client) => executeRaw(client, statement, values))).rows;
    const { rows } = await pool.query(statement.text, [...values]);
    return (rows as object[]).map((row): RawRow => Object.values(row));
  };

  const executedSources = sourcesStatement(`executed_${lanes}`, executedUpTo(lanes));

  const readSources = async (
    statement: PreparedStatement,
    ids: readonly string[],
    moment: readonly string[],
    useSnapshot: boolean,
  ): Promise<readonly StateSource[]> => {
    const rows = await execute(statement, [
      subject,
      ids.map((id) => aggregateHash(aggregateType, id).toString()),
      ids.map(() => aggregateType),
      ids,
      reducerVersion,
      useSnapshot,
      ...moment,
    ]);
    const found = ids.map((id) => ({ id, head: [] as RawRow, events: [] as RawRow[] }));
    for (const row of rows) {
      const one = found[Number(row[PLACE]) - 1] as (typeof found)[number];
      if (row[0] === null) one.head = row;
      else one.events.push(row);
    }
    return found.map(({ id, head, events }) => ({
      snapshot: typeof head[STATE] === 'string' ? decodeState(head[STATE]) : null,
      parked: parkedOf(head),
      events: commandEvents(log, aggregateType, id, events).sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1)),
    }));
  };

  return {
    loadStates: (observer, keys) =>
      translated(async () => {
        const states = new Map<string, FoldState>();
        const reducer = observer.reducers.get(aggregateType);
        const ids = keys.filter((key) => key.aggregateType === aggregateType).map((key) => key.aggregateId);
        if (reducer === undefined || ids.length === 0) return states;
        const sources = await readSources(executedSources, ids, [], true);
        sources.forEach(({ snapshot, events, parked }, i) => {
          const id = ids[i] as string;
          // One that is set aside is not folded.
          if (parked !== null || (snapshot === null && events.length === 0)) return;
          const state = events.reduce(
            (before, event) => reducer.fold(before, event).state,
            snapshot ?? reducer.initial(id),
          );
          states.set(aggregateKeyText(aggregateType, id), state);
        });
        return states;
      }),

    readStateSources: (ids) =>
      translated(async () => {
        const sources = await readSources(SOURCES.latest, ids, [], true);
        return new Map(ids.map((id, i) => [id, sources[i] as StateSource]));
      }),

    readStateSource: (aggregateId, moment, useSnapshot = true) =>
      translated(async () => {
        const [source] = await readSources(
          SOURCES[moment.kind],
          [aggregateId],
          momentOf(moment),
          useSnapshot,
        );
        return source as StateSource;
      }),

    readEvents: (aggregateId, afterVersion, limit) =>
      translated(async () => {
        const rows = await execute(READ_EVENTS, [
          subject,
          ...keyOf(context, aggregateId),
          afterVersion,
          limit,
        ]);
        return commandEvents(log, aggregateType, aggregateId, rows);
      }),

    readSnapshot: (aggregateId, moment) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT s.state FROM (SELECT k.*, (${UP_TO[moment.kind]}) AS up_to FROM unnest($2::bigint[], $3::text[], $4::text[]) AS k(hash, type, id)) k
           CROSS JOIN LATERAL (SELECT s.state FROM snapshots s WHERE $6 AND s.subject = $1 AND s.aggregate_hash = k.hash
             AND s.aggregate_type = k.type AND s.aggregate_id = k.id AND s.reducer_version = $5 AND s.seq_no <= k.up_to
             ORDER BY s.seq_no DESC LIMIT 1) s`,
          [
            subject,
            ...keyOf(context, aggregateId).map((part) => [part]),
            reducerVersion,
            true,
            ...momentOf(moment),
          ],
        );
        const row = rows[0] as { state: string } | undefined;
        return row === undefined ? null : decodeState(row.state);
      }),

    snapshotPlaces: (aggregateIds) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT k.id, s.version, s.state::json #>> '{timeUs,$n}' AS time_us FROM unnest($2::bigint[], $3::text[]) AS k(hash, id)
           CROSS JOIN LATERAL (SELECT s.version, s.state FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = k.hash
             AND s.aggregate_type = $4 AND s.aggregate_id = k.id AND s.reducer_version = $5 ORDER BY s.seq_no DESC LIMIT 1) s`,
          [
            subject,
            aggregateIds.map((id) => aggregateHash(aggregateType, id).toString()),
            aggregateIds,
            aggregateType,
            reducerVersion,
          ],
        );
        return new Map(
          (rows as { id: string; version: number; time_us: string }[]).map((row): [string, SnapshotPlace] => [
            row.id,
            { version: row.version, timeUs: BigInt(row.time_us) },
          ]),
        );
      }),

    writeSnapshots: (states) =>
      translated(async () => {
        for (const { aggregateId, state } of states) {
          const key = keyOf(context, aggregateId);
          // Not beyond an event that was taken out, or set aside, since the state was read: then it would be another one.
          // Not with the data of a person who was forgotten since it was read: whoever forgets one waits for the lock on the key.
          const { personKeys = [] } = state as AggregateState;
          await pool.query(
            `WITH keys AS (SELECT id FROM person_keys WHERE id = ANY ($9::bigint[]) FOR KEY SHARE)
             INSERT INTO snapshots (subject, aggregate_hash, aggregate_type, aggregate_id, seq_no, reducer_version, version, state)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE NOT EXISTS (SELECT FROM park_markers p WHERE p.subject = $1 AND p.aggregate_type = $3 AND p.aggregate_id = $4)
               AND (SELECT count(*) FROM keys) = cardinality($9::bigint[])
             ON CONFLICT DO NOTHING`,
            [
              subject,
              ...key,
              state.seqNo.toString(),
              reducerVersion,
              state.version,
              encodeState(state),
              personKeys,
            ],
          );
          await pool.query(
            `DELETE FROM snapshots WHERE subject = $1 AND aggregate_hash = $2 AND aggregate_type = $3 AND aggregate_id = $4
               AND reducer_version = $5 AND seq_no < (SELECT s.seq_no FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = $2
                 AND s.aggregate_type = $3 AND s.aggregate_id = $4 AND s.reducer_version = $5
                 ORDER BY s.seq_no DESC OFFSET ${SNAPSHOTS_KEPT - 1} LIMIT 1)`,
            [subject, ...key, reducerVersion],
          );
        }
      }),

    snapshotAggregates: (limit) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT aggregate_id FROM snapshots WHERE subject = $1 AND aggregate_type = $2 AND reducer_version = $3
           GROUP BY aggregate_id ORDER BY max(seq_no) DESC LIMIT $4`,
          [subject, aggregateType, reducerVersion, limit],
        );
        return (rows as { aggregate_id: string }[]).map((row) => row.aggregate_id);
      }),
  };
}
