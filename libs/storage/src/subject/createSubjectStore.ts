import type { Pool } from 'pg';
import {
  aggregateHash,
  type AggregateKey,
  type EventDataCodec,
  type FoldState,
  type Observer,
  type ResumePoint,
  type SeqNo,
  type SeqNoCodec,
  type StateRow,
} from '@imart/core';
import {
  encodeState,
  inSlices,
  type FoldedRun,
  type ParkMarker,
  type SubjectStore,
  type SubjectTransaction,
} from '@imart/pipeline';
import { copyTextCell } from './copyText';
import type { EncodedAppend, EncodedRun } from './encoded';
import { encodeActivities, encodeRows } from './encodeRows';
import { eventLogText, type LogContext } from './eventLog';
import { byType, keyTextOf, marketJson, marketTables, rowKey, type MarketTable } from './marketTables';
import { toStorageError } from './pgErrors';
import { readProgress } from './progress';
import { readRow, selectList } from './tables';
import { createTransaction, PREPARE_CONNECTION } from './transaction';

export interface SubjectStoreOptions {
  readonly pool: Pool;
  /** The subject's number, from `openSubject`. */
  readonly subject: number;
  readonly lanes: number;
  readonly observer: Observer;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
}

/**
 * The log, the states and the progress of one subject and one observer in Postgres. Everything a transaction does becomes
 * visible together or not at all; durability is never traded for speed (`synchronous_commit` is not touched).
 */
