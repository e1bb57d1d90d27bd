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
