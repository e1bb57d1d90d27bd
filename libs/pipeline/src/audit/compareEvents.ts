import type { Event, EventDataCodec } from '@imart/core';

/** An event that is not in the log as the source tells it. */
export type EventDifference =
  /** The source has it, the log has not. */
  | { readonly kind: 'missing'; readonly stored: null; readonly read: Event }
  /** Both have an event at the place, with another content. */
  | { readonly kind: 'different'; readonly stored: Event; readonly read: Event }
  /** The log has it, the source has not. */
  | { readonly kind: 'extra'; readonly stored: Event; readonly read: null };

/** What the difference is about: the event as it should be, else as it is. */
export function eventOf({ read, stored }: EventDifference): Event {
  return read ?? (stored as Event);
}

/** Both ascending. The differences, ascending. */
export function compareEvents(
  stored: readonly Event[],
  read: readonly Event[],
  codec: EventDataCodec,
): readonly EventDifference[] {
  const differences: EventDifference[] = [];
  let i = 0;
  let j = 0;
  while (i < stored.length || j < read.length) {
    const ours = stored[i];
    const theirs = read[j];
    if (ours === undefined || (theirs !== undefined && theirs.seqNo < ours.seqNo)) {
      differences.push({ kind: 'missing', stored: null, read: theirs as Event });
      j++;
    } else if (theirs === undefined || ours.seqNo < theirs.seqNo) {
      differences.push({ kind: 'extra', stored: ours, read: null });
      i++;
    } else {
      if (!sameEvent(ours, theirs, codec))
        differences.push({ kind: 'different', stored: ours, read: theirs });
      i++;
      j++;
    }
  }
  return differences;
}

/** Whether two events of one place say the same in everything that the log keeps. */
function sameEvent(a: Event, b: Event, codec: EventDataCodec): boolean {
  return changedFields(a, b, codec).length === 0;
}

/** The fields in which two events of one place differ, as texts to compare. */
export function changedFields(
  a: Event,
  b: Event,
  codec: EventDataCodec,
): readonly { readonly field: string; readonly a: string; readonly b: string }[] {
  const [before, after] = [fieldsOf(a, codec), fieldsOf(b, codec)];
  return Object.keys(before).flatMap((field) => {
    const pair = { field, a: before[field] as string, b: after[field] as string };
    return pair.a === pair.b ? [] : [pair];
  });
}

function fieldsOf(event: Event, codec: EventDataCodec): Readonly<Record<string, string>> {
  const { source } = event;
  return {
    aggregate: `${event.aggregateType}/${event.aggregateId}`,
    name: event.name,
    data: codec.encode(event.name, event.data),
    time: String(source.timeUs),
    transaction: source.txHash,
    block: source.blockHash,
    address: source.address,
  };
}
