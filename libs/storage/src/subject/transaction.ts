import { escapeLiteral } from 'pg';
import type { BlockRef, Event, FinalizeMessage, Observer } from '@imart/core';
import {
  EpochMovedError,
  EventConflictError,
  LedgerGapError,
  type AppendResult,
  type PreparedAppend,
  type PreparedRun,
  type SubjectProgress,
  type SubjectTransaction,
} from '@imart/pipeline';
import { createPassTransaction } from '../passes/passSteps';
import { mustBeOfReducers, SELECT_REDUCER_VERSIONS } from '../passes/reducerVersions';
import { COPY_ACTIVITIES } from './activities';
import {
  contentHashes,
  COPY_EVENT_LOG,
  eventLogText,
  readEvents,
  SELECT_LANE_RUN,
  SELECT_RUN,
  type LogContext,
} from './eventLog';
import { createLateEventSteps } from './lateEvents';
import { createLogEndSteps } from './logEnd';
import { marketTables } from './marketTables';
import type { EncodedAppend, EncodedRun } from './encoded';
import { copyValues } from './copyValues';
import { snapshotSteps } from './snapshots';
import { upsertStatements } from './tables';
import { createOperatorSteps } from './operatorActions';
import { createParkSteps } from './parkMarkers';
import type { CopyText } from './script';
import { createRefoldSteps } from './refoldSteps';
import { arrayOf } from './arrayOf';
import { refuseFenced, selectFencing } from './lease';
import { progressOf, readProgress, selectProgress } from './progress';
import type { WriteBehind } from './writeBehind';

/** A block that a source announces may be in the log before its next answer about the head tells of it. Nothing while no head is known. */
const headReached = ({ position, timeUs }: BlockRef): string =>
  `head_time_us = CASE WHEN head_position < ${position} THEN ${timeUs} ELSE head_time_us END, ` +
  `head_position = CASE WHEN head_position < ${position} THEN ${position} ELSE head_position END`;

const upserts = new Map([...marketTables.values()].map((table) => [table.name, upsertStatements(table)]));

/**
 * Of a table's changed rows, most bytes that go into the statement itself. A transaction that touches a temporary table empties all of
 * them in its commit, which takes longer than a block's rows; for many rows COPY is cheaper.
 */
const DIRECT_BYTES_MAX = 64 * 1024;

const bytesOf = (text: CopyText): number => text.reduce((sum, piece) => sum + piece.length, 0);

/** What every connection that writes rows of states runs once: the temporary tables that changed rows go through. */
export const CREATE_TEMPORARY = [...upserts.values()].map((u) => u.createTemporary).join('; ');

