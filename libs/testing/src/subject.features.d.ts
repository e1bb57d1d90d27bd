import type { SeqNoCodec, Subject } from '@imart/core';
/** How a subject of the suite reads. */
export interface ReadingOptions {
  /** The last position to read. */
  readonly endPosition?: bigint;
  /** About how much it asks for at once: a page, a range, a message. */
  readonly batch?: number;
  /** Events that may be handed on and not executed. */
  readonly eventsAheadMax?: number;
}
/** A chain on which something happens now and then, and nodes that serve it. */
export interface ServedChain {
  /** Its last position. */
  head(): bigint;
  /** `position/index` of every event up to the head, in order: what a plain look at the chain finds. */
  places(): readonly string[];
  /** Adds positions, with events on some of them. */
  grow(positions: number): void;
  /** A new subject over its nodes, from nothing that another one knows. */
  subject(options?: ReadingOptions): Subject;
  /** The nodes say that they are only so far; `null`: as far as the chain. */
  lag(head: bigint | null): void;
  /** A subject of this chain whose nodes serve a chain of another id. */
  ofAnotherId(): Promise<Subject>;
  /** A subject of a chain of this id that begins otherwise: a network that was started anew. */
  startedAnew(): Promise<Subject>;
  close(): Promise<void>;
}
/** A kind of subject whose contract is to be looked at. */
export interface SubjectFeatures {
  readonly seqNos: SeqNoCodec;
  /** A chain of so many positions, the first one included, with events on at least every tenth. */
  open(positions: number): Promise<ServedChain>;
  /** How many random readings the properties try. */
  readonly runs: number;
  /** `false`: it is no real one, has no network that it could be mistaken about, and is never too far ahead. @defaultValue true */
  readonly isReal?: boolean;
}
/** What every subject owes to the pipeline, whichever chain it reads and from whom. */
export declare function describeSubject(name: string, features: SubjectFeatures): void;
