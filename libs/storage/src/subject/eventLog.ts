import { hash } from 'node:crypto';
import {
  aggregateHash,
  dispositionOf,
  messageOf,
  UNDECODABLE,
  type AggregateKey,
  type AppendMessage,
  type Event,
  type EventDataCodec,
  type SeqNo,
  type SeqNoCodec,
  type SubjectId,
  type UndecodableData,
} from '@imart/core';
import { copyBytesCell, copyTextCell } from './copyText';

/** What the log needs to know of its subject. */
export interface LogContext {
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
}

export const EVENT_LOG_COLUMNS =
  '"subject", "seq_no", "aggregate_hash", "aggregate_type", "aggregate_id", "name", "data", "time_us", ' +
  '"tx_hash", "block_hash", "address", "content_hash", "feed_no"';

export const COPY_EVENT_LOG = `COPY "event_log" (${EVENT_LOG_COLUMNS}) FROM STDIN`;

/**
 * 128 bits of sha256 over all that an event says: the same place with another hash is another story of the chain.
 * @returns hex without `0x`.
 */
export function contentHash(event: Omit<Event, 'data' | 'seqNo' | 'subjectId'>, data: string): string {
  const { source } = event;
  const text =
    `${event.aggregateType}\n${event.aggregateId}\n${event.name}\n${data}\n` +
    `${source.timeUs}\n${source.txHash}\n${source.blockHash}\n${source.address}`;
  return hash('sha256', text, 'hex').slice(0, 32);
}

/** COPY text of a range's events. */
export function eventLogText(context: LogContext, events: readonly Event[], feedNo: bigint): string {
  const { subject, codec } = context;
  let text = '';
  for (const event of events) {
    const data = codec.encode(event.name, event.data);
    const { source } = event;
    text +=
      `${subject}\t${event.seqNo}\t${aggregateHash(event.aggregateType, event.aggregateId)}\t${event.aggregateType}\t` +
      `${copyTextCell(event.aggregateId)}\t${event.name}\t${copyTextCell(data)}\t${source.timeUs}\t` +
      `${copyBytesCell(source.txHash)}\t${copyBytesCell(source.blockHash)}\t${source.address}\t` +
      `\\\\x${contentHash(event, data)}\t${feedNo}\n`;
  }
  return text;
}

/** The content hashes of a range's events by seq no, for comparing with what is stored. */
export function contentHashes(context: LogContext, message: AppendMessage): ReadonlyMap<bigint, string> {
  return new Map(
    message.events.map((event) => [
      event.seqNo,
      contentHash(event, context.codec.encode(event.name, event.data)),
    ]),
  );
}

interface StoredEvent {
  readonly seq_no: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly name: string;
  readonly data: string;
  readonly time_us: string;
  readonly tx_hash: string;
  readonly block_hash: string;
  readonly address: string;
}

const SELECT_EVENTS =
  `SELECT seq_no, aggregate_type, aggregate_id, name, data, time_us, ` +
  `encode(tx_hash, 'hex') AS tx_hash, encode(block_hash, 'hex') AS block_hash, address FROM event_log`;

/** Parameters: subject, after, up to, lanes, lane, limit. `aggregate_hash & 2^63-1` is the unsigned hash of `laneOf`. */
export const SELECT_LANE_RUN =
  `${SELECT_EVENTS} WHERE subject = $1 AND seq_no > $2 AND seq_no <= $3 ` +
  `AND ($4 = 1 OR (aggregate_hash & 9223372036854775807) % $4 = $5) ORDER BY seq_no LIMIT $6`;

/** Parameters: subject, after, up to, aggregate hash, type, id. */
export const SELECT_AGGREGATE =
  `${SELECT_EVENTS} WHERE subject = $1 AND seq_no > $2 AND seq_no <= $3 ` +
  `AND aggregate_hash = $4 AND aggregate_type = $5 AND aggregate_id = $6 ORDER BY seq_no`;

/** Data that this program cannot read is an `Undecodable` event of its aggregate: that one is set aside, not the lane. */
function decoded(context: LogContext, row: StoredEvent): { name: string; data: unknown } {
  try {
    return { name: row.name, data: context.codec.decode(row.name, row.data) };
  } catch (error) {
    if (dispositionOf(error) !== 'park') throw error;
    const data: UndecodableData = { reason: messageOf(error), raw: row.data };
    return { name: UNDECODABLE, data };
  }
}

export function readEvents(context: LogContext, rows: readonly unknown[]): readonly Event[] {
  return (rows as readonly StoredEvent[]).map((row) => {
    const seqNo = BigInt(row.seq_no) as SeqNo;
    const { position, index } = context.seqNos.decode(seqNo);
    return {
      subjectId: context.subjectId,
      seqNo,
      aggregateType: row.aggregate_type,
      aggregateId: row.aggregate_id,
      ...decoded(context, row),
      source: {
        position,
        index,
        txHash: `0x${row.tx_hash}`,
        blockHash: `0x${row.block_hash}`,
        timeUs: BigInt(row.time_us),
        address: row.address,
      },
    };
  });
}

export function aggregateParameters(key: AggregateKey): readonly [string, string, string] {
  return [aggregateHash(key.aggregateType, key.aggregateId).toString(), key.aggregateType, key.aggregateId];
}
