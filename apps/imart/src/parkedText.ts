import type { AggregateKey, SeqNo, SubjectId } from '@imart/core';
import type { ParkedAggregate, ParkedReading } from '@imart/storage';
import { seqNosOf } from './seqNosOf';
import { textTable } from './textTable';
import { UsageError } from './usageError';

/** How a command names an aggregate: `order/0x...:7`. */
export const keyText = ({ aggregateType, aggregateId }: AggregateKey): string =>
  `${aggregateType}/${aggregateId}`;

/** @throws {UsageError} when it is no `type/id`. */
export function readKey(text: string): AggregateKey {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) {
    throw new UsageError(`'${text}' names no aggregate: write it as imart parked list shows it, type/id`);
  }
  return { aggregateType: text.slice(0, slash), aggregateId: text.slice(slash + 1) };
}

/** What a chain calls a position and what is at it, by the beginning of its subject's id. */
const WORDS: Readonly<Record<string, readonly [position: string, index: string]>> = {
  eip155: ['block', 'log'],
  aptos: ['version', 'event'],
};

/** @example `block 17, log 3` */
export function placeText(subjectId: string, seqNo: SeqNo): string {
  const { position, index, part } = seqNosOf(subjectId as SubjectId).decode(seqNo);
  const [at, which] = WORDS[subjectId.split(':', 1)[0] ?? ''] ?? ['position', 'index'];
  return `${at} ${position}, ${which} ${index}${part === 0 ? '' : `, part ${part}`}`;
}

/** One line for each aggregate that is set aside. */
export function parkedTable(rows: readonly { subjectId: string; parked: ParkedReading }[]): string {
  if (rows.length === 0) return 'nothing is parked\n';
  const cells = rows.map(({ subjectId, parked }) => [
    subjectId,
    keyText(parked),
    placeText(subjectId, parked.fromSeqNo),
    parked.code,
    parked.parkedAt,
    String(parked.waitingEvents),
  ]);
  return textTable(['chain', 'key', 'parked at', 'code', 'since', 'events waiting'], cells);
}

/** All that is known of one aggregate. */
export function parkedDetails(subjectId: string, key: AggregateKey, found: ParkedAggregate): string {
  const { marker, waiting, skipped, actions } = found;
  const lines = [`${keyText(key)} on ${subjectId}`, ''];
  if (marker === null) lines.push('not parked');
  else {
    lines.push(
      `parked at  ${placeText(subjectId, marker.fromSeqNo)} (seq no ${marker.fromSeqNo})`,
      `since      ${marker.parkedAt}`,
      `code       ${marker.code}`,
      `message    ${marker.message}`,
      `waiting    ${marker.waitingEvents} events${waiting.length < marker.waitingEvents ? `, the first ${waiting.length}:` : ':'}`,
      '',
      textTable(
        ['seq no', 'place', 'event', 'transaction', 'data'],
        waiting.map((event) => [
          event.seqNo.toString(),
          placeText(subjectId, event.seqNo),
          event.name,
          event.txHash,
          event.data,
        ]),
      ).trimEnd(),
    );
  }
  if (skipped.length > 0) {
    const rows = skipped.map((one) => [
      one.seqNo.toString(),
      placeText(subjectId, one.seqNo),
      one.skippedAt,
      one.skippedBy,
      one.reason,
    ]);
    lines.push('', 'skipped events:', textTable(['seq no', 'place', 'when', 'by', 'reason'], rows).trimEnd());
  }
  if (actions.length > 0) {
    const rows = actions.map((one) => [
      one.actedAt,
      one.actedBy,
      one.action,
      one.outcome,
      placeText(subjectId, one.fromSeqNo),
      one.reason ?? '',
    ]);
    lines.push(
      '',
      'what was done:',
      textTable(['when', 'by', 'action', 'outcome', 'parked at', 'reason'], rows).trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}
