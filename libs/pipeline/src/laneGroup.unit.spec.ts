import type { AppendMessage } from '@imart/core';
import {
  addPoison,
  appendMessages,
  contentsOfStraightFold,
  createInMemorySubjectStore,
  createMarketScript,
  MARKET_OBSERVER,
  SUBJECT,
  type InMemorySubjectStore,
} from '@imart/testing';
import {
  createExecutor,
  createLane,
  createLaneGroup,
  createPipelineStats,
  noSnapshots,
  type Executor,
  type LaneGroup,
} from './index';

const LANES = 3;
/** Larger than all seq nos of these scripts. */
const ANY_DISTANCE = Number.MAX_SAFE_INTEGER;

function setUp(behindMax = ANY_DISTANCE) {
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: LANES, observer: MARKET_OBSERVER });
  const stats = createPipelineStats();
  const executor = (): Executor =>
    createExecutor({ store, observer: MARKET_OBSERVER, cachedStatesMax: 100, parkedAggregatesMax: 10 });
  const shared = { store, snapshotRule: noSnapshots, stats, now: () => 0 };
  const group: LaneGroup = createLaneGroup({ ...shared, executor: executor(), behindMax });
  const alone = (lane: number): Promise<unknown> =>
    createLane({ ...shared, lane, executor: executor(), runEventsMax: 100 }).advance();
  return { store, stats, group, alone };
}

async function append(store: InMemorySubjectStore, message: AppendMessage, feedNo: bigint): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.append(await store.prepareAppend(message, feedNo));
  });
}

/** Twelve orders over many blocks: every lane has some of them. */
function orders() {
  const script = createMarketScript();
  for (let id = 0; id < 12; id++) script.listed(String(id));
  for (let price = 1n; price < 6n; price++) {
    script.nextBlock();
    for (let id = 0; id < 12; id++) script.priceChanged(String(id), { price });
  }
  return script;
}

const blockOf = (script: ReturnType<typeof orders>, i: number): bigint =>
  script.events[i]?.source.position ?? 0n;

describe('lanes that execute together', () => {
  it('end where each by itself would, in one transaction for each part of the log', async () => {
    const script = orders();
    const ends = [blockOf(script, 0), blockOf(script, 24), blockOf(script, 71)];
    const { store, stats, group } = setUp();
    for (const [i, message] of appendMessages(script.events, ends).entries()) {
      await append(store, message, BigInt(i + 1));
      expect(await group.advance()).toBe('moved');
      expect(await group.advance()).toBe('at-the-end');
    }
    expect(store.contents()).toEqual(await contentsOfStraightFold(script.events));
    expect(stats).toMatchObject({ runs: 3, executedEvents: 72 });
  });

  it('leave out what one of them has executed by itself, though they have its older states in memory', async () => {
    const script = orders();
    const ends = [blockOf(script, 0), blockOf(script, 24), blockOf(script, 48), blockOf(script, 71)];
    const { store, stats, group, alone } = setUp();
    for (const [i, message] of appendMessages(script.events, ends).entries()) {
      await append(store, message, BigInt(i + 1));
      if (i === 1 || i === 2) await alone(i);
      if (i !== 1) await group.advance();
    }
    expect(store.contents()).toEqual(await contentsOfStraightFold(script.events));
    expect(stats.executedEvents).toBe(72);
  });

  it('set an aggregate aside by itself (E13)', async () => {
    const script = addPoison(createMarketScript().listed('1').listed('2').nextBlock(), '1');
    script.nextBlock().priceChanged('2', { price: 9n });
    const { store, stats, group } = setUp();
    const [message] = appendMessages(script.events, [blockOf(script, script.events.length - 1)]);
    await append(store, message as AppendMessage, 1n);
    expect(await group.advance()).toBe('moved');
    expect(stats.parkedAggregates).toBe(1);
    expect(await store.parked()).toMatchObject([{ aggregateId: expect.stringMatching(/:1$/) }]);
    expect(store.contents().rows).toMatchObject([
      { id: '1', price: 100n },
      { id: '2', price: 9n },
    ]);
  });

  it('do nothing when they are too far behind, and stand still with their subject', async () => {
    const script = orders();
    const { store, group } = setUp(5);
    const [message] = appendMessages(script.events, [blockOf(script, 71)]);
    await append(store, message as AppendMessage, 1n);
    expect(await group.advance()).toBe('behind');
    expect(store.contents().rows).toEqual([]);
    await store.halt('SOMETHING', 'on purpose');
    await expect(group.advance()).rejects.toThrow('on purpose');
  });
});