/** One open transaction of a subject on one connection. */
export function createTransaction(
  connection: WriteBehind,
  log: LogContext,
  observer: Observer,
  fencing: bigint | null,
): SubjectTransaction {
  const { client, write, ask } = connection;
  const { subject } = log;
  const ofObserver = `observer = ${escapeLiteral(observer.name)} AND subject = ${subject}`;
  /** The progress that was read with the last lock. */
  let locked: { readonly progress: SubjectProgress; readonly steps: number } | null = null;
  const lockedAt = (progress: SubjectProgress): SubjectProgress => {
    locked = { progress, steps: connection.steps };
    return progress;
  };
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

  const { park, ...parkSteps } = createParkSteps(client, subject);

  return {
    ...parkSteps,
    ...createLogEndSteps(client, log, observer),
    ...createOperatorSteps(client, subject),
    ...createLateEventSteps(client, log),
    ...createRefoldSteps(client, log, observer),
    ...createPassTransaction(client, subject),

    async lockIngest() {
      // Each sees what was committed while the first one waited for its lock.
      const [, leases, found] = await ask(
        `SELECT id FROM subjects WHERE id = ${subject} FOR UPDATE`,
        selectFencing(subject),
        selectProgress(subject, observer.name),
      );
      if (fencing !== null) refuseFenced(log.subjectId, fencing, leases?.[0]);
      return lockedAt(progressOf(found?.[0]));
    },

    async lockLanes(lanes) {
      const [, found, versions] = await ask(
        `SELECT lane FROM checkpoints WHERE ${ofObserver} AND lane IN (${lanes.join(', ')}) ORDER BY lane FOR UPDATE`,
        selectProgress(subject, observer.name),
        `SELECT ${SELECT_REDUCER_VERSIONS} AS text`,
      );
      mustBeOfReducers((versions?.[0] as { text: string | null }).text, observer);
      return lockedAt(progressOf(found?.[0]));
    },

    async append(prepared) {
      const { message } = prepared;
      const progress =
        locked?.steps === connection.steps
          ? locked.progress
          : await readProgress(client, subject, observer.name);
      if (message.toPosition < progress.nextPosition) return alreadyThere(prepared);
      if (message.fromPosition !== progress.nextPosition) {
        throw new LedgerGapError(log.subjectId, progress.nextPosition, message.fromPosition);
      }
      const feedNo = progress.lastFeedNo + 1n;
      const encoded = prepared as EncodedAppend;
      if (message.events.length > 0) {
        const text =
          encoded.feedNo === feedNo ? encoded.text : [Buffer.from(eventLogText(log, message.events, feedNo))];
        write({ statement: COPY_EVENT_LOG, text });
      }
      const last = message.blocks.at(-1);
      const { blocks, discovered } = message;
      write({
        statement: `WITH position AS (
            UPDATE subjects SET next_position = ${message.toPosition + 1n}, ingested_seq_no = ${message.toSeqNo},
              last_feed_no = ${feedNo}${last === undefined ? '' : `, chain_time_us = ${last.timeUs}, ${headReached(last)}`}
            WHERE id = ${subject}
          ), changed AS (
            INSERT INTO feed (subject, feed_no, kind, from_seq_no, to_seq_no, epoch) VALUES (${subject}, ${feedNo}, 'appended',
              ${log.seqNos.first(message.fromPosition)}, ${message.toSeqNo}, ${progress.epoch})
          ), remembered AS (
            INSERT INTO blocks (subject, position, hash, parent_hash, time_us) SELECT ${subject}, * FROM unnest(
              ${arrayOf(
                'bigint',
                blocks.map((b) => b.position),
              )}, ${arrayOf(
                'text',
                blocks.map((b) => b.hash),
              )},
              ${arrayOf(
                'text',
                blocks.map((b) => b.parentHash),
              )}, ${arrayOf(
                'bigint',
                blocks.map((b) => b.timeUs),
              )})
          ), forgotten AS (
            -- Below finality only the border to what comes next is needed.
            DELETE FROM blocks WHERE subject = ${subject} AND position < ${message.toPosition}
              AND position < (SELECT coalesce(finalized_position, -1) FROM subjects WHERE id = ${subject})
          )
          INSERT INTO discovered_contracts (subject, address, kind, discovered_seq_no) SELECT ${subject}, * FROM unnest(
            ${arrayOf(
              'text',
              discovered.map((d) => d.address),
            )}, ${arrayOf(
              'text',
              discovered.map((d) => d.kind),
            )},
            ${arrayOf(
              'bigint',
              discovered.map((d) => d.discoveredAt),
            )}) ON CONFLICT DO NOTHING`,
      });
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
      if (activities.length > 0) write({ statement: COPY_ACTIVITIES, text: activities });
      for (const [name, text] of tables) {
        const statements = upserts.get(name);
        if (statements === undefined) throw new RangeError(`no table for rows of "${name}"`);
        if (bytesOf(text) <= DIRECT_BYTES_MAX) {
          write({ statement: statements.direct(copyValues(text.join(''))) });
          continue;
        }
        if (merged.has(name)) write({ statement: statements.emptyTemporary });
        write({ statement: statements.copy, text }, { statement: statements.merge });
        merged.add(name);
      }
      if (snapshots.length > 0) {
        write(...snapshotSteps(subject, run.snapshots, snapshots));
      }
      for (const marker of run.parked) await park(marker);
    },

    async setCheckpoints(lanes, seqNo, epoch) {
      const [rows] = await ask(
        `WITH now AS (SELECT epoch FROM subjects WHERE id = ${subject}),
         moved AS (UPDATE checkpoints SET seq_no = ${seqNo}, executed_at = now() FROM now
           WHERE ${ofObserver} AND lane IN (${lanes.join(', ')}) AND seq_no < ${seqNo} AND now.epoch = ${epoch})
         SELECT epoch FROM now`,
      );
      const now = BigInt(rows?.[0]?.epoch as string);
      if (now !== epoch) throw new EpochMovedError(log.subjectId, epoch, now);
    },

    async readRun(lane, afterSeqNo, upToSeqNo, limit): Promise<readonly Event[]> {
      const range = [subject, afterSeqNo.toString(), upToSeqNo.toString()];
      const { rows } = await (lane === null
        ? client.query(SELECT_RUN, [...range, limit])
        : client.query(SELECT_LANE_RUN, [...range, lane, limit]));
      return readEvents(log, rows);
    },
  };
}
