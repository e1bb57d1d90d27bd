import type {
  DiscoveredContract,
  Event,
  InvalidateMessage,
  ResumePoint,
  SeqNoCodec,
  SubjectMessage,
} from '@imart/core';
/**
 * What a subject's messages make of an empty log, by the rules of the port; throws where a message breaks one. Where reading
 * goes on after a restart comes from here.
 */
export interface MessageStore {
  readonly events: readonly Event[];
  readonly invalidations: readonly InvalidateMessage[];
  readonly finalized: bigint | null;
  readonly next: bigint;
  /** Heads that heartbeats told of, in order. */
  readonly heads: readonly bigint[];
  /** `5/0` for the first event of position 5, with its block's hash. */
  readonly places: readonly string[];
  readonly discovered: readonly DiscoveredContract[];
  resumePoint(): ResumePoint;
  take(message: SubjectMessage): void;
}
/** @param takesBack whether the chain may take anything back at all. */
export declare function createMessageStore(
  seqNos: SeqNoCodec,
  startPosition?: bigint,
  takesBack?: boolean,
): MessageStore;
