import {
  messageOf,
  UNDECODABLE,
  UNDECODABLE_AGGREGATE,
  WorkerError,
  type Event,
  type EventSource,
  type SeqNoCodec,
  type SubjectId,
  type UndecodableData,
} from '@imart/core';
import { NO_ACCOUNT } from './address';
import { UNKNOWN, type EventFilter } from './eventFilter';
import { typeByHandle, underType } from './eventHandles';
import type { EmitAptosMarketEvent } from './market';
import type { ReadTransaction } from './read/readEvent';
import { withoutTypeArguments } from './structTag';
import type { AptosEvent } from './transaction';

export interface TranslatorOptions {
  readonly subjectId: SubjectId;
  readonly filter: EventFilter;
  readonly seqNo: SeqNoCodec;
  /** Hears of each type of event of a followed package that no market knows, once. @defaultValue nobody */
  readonly onUnknownType?: (type: string, version: bigint) => void;
}

/** Counters since the start. */
export interface TranslatorStats {
  transactions: number;
  /** Of transactions that succeeded, foreign ones included. */
  sourceEvents: number;
  /** Transactions that failed: nothing of what they say has happened. */
  failedTransactions: number;
  /** Events that became `Undecodable` ones. */
  undecodableEvents: number;
  /** Events of followed packages that no market knows, by type without type arguments. */
  readonly unknownEvents: ReadonlyMap<string, number>;
}

/** Says what transactions mean, one at a time: the same ones give the same events, however they are divided into batches. */
export interface AptosTranslator {
  readonly stats: Readonly<TranslatorStats>;
  /** Adds the transaction's events to a list, ascending by SeqNo. @returns how many events it had at its source. */
  translate(transaction: ReadTransaction, into: Event[]): number;
}

/** Places of one version that are kept for events whose index does not fit. More of them than that stop the worker. */
const OVERFLOW_PLACES = 1_024;

interface Draft {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly name: string;
  readonly data: unknown;
}

type SourceEvent = ReadTransaction['events'][number];

export function createTranslator(options: TranslatorOptions): AptosTranslator {
  const { subjectId, filter, seqNo } = options;
  const { markets } = filter;
  const unknownEvents = new Map<string, number>();
  const stats: TranslatorStats = {
    transactions: 0,
    sourceEvents: 0,
    failedTransactions: 0,
    undecodableEvents: 0,
    unknownEvents,
  };

  const sourceOf = (event: SourceEvent, transaction: ReadTransaction, index: number): EventSource => ({
    position: transaction.version,
    index,
    txHash: transaction.hash,
    blockHash: transaction.accumulatorRootHash,
    timeUs: transaction.timestampUs,
    address: accountOf(event),
  });

  const undecodable = (event: SourceEvent, reason: string, id: string): Draft => {
    stats.undecodableEvents++;
    const data: UndecodableData = { reason, raw: rawText(event) };
    return { aggregateType: UNDECODABLE_AGGREGATE, aggregateId: id, name: UNDECODABLE, data };
  };

  const countUnknown = ({ type }: SourceEvent, version: bigint): void => {
    const name = withoutTypeArguments(type);
    const seen = unknownEvents.get(name) ?? 0;
    unknownEvents.set(name, seen + 1);
    if (seen === 0) options.onUnknownType?.(name, version);
  };

  /** The event under a type that markets know; `null`: nobody's. */
  const known = (event: SourceEvent, transaction: ReadTransaction): AptosEvent | null => {
    const owners = filter.owners(event.type);
    if (owners.length > 0) return event;
    if (owners !== UNKNOWN) return null;
    const type = typeByHandle(event, transaction, filter.handles);
    if (type !== null) return underType(event, type);
    countUnknown(event, transaction.version);
    return null;
  };

  /** What the markets say of one event, or why one of them can say nothing. */
  const draftsOf = (event: AptosEvent, transaction: ReadTransaction): (Draft | string)[] => {
    const drafts: (Draft | string)[] = [];
    for (const owner of filter.owners(event.type)) {
      const market = markets[owner];
      if (market === undefined) continue;
      const emitted: Draft[] = [];
      const emit: EmitAptosMarketEvent = (aggregateType, aggregateId, name, data) => {
        emitted.push({ aggregateType, aggregateId, name, data });
      };
      try {
        market.translate(event, transaction, emit);
        for (const draft of emitted) drafts.push(draft);
      } catch (error) {
        if (error instanceof WorkerError && error.disposition !== 'park') throw error;
        // A market is pure: what it cannot read now it cannot read later either.
        drafts.push(`${market.name}: ${messageOf(error)}`);
      }
    }
    return drafts;
  };

  const place = (
    event: SourceEvent,
    transaction: ReadTransaction,
    drafts: readonly (Draft | string)[],
    into: Event[],
  ): void => {
    const { version } = transaction;
    const source = sourceOf(event, transaction, event.index);
    for (let part = 0; part < drafts.length; part++) {
      const draft = drafts[part] as Draft | string;
      const isLast = part === seqNo.max.part && drafts.length > part + 1;
      const at = seqNo.encode(version, event.index, part);
      const said = isLast ? `one event means ${drafts.length} events, more than ${part + 1}` : draft;
      const what = typeof said === 'string' ? undecodable(event, said, String(at)) : said;
      into.push({ subjectId, seqNo: at, ...what, source });
      if (isLast) return;
    }
  };

  return {
    stats,
    translate(transaction, into) {
      stats.transactions++;
      if (!transaction.success) {
        stats.failedTransactions++;
        return 0;
      }
      const { version, events } = transaction;
      stats.sourceEvents += events.length;
      /** Events that could not stand at their own place. */
      let displaced = 0;
      for (const event of events) {
        const told = known(event, transaction);
        if (told === null) continue;
        if (event.index <= seqNo.max.index) {
          place(event, transaction, draftsOf(told, transaction), into);
          continue;
        }
        const at = seqNo.encode(version, seqNo.max.index, seqNo.max.part - OVERFLOW_PLACES + 1 + displaced++);
        const reason = `event ${event.index} of version ${version} is above ${seqNo.max.index}`;
        const source = sourceOf(event, transaction, seqNo.max.index);
        into.push({ subjectId, seqNo: at, ...undecodable(event, reason, String(at)), source });
      }
      return events.length;
    },
  };
}

/** An event whose account cannot be read stands for itself; what is wrong with it is said where it is decoded. */
function accountOf(event: SourceEvent): string {
  try {
    return event.account;
  } catch {
    return NO_ACCOUNT;
  }
}

/** The event as it came, the same text from every source. */
function rawText(event: SourceEvent): string {
  const numbers = (() => {
    try {
      return [String(event.creationNumber), String(event.sequenceNumber)];
    } catch {
      return ['', ''];
    }
  })();
  const [creationNumber, sequenceNumber] = numbers;
  return JSON.stringify({
    index: event.index,
    type: event.type,
    account: accountOf(event),
    creationNumber,
    sequenceNumber,
    data: event.rawData(),
  });
}
