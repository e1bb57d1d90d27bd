import type { PoolClient } from 'pg';
import {
  aggregateHash,
  type AggregateKey,
  type Event,
  type FinalizeMessage,
  type FoldState,
  type Observer,
  type SeqNo,
} from '@imart/core';
import {
  decodeState,
  EventConflictError,
  LedgerGapError,
  type AppendResult,
  type PreparedAppend,
  type PreparedRun,
  type SubjectProgress,
  type SubjectTransaction,
} from '@imart/pipeline';
import { COPY_ACTIVITIES } from './activities';
import { copyInto } from './copyInto';
import {
  aggregateParameters,
  contentHashes,
  COPY_EVENT_LOG,
  eventLogText,
  readEvents,
  SELECT_AGGREGATE,
  SELECT_LANE_RUN,
  type LogContext,
} from './eventLog';
import { marketTables, type MarketTable } from './marketTables';
import type { EncodedAppend, EncodedRun } from './encoded';
import { upsertStatements } from './tables';
import { insertParkMarker } from './parkMarkers';
import { readProgress } from './progress';

const COPY_SNAPSHOTS =
  'COPY "snapshots" ("subject", "aggregate_hash", "aggregate_type", "aggregate_id", "seq_no", "reducer_version", "version", "state") FROM STDIN';

const upserts = new Map([...marketTables.values()].map((table) => [table.name, upsertStatements(table)]));

/**
 * Of the snapshots below finality nobody needs more than two: a change above finality is refolded from the one before the
 * newest below it.
 */
const PRUNE_SNAPSHOTS = `
  DELETE FROM snapshots WHERE (subject, aggregate_hash, aggregate_type, aggregate_id, seq_no) IN (
    SELECT subject, aggregate_hash, aggregate_type, aggregate_id, seq_no FROM (
      SELECT s.*, row_number() OVER (PARTITION BY aggregate_hash, aggregate_type, aggregate_id ORDER BY seq_no DESC) AS place
      FROM snapshots s WHERE subject = $1 AND aggregate_hash = ANY($2::bigint[])
        AND seq_no <= (SELECT finalized_seq_no FROM subjects WHERE id = $1)
    ) below WHERE place > 2
  )`;

/** What every connection that writes runs once: the temporary tables that changed rows go through. */
export const PREPARE_CONNECTION = [...upserts.values()].map((u) => u.createTemporary).join('; ');

