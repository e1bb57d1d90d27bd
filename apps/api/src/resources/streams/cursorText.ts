import type { SeqNo } from '@imart/core';
import type { SubscriptionCursor } from '@imart/event-service';
import { BadParameterError } from '../../errors';

/** A place in a topic as clients keep it: the change, and the last event of it that was read. */
export function cursorText({ afterFeedNo, partSeqNo }: SubscriptionCursor): string {
  return partSeqNo === null ? `${afterFeedNo}` : `${afterFeedNo + 1n}-${partSeqNo}`;
}

const MAX = 2n ** 63n - 1n;

/** @throws {BadParameterError} the text is no cursor. */
export function cursorOf(field: string, text: string): SubscriptionCursor {
  const [, feedNo = '', seqNo] = /^(\d{1,19})(?:-(\d{1,19}))?$/.exec(text) ?? [];
  const number = feedNo === '' ? -1n : BigInt(feedNo);
  const partSeqNo = seqNo === undefined ? null : (BigInt(seqNo) as SeqNo);
  if (number < (partSeqNo === null ? 0n : 1n) || number > MAX || (partSeqNo ?? 0n) > MAX) {
    throw new BadParameterError([{ field, problem: 'must be the id of an event of this stream' }]);
  }
  return { afterFeedNo: partSeqNo === null ? number : number - 1n, partSeqNo };
}
