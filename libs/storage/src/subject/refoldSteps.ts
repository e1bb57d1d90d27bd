import type { ClientBase } from 'pg';
import type { AggregateKey, FoldState, Observer } from '@imart/core';
import { decodeState, type AggregateRange, type ChangeTransaction } from '@imart/pipeline';
import { aggregateArrays } from './aggregateArrays';
import { deleteEach } from './deleteEach';
import { eventColumns, NOT_SKIPPED, readEvents, type LogContext } from './eventLog';
import { byType, keyTextOf, marketTables, type MarketTable } from './marketTables';

/** Events in one piece that is read back: some megabytes. */
const EVENTS_PER_PIECE = 5_000;

/** The steps of a transaction that fold aggregates anew. Each is a few statements, for however many aggregates. */
export type RefoldSteps = Pick<
  ChangeTransaction,
  'snapshotsBelow' | 'readAggregates' | 'eraseAggregates' | 'eraseActivities'
>;

export function createRefoldSteps(client: ClientBase, log: LogContext, observer: Observer): RefoldSteps {
  const { subject } = log;
  const reduced = <Key extends AggregateKey>(keys: readonly Key[]): readonly Key[] =>
    keys.filter(({ aggregateType }) => observer.reducers.has(aggregateType));

  /** The events of the aggregates of `k`, each aggregate's in order. */
  const selectRanges = async (): Promise<string> => {
    const { rows } = await client.query(
      `SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('event_log_aggregate_idx') AND indisvalid`,
    );
    const columns = eventColumns('e');
    const keys =
      'unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS k(hash, type, id, after, up_to)';
    const match =
      'e.subject = $1 AND e.aggregate_hash = k.hash AND e.seq_no > k.after AND e.seq_no <= k.up_to ' +
      `AND e.aggregate_type = k.type AND e.aggregate_id = k.id AND ${NOT_SKIPPED}`;
    // Before the first catch-up is over the log has no index by aggregate: one scan for all of them.
    if (rows.length === 0)
      return `SELECT ${columns} FROM event_log e JOIN ${keys} ON ${match} ORDER BY e.seq_no`;
    // One look into the index for each. As a join, the planner may scan the log, of which it may have no statistics yet.
    return `SELECT r.* FROM ${keys} CROSS JOIN LATERAL (SELECT ${columns} FROM event_log e WHERE ${match} ORDER BY e.seq_no) r`;
  };

  const eraseRows = async (
    table: MarketTable,
    type: string,
    aggregates: readonly { readonly aggregateId: string; readonly keptSeqNo: bigint }[],
  ): Promise<void> => {
    const ids = aggregates.map(({ aggregateId }) => table.idValues(aggregateId));
    const columns = table.idColumns.map((_name, i) => ids.map((values) => values[i]));
    const types = [...table.idTypes, 'bigint[]'];
    const match = table.idColumns.map((name, i) => `t."${name}" = k.k${i}`).join(' AND ');
    // Of successive rows, those that were opened before stay: the newest of them is written anew.
    const opened = table.newestBy === null ? '' : ` AND t."${table.newestBy}" > k.k${types.length - 1}`;
    const typed = table.sharedByTypes ? ` AND t.aggregate_type = '${type}'` : '';
    await client.query(
      deleteEach(
        table.name,
        `unnest(${types.map((t, i) => `$${i + 2}::${t}`).join(', ')}) AS k(${types.map((_type, i) => `k${i}`).join(', ')})`,
        `${match}${opened}${typed}`,
      ),
      [subject, ...columns, aggregates.map(({ keptSeqNo }) => keptSeqNo.toString())],
    );
  };

  return {
    async snapshotsBelow(requests) {
      const states = new Map<string, FoldState>();
      const asked = reduced(requests);
      if (asked.length === 0) return states;
      const { rows } = await client.query(
        `SELECT k.place, s.state FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::int[])
           WITH ORDINALITY AS k(hash, type, id, below, version, place)
         CROSS JOIN LATERAL (SELECT state FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = k.hash
           AND s.aggregate_type = k.type AND s.aggregate_id = k.id AND s.seq_no < k.below AND s.reducer_version = k.version
           ORDER BY s.seq_no DESC LIMIT 1) s`,
        [
          subject,
          ...aggregateArrays(asked),
          asked.map(({ fromSeqNo }) => fromSeqNo.toString()),
          asked.map(({ aggregateType }) => observer.reducers.get(aggregateType)?.version),
        ],
      );
      for (const { place, state } of rows as { place: string; state: string }[]) {
        states.set(keyTextOf(asked[Number(place) - 1] as AggregateKey), decodeState(state));
      }
      return states;
    },

    async readAggregates(ranges: readonly AggregateRange[], take) {
      if (ranges.length === 0) return;
      await client.query(`DECLARE refolded NO SCROLL CURSOR FOR ${await selectRanges()}`, [
        subject,
        ...aggregateArrays(ranges),
        ranges.map(({ afterSeqNo }) => afterSeqNo.toString()),
        ranges.map(({ upToSeqNo }) => upToSeqNo.toString()),
      ]);
      for (;;) {
        const { rows } = await client.query(`FETCH ${EVENTS_PER_PIECE} FROM refolded`);
        if (rows.length > 0) await take(readEvents(log, rows));
        if (rows.length < EVENTS_PER_PIECE) break;
      }
      await client.query('CLOSE refolded');
    },

    async eraseAggregates(aggregates) {
      if (aggregates.length === 0) return;
      await client.query(
        deleteEach(
          'snapshots',
          'unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS k(hash, type, id, first)',
          't.aggregate_hash = k.hash AND t.aggregate_type = k.type AND t.aggregate_id = k.id AND t.seq_no >= k.first',
        ),
        [subject, ...aggregateArrays(aggregates), aggregates.map(({ fromSeqNo }) => fromSeqNo.toString())],
      );
      for (const [type, group] of byType(aggregates)) {
        const kept = new Map(aggregates.map((one) => [keyTextOf(one), one.keptSeqNo]));
        const own = group.map((key) => ({ ...key, keptSeqNo: kept.get(keyTextOf(key)) as bigint }));
        for (const name of observer.reducers.get(type)?.tables ?? [])
          await eraseRows(marketTables.get(name) as MarketTable, type, own);
      }
    },

    async eraseActivities(seqNos) {
      if (seqNos.length === 0) return;
      await client.query('DELETE FROM activities WHERE subject = $1 AND seq_no = ANY($2::bigint[])', [
        subject,
        seqNos.map(String),
      ]);
    },
  };
}
