import type { ClientBase } from 'pg';
import { freshName } from './freshTables';

/** How a table differs from its replay. */
export interface TableDifference {
  readonly table: string;
  readonly rows: number;
  /** The first few, as JSON of both sides; `null` where a side has no such row. */
  readonly samples: readonly { readonly live: unknown; readonly replayed: unknown }[];
}

const SAMPLES = 5;

/**
 * What a table's rows are, whatever their order: their number, and the sum of a 64-bit hash over all columns of each. It costs a third of
 * joining the table with its other side, which only a difference is worth.
 */
export async function fingerprint(client: ClientBase, name: string): Promise<string> {
  const { rows } = await client.query(
    `SELECT concat(count(*), ' rows, ', sum(hash_record_extended(t.*, 0))) AS text FROM "${name}" t`,
  );
  return (rows[0] as { text: string }).text;
}

/** Compares a live table with its replay, row by row over the primary key. `null` when they are equal. */
export async function compareTable(client: ClientBase, table: string): Promise<TableDifference | null> {
  const { rows: keys } = await client.query(
    `SELECT a.attname AS name FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
     WHERE x.indrelid = $1::regclass AND x.indisprimary`,
    [table],
  );
  const same = (keys as { name: string }[]).map(({ name }) => `l."${name}" = r."${name}"`).join(' AND ');
  const different = `FROM "${table}" l FULL JOIN "${freshName(table)}" r ON ${same} WHERE l.* IS DISTINCT FROM r.*`;
  const { rows } = await client.query(`SELECT count(*)::int AS n ${different}`);
  const count = (rows[0] as { n: number }).n;
  if (count === 0) return null;
  const samples = await client.query(
    `SELECT to_jsonb(l) AS live, to_jsonb(r) AS replayed ${different} LIMIT ${SAMPLES}`,
  );
  return { table, rows: count, samples: samples.rows as TableDifference['samples'] };
}
