import { copyTextCell, timestampText } from '../subject/copyText';
import { copyLine, type Column } from '../subject/tables';
import type { StateRow } from '@imart/core';

/** A row as texts, one for each column; `null` is NULL. */
export type RowCells = Readonly<Record<string, string | null>>;

/** A state row as it is written, whoever made it: equal cells are equal rows. */
export function stateCells(columns: readonly Column[], row: StateRow): RowCells {
  // The first cell is the subject's number.
  const [, ...cells] = copyLine(0, columns, row).slice(0, -1).split('\t');
  return Object.fromEntries(columns.map(({ column }, i) => [column, fromCopy(cells[i] as string)]));
}

const fromCopy = (cell: string): string | null => (cell === '\\N' ? null : cell);

const ACTIVITY_COLUMNS = [
  'kind',
  'market',
  'contract',
  'order_id',
  'side',
  'collection',
  'token_id',
  'quantity',
  'from_address',
  'to_address',
  'price',
  'currency',
  'fees',
  'royalties',
  'item_count',
  'block_number',
  'log_index',
  'tx_hash',
  'block_time',
] as const;

/** Of activities that are read: the names of {@link ACTIVITY_COLUMNS}, and the time in microseconds since 1970. */
export const SELECT_ACTIVITY = ACTIVITY_COLUMNS.map((name) =>
  name === 'block_time'
    ? '(extract(epoch from a.block_time) * 1000000)::bigint AS block_time'
    : `a."${name}"`,
).join(', ');

/** A line of COPY text of an activity, without subject, seq no and item. */
export function activityCells(line: string): RowCells {
  const [, , , ...cells] = line.split('\t');
  return Object.fromEntries(ACTIVITY_COLUMNS.map((name, i) => [name, fromCopy(cells[i] as string)]));
}

/** The same of an activity as it is stored. */
export function storedActivityCells(row: Readonly<Record<string, unknown>>): RowCells {
  return Object.fromEntries(
    ACTIVITY_COLUMNS.map((name) => {
      const value = row[name];
      if (value === null || value === undefined) return [name, null];
      if (name === 'block_time') return [name, timestampText(BigInt(value as string))];
      return [name, copyTextCell(String(value))];
    }),
  );
}

/** The columns in which two rows differ; of one row, all that hold something. */
export function differentColumns(stored: RowCells | null, expected: RowCells | null) {
  const names = Object.keys(stored ?? expected ?? {});
  return names.flatMap((column) => {
    const pair = { column, stored: stored?.[column] ?? null, expected: expected?.[column] ?? null };
    return pair.stored === pair.expected ? [] : [pair];
  });
}
