import type { Brand } from './brand';
import type { SeqNo } from './seqNo';

/**
 * Identity of an ordered source of events: `eip155:1`, `aptos:1`, `commands:product`. For a chain it is the CAIP-2 id.
 * The storage binds it to the hash of the chain's first block, so that a restarted development chain is refused.
 */
export type SubjectId = Brand<string, 'SubjectId'>;

/** Where an event comes from. Of a command: `txHash` is its event id, `address` who asked, `blockHash` is `0x`. */
export interface EventSource {
  /** Block number or ledger version: the `position` of the event's SeqNo. */
  readonly position: bigint;
  /** Log or event index within the position: the `index` of the event's SeqNo. */
  readonly index: number;
  /** Lower-case hex with `0x`. */
  readonly txHash: string;
  /** Lower-case hex with `0x`. */
  readonly blockHash: string;
  /** Chain time of the position, in microseconds since 1970. Of a command: when it was accepted, by the database's clock. */
  readonly timeUs: bigint;
  /** The contract or account that emitted the event, in canonical form. */
  readonly address: string;
}

/**
 * A fact that happened. Immutable. It is about exactly one aggregate; a source log that is about two aggregates becomes
 * two events with consecutive parts.
 */
export interface Event<Name extends string = string, Data = unknown> {
  readonly subjectId: SubjectId;
  readonly seqNo: SeqNo;
  readonly aggregateType: string;
  /** Canonical text; equal text means the same aggregate of its type. */
  readonly aggregateId: string;
  /** Past tense. Part of the stored format: versioned, never renamed. */
  readonly name: Name;
  readonly data: Data;
  readonly source: EventSource;
}

/** Name and aggregate type of what could not be turned into an event: kept at its place with its raw form, parked. */
export const UNDECODABLE = 'Undecodable';
/** Aggregate type of {@link UNDECODABLE} events; the aggregate id is the decimal SeqNo. */
export const UNDECODABLE_AGGREGATE = 'undecodable';

/** Data of an {@link UNDECODABLE} event. */
export interface UndecodableData {
  /** Why it could not be decoded; safe to show. */
  readonly reason: string;
  /** The raw source record as JSON text. */
  readonly raw: string;
}

/** How the data of events is written to the log and read back. Equal data gives equal text. */
export interface EventDataCodec {
  encode(name: string, data: unknown): string;
  /** @throws {WorkerError} with disposition `park` when the text is not of this event. */
  decode(name: string, text: string): unknown;
}
