import type { Pool } from 'pg';
import type { AggregateKey, FoldState, Observer, StateRow } from '@imart/core';
import { arrayOf } from './arrayOf';
import { byType, keyTextOf, marketJson, marketTables, rowKey, type MarketTable } from './marketTables';
import { runScript } from './script';
import { readRow, selectList } from './tables';

/** One look into a table for the rows of aggregates of one type. */
interface Look {
  readonly table: MarketTable;
  readonly type: string;
  readonly ids: readonly string[];
}

/**
 * Up to so many aggregates, all looks go to the server in one message: at the head the ways there and back take longer than the looks. For
 * many, their ids are parameters, which the server need not read as SQL.
 */
const SCRIPT_KEYS_MAX = 1_000;

/** States of aggregates as committed, by `aggregateKeyText`; those without rows are missing. */
export async function loadStates(
  pool: Pool,
  subject: number,
  observer: Observer,
  keys: readonly AggregateKey[],
): Promise<ReadonlyMap<string, FoldState>> {
  const looks: Look[] = [];
  for (const [type, group] of byType(keys)) {
    const ids = group.map((key) => key.aggregateId);
    for (const name of observer.reducers.get(type)?.tables ?? []) {
      looks.push({ table: marketTables.get(name) as MarketTable, type, ids });
    }
  }
  const found =
    keys.length <= SCRIPT_KEYS_MAX
      ? await askTogether(pool, subject, looks)
      : await askEach(pool, subject, looks);
  const states = new Map<string, FoldState>();
  for (const [type, rowsOf] of rowsByAggregate(looks, found)) {
    const reducer = observer.reducers.get(type);
    if (reducer === undefined) continue;
    for (const [id, rows] of rowsOf) {
      states.set(keyTextOf({ aggregateType: type, aggregateId: id }), reducer.restore(id, rows));
    }
  }
  return states;
}

type Cells = Readonly<Record<string, unknown>>;

async function askTogether(
  pool: Pool,
  subject: number,
  looks: readonly Look[],
): Promise<readonly (readonly Cells[])[]> {
  if (looks.length === 0) return [];
  const steps = looks.map((look) => {
    const types = look.table.idTypes.map((type) => (type === 'numeric[]' ? 'numeric' : 'text'));
    const arrays = idColumnsOf(look).map((values, i) => arrayOf(types[i] ?? 'text', values));
    return { statement: selectRows(look, String(subject), arrays) };
  });
  const client = await pool.connect();
  let broken: unknown;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await runScript(client, steps);
  } finally {
    client.off('error', onError);
    client.release(broken !== undefined);
  }
}

async function askEach(
  pool: Pool,
  subject: number,
  looks: readonly Look[],
): Promise<readonly (readonly Cells[])[]> {
  const results: (readonly Cells[])[] = [];
  for (const look of looks) {
    const arrays = look.table.idTypes.map((type, i) => `$${i + 2}::${type}`);
    const { rows } = await pool.query(selectRows(look, '$1', arrays), [subject, ...idColumnsOf(look)]);
    results.push(rows as readonly Cells[]);
  }
  return results;
}

const idColumnsOf = ({ table, ids }: Look): readonly (readonly string[])[] => {
  const values = ids.map(table.idValues);
  return table.idColumns.map((_name, i) => values.map((v) => v[i] as string));
};

/**
 * One look into the primary key for each id. Left to itself, the planner scans a table that is still growing and has no statistics yet,
 * for every run anew: 12 s of 20 in reading 200,000 events.
 */
function selectRows({ table, type }: Look, subject: string, arrays: readonly string[]): string {
  const byId = table.idColumns.map((name, i) => `t."${name}" = k.k${i}`).join(' AND ');
  const typed = table.sharedByTypes ? ` AND t.aggregate_type = '${type}'` : '';
  const newest = table.newestBy === null ? '' : ` ORDER BY t."${table.newestBy}" DESC`;
  return (
    `SELECT ${selectList(table, 'r')} FROM unnest(${arrays.join(', ')}) ` +
    `AS k(${table.idColumns.map((_name, i) => `k${i}`).join(', ')}) CROSS JOIN LATERAL (` +
    `SELECT t.* FROM "${table.name}" t WHERE t.subject = ${subject} AND ${byId}${typed}${newest} LIMIT 1) r`
  );
}

/** By aggregate type, then by aggregate id. */
function rowsByAggregate(
  looks: readonly Look[],
  found: readonly (readonly Cells[])[],
): ReadonlyMap<string, ReadonlyMap<string, readonly StateRow[]>> {
  const types = new Map<string, Map<string, StateRow[]>>();
  looks.forEach(({ table, type }, i) => {
    const ofType = types.get(type) ?? new Map<string, StateRow[]>();
    types.set(type, ofType);
    for (const cells of found[i] ?? []) {
      const row = readRow(table, cells, rowKey(table, cells), marketJson);
      const id = idOf(table, row);
      const rows = ofType.get(id);
      if (rows === undefined) ofType.set(id, [row]);
      else rows.push(row);
    }
  });
  return types;
}

const idOf = (table: MarketTable, row: StateRow): string =>
  table.idColumns
    .map((name) => table.columns.find((c) => c.column === name)?.field as string)
    .map((field) => String((row as unknown as Record<string, unknown>)[field]))
    .join(':');
