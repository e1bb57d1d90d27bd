import { type Event } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import {
  createExecutor,
  createLane,
  createPipelineStats,
  invalidate,
  snapshotEvery,
  type Lane,
  type SubjectStore,
} from '@imart/pipeline';
import { appendMessage, fakeBlock, MARKET_OBSERVER, silentLogger } from '@imart/testing';

/** What a process keeps in memory for one lane. */
export function laneOf(store: SubjectStore, lane: number, runEventsMax = 1_000): Lane {
  return createLane({
    lane,
    store,
    executor: createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: 100,
      parkedAggregatesMax: 100,
    }),
    snapshotRule: snapshotEvery(2),
    runEventsMax,
    stats: createPipelineStats(),
    now: () => 0,
  });
}

/** Takes everything after a position back, as ingest does: under the epoch that it has read, and anew when that has moved. */
export async function takeBackTo(store: SubjectStore, position: bigint): Promise<void> {
  for (;;) {
    const { epoch } = await store.progress();
    const result = await invalidate(
      { store, observer: MARKET_OBSERVER, logger: silentLogger },
      { kind: 'invalidate', fromSeqNo: evmSeqNo.first(position + 1n), ancestor: fakeBlock(position) },
      epoch,
    );
    if (result.kind === 'invalidated') return;
    if (result.kind !== 'moved') throw new Error(`nothing was taken back: ${result.kind}`);
  }
}

/** Events up to a position in one range, then block by block up to another one, each block remembered. */
export async function appendBlocks(
  store: SubjectStore,
  events: readonly Event[],
  fromPosition: bigint,
  toPosition: bigint,
): Promise<void> {
  for (let position = fromPosition; position <= toPosition; position++) {
    await store.transaction(async (tx) => {
      const { lastFeedNo } = await tx.lockIngest();
      await tx.append(await store.prepareAppend(appendMessage(events, position, position), lastFeedNo + 1n));
    });
  }
}
