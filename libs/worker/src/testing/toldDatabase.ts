import type { Pool } from 'pg';
import { type Event } from '@imart/core';
import { invalidate, type SubjectStore } from '@imart/pipeline';
import { openNotifications, type NotificationStore } from '@imart/storage';
import {
  blockSeqNo,
  append,
  appendMessage,
  createMarketScript,
  executeLanes,
  fakeBlock,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
} from '@imart/testing';
import type { MarketDatabase } from '../../../storage/src/testing/marketDatabase';

/** A chain of one market in a database, written as ingest and lanes write it. */
export interface ToldChain {
  readonly store: SubjectStore;
  /** Adds positions up to `to`, with these events, and executes them. */
  grow(events: readonly Event[], to: bigint): Promise<void>;
  /** The same, without executing. */
  ingest(events: readonly Event[], to: bigint): Promise<void>;
  execute(): Promise<void>;
  finalize(position: bigint): Promise<void>;
  /** Takes back everything after a position. */
  takeBackAfter(position: bigint): Promise<void>;
}

const BLOCKS_MAX = 100n;

export async function openToldChain(database: MarketDatabase, pool?: Pool): Promise<ToldChain> {
  const store = await database.open(SUBJECT, 1, pool);
  const chain: ToldChain = {
    store,
    async ingest(events, to) {
      const { nextPosition } = await store.progress();
      const message = appendMessage(events, nextPosition, to);
      // Those that a spec may take the chain back to.
      const first = to - nextPosition > BLOCKS_MAX ? to - BLOCKS_MAX : nextPosition;
      const blocks = Array.from({ length: Number(to - first) + 1 }, (_, i) => fakeBlock(first + BigInt(i)));
      await append(store, { ...message, blocks });
    },
    execute: () => executeLanes(store),
    async grow(events, to) {
      await chain.ingest(events, to);
      await chain.execute();
    },
    finalize: (position) =>
      store.transaction(async (tx) => {
        await tx.lockIngest();
        await tx.finalize({ kind: 'finalize', position, upToSeqNo: blockSeqNo.last(position) });
      }),
    async takeBackAfter(position) {
      const { epoch } = await store.progress();
      const fromSeqNo = blockSeqNo.first(position + 1n);
      await invalidate(
        { store, observer: MARKET_OBSERVER, logger: silentLogger },
        { kind: 'invalidate', fromSeqNo, ancestor: fakeBlock(position) },
        epoch,
      );
    },
  };
  return chain;
}

export function openTold(
  pool: Pool,
  options: { readonly push?: boolean; readonly from?: 'beginning' | 'now' | bigint } = {},
): Promise<NotificationStore> {
  const { push = true, from = 'beginning' } = options;
  return openNotifications({ pool, subject: 1, subjectId: SUBJECT, seqNos: blockSeqNo, from, push });
}

/** A script whose first event is at a position. */
export const scriptAt = (position: bigint) => createMarketScript().nextBlock(position - 1n);
