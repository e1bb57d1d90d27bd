import type { SubjectId } from '@imart/core';
import type { Logger } from '@imart/runtime';
import type { AptosMarket } from '../market';
import type { LedgerEndpointStats, LedgerSource } from '../source/ledgerSource';
import type { TranslatorStats } from '../translate';

/** What an Aptos subject is made of. Nothing is connected to before `identify` or `messages` is called. */
export interface AptosSubjectOptions {
  readonly chainId: number;
  /** Closed with the subject. */
  readonly source: LedgerSource;
  readonly markets: readonly AptosMarket[];
  /** The last version to read: the subject ends there, waiting for it when it does not exist yet. @defaultValue none */
  readonly endVersion?: bigint | null;
  /**
   * Accumulator root of version 0. Believed when no endpoint serves it; where one does, it must agree. Not needed for the public
   * networks, which are known by their chain id. @defaultValue none
   */
  readonly genesisHash?: string | null;
  /** The source gives bare events: the subject has an id of its own. @defaultValue false */
  readonly bareEvents?: boolean;
  /** Is told of types of events that nobody knows. @defaultValue nobody is */
  readonly logger?: Logger;
  /** Events that may be handed on and not executed before reading pauses. @defaultValue 100,000 */
  readonly eventsAheadMax?: number;
  /** Events after which a message is sent while catching up. @defaultValue 5,000 */
  readonly messageEventsMax?: number;
  /** Versions after which a message is sent while catching up. @defaultValue 50,000 */
  readonly messageVersionsMax?: number;
  /** Longest wait of what was read for more of it while catching up, when more is slow to come. @defaultValue 500 */
  readonly messageWaitMs?: number;
  /** Resolves after so many milliseconds, or early when the signal aborts. @defaultValue a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const APTOS_SUBJECT_DEFAULTS = {
  eventsAheadMax: 100_000,
  messageEventsMax: 5_000,
  messageVersionsMax: 50_000,
  messageWaitMs: 500,
} as const;

/** Counters since the start, for metrics. */
export interface AptosSubjectStats extends Readonly<TranslatorStats> {
  readonly endpoints: readonly LedgerEndpointStats[];
  readonly eventsAhead: number;
}

/**
 * The id of a ledger's subject: its CAIP-2 id; of bare events another one, whose SeqNos are others.
 * @example aptosSubjectId(1) // 'aptos:1'
 * @example aptosSubjectId(1, true) // 'aptos:1-events'
 */
export function aptosSubjectId(chainId: number, bareEvents = false): SubjectId {
  return `aptos:${chainId}${bareEvents ? '-events' : ''}` as SubjectId;
}