/** One open transaction of a subject on one connection. */
export function createTransaction(
  client: PoolClient,
  log: LogContext,
  observer: Observer,
): SubjectTransaction {
  const { subject } = log;
  /** Tables whose temporary table holds what an earlier run of this transaction has merged already. */
  const merged = new Set<string>();

  const alreadyThere = async (prepared: PreparedAppend): Promise<AppendResult> => {
    const { message } = prepared;
    const first = log.seqNos.first(message.fromPosition);
    const stored = await client.query(
      `SELECT seq_no, encode(content_hash, 'hex') AS hash FROM event_log WHERE subject = $1 AND seq_no BETWEEN $2 AND $3`,
      [subject, first.toString(), message.toSeqNo.toString()],
    );
    const told = contentHashes(log, message);
    for (const row of stored.rows as { seq_no: string; hash: string }[]) {
      const seqNo = BigInt(row.seq_no);
      const hash = told.get(seqNo);
      if (hash === undefined)
        throw new EventConflictError(log.subjectId, seqNo, 'the source no longer has it');
      if (hash !== row.hash)
        throw new EventConflictError(log.subjectId, seqNo, `stored ${row.hash}, read ${hash}`);
    }
    if (stored.rowCount !== told.size) {
      const known = new Set((stored.rows as { seq_no: string }[]).map((row) => BigInt(row.seq_no)));
      const extra = [...told.keys()].find((seqNo) => !known.has(seqNo)) as bigint;
      throw new EventConflictError(log.subjectId, extra, 'it was not there when the range was first read');
    }
    return { kind: 'already-there' };
  };

  return {
    async lockIngest() {
      await client.query('SELECT id FROM subjects WHERE id = $1 FOR UPDATE', [subject]);
      return readProgress(client, subject, observer.name);
    },

    async lockLanes(lanes) {
      await client.query(
        `SELECT lane FROM checkpoints WHERE observer = $1 AND subject = $2 AND lane = ANY($3) ORDER BY lane FOR UPDATE`,
        [observer.name, subject, lanes],
      );
      return readProgress(client, subject, observer.name);
    },

    async append(prepared) {
      const { message } = prepared;
      const progress: SubjectProgress = await readProgress(client, subject, observer.name);
      if (message.toPosition < progress.nextPosition) return alreadyThere(prepared);
      if (message.fromPosition !== progress.nextPosition) {
        throw new LedgerGapError(log.subjectId, progress.nextPosition, message.fromPosition);
      }
      const feedNo = progress.lastFeedNo + 1n;
      const encoded = prepared as EncodedAppend;
      if (message.events.length > 0) {
        const text =
          encoded.feedNo === feedNo ? encoded.text : [Buffer.from(eventLogText(log, message.events, feedNo))];
        await copyInto(client, COPY_EVENT_LOG, text);
      }
      const last = message.blocks.at(-1);
      await client.query(
        `WITH position AS (
           UPDATE subjects SET next_position = $2, ingested_seq_no = $3, last_feed_no = $4,
             chain_time_us = coalesce($5, chain_time_us) WHERE id = $1
         ), changed AS (
           INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch) VALUES ($1, $4, 'appended', $6, $3, $7)
         ), remembered AS (
           INSERT INTO blocks (subject, position, hash, parent_hash, time_us)
           SELECT $1, * FROM unnest($8::bigint[], $9::text[], $10::text[], $11::bigint[])
         ), forgotten AS (
           -- Below finality only the border to what comes next is needed.
           DELETE FROM blocks WHERE subject = $1 AND position < $2 - 1
             AND position < (SELECT coalesce(finalized_position, -1) FROM subjects WHERE id = $1)
         )
         INSERT INTO discovered_contracts (subject, address, kind, discovered_seq_no)
         SELECT $1, * FROM unnest($12::text[], $13::text[], $14::bigint[]) ON CONFLICT DO NOTHING`,
        [
          subject,
          (message.toPosition + 1n).toString(),
          message.toSeqNo.toString(),
          feedNo.toString(),
          last === undefined ? null : last.timeUs.toString(),
          log.seqNos.first(message.fromPosition).toString(),
          progress.epoch.toString(),
          message.blocks.map((b) => b.position.toString()),
          message.blocks.map((b) => b.hash),
          message.blocks.map((b) => b.parentHash),
          message.blocks.map((b) => b.timeUs.toString()),
          message.discovered.map((d) => d.address),
          message.discovered.map((d) => d.kind),
          message.discovered.map((d) => d.discoveredAt.toString()),
        ],
      );
      return { kind: 'appended', feedNo, events: message.events.length };
    },

    async finalize(message: FinalizeMessage) {
      await client.query(
        `UPDATE subjects SET finalized_position = $2, finalized_seq_no = $3
         WHERE id = $1 AND (finalized_position IS NULL OR finalized_position < $2)`,
        [subject, message.position.toString(), message.upToSeqNo.toString()],
      );
    },

    async writeRun(prepared: PreparedRun) {
      const { run, activities, snapshots, tables } = prepared as EncodedRun;
      if (activities.length > 0) await copyInto(client, COPY_ACTIVITIES, activities);
      for (const [name, text] of tables) {
        const statements = upserts.get(name);
        if (statements === undefined) throw new RangeError(`no table for rows of "${name}"`);
        if (merged.has(name)) await client.query(statements.emptyTemporary);
        await copyInto(client, statements.copy, text);
        await client.query(statements.merge);
        merged.add(name);
      }
      if (snapshots.length > 0) {
        await copyInto(client, COPY_SNAPSHOTS, snapshots);
        const hashes = run.snapshots.map((s) => aggregateHash(s.aggregateType, s.aggregateId).toString());
        await client.query(PRUNE_SNAPSHOTS, [subject, hashes]);
      }
      for (const marker of run.parked) await insertParkMarker(client, subject, marker);
    },

    async setCheckpoints(lanes, seqNo) {
      await client.query(
        `UPDATE checkpoints SET seq_no = $4, executed_at = now() WHERE observer = $1 AND subject = $2 AND lane = ANY($3) AND seq_no < $4`,
        [observer.name, subject, lanes, seqNo.toString()],
      );
    },

    async readRun(lane, afterSeqNo, upToSeqNo, limit): Promise<readonly Event[]> {
      const lanes = await client.query('SELECT lanes FROM subjects WHERE id = $1', [subject]);
      const { rows } = await client.query(SELECT_LANE_RUN, [
        subject,
        afterSeqNo.toString(),
        upToSeqNo.toString(),
        Number((lanes.rows[0] as { lanes: number }).lanes),
        lane,
        limit,
      ]);
      return readEvents(log, rows);
    },

    async readAggregate(key: AggregateKey, afterSeqNo: SeqNo, upToSeqNo: SeqNo) {
      const { rows } = await client.query(SELECT_AGGREGATE, [
        subject,
        afterSeqNo.toString(),
        upToSeqNo.toString(),
        ...aggregateParameters(key),
      ]);
      return readEvents(log, rows);
    },

    async snapshotBelow(key, seqNo, reducerVersion): Promise<FoldState | null> {
      const { rows } = await client.query(
        `SELECT state FROM snapshots WHERE subject = $1 AND seq_no < $2 AND aggregate_hash = $3 AND aggregate_type = $4
         AND aggregate_id = $5 AND reducer_version = $6 ORDER BY seq_no DESC LIMIT 1`,
        [subject, seqNo.toString(), ...aggregateParameters(key), reducerVersion],
      );
      const row = rows[0] as { state: string } | undefined;
      return row === undefined ? null : decodeState(row.state);
    },

    async eraseFrom(key, fromSeqNo) {
      const [hash, type, id] = aggregateParameters(key);
      await client.query(
        `DELETE FROM snapshots WHERE subject = $1 AND seq_no >= $2 AND aggregate_hash = $3 AND aggregate_type = $4 AND aggregate_id = $5`,
        [subject, fromSeqNo.toString(), hash, type, id],
      );
      await client.query(
        `DELETE FROM activities a USING event_log e WHERE a.subject = $1 AND a.seq_no >= $2 AND e.subject = $1
         AND e.seq_no = a.seq_no AND e.aggregate_hash = $3 AND e.aggregate_type = $4 AND e.aggregate_id = $5`,
        [subject, fromSeqNo.toString(), hash, type, id],
      );
      for (const name of observer.reducers.get(type)?.tables ?? []) {
        const table = marketTables.get(name) as MarketTable;
        // Of successive rows, those that ended before the change stay as they are.
        const opened = table.newestBy === null ? '' : ` AND "${table.newestBy}" >= ${fromSeqNo}`;
        const typed = table.sharedByTypes ? ` AND aggregate_type = '${type}'` : '';
        const match = table.idColumns.map(
          (name, i) =>
            `"${name}" = ($2::text[])[${i + 1}]${table.idTypes[i] === 'numeric[]' ? '::numeric' : ''}`,
        );
        await client.query(
          `DELETE FROM "${name}" WHERE subject = $1 AND ${match.join(' AND ')}${opened}${typed}`,
          [subject, table.idValues(id)],
        );
      }
    },
  };
}
