import type { AppendMessage, Event } from '@imart/core';
import {
  createExecutor,
  createLane,
  createPipelineStats,
  noSnapshots,
  type AppendResult,
  type OperatorDecision,
  type SnapshotRule,
  type SubjectStore,
} from '@imart/pipeline';
import { appendMessage } from './fakeSubject';
import { createInMemorySubjectStore, type StoreContents } from './inMemorySubjectStore';
import { SUBJECT } from './marketEvents';
import { MARKET_OBSERVER, straightFold } from './straightFold';

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
