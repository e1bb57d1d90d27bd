import type { ClientBase, Pool } from 'pg';
import {
  aggregateHash,
  type AggregateKey,
  type EventDataCodec,
  type Observer,
  type SeqNoCodec,
} from '@imart/core';
import {
  encodeState,
  inSlices,
  type FoldedRun,
  type ParkMarker,
  type Pulse,
  type SubjectStore,
  type SubjectTransaction,
} from '@imart/pipeline';
import { aggregateArrays } from './aggregateArrays';
import { consistentRead } from './consistentRead';
import { copyTextCell } from './copyText';
import type { EncodedAppend, EncodedRun } from './encoded';
import { encodeActivities, encodeRows } from './encodeRows';
import { eventLogText, type LogContext } from './eventLog';
import { readFeedChanges } from './feed';
import { HALT_COLUMNS, haltOf, readHalt, writeHalt, type HaltCells } from './halt';
import { readEventsAt, readLogRange, readTampered } from './logRange';
import { checkFencing } from './lease';
import { loadStates } from './loadStates';
import { keyTextOf } from './marketTables';
import { resume } from './operatorActions';
import { toStorageError } from './pgErrors';
import { readMarker, SELECT_MARKERS } from './parkMarkers';
import { readProgress } from './progress';
import { readResumePoint } from './resumePoint';
import { createTransaction, CREATE_TEMPORARY } from './transaction';
import { writeBehind } from './writeBehind';
import { WRITER_SESSION } from './writerSession';

export interface SubjectStoreOptions {
  readonly pool: Pool;
  /** The subject's number, from `openSubject`. */
  readonly subject: number;
  readonly lanes: number;
  readonly observer: Observer;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
  /** Whoever writes the log holds the lease under this number. @defaultValue `null`: it is not looked at */
  readonly fencing?: bigint | null;
}

/** Connections that have the settings of one that writes, and those that have its temporary tables, too. */
const prepared = new WeakSet<object>();
const withTables = new WeakSet<object>();

async function prepareConnection(client: ClientBase, needsTables: boolean): Promise<void> {
  if (!prepared.has(client)) {
    await client.query(WRITER_SESSION);
    prepared.add(client);
  }
  if (!needsTables || withTables.has(client)) return;
  await client.query(CREATE_TEMPORARY);
  withTables.add(client);
}

/**
 * The log, the states and the progress of one subject and one observer in Postgres. Everything a transaction does becomes
 * visible together or not at all; durability is never traded for speed (`synchronous_commit` is not touched).
 */
export function createSubjectStore(options: SubjectStoreOptions): SubjectStore {
  const { pool, subject, lanes, observer, codec, seqNos, fencing = null } = options;
  const { subjectId } = observer;
  // Aggregates of commands have states, and no rows.
  const needsTables = [...observer.reducers.values()].some(({ tables }) => tables.length > 0);
  const log: LogContext = { subject, subjectId, codec, seqNos };

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error);
    }
  };

  const consistent = <T>(work: (client: ClientBase) => Promise<T>): Promise<T> =>
    translated(() => consistentRead(pool, work));

  return {
    subjectId,
    lanes,

    fenced: (number) => createSubjectStore({ ...options, fencing: number }),

    progress: () => translated(() => readProgress(pool, subject, observer.name)),

    resumePoint: () => consistent((client) => readResumePoint(client, subject)),

    parked: () =>
      translated(async (): Promise<readonly ParkMarker[]> => {
        const { rows } = await pool.query(`${SELECT_MARKERS} WHERE subject = $1`, [subject]);
        return rows.map(readMarker);
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

    loadStates: (keys) => translated(() => loadStates(pool, subject, observer, keys)),

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

    snapshotVersions: (keys) =>
      translated(async () => {
        const known = keys.filter(({ aggregateType }) => observer.reducers.has(aggregateType));
        const { rows } = await pool.query(
          `SELECT k.place, s.version FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[])
             WITH ORDINALITY AS k(hash, type, id, reducer, place)
           CROSS JOIN LATERAL (SELECT version FROM snapshots s WHERE s.subject = $1 AND s.aggregate_hash = k.hash
             AND s.aggregate_type = k.type AND s.aggregate_id = k.id AND s.reducer_version = k.reducer
             ORDER BY s.seq_no DESC LIMIT 1) s`,
          [
            subject,
            ...aggregateArrays(known),
            known.map(({ aggregateType }) => observer.reducers.get(aggregateType)?.version),
          ],
        );
        return new Map(
          (rows as { place: string; version: number }[]).map(({ place, version }) => [
            keyTextOf(known[Number(place) - 1] as AggregateKey),
            version,
          ]),
        );
      }),

    heartbeat: (head) =>
      translated(async (): Promise<Pulse> => {
        const { rows } = await pool.query(
          `UPDATE subjects SET head_position = $2, head_time_us = $3, head_seen_at = now() WHERE id = $1
           AND ($4::bigint IS NULL OR $4 = (SELECT fencing FROM ingest_leases WHERE subject = $1))
           RETURNING epoch, ${HALT_COLUMNS}`,
          [subject, head.position.toString(), head.timeUs.toString(), fencing?.toString() ?? null],
        );
        const row = rows[0] as ({ epoch: string } & HaltCells) | undefined;
        if (row === undefined && fencing !== null) await checkFencing(pool, log, fencing);
        const { epoch, halt } =
          row === undefined ? await readProgress(pool, subject, observer.name) : pulseOf(row);
        return { epoch, halt };
      }),

    rangeEvents: (fromPosition, toPosition) =>
      consistent((client) => readLogRange(client, log, fromPosition, toPosition)),
    tamperedEvents: ({ fromPosition, toPosition }) =>
      translated(() => readTampered(pool, log, fromPosition, toPosition)),
    eventsAt: (addresses) => translated(() => readEventsAt(pool, log, addresses)),

    readFeed: (afterFeedNo, limits = {}) =>
      consistent((client) => readFeedChanges(client, log, observer.name, afterFeedNo, limits)),

    halted: () => translated(() => readHalt(pool, subject)),
    halt: (code, message) => translated(() => writeHalt(pool, subject, code, message)),
    clearHalt: (code, decision) => translated(() => resume(pool, subject, code, decision)),

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
          await prepareConnection(client, needsTables);
          const transaction = writeBehind(client);
          const result = await work(createTransaction(transaction, log, observer, fencing));
          await transaction.commit();
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

const pulseOf = (row: { readonly epoch: string } & HaltCells): Pulse => ({
  epoch: BigInt(row.epoch),
  halt: haltOf(row),
});
