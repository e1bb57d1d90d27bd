import type { CommandEventData, EventDataCodec } from '@imart/core';
import type { AggregateDefinition } from './aggregate';
import { markedEvent } from './codec';
import { decide } from './decide';
import type { KeptEvent, Resolution, Waiting } from './ports';

/**
 * Decides anew about messages that do not continue the log, each against the one before it. One that is kept gets the next version; one
 * that a rule refuses now is rejected, and what comes after it is not lost with it (E4).
 */
export function resolveWaiting(
  definition: AggregateDefinition,
  codec: EventDataCodec,
): (last: KeptEvent | null, waiting: readonly Waiting[]) => Resolution {
  return (last, waiting) => {
    const kept: Waiting[] = [];
    const rejected: (Waiting & { rule: string; reason: string })[] = [];
    let latest = last;
    for (const message of waiting) {
      const data = codec.decode(message.name, message.data) as CommandEventData;
      const proposed = { name: message.name, data: data.payload };
      const marked = latest === null ? null : markedEvent(codec, latest);
      const decision = decide(definition, proposed, marked, message.expectedVersion);
      if (decision.kind === 'refused') {
        rejected.push({ ...message, rule: decision.rule, reason: decision.reason });
        continue;
      }
      const version = (latest?.version ?? 0) + 1;
      // Decoding has made it the present form.
      const schemaVersion = definition.events[message.name]?.version ?? 1;
      const text = codec.encode(message.name, { ...data, version, schemaVersion, payload: decision.data });
      // The time of an aggregate's events rises with their versions.
      const earliestUs = (latest?.timeUs ?? -1n) + 1n;
      const timeUs = message.timeUs > earliestUs ? message.timeUs : earliestUs;
      const next = { ...message, version, data: text, timeUs };
      kept.push(next);
      latest = next;
    }
    return { kept, rejected };
  };
}
