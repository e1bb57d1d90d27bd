import {
  messageOf,
  UNDECODABLE,
  UNDECODABLE_AGGREGATE,
  WorkerError,
  type DiscoveredContract,
  type Event,
  type EventSource,
  type SeqNoCodec,
  type SubjectId,
  type UndecodableData,
} from '@imart/core';
import { timeUs } from './fetch/canonicalBlock';
import type { RangeData } from './fetch/fetchRange';
import type { LogFilter } from './follow';
import type { EvmLog, EvmReceipt } from './log';
import type { EmitMarketEvent, EvmChainFacts, Marketplace } from './marketplace';

export interface TranslatorOptions {
  readonly subjectId: SubjectId;
  readonly chain: EvmChainFacts;
  readonly filter: LogFilter;
  readonly seqNo: SeqNoCodec;
}

/** What a range of logs means. */
export interface Translation {
  /** Ascending by SeqNo. */
  readonly events: readonly Event[];
  /** Contracts that are followed from now on. */
  readonly discovered: readonly DiscoveredContract[];
  /** Logs that stood before the log that made their contract known. */
  readonly foreign: number;
  readonly undecodable: number;
  /** Logs of contracts that are followed only because all are, that nobody can read. */
  readonly malformed: number;
}

/** What a marketplace said of one log, before it has its place. */
interface Draft {
  readonly log: EvmLog;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly name: string;
  readonly data: unknown;
}

/**
 * Turns ranges into events. Ranges must come in order: contracts that one discovers are followed in the next ones. The
 * same logs give the same events, however they are divided into ranges.
 */
