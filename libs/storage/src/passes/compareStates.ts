import type { PoolClient } from 'pg';
import { aggregateKeyText, type AggregateKey, type SeqNo, type StateRow } from '@imart/core';
import { decodeState, type ParkMarker, type StateDifference } from '@imart/pipeline';
import type { SubjectStoreOptions } from '../subject/createSubjectStore';
import {
  byType,
  keyTextOf,
  marketJson,
  marketTables,
  rowKey,
  type MarketTable,
} from '../subject/marketTables';
import { readRow, selectList } from '../subject/tables';
import { hashesOf, type ExpectedStates, type StoredSnapshot } from './expectedStates';
import { stableJson } from './stableJson';
import { differentColumns, SELECT_ACTIVITY, stateCells, storedActivityCells } from './storedRows';

/** Rows of the aggregates that are not as the log makes them, are missing, or are too many. */
export async function compareRows(
  client: PoolClient,
  { subject, observer }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
  { rows: folded }: ExpectedStates,
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

/** Activities of the aggregates' events, likewise. */
export async function compareActivities(
  client: PoolClient,
  { subject }: SubjectStoreOptions,
  keys: readonly AggregateKey[],
  { activities, places }: ExpectedStates,
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
export function compareSnapshots(
  stored: readonly StoredSnapshot[],
  { snapshots }: ExpectedStates,
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

const NOBODY: AggregateKey = { aggregateType: '', aggregateId: '' };

/** Markers of aggregates that the log sets aside and nobody has, and of those that it does not. */
export function compareMarkers(
  stored: readonly ParkMarker[],
  { parked, places }: ExpectedStates,
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
