import type { OperatorRecord } from '@imart/storage';
import { keyText } from './parkedText';
import { textTable } from './textTable';

/** What an operator did, and to which chain. */
export interface ToldRecord extends OperatorRecord {
  readonly subject: string;
}

/** One line for each. */
export function historyTable(records: readonly ToldRecord[]): string {
  if (records.length === 0) return 'nothing was done\n';
  const cells = records.map((record) => [
    record.actedAt,
    record.subject,
    record.actedBy,
    doneText(record),
    outcomeText(record),
    record.reason ?? '',
  ]);
  return textTable(['when', 'chain', 'by', 'action', 'outcome', 'reason'], cells);
}

function doneText({ action, rewind, parked }: OperatorRecord): string {
  if (rewind !== null) return `rewind to ${rewind.toPosition}`;
  return parked === null ? action : `${action} ${keyText(parked)}`;
}

function outcomeText({ rewind, halt, parked }: OperatorRecord): string {
  if (parked !== null) return parked.outcome;
  const cleared = halt === null ? '' : `${halt.code} cleared`;
  if (rewind === null) return cleared;
  const { events, nextPosition, finishedAt } = rewind;
  if (finishedAt === null) return `not finished, ${events} events taken back`;
  const taken = `${events} events taken back, read again from ${nextPosition} on`;
  return cleared === '' ? taken : `${taken}, ${cleared}`;
}