export function createTranslator(options: TranslatorOptions): (data: RangeData) => Translation {
  const { subjectId, chain, filter, seqNo } = options;
  const { marketplaces } = filter;
  const discovering = marketplaces.some(({ discover }) => discover !== undefined);

  return (data) => {
    const events: Event[] = [];
    const discovered: DiscoveredContract[] = [];
    let foreign = 0;
    let undecodable = 0;
    let malformed = 0;
    let block = -1;
    let position = 0n;
    let time = 0n;
    /** Events that could not stand at their own place, in the current block. */
    let displaced = 0;

    const enterBlock = (log: EvmLog): void => {
      block = log.blockNumber;
      position = BigInt(block);
      time = timeUs(data.timestamps.get(block) ?? 0);
      displaced = 0;
    };

    const push = (draft: Draft, source: EventSource, index: number, part: number): void => {
      const { aggregateType, aggregateId, name } = draft;
      events.push({
        subjectId,
        seqNo: seqNo.encode(position, index, part),
        aggregateType,
        aggregateId,
        name,
        data: draft.data,
        source,
      });
    };

    const pushUndecodable = (log: EvmLog, reason: string, index: number, part: number): void => {
      undecodable++;
      const id = seqNo.encode(position, index, part);
      const raw: UndecodableData = { reason, raw: JSON.stringify(log) };
      const source = { ...sourceOf(log), index };
      push(
        { log, aggregateType: UNDECODABLE_AGGREGATE, aggregateId: String(id), name: UNDECODABLE, data: raw },
        source,
        index,
        part,
      );
    };

    const sourceOf = (log: EvmLog): EventSource => ({
      position,
      index: log.logIndex,
      txHash: log.transactionHash,
      blockHash: log.blockHash,
      timeUs: time,
      address: log.address,
    });

    /** The events of one log, in order; the last place that fits holds what does not fit. */
    const place = (log: EvmLog, drafts: readonly (Draft | string)[]): void => {
      if (log.logIndex > seqNo.max.index) {
        const reason = `log index ${log.logIndex} of block ${log.blockNumber} is above ${seqNo.max.index}`;
        pushUndecodable(log, reason, seqNo.max.index, seqNo.max.part - OVERFLOW_PLACES + 1 + displaced++);
        return;
      }
      let source: EventSource | null = null;
      for (let part = 0; part < drafts.length; part++) {
        const draft = drafts[part] as Draft | string;
        if (part === seqNo.max.part && drafts.length > part + 1) {
          pushUndecodable(
            log,
            `one log has ${drafts.length} events, more than ${seqNo.max.part + 1}`,
            log.logIndex,
            part,
          );
          return;
        }
        if (typeof draft === 'string') pushUndecodable(log, draft, log.logIndex, part);
        else push(draft, (source ??= sourceOf(log)), log.logIndex, part);
      }
    };

    /** Adds what the marketplace says of these logs of one transaction. @returns why it can say nothing, or `null`. */
    const readBy = (
      marketplace: Marketplace,
      logs: readonly EvmLog[],
      receipt: EvmReceipt | null,
      drafts: Map<EvmLog, (Draft | string)[]>,
    ): string | null => {
      const { transactionHash, blockNumber } = logs[0] as EvmLog;
      const emitted: Draft[] = [];
      const emit: EmitMarketEvent = (log, aggregateType, aggregateId, name, eventData) => {
        emitted.push({ log, aggregateType, aggregateId, name, data: eventData });
      };
      try {
        marketplace.translate({ chain, hash: transactionHash, blockNumber, logs, receipt }, emit);
      } catch (error) {
        if (error instanceof WorkerError && error.disposition !== 'park') throw error;
        // A marketplace is pure: what it cannot read now it cannot read later either.
        return `${marketplace.name}: ${messageOf(error)}`;
      }
      for (const draft of emitted) listOf(drafts, draft.log).push(draft);
      return null;
    };

    /**
     * What a followed contract says and nobody understands is kept, undecodable. When every contract is followed, it is
     * somebody's look-alike, counted and skipped (D7).
     */
    const refuse = (
      owner: number,
      log: EvmLog,
      reason: string,
      drafts: Map<EvmLog, (Draft | string)[]>,
    ): void => {
      if (filter.followsEverybody(owner) && !filter.isChild(log.address)) malformed++;
      else listOf(drafts, log).push(reason);
    };

    /** Each marketplace with its logs of one transaction; their events in the order of the logs. */
    const translateTransaction = (logs: readonly EvmLog[], owners: readonly (readonly number[])[]): void => {
      const first = logs[0] as EvmLog;
      const shown = ownersIn(owners);
      const drafts = new Map<EvmLog, (Draft | string)[]>();
      for (const owner of shown) {
        const marketplace = marketplaces[owner];
        if (marketplace === undefined) continue;
        const own = shown.length === 1 ? logs : logs.filter((_, i) => owners[i]?.includes(owner));
        const receipt = own.some((log) => marketplace.needsReceipt(log))
          ? (data.receipts.get(first.transactionHash) ?? null)
          : null;
        const unreadable = readBy(marketplace, own, receipt, drafts);
        if (unreadable !== null && own.length > 1 && marketplace.independentLogs === true) {
          for (const log of own) {
            const reason = readBy(marketplace, [log], receipt, drafts);
            if (reason !== null) refuse(owner, log, reason, drafts);
          }
        } else if (unreadable !== null) {
          for (const log of own) refuse(owner, log, unreadable, drafts);
        }
      }
      for (const log of logs) {
        const own = drafts.get(log);
        if (own !== undefined) place(log, own);
        drafts.delete(log);
      }
      const [stray] = drafts.keys();
      if (stray !== undefined) throw new StrayEventError(first.transactionHash);
    };

    const discoverIn = (log: EvmLog): void => {
      for (const collection of filter.discoveriesIn(log)) {
        const contract = filter.follow(collection, log);
        if (contract !== null) discovered.push(contract);
      }
    };

    let logs: EvmLog[] = [];
    let owners: (readonly number[])[] = [];
    const flush = (): void => {
      if (logs.length === 0) return;
      if ((logs[0] as EvmLog).blockNumber !== block) enterBlock(logs[0] as EvmLog);
      translateTransaction(logs, owners);
      logs = [];
      owners = [];
    };
    for (const log of data.logs) {
      if (logs.length > 0 && logs[0]?.transactionHash !== log.transactionHash) flush();
      const own = filter.owners(log);
      if (own.length === 0) {
        foreign++;
        continue;
      }
      if (discovering) discoverIn(log);
      logs.push(log);
      owners.push(own);
    }
    flush();
    return { events, discovered, foreign, undecodable, malformed };
  };
}

/** Places of one block that are kept for logs whose index does not fit. More of them than that stop the worker. */
const OVERFLOW_PLACES = 1_024;

function ownersIn(owners: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = owners;
  if (first.length === 1 && owners.every((own) => own.length === 1 && own[0] === first[0])) return first;
  return [...new Set(owners.flat())].sort((a, b) => a - b);
}

function listOf(drafts: Map<EvmLog, (Draft | string)[]>, log: EvmLog): (Draft | string)[] {
  let list = drafts.get(log);
  if (list === undefined) {
    list = [];
    drafts.set(log, list);
  }
  return list;
}

/** A marketplace emitted an event for a log that it was not shown. A fault of the marketplace's code. */
export class StrayEventError extends WorkerError {
  constructor(txHash: string) {
    super(
      `an event of transaction ${txHash} names a log that is not one of the marketplace's; correct the marketplace`,
      {
        code: 'STRAY_EVENT',
        disposition: 'stop',
        fields: { txHash },
      },
    );
  }
}
