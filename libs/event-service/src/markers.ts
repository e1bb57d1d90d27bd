import { WorkerError, type EventId } from '@imart/core';
import type { KeptEvent, MarkRequest, MarkResult } from './ports';

/** What keeps markers is away, or full. No command is taken meanwhile. */
export class MarkersUnavailableError extends WorkerError {
  /** @param where a name that may be logged. */
  constructor(where: string, detail: string, cause?: unknown) {
    super(`the markers of commands (${where}) are not available: ${detail}`, {
      code: 'MARKERS_UNAVAILABLE',
      disposition: 'retry',
      fields: { where },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** A marker as it is kept beside the database. */
export interface KeptMarker {
  /** Without its time while it waits for its message: the database gives that. */
  readonly event: MarkRequest['event'] & { readonly timeUs: bigint | null };
  /** The whole command, while its message may not be written yet; `null`: it is. */
  readonly pending: MarkRequest | null;
  /** How long ago it was set, by the clock of what keeps it. */
  readonly ageMs: number;
}

/**
 * Markers of one aggregate type, kept beside the database. They are hints: any may be lost, old, or of another history at any time, and
 * the database decides. Every method is one atomic step.
 */
export interface Markers {
  read(aggregateId: string): Promise<KeptMarker | null>;
  /**
   * Sets the marker of a command whose message is to be written next, unless there is one of another event than it was validated against.
   * @returns whether it was set.
   */
  place(request: MarkRequest): Promise<boolean>;
  /** Its message is written. Nothing when there is another marker meanwhile. */
  settle(aggregateId: string, event: KeptEvent): Promise<void>;
  /** Removes the marker of this event, and no other. */
  drop(aggregateId: string, eventId: EventId): Promise<void>;
  /** Aggregates whose markers have waited for their messages for so long. */
  overdue(ageMs: number, limit: number): Promise<readonly string[]>;
}

/** What became of writing a message; `timeUs`: the time that its event has. */
export type Produced =
  { readonly result: 'marked'; readonly timeUs: bigint } | { readonly result: Exclude<MarkResult, 'marked'> };

/** Writes messages of commands whose markers are kept elsewhere. Every method is one transaction. */
export interface CommandProducer {
  /**
   * Writes message and answer, all or nothing: only when the event that the command was validated against is the latest one that the
   * database knows.
   */
  produce(request: MarkRequest): Promise<Produced>;
  /** The time of the event, when its message is or was in the outbox under this version; `null`: it is not. */
  producedAt(aggregateId: string, version: number, eventId: EventId): Promise<bigint | null>;
  /** How long the first command of this type that is not in the log waits; 0 when none does. */
  lagMs(): Promise<number>;
}
