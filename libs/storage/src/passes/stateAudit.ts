import type { Pool, PoolClient } from 'pg';
import type { AggregateKey, SeqNo } from '@imart/core';
import type { StateAudit, StateDifference } from '@imart/pipeline';
import { withSession } from '../replay/session';
import type { SubjectStoreOptions } from '../subject/createSubjectStore';
import type { LogContext } from '../subject/eventLog';
import { keyTextOf, marketTables, type MarketTable } from '../subject/marketTables';
import { toStorageError } from '../subject/pgErrors';
import { compareActivities, compareMarkers, compareRows, compareSnapshots } from './compareStates';
import { foldExpected, readMarkers, readSnapshots } from './expectedStates';
import { mustBeOfReducers, SELECT_REDUCER_VERSIONS } from './reducerVersions';

/** Aggregates that are compared in one transaction. */
const AGGREGATES_PER_ROUND = 200;

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
