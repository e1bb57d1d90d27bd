import {
  createSeqNoCodec,
  type Activity,
  type Event,
  type FoldState,
  type StateRow,
  type SubjectId,
} from '@imart/core';
import { EVM_SEQ_NO_LAYOUT } from '../seqNo';
import {
  marketEventCodec,
  marketReducers,
  type MarketActivity,
  type MarketEvent,
  type MarketRow,
} from '@imart/market';
import { EventFragment, Interface } from 'ethers';
import type { EvmLog, EvmReceipt } from '../log';
import type { EvmChainFacts, Marketplace, MarketTransaction } from '../marketplace';

const seqNos = createSeqNoCodec(EVM_SEQ_NO_LAYOUT);
const MAINNET: EvmChainFacts = { chainId: 1, wrappedNative: '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2' };

/** An address that reads as its number: `addressOf(0xb0b)`. */
export function addressOf(number: number): string {
  return `0x${number.toString(16).padStart(40, '0')}`;
}

/** A log as its contract writes it, by the event's signature, encoded by ethers. */
export function encodeLog(address: string, signature: string, values: readonly unknown[]): EvmLog {
  const fragment = EventFragment.from(`event ${signature}`);
  const { topics, data } = new Interface([fragment]).encodeEventLog(fragment, values);
  return {
    address,
    topics: topics.map((topic) => topic.toLowerCase()),
    data: data.toLowerCase(),
    blockNumber: 0,
    blockHash: '',
    transactionHash: '',
    transactionIndex: 0,
    logIndex: 0,
  };
}

/** A transaction of these logs, in a block of its own; `number` orders it among others and names it. */
export function receiptWith(
  number: number,
  logs: readonly EvmLog[],
  parties: { from?: string; to?: string | null } = {},
): EvmReceipt {
  const place = {
    blockNumber: number,
    blockHash: `0x${number.toString(16).padStart(64, 'b')}`,
    transactionHash: `0x${number.toString(16).padStart(64, 'a')}`,
    transactionIndex: 0,
  };
  return {
    ...place,
    from: parties.from ?? addressOf(0xf00),
    to: parties.to === undefined ? (logs[0]?.address ?? null) : parties.to,
    succeeded: true,
    logs: logs.map((log, logIndex) => ({ ...log, ...place, logIndex })),
  };
}

/**
 * The events that a marketplace makes of these transactions, as a Subject would ask for them: only logs at its contracts
 * with its topics, and the receipt only where it asks for it. Each event has been through its stored form.
 */
export function translateReceipts(
  marketplace: Marketplace,
  contracts: readonly string[],
  receipts: readonly EvmReceipt[],
  chain: EvmChainFacts = MAINNET,
): MarketEvent[] {
  const events: MarketEvent[] = [];
  for (const receipt of receipts) {
    const logs = receipt.logs.filter(
      (log) => contracts.includes(log.address) && marketplace.topics.includes(log.topics[0] ?? ''),
    );
    if (logs.length === 0) continue;
    const transaction: MarketTransaction = {
      chain,
      hash: receipt.transactionHash,
      blockNumber: receipt.blockNumber,
      logs,
      receipt: logs.some((log) => marketplace.needsReceipt(log)) ? receipt : null,
    };
    const parts = new Map<EvmLog, number>();
    marketplace.translate(transaction, (log, aggregateType, aggregateId, name, data) => {
      if (!logs.includes(log))
        throw new Error(`${marketplace.name} emitted ${name} for a log that is not its own`);
      const part = parts.get(log) ?? 0;
      parts.set(log, part + 1);
      const position = BigInt(log.blockNumber);
      const event: Event = {
        subjectId: `eip155:${chain.chainId}` as SubjectId,
        seqNo: seqNos.encode(position, log.logIndex, part),
        aggregateType,
        aggregateId,
        name,
        data: marketEventCodec.decode(name, marketEventCodec.encode(name, data)),
        source: {
          position,
          index: log.logIndex,
          txHash: log.transactionHash,
          blockHash: log.blockHash,
          timeUs: position * 12_000_000n,
          address: log.address,
        },
      };
      events.push(event as MarketEvent);
    });
  }
  return events.sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
}

/** What events fold into: the last version of each row, and the activities, both in order of appearance. */
export function foldEvents(events: readonly MarketEvent[]): {
  readonly rows: readonly MarketRow[];
  readonly activities: readonly MarketActivity[];
} {
  const states = new Map<string, FoldState>();
  const rows = new Map<string, StateRow>();
  const activities: Activity[] = [];
  for (const event of events) {
    const reducer = marketReducers.get(event.aggregateType);
    if (reducer === undefined) throw new Error(`no reducer for aggregates of type ${event.aggregateType}`);
    const key = `${event.aggregateType} ${event.aggregateId}`;
    const folded = reducer.fold(states.get(key) ?? reducer.initial(event.aggregateId), event);
    states.set(key, folded.state);
    for (const row of folded.rows) rows.set(`${row.table} ${row.key}`, row);
    activities.push(...folded.activities);
  }
  return { rows: [...rows.values()] as MarketRow[], activities: activities as MarketActivity[] };
}

/** The sales among the events, one line for each token, in the terms of the recordings' `sales.csv`. */
export function saleLines(events: readonly MarketEvent[]) {
  return events.flatMap((event) => {
    if (event.name !== 'OrderFilled' && event.name !== 'OfferAccepted') return [];
    const { data, source } = event;
    if (!data.isSale) return [];
    return (data.items ?? []).map((item) => ({
      block: String(source.position),
      tx_hash: source.txHash,
      log_index: String(source.index),
      side: data.side,
      order_hash: data.orderHash ?? '',
      token: item.collection,
      token_id: String(item.tokenId),
      amount: String(item.quantity),
      seller: data.seller,
      buyer: data.buyer,
      currency: data.currency,
      price_raw: String(data.price),
    }));
  });
}