export function createSubjectStore(options: SubjectStoreOptions): SubjectStore {
  const { pool, subject, lanes, observer, codec, seqNos } = options;
  const { subjectId } = observer;
  const log: LogContext = { subject, subjectId, codec, seqNos };
  const prepared = new WeakSet<object>();

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error);
    }
  };

  const loadTable = async (
    table: MarketTable,
    type: string,
    ids: readonly string[],
  ): Promise<readonly StateRow[]> => {
    const values = ids.map(table.idValues);
    const columns = table.idColumns.map((_name, i) => values.map((v) => v[i]));
    const byId = table.idColumns.map((name, i) => `t."${name}" = k.k${i}`).join(' AND ');
    const typed = table.sharedByTypes ? ` AND t.aggregate_type = '${type}'` : '';
    const newest = table.newestBy === null ? '' : ` ORDER BY t."${table.newestBy}" DESC`;
    // One look into the primary key for each id. Left to itself, the planner scans a table that is still growing and has no
    // statistics yet, for every run anew: 12 s of 20 in reading 200,000 events.
    const { rows } = await pool.query(
      `SELECT ${selectList(table, 'r')} FROM unnest(${table.idTypes.map((t, i) => `$${i + 2}::${t}`).join(', ')}) ` +
        `AS k(${table.idColumns.map((_name, i) => `k${i}`).join(', ')}) CROSS JOIN LATERAL (` +
        `SELECT t.* FROM "${table.name}" t WHERE t.subject = $1 AND ${byId}${typed}${newest} LIMIT 1) r`,
      [subject, ...columns],
    );
    return (rows as Record<string, unknown>[]).map((row) =>
      readRow(table, row, rowKey(table, row), marketJson),
    );
  };

  const idOf = (table: MarketTable, row: StateRow): string =>
    table.idColumns
      .map((name) => table.columns.find((c) => c.column === name)?.field as string)
      .map((field) => String((row as unknown as Record<string, unknown>)[field]))
      .join(':');

  return {
    subjectId,
    lanes,

    progress: () => translated(() => readProgress(pool, subject, observer.name)),

    resumePoint: () =>
      translated(async (): Promise<ResumePoint> => {
        const [{ rows: subjects }, { rows: blocks }, { rows: contracts }] = await Promise.all([
          pool.query('SELECT next_position, finalized_position FROM subjects WHERE id = $1', [subject]),
          pool.query(
            'SELECT position, hash, parent_hash, time_us FROM blocks WHERE subject = $1 ORDER BY position',
            [subject],
          ),
          pool.query(
            'SELECT address, kind, discovered_seq_no FROM discovered_contracts WHERE subject = $1 ORDER BY discovered_seq_no, address',
            [subject],
          ),
        ]);
        const row = subjects[0] as { next_position: string; finalized_position: string | null };
        return {
          nextPosition: BigInt(row.next_position),
          finalizedPosition: row.finalized_position === null ? null : BigInt(row.finalized_position),
          window: (blocks as Record<string, string>[]).map((b) => ({
            position: BigInt(b.position as string),
            hash: b.hash as string,
            parentHash: b.parent_hash as string,
            timeUs: BigInt(b.time_us as string),
          })),
          discovered: (contracts as Record<string, string>[]).map((c) => ({
            address: c.address as string,
            kind: c.kind as string,
            discoveredAt: BigInt(c.discovered_seq_no as string) as SeqNo,
          })),
        };
      }),

    parked: () =>
      translated(async (): Promise<readonly ParkMarker[]> => {
        const { rows } = await pool.query(
          'SELECT aggregate_type, aggregate_id, from_seq_no, code, message FROM park_markers WHERE subject = $1',
          [subject],
        );
        return (rows as Record<string, string>[]).map((row) => ({
          aggregateType: row.aggregate_type as string,
          aggregateId: row.aggregate_id as string,
          fromSeqNo: BigInt(row.from_seq_no as string) as SeqNo,
          code: row.code as string,
          message: row.message as string,
        }));
      }),

    fateOf: (lane, seqNo) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT c.seq_no >= $4 AS scanned,
             EXISTS (SELECT 1 FROM park_markers p WHERE p.subject = $2 AND p.aggregate_type = e.aggregate_type
               AND p.aggregate_id = e.aggregate_id AND p.from_seq_no <= e.seq_no) AS parked
           FROM checkpoints c LEFT JOIN event_log e ON e.subject = $2 AND e.seq_no = $4
           WHERE c.observer = $1 AND c.subject = $2 AND c.lane = $3`,
          [observer.name, subject, lane, seqNo.toString()],
        );
        const { scanned, parked } = rows[0] as { scanned: boolean; parked: boolean };
        if (!scanned) return null;
        return parked ? 'parked' : 'executed';
      }),

    loadStates: (keys: readonly AggregateKey[]) =>
      translated(async () => {
        const states = new Map<string, FoldState>();
        for (const [type, group] of byType(keys)) {
          const reducer = observer.reducers.get(type);
          if (reducer === undefined) continue;
          const ids = group.map((key) => key.aggregateId);
          const found = new Map<string, StateRow[]>();
          for (const name of reducer.tables) {
            const table = marketTables.get(name) as MarketTable;
            for (const row of await loadTable(table, type, ids)) {
              const id = idOf(table, row);
              const rows = found.get(id);
              if (rows === undefined) found.set(id, [row]);
              else rows.push(row);
            }
          }
          for (const [id, rows] of found) {
            states.set(keyTextOf({ aggregateType: type, aggregateId: id }), reducer.restore(id, rows));
          }
        }
        return states;
      }),

    async prepareAppend(message, feedNo): Promise<EncodedAppend> {
      const text: Buffer[] = [];
      await inSlices(message.events, (slice) => {
        text.push(Buffer.from(eventLogText(log, slice, feedNo)));
      });
      return { message, feedNo, text };
    },

    async prepareRun(run: FoldedRun): Promise<EncodedRun> {
      let snapshots = '';
      for (const { aggregateType, aggregateId, reducerVersion, state } of run.snapshots) {
        snapshots +=
          `${subject}\t${aggregateHash(aggregateType, aggregateId)}\t${aggregateType}\t${copyTextCell(aggregateId)}\t` +
          `${state.seqNo}\t${reducerVersion}\t${state.version}\t${copyTextCell(encodeState(state))}\n`;
      }
      return {
        run,
        tables: await encodeRows(subject, run.rows),
        activities: await encodeActivities(subject, run.activities),
        snapshots: snapshots === '' ? [] : [Buffer.from(snapshots)],
      };
    },

    heartbeat: (head) =>
      translated(async () => {
        await pool.query(
          'UPDATE subjects SET head_position = $2, head_time_us = $3, head_seen_at = now() WHERE id = $1',
          [subject, head.position.toString(), head.timeUs.toString()],
        );
      }),

    transaction: <T>(work: (transaction: SubjectTransaction) => Promise<T>) =>
      translated(async () => {
        const client = await pool.connect();
        let broken: unknown;
        // A connection that dies between two statements says so here; the next statement fails, and that is what counts.
        const onError = (error: Error): void => {
          broken = error;
        };
        client.on('error', onError);
        try {
          if (!prepared.has(client)) {
            await client.query(PREPARE_CONNECTION);
            prepared.add(client);
          }
          await client.query('BEGIN');
          const result = await work(createTransaction(client, log, observer));
          await client.query('COMMIT');
          return result;
        } catch (error) {
          await client.query('ROLLBACK').catch((cause: unknown) => {
            broken = cause;
          });
          throw error;
        } finally {
          client.off('error', onError);
          client.release(broken !== undefined);
        }
      }),
  };
}
