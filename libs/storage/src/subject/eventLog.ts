import { hash } from 'node:crypto';
import {
  aggregateHash,
  dispositionOf,
  messageOf,
  UNDECODABLE,
  type AppendMessage,
  type Event,
  type EventDataCodec,
  type SeqNo,
  type SeqNoCodec,
  type SubjectId,
  type UndecodableData,
} from '@imart/core';
import { copyBytesCell, copyTextCell } from './copyText';
import { dataWithKey } from './dataWithKey';

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

/** SQL: the {@link contentHash} of a row of events. */
export const CONTENT_HASH =
  `substring(sha256(convert_to(concat_ws(E'\\n', aggregate_type, aggregate_id, name, data, time_us, ` +
  `'0x' || encode(tx_hash, 'hex'), '0x' || encode(block_hash, 'hex'), address), 'UTF8')) FOR 16)`;

/** SQL: a stored event has its {@link contentHash}. */
export const CONTENT_INTACT = `${CONTENT_HASH} = content_hash`;

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

/** An event as {@link eventColumns} selects it. */
export interface StoredEvent {
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

/** What {@link readEvents} reads, of a table of events under this alias. */
export const eventColumns = (alias: string): string =>
  ['seq_no', 'aggregate_type', 'aggregate_id', 'name', 'data', 'time_us', 'address']
    .map((column) => (column === 'data' ? `${dataWithKey(alias)} AS data` : `${alias}.${column}`))
    .concat(['tx_hash', 'block_hash'].map((column) => `encode(${alias}.${column}, 'hex') AS ${column}`))
    .join(', ');

/** The log as `e`. */
export const SELECT_EVENTS = `SELECT ${eventColumns('e')} FROM event_log e`;

/** SQL: nobody has taken the event `e` out of its aggregate's story. Whatever folds the log asks for it. */
export const NOT_SKIPPED =
  'NOT EXISTS (SELECT FROM skipped_events s WHERE s.subject = e.subject AND s.seq_no = e.seq_no)';

/** Parameters: subject, after, up to, lane, limit. `aggregate_hash & 2^63-1` is the unsigned hash of `laneOf`. */
export const SELECT_LANE_RUN =
  `${SELECT_EVENTS} WHERE subject = $1 AND seq_no > $2 AND seq_no <= $3 ` +
  `AND (aggregate_hash & 9223372036854775807) % (SELECT lanes FROM subjects WHERE id = $1) = $4 ` +
  `AND ${NOT_SKIPPED} ORDER BY seq_no LIMIT $5`;

/** Of all lanes. Parameters: subject, after, up to, limit. */
export const SELECT_RUN = `${SELECT_EVENTS} WHERE subject = $1 AND seq_no > $2 AND seq_no <= $3 AND ${NOT_SKIPPED} ORDER BY seq_no LIMIT $4`;

/** Data that this program cannot read is an `Undecodable` event of its aggregate: that one is set aside, not the lane. */
export function decodedEvent(
  context: LogContext,
  name: string,
  text: string,
): { readonly name: string; readonly data: unknown } {
  try {
    return { name, data: context.codec.decode(name, text) };
  } catch (error) {
    if (dispositionOf(error) !== 'park') throw error;
    const data: UndecodableData = { reason: messageOf(error), raw: text };
    return { name: UNDECODABLE, data };
  }
}

export function readEvents(context: LogContext, rows: readonly unknown[]): readonly Event[] {
  return (rows as readonly StoredEvent[]).map((row) => {
    const seqNo = BigInt(row.seq_no) as SeqNo;
    const { position, index } = context.seqNos.decode(seqNo);
    const { name, data } = decodedEvent(context, row.name, row.data);
    return {
      subjectId: context.subjectId,
      seqNo,
      aggregateType: row.aggregate_type,
      aggregateId: row.aggregate_id,
      name,
      data,
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
