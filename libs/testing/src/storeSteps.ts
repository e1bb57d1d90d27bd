import { expect } from '@jest/globals';
import type { AppendMessage, Event } from '@imart/core';
import {
  createCatchUp,
  createExecutor,
  createLane,
  createPipelineStats,
  noSnapshots,
  refold,
  type AggregateRange,
  type AppendResult,
  type OperatorDecision,
  type SnapshotRule,
  type SubjectStore,
  type TouchedAggregate,
} from '@imart/pipeline';
import { appendMessage } from './fakeSubject';
import type { StoreContents } from './inMemory/reads';
import { createInMemorySubjectStore } from './inMemorySubjectStore';
import { SUBJECT } from './marketEvents';
import { silentLogger } from './silentLogger';
import { MARKET_OBSERVER, straightFold } from './straightFold';

const never = new AbortController().signal;
const allLanes = (store: SubjectStore): number[] => Array.from({ length: store.lanes }, (_, lane) => lane);

/** Who decides in specs that are not about it. */
export const AN_OPERATOR: OperatorDecision = { actedBy: 'an operator', reason: 'because' };

/** Appends one range, as ingest does. */
export function append(store: SubjectStore, message: AppendMessage): Promise<AppendResult> {
  return store.transaction(async (tx) => {
    const { lastFeedNo } = await tx.lockIngest();
    return tx.append(await store.prepareAppend(message, lastFeedNo + 1n));
  });
}

/** Executes all lanes up to the end of the log. */
export async function executeLanes(
  store: SubjectStore,
  snapshotRule: SnapshotRule = noSnapshots,
  runEventsMax = 1000,
): Promise<void> {
  for (const lane of allLanes(store)) {
    const executor = createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: 3,
      parkedAggregatesMax: 1000,
    });
    const stats = createPipelineStats();
    await createLane({ lane, store, executor, snapshotRule, runEventsMax, stats, now: () => 0 }).advance();
  }
}

/** What one clean pass over all events leaves behind. */
export async function contentsOfStraightFold(events: readonly Event[]): Promise<StoreContents> {
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
  await store.transaction(async (tx) => tx.writeRun(await store.prepareRun(straightFold(events))));
  return store.contents();
}

/** The events of a script as one range from position 0 to the one after the last event. */
export function wholeRange(events: readonly Event[]): AppendMessage {
  return appendMessage(events, 0n, (events.at(-1)?.source.position ?? 0n) + 1n);
}

/** Takes ranges as a worker that catches up does. */
export async function catchUpWith(
  store: SubjectStore,
  messages: readonly AppendMessage[],
  cachedStatesMax = 1000,
): Promise<void> {
  const catchUp = createCatchUp({
    store,
    executor: createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax,
      parkedAggregatesMax: 1000,
    }),
    stats: createPipelineStats(),
    logger: silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  for (const message of messages) expect(await catchUp.push(message, never)).toBe(true);
  await catchUp.drain(never);
}

/** Refolds an aggregate from a place on, up to where the lanes are. */
export const refoldOne = (store: SubjectStore, touched: TouchedAggregate): Promise<unknown> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    const { executed } = await tx.lockLanes(allLanes(store));
    await tx.unpark([touched]);
    await refold(tx, { store, observer: MARKET_OBSERVER }, [{ ...touched, upToSeqNo: executed }]);
  });

/** The events of one aggregate, as a refold reads them. */
export async function readAggregate(store: SubjectStore, range: AggregateRange): Promise<readonly Event[]> {
  const events: Event[] = [];
  await store.transaction((tx) =>
    tx.readAggregates([range], async (piece) => {
      events.push(...piece);
    }),
  );
  return events;
}
