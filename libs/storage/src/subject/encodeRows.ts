import type { Activity, StateRow } from '@imart/core';
import { inSlices } from '@imart/pipeline';
import { activitiesText } from './activities';
import type { CopyText } from './script';
import { marketTables, type MarketTable } from './marketTables';
import { copyLine } from './tables';

/** COPY text of changed rows, by table. Lets the event loop run in between. */
export async function encodeRows(
  subject: number,
  rows: readonly StateRow[],
): Promise<ReadonlyMap<string, CopyText>> {
  const tables = new Map<string, Buffer[]>();
  await inSlices(rows, (slice) => {
    const texts = new Map<string, string>();
    for (const row of slice) {
      const table = marketTables.get(row.table) as MarketTable;
      texts.set(row.table, (texts.get(row.table) ?? '') + copyLine(subject, table.columns, row));
    }
    for (const [name, text] of texts) {
      const pieces = tables.get(name);
      if (pieces === undefined) tables.set(name, [Buffer.from(text)]);
      else pieces.push(Buffer.from(text));
    }
  });
  return tables;
}

/** COPY text of activities. Lets the event loop run in between. */
export async function encodeActivities(subject: number, activities: readonly Activity[]): Promise<CopyText> {
  const pieces: Buffer[] = [];
  await inSlices(activities, (slice) => {
    pieces.push(Buffer.from(activitiesText(subject, slice)));
  });
  return pieces;
}
