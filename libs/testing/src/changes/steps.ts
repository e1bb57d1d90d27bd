import {
  type AggregateKey,
  type AppendMessage,
  type BlockRef,
  type Event,
  type InvalidateMessage,
  type LateChange,
  type Observer,
  type Reducer,
  type SeqNo,
} from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { AGGREGATE } from '@imart/market';
import {
  applyLateChange,
  createExecutor,
  createLane,
  createPipelineStats,
  invalidate,
  noSnapshots,
  snapshotEvery,
  type ChangeOptions,
  type InvalidateResult,
  type SubjectStore,
} from '@imart/pipeline';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { MARKET } from '../marketEvents';
import { silentLogger } from '../silentLogger';
import { append, executeLanes } from '../storeSteps';
import { MARKET_OBSERVER } from '../straightFold';
import type { OpenedStore, SubjectStoreFeatures } from '../storeFeatures';

export const changing = (store: SubjectStore, observer: Observer = MARKET_OBSERVER): ChangeOptions => ({
  store,
  observer,
  logger: silentLogger,
});

export const at = (position: bigint): SeqNo => blockSeqNo.last(position);

/** Everything after this position is taken back. */
export const takeBackAfter = (
  position: bigint,
  ancestor: BlockRef = fakeBlock(position),
): InvalidateMessage => ({
  kind: 'invalidate',
  fromSeqNo: blockSeqNo.first(position + 1n),
  ancestor,
});

export async function takeBack(store: SubjectStore, position: bigint): Promise<InvalidateResult> {
  const { epoch } = await store.progress();
  return invalidate(changing(store), takeBackAfter(position), epoch);
}

/** The events as complete ranges of one position each, every block told: so are positions above finality. */
export function blockByBlock(
  events: readonly Event[],
  toPosition: bigint,
  fromPosition = 0n,
): AppendMessage[] {
  const messages: AppendMessage[] = [];
  for (let position = fromPosition; position <= toPosition; position++)
    messages.push(appendMessage(events, position, position));
  return messages;
}

export const upTo = (events: readonly Event[], position: bigint): readonly Event[] =>
  events.filter(({ source }) => source.position <= position);

/** The same event elsewhere: as another block, or another transaction order, has it. */
export function movedTo(event: Event, position: bigint, index: number, blockHash?: string): Event {
  const block = fakeBlock(position);
  return {
    ...event,
    seqNo: blockSeqNo.encode(position, index, 0),
    source: {
      ...event.source,
      position,
      index,
      blockHash: blockHash ?? block.hash,
      timeUs: block.timeUs,
    },
  };
}

export const late = (epoch: bigint, change: Partial<LateChange>): LateChange => ({
  epoch,
  blocks: [],
  inserted: [],
  replaced: [],
  retracted: [],
  discovered: [],
  ...change,
});

export async function applyLate(store: SubjectStore, change: Partial<LateChange>) {
  const { epoch } = await store.progress();
  return applyLateChange(changing(store), late(epoch, change));
}

export const orderKey = (id: string): AggregateKey => ({
  aggregateType: AGGREGATE.order,
  aggregateId: `${MARKET}:${id}`,
});

export const finalize = (store: SubjectStore, position: bigint): Promise<void> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: at(position), position });
  });

/** A program that has been mended: what its order reducer could not fold changes nothing. */
export const MENDED: Observer = {
  ...MARKET_OBSERVER,
  reducers: new Map(MARKET_OBSERVER.reducers).set(AGGREGATE.order, mendedOrders()),
};

function mendedOrders(): Reducer {
  const reducer = MARKET_OBSERVER.reducers.get(AGGREGATE.order) as Reducer;
  return {
    ...reducer,
    fold: (state, event) =>
      event.name === 'TokenMinted' ? { state, rows: [], activities: [] } : reducer.fold(state, event),
  };
}

/** Every `every`-th event of an aggregate makes a snapshot, in a store with these events, executed. */
export async function filled(
  features: SubjectStoreFeatures,
  events: readonly Event[],
  { lanes = 1, every = 2, toPosition = 30n } = {},
): Promise<OpenedStore> {
  const opened = await features.open(lanes);
  for (const message of blockByBlock(events, toPosition)) await append(opened.store, message);
  await executeLanes(opened.store, every === 0 ? noSnapshots : snapshotEvery(every));
  return opened;
}

/** Refuses what was never listed. */
export function onlyListed(): Reducer {
  const reducer = MARKET_OBSERVER.reducers.get(AGGREGATE.order) as Reducer;
  return {
    ...reducer,
    fold(state, event) {
      if (state.version === 0 && event.name !== 'OrderListed') throw new Error('it was never listed');
      return reducer.fold(state, event);
    },
  };
}

/** Executes each lane up to a place of its own. */
export async function executeUpTo(store: SubjectStore, places: readonly SeqNo[]): Promise<void> {
  for (const [lane, place] of places.entries()) {
    const short: SubjectStore = {
      ...store,
      transaction: (work) =>
        store.transaction((tx) =>
          work({ ...tx, lockLanes: async (lanes) => ({ ...(await tx.lockLanes(lanes)), ingested: place }) }),
        ),
    };
    await executeWith(short, MARKET_OBSERVER, [lane]);
  }
}

export async function executeWith(
  store: SubjectStore,
  observer: Observer,
  lanes: readonly number[] = Array.from({ length: store.lanes }, (_, lane) => lane),
): Promise<void> {
  for (const lane of lanes) {
    const executor = createExecutor({ store, observer, cachedStatesMax: 100, parkedAggregatesMax: 100 });
    const stats = createPipelineStats();
    await createLane({
      lane,
      store,
      executor,
      snapshotRule: noSnapshots,
      runEventsMax: 1000,
      stats,
      now: () => 0,
    }).advance();
  }
}
