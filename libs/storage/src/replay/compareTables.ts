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

/** Some of a table's rows, the same ones of both sides. */
export interface TablePart {
  readonly table: string;
  /** SQL: of which rows of the side under this alias the part consists. It may use columns of the primary key only. */
  readonly condition: (alias: string) => string;
}

/** The only table that is as large as the log: its halves can be compared at the same time. */
const LARGEST = 'activities';

/** The parts to compare, largest first. */
export const partsOf = (tables: readonly string[]): readonly TablePart[] =>
  tables.flatMap((table) =>
    table === LARGEST
      ? [0, 1].map((half) => ({ table, condition: (alias) => `hashint8(${alias}.seq_no) & 1 = ${half}` }))
      : [{ table, condition: () => 'true' }],
  );

/** Compares a part of a live table with its replay, row by row over the primary key. `null` when they are equal. */
export async function compareTable(
  client: ClientBase,
  { table, condition }: TablePart,
): Promise<TableDifference | null> {
  const { rows: keys } = await client.query(
    `SELECT a.attname AS name FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
     WHERE x.indrelid = $1::regclass AND x.indisprimary`,
    [table],
  );
  const same = (keys as { name: string }[]).map(({ name }) => `l."${name}" = r."${name}"`).join(' AND ');
  const side = (name: string, alias: string): string =>
    `(SELECT * FROM "${name}" s WHERE ${condition('s')}) ${alias}`;
  const different = `FROM ${side(table, 'l')} FULL JOIN ${side(freshName(table), 'r')} ON ${same} WHERE l.* IS DISTINCT FROM r.*`;
  const { rows } = await client.query(`SELECT count(*)::int AS n ${different}`);
  const count = (rows[0] as { n: number }).n;
  if (count === 0) return null;
  const samples = await client.query(
    `SELECT to_jsonb(l) AS live, to_jsonb(r) AS replayed ${different} LIMIT ${SAMPLES}`,
  );
  return { table, rows: count, samples: samples.rows as TableDifference['samples'] };
}

/** What differs in the parts of a table is one difference of the table. */
export function byTable(differences: readonly TableDifference[]): readonly TableDifference[] {
  const tables = new Map<string, TableDifference>();
  for (const one of differences) {
    const before = tables.get(one.table);
    tables.set(
      one.table,
      before === undefined
        ? one
        : {
            table: one.table,
            rows: before.rows + one.rows,
            samples: [...before.samples, ...one.samples].slice(0, SAMPLES),
          },
    );
  }
  return [...tables.values()];
}
