import type { StateRow } from '@imart/core';
import { copyTextCell, timestampText } from './copyText';

/** How a column's value is written and read. `word` is text that is known to need no escaping: hex, addresses, known words. */
export type ColumnType = 'word' | 'text' | 'quantity' | 'bigint' | 'int' | 'flag' | 'time' | 'json';

/** A column and the field of the row that it holds. */
export interface Column {
  readonly column: string;
  readonly field: string;
  readonly type: ColumnType;
}

/** A state table: its columns without `subject`, and which of them, with `subject`, are its primary key. */
export interface StateTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
}

/** A column whose field has the same name in camel case. */
export function column(name: string, type: ColumnType, field = camelCase(name)): Column {
  return { column: name, type, field };
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

type Cells = Readonly<Record<string, unknown>>;

/** JSON of lists of records with quantities: bigints as decimal text. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
}

function cell(type: ColumnType, value: unknown): string {
  switch (type) {
    case 'word':
      return value as string;
    case 'text':
      return copyTextCell(value as string);
    case 'time':
      return timestampText(value as bigint);
    case 'flag':
      return value === true ? 't' : 'f';
    case 'json':
      return copyTextCell(jsonText(value));
    default:
      return String(value);
  }
}

/** One line of COPY text. */
export function copyLine(subject: number, columns: readonly Column[], row: object): string {
  const cells = row as Cells;
  let line = String(subject);
  for (let i = 0; i < columns.length; i++) {
    const { field, type } = columns[i] as Column;
    const value = cells[field];
    line += value === null || value === undefined ? '\t\\N' : `\t${cell(type, value)}`;
  }
  return `${line}\n`;
}

/** The select list that {@link readRow} reads. Times come as microseconds since 1970. */
export function selectList(table: StateTable, alias: string): string {
  return table.columns
    .map(({ column: name, type }) =>
      type === 'time'
        ? `(extract(epoch from ${alias}."${name}") * 1000000)::bigint AS "${name}"`
        : `${alias}."${name}"`,
    )
    .join(', ');
}

function value(type: ColumnType, stored: unknown, read: ((json: unknown) => unknown) | undefined): unknown {
  if (stored === null) return null;
  switch (type) {
    case 'quantity':
    case 'bigint':
    case 'time':
      return BigInt(stored as string);
    case 'json':
      return (read ?? ((x) => x))(JSON.parse(stored as string));
    case 'int':
      return Number(stored);
    case 'flag':
      return stored === true || stored === 't';
    default:
      return stored;
  }
}

/**
 * A row as its reducer made it, from what the driver or a script read.
 * @param json reads the lists of `json` columns, by field.
 */
export function readRow(
  table: StateTable,
  stored: Cells,
  key: string,
  json: Readonly<Record<string, (list: unknown) => unknown>> = {},
): StateRow {
  const row: Record<string, unknown> = { table: table.name, key };
  for (const { column: name, field, type } of table.columns)
    row[field] = value(type, stored[name], json[field]);
  return row as unknown as StateRow;
}

/** COPY of a table's lines, into it or into a table like it. */
export function copyStatement(table: StateTable, into = table.name): string {
  return `COPY "${into}" ("subject", ${table.columns.map((c) => `"${c.column}"`).join(', ')}) FROM STDIN`;
}

/** Statements that write a table's changed rows, by way of a temporary one or from the statement itself. */
export interface UpsertStatements {
  readonly createTemporary: string;
  /** Needed only where a transaction writes the table more than once: a commit empties it as well. */
  readonly emptyTemporary: string;
  readonly copy: string;
  readonly merge: string;
  /** For a few rows, as a VALUES list: no temporary table is touched, which the commit would have to empty. */
  readonly direct: (values: string) => string;
}

export function upsertStatements(table: StateTable): UpsertStatements {
  const names = ['subject', ...table.columns.map((c) => c.column)].map((name) => `"${name}"`);
  const keys = ['subject', ...table.key].map((name) => `"${name}"`);
  const changing = names.filter((name) => !keys.includes(name));
  const temporary = `"changed_${table.name}"`;
  const insert = `INSERT INTO "${table.name}" (${names.join(', ')})`;
  const onConflict = `ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${changing.map((n) => `${n} = excluded.${n}`).join(', ')}`;
  return {
    createTemporary: `CREATE TEMPORARY TABLE IF NOT EXISTS ${temporary} (LIKE "${table.name}") ON COMMIT DELETE ROWS`,
    emptyTemporary: `TRUNCATE ${temporary}`,
    copy: copyStatement(table, `changed_${table.name}`),
    merge: `${insert} SELECT ${names.join(', ')} FROM ${temporary} ${onConflict}`,
    direct: (values) => `${insert} VALUES ${values} ${onConflict}`,
  };
}
