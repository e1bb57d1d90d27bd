import { type SeqNo } from '@imart/core';
import {
  blockSeqNo,
  addPoison,
  ALICE,
  BOB,
  appendMessages,
  createInMemorySubjectStore,
  createMarketScript,
  MARKET,
  MARKET_OBSERVER,
  SUBJECT,
  type InMemorySubjectStore,
  type MarketScript,
} from '@imart/testing';
import { createExecutor, createLane, createPipelineStats, refold, snapshotEvery } from './index';

/** A store whose one lane has executed these events, with a snapshot after every `every` of an aggregate. */
async function executed(script: MarketScript, every: number): Promise<InMemorySubjectStore> {
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
  const [message] = appendMessages(script.events, [100n]);
  await store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.append(await store.prepareAppend(message!, 1n));
  });
  const executor = createExecutor({
    store,
    observer: MARKET_OBSERVER,
    cachedStatesMax: 100,
    parkedAggregatesMax: 10,
  });
  const stats = createPipelineStats();
  await createLane({
    lane: 0,
    store,
    executor,
    snapshotRule: snapshotEvery(every),
    runEventsMax: 100,
    stats,
    now: () => 0,
  }).advance();
  return store;
}

async function refolded(
  store: InMemorySubjectStore,
  aggregateType: string,
  aggregateId: string,
  fromSeqNo: SeqNo,
) {
  return store.transaction(async (tx) => {
    await tx.lockIngest();
    const { executed: upToSeqNo } = await tx.lockLanes([0]);
    await tx.unpark([{ aggregateType, aggregateId }]);
    return refold(tx, { store, observer: MARKET_OBSERVER }, [
      { aggregateType, aggregateId, fromSeqNo, upToSeqNo },
    ]);
  });
}

describe('refolding an aggregate', () => {
  it('keeps its row when its newest snapshot is at its last event', async () => {
    const script = createMarketScript().minted(ALICE).transferred(ALICE, BOB);
    const { aggregateType, aggregateId } = script.events[0]!;
    for (const every of [1, 2]) {
      const store = await executed(script, every);
      const before = store.contents();
      expect(before.rows).toMatchObject([{ table: 'tokens', owner: BOB }]);
      await refolded(store, aggregateType, aggregateId, blockSeqNo.first(50n));
      expect(store.contents()).toEqual(before);
    }
  });

  it('starts at the newest snapshot below the change, not at the beginning', async () => {
    const script = createMarketScript().listed('1');
    for (let i = 0; i < 9; i++) script.nextBlock().priceChanged('1', { price: BigInt(i) });
    const store = await executed(script, 3);
    expect(store.snapshots().map(({ state }) => state.version)).toEqual([3, 6, 9]);
    const before = store.contents();
    const run = await refolded(store, 'order', `${MARKET}:1`, script.events[9]!.seqNo);
    // After the snapshot of 9 events: the 10th.
    expect(run.events).toBe(1);
    expect(store.contents()).toEqual(before);
  });

  it('leaves the rows that had ended before the change as they are', async () => {
    const script = createMarketScript().listed('1').filled('1').nextBlock().listed('1', { price: 5n });
    const store = await executed(script, 1);
    const before = store.contents();
    await refolded(store, 'order', `${MARKET}:1`, script.events[2]!.seqNo);
    expect(store.contents()).toEqual(before);
    expect(before.rows).toMatchObject([{ status: 'SOLD' }, { status: 'LISTING', price: 5n }]);
  });

  it('does not use a snapshot of another version of the reducer (E8)', async () => {
    const script = createMarketScript().minted(ALICE).transferred(ALICE, BOB);
    const store = await executed(script, 1);
    const { aggregateType, aggregateId } = script.events[0]!;
    const newest = store.snapshots().at(-1)!;
    const ofAnother = { ...newest, reducerVersion: newest.reducerVersion + 1 };
    await store.transaction(async (tx) =>
      tx.writeRun(
        await store.prepareRun({ rows: [], activities: [], snapshots: [ofAnother], parked: [], folded: 0 }),
      ),
    );
    const before = store.contents();
    await store.transaction(async (tx) => {
      const request = { aggregateType, aggregateId, fromSeqNo: blockSeqNo.first(50n) };
      expect([...(await tx.snapshotsBelow([request])).values()]).toMatchObject([{ version: 1 }]);
    });
    await refolded(store, aggregateType, aggregateId, blockSeqNo.first(50n));
    expect(store.contents()).toEqual(before);
  });

  it('stops where the aggregate fails, and parks it there again', async () => {
    const script = addPoison(createMarketScript().listed('1'), '1').filled('1');
    const store = await executed(script, 100);
    const before = store.contents();
    expect(before.parked).toMatchObject([{ fromSeqNo: script.events[1]!.seqNo }]);
    const run = await refolded(store, 'order', `${MARKET}:1`, script.events[0]!.seqNo);
    expect(run.parked).toMatchObject([{ fromSeqNo: script.events[1]!.seqNo }]);
    expect(store.contents()).toEqual(before);
  });
});
