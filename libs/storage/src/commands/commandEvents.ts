import type { Event, SeqNo } from '@imart/core';
import { dataWithKey } from '../subject/dataWithKey';
import { decodedEvent, type LogContext } from '../subject/eventLog';

/** A row as the server sent it. */
export type RawRow = readonly (string | null)[];

/** Hex digits of an event id. */
const ID_DIGITS = 32;

/**
 * What {@link commandEvents} reads, first in each row, of a table of events as `e`: seq no, time, id and name as one text, and data and actor. The
 * driver's work is by the value, not by the byte.
 */
export const COMMAND_EVENT_COLUMNS = `e.seq_no || ' ' || e.time_us || ' ' || encode(e.tx_hash, 'hex') || e.name AS head, ${dataWithKey('e')} AS data, e.address`;

type CommandEventRow = readonly [head: string, data: string, actor: string];

/** The events of one aggregate. Of thousands of them, what is the same in all is neither sent nor made anew for each. */
export function commandEvents(
  context: LogContext,
  aggregateType: string,
  aggregateId: string,
  rows: readonly RawRow[],
): Event[] {
  const { subjectId, seqNos } = context;
  return (rows as readonly CommandEventRow[]).map(([head, text, address]) => {
    const timeAt = head.indexOf(' ') + 1;
    const idAt = head.indexOf(' ', timeAt) + 1;
    const nameAt = idAt + ID_DIGITS;
    const seqNo = BigInt(head.slice(0, timeAt - 1)) as SeqNo;
    const { position, index } = seqNos.decode(seqNo);
    const { name, data } = decodedEvent(context, head.slice(nameAt), text);
    return {
      subjectId,
      seqNo,
      aggregateType,
      aggregateId,
      name,
      data,
      source: {
        position,
        index,
        txHash: `0x${head.slice(idAt, nameAt)}`,
        blockHash: '0x',
        timeUs: BigInt(head.slice(timeAt, idAt - 1)),
        address,
      },
    };
  });
}
