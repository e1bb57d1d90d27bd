import type { Brand } from './brand';
import type { SubjectId } from './event';

/** What the subjects of commands are called before the aggregate type: `commands:product`. A chain's id never begins so. */
export const COMMAND_SUBJECT_PREFIX = 'commands:';

/** The subject of an aggregate type's commands. */
export function commandSubjectId(aggregateType: string): SubjectId {
  return `${COMMAND_SUBJECT_PREFIX}${aggregateType}` as SubjectId;
}

/** Id of an event that a command led to: a UUID, known to whoever asked before the event is in the log. */
export type EventId = Brand<string, 'EventId'>;

/** Data of an event of a command subject: what was asked for, and what the log keeps beside it. */
export interface CommandEventData<Payload = unknown> {
  /** Place among the events of its aggregate: 1, 2, 3 ... without a gap. With the aggregate, the position to wait for. */
  readonly version: number;
  /** Version of the event's schema under which `payload` was written. */
  readonly schemaVersion: number;
  /** The same for everything that one request set off. */
  readonly correlationId: string;
  /** The event that this one answers to; `null`: a person or another system asked for it. */
  readonly causationId: string | null;
  readonly payload: Payload;
  /** The key of the person that some of `payload` is about, itself sealed. Absent: nothing of it is, or the key is gone. */
  readonly personKey?: { readonly id: string; readonly sealedKey: string };
}
