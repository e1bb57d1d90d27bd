import { type Event, type EventDataCodec, type SeqNo } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import {
  changedFields,
  eventOf,
  type EventDifference,
  type StateDifference,
  type VerifyReport,
} from '@imart/pipeline';

/** What a report says, for people: no line where there is nothing to say. */
export function reportLines(item: VerifyReport, codec: EventDataCodec): readonly string[] {
  switch (item.kind) {
    case 'range': {
      const { audit, mended } = item;
      if (audit.kind === 'other-branch') {
        return [
          `block ${audit.position}: the endpoint tells of another branch; nothing of blocks ${audit.range.fromPosition}..${audit.range.toPosition} was compared`,
          ...sides([{ field: 'block', stored: audit.stored, should: audit.read }]),
        ];
      }
      return [
        ...audit.differences.flatMap((difference) => eventLines(difference, codec, mended)),
        ...audit.contracts.flatMap(({ kind, contract }) => [
          `contract ${contract.address} (${contract.kind}): ${kind}${mendedText(mended)}`,
          ...sides([
            {
              field: 'discovered',
              stored: kind === 'extra' ? placeText(contract.discoveredAt) : null,
              should: kind === 'missing' ? placeText(contract.discoveredAt) : null,
            },
          ]),
        ]),
        ...audit.unconfirmed.map(
          (difference) =>
            `${placeText(eventOf(difference).seqNo)}: ${difference.kind}, but the endpoint does not serve the block: not looked at closer`,
        ),
      ];
    }
    case 'stray-activity':
      return [
        `activity ${item.item} of ${placeText(item.seqNo)}: extra, there is no such event${mendedText(item.mended)}`,
      ];
    case 'state':
      return stateLines(item.difference, item.mended);
    case 'aggregates':
      return [];
  }
}

const mendedText = (mended: boolean): string => (mended ? ' (mended)' : '');

/** @example `block 17, log 3 (seq no 36507271168)` */
function placeText(seqNo: SeqNo): string {
  const { position, index, part } = evmSeqNo.decode(seqNo);
  return `block ${position}, log ${index}${part === 0 ? '' : `, part ${part}`} (seq no ${seqNo})`;
}

function eventText({ name, aggregateType, aggregateId, source }: Event): string {
  return `${name} of ${aggregateType}/${aggregateId} in transaction ${source.txHash}`;
}

function eventLines(difference: EventDifference, codec: EventDataCodec, mended: boolean): readonly string[] {
  const { kind, stored, read } = difference;
  const head = `${placeText(eventOf(difference).seqNo)}: ${kind}${mendedText(mended)}`;
  if (kind !== 'different') {
    return [
      head,
      ...sides([
        {
          field: 'event',
          stored: stored === null ? null : eventText(stored),
          should: read === null ? null : eventText(read),
        },
      ]),
    ];
  }
  const changed = changedFields(stored, read, codec).map(({ field, a, b }) => ({
    field,
    stored: a,
    should: b,
  }));
  // What says the same and was touched all the same: the hash kept with it does not fit it.
  const shown =
    changed.length > 0 ? changed : [{ field: 'hash', stored: 'of another content', should: eventText(read) }];
  return [head, ...sides(shown)];
}

function stateLines(
  { table, key, aggregate, kind, columns }: StateDifference,
  mended: boolean,
): readonly string[] {
  const about = aggregate === null ? '' : ` of ${aggregate.aggregateType}/${aggregate.aggregateId}`;
  return [
    `${table} ${key}${about}: ${kind}${mendedText(mended)}`,
    ...sides(columns.map(({ column, stored, expected }) => ({ field: column, stored, should: expected }))),
  ];
}

/** Longer values are cut: the place says where to look. */
const VALUE_MAX = 400;

function sides(
  fields: readonly {
    readonly field: string;
    readonly stored: string | null;
    readonly should: string | null;
  }[],
): readonly string[] {
  const width = Math.max(...fields.map(({ field }) => field.length), 0);
  const text = (value: string | null): string =>
    value === null ? '-' : value.length > VALUE_MAX ? `${value.slice(0, VALUE_MAX)}...` : value;
  return fields.flatMap(({ field, stored, should }) => [
    `  ${field.padEnd(width)}  stored     ${text(stored)}`,
    `  ${' '.repeat(width)}  should be  ${text(should)}`,
  ]);
}
