import {
  aggregateKeyText,
  createSeqNoCodec,
  type Activity,
  type Event,
  type FoldState,
  type StateRow,
  type SubjectId,
} from '@imart/core';
import { APTOS_SEQ_NO_LAYOUT } from '../seqNo';
import {
  marketEventCodec,
  marketReducers,
  type MarketActivity,
  type MarketEvent,
  type MarketRow,
} from '@imart/market';
import { canonicalAddress, NO_ACCOUNT } from '../address';
import type { AptosMarket } from '../market';
import { canonicalStructTag, withoutTypeArguments } from '../structTag';
import type { AptosChange, AptosEvent, AptosRecord, AptosTransaction } from '../transaction';

const seqNos = createSeqNoCodec(APTOS_SEQ_NO_LAYOUT);

/** An event as a spec tells it: of a handle when it has an account, else of a module. */
export interface ToldEvent {
  readonly type: string;
  readonly account?: string;
  readonly data: AptosRecord;
}

/** A transaction of these events; `version` orders it among others and names it. */
export function transactionWith(
  version: bigint,
  events: readonly ToldEvent[],
  changes: readonly AptosChange[] = [],
): AptosTransaction {
  return {
    version,
    hash: `0x${version.toString(16).padStart(64, 'a')}`,
    accumulatorRootHash: `0x${version.toString(16).padStart(64, 'b')}`,
    timestampUs: 1_700_000_000_000_000n + version,
    success: true,
    sender: canonicalAddress('0x5e4d'),
    events: events.map(({ type, account, data }, index) => ({
      index,
      type: canonicalStructTag(type),
      account: account === undefined ? NO_ACCOUNT : canonicalAddress(account),
      creationNumber: account === undefined ? 0n : 4n,
      sequenceNumber: 0n,
      data,
    })),
    changes: () => changes,
  };
}

/** A resource that a transaction wrote. */
export function written(address: string, type: string, data: AptosRecord): AptosChange {
  return {
    kind: 'written-resource',
    address: canonicalAddress(address),
    type: canonicalStructTag(type),
    data,
  };
}

/**
 * The events that these markets make of transactions, as a Subject would ask for them: only events of their types, of transactions
 * that succeeded. Each has been through its stored form.
 */
export function translateTransactions(
  markets: readonly AptosMarket[],
  transactions: readonly AptosTransaction[],
): MarketEvent[] {
  const events: MarketEvent[] = [];
  const translateOne = (transaction: AptosTransaction, event: AptosEvent): void => {
    let part = 0;
    for (const market of markets) {
      if (!market.eventTypes.includes(withoutTypeArguments(event.type))) continue;
      market.translate(event, transaction, (aggregateType, aggregateId, name, data) => {
        const made: Event = {
          subjectId: 'aptos:1' as SubjectId,
          seqNo: seqNos.encode(transaction.version, event.index, part++),
          aggregateType,
          aggregateId,
          name,
          data: marketEventCodec.decode(name, marketEventCodec.encode(name, data)),
          source: {
            position: transaction.version,
            index: event.index,
            txHash: transaction.hash,
            blockHash: transaction.accumulatorRootHash,
            timeUs: transaction.timestampUs,
            address: event.account === NO_ACCOUNT ? event.type.slice(0, 66) : event.account,
          },
        };
        events.push(made as MarketEvent);
      });
    }
  };
  for (const transaction of transactions) {
    if (!transaction.success) continue;
    for (const event of transaction.events) translateOne(transaction, event);
  }
  return events.sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
}

/**
 * What events fold into: the last version of each row, and the activities, both in order of appearance. What is at or below what a state
 * has seen is not folded again, and states are made anew from their rows between batches, as in the database.
 */
export function foldEvents(...batches: readonly (readonly MarketEvent[])[]): {
  readonly rows: readonly MarketRow[];
  readonly activities: readonly MarketActivity[];
} {
  const rows = new Map<string, StateRow>();
  const activities: Activity[] = [];
  let states = new Map<string, FoldState>();
  for (const batch of batches) {
    const restored = new Map<string, FoldState>();
    for (const event of batch) {
      const reducer = marketReducers.get(event.aggregateType);
      if (reducer === undefined) throw new Error(`no reducer for aggregates of type ${event.aggregateType}`);
      const key = aggregateKeyText(event.aggregateType, event.aggregateId);
      const earlier = states.get(key);
      const state =
        restored.get(key) ??
        (earlier === undefined
          ? reducer.initial(event.aggregateId)
          : reducer.restore(event.aggregateId, reducer.rowsOf(earlier).slice(-1)));
      if (event.seqNo <= state.seqNo) continue;
      const folded = reducer.fold(state, event);
      restored.set(key, folded.state);
      for (const row of folded.rows) rows.set(`${row.table} ${row.key}`, row);
      activities.push(...folded.activities);
    }
    states = new Map([...states, ...restored]);
  }
  return { rows: [...rows.values()] as MarketRow[], activities: activities as MarketActivity[] };
}
