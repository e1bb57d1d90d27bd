import { type Event } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  createPassStats,
  noSnapshots,
  runPasses,
  type PassesOptions,
  type PassStats,
  type PassStepOptions,
  type PassStore,
  type SnapshotRule,
  type SubjectStore,
} from '@imart/pipeline';
import {
  blockSeqNo,
  append,
  appendMessage,
  contentsOfStraightFold,
  createFakeRangeSource,
  executeLanes,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type FakeRangeSource,
  type FakeRangeSourceOptions,
} from '@imart/testing';
import { createPassStore } from '../passes/passStore';
import { createMarketDatabase, type MarketDatabase } from './marketDatabase';
import type { TestServer } from './testDatabase';

export interface OpenedPasses {
  readonly store: SubjectStore;
  readonly passes: PassStore;
}

/** Stores with passes, in one database. */
export interface PassKit {
  readonly market: MarketDatabase;
  /** Empties the database and opens a subject. */
  open(lanes?: number): Promise<OpenedPasses>;
  /** All passes, as they are stored. */
  passRows(): Promise<readonly Record<string, unknown>[]>;
  /** The tables are those of a clean pass over these events. */
  expectClean(store: SubjectStore, events: readonly Event[], last: bigint): Promise<void>;
}

export async function createPassKit(server: TestServer): Promise<PassKit> {
  const market = await createMarketDatabase(server);
  return {
    market,
    async open(lanes = 1) {
      await market.clear();
      const store = await market.open(SUBJECT, lanes);
      const passes = createPassStore({
        pool: market.pool,
        subject: 1,
        subjectId: SUBJECT,
        fencing: null,
        seqNos: blockSeqNo,
      });
      return { store, passes };
    },
    async passRows() {
      const { rows } = await market.pool.query(
        `SELECT kind, from_position::int AS "from", to_position::int AS "to", next_position::int AS next, missing_events::int AS missing,
           different_events::int AS different, extra_events::int AS extra, finished_at IS NOT NULL AS finished FROM passes ORDER BY id`,
      );
      return rows as Record<string, unknown>[];
    },
    async expectClean(store, events, last) {
      expect(await storedEvents(store, last)).toEqual(events);
      expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
    },
  };
}

/** The last position of everything that specs put into the log. */
export const lastPosition = (events: readonly Event[]): bigint =>
  events.reduce((last, { source }) => (source.position > last ? source.position : last), 0n) + 2n;

/** What a worker leaves that was given just these events. */
export async function fill(
  store: SubjectStore,
  events: readonly Event[],
  last: bigint,
  snapshots: SnapshotRule = noSnapshots,
): Promise<void> {
  await append(store, appendMessage(events, 0n, last));
  await executeLanes(store, snapshots);
  await finalize(store, last);
}

export const finalize = (store: SubjectStore, position: bigint): Promise<void> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(position), position });
  });

export function stepsOf(
  { store, passes }: OpenedPasses,
  source: FakeRangeSource,
  stats: PassStats = createPassStats(),
): PassStepOptions {
  return {
    changes: { store, observer: MARKET_OBSERVER, logger: silentLogger },
    passes,
    source,
    codec: marketEventCodec,
    seqNos: blockSeqNo,
    stats,
  };
}

export const sourceOf = (
  events: readonly Event[],
  more: Partial<FakeRangeSourceOptions> = {},
): FakeRangeSource => createFakeRangeSource({ subjectId: SUBJECT, events: () => events, ...more });

/** Makes passes until nothing of them is left to read. */
export async function runToEnd(
  opened: OpenedPasses,
  source: FakeRangeSource,
  more: Partial<PassesOptions> = {},
): Promise<PassStats> {
  const done = new AbortController();
  const stats = createPassStats();
  let idle = 0;
  await runPasses(
    {
      ...stepsOf(opened, source, stats),
      positionsPerSecond: 1e9,
      mayRead: () => true,
      // The longest wait after a failure.
      random: () => 0.999,
      now: () => performance.now(),
      wait: async (ms) => {
        // Twice the pause of nothing to do.
        if (ms === 500 && ++idle === 2) done.abort();
        if (ms > 500) throw new Error(`a pass is blocked: ${stats.blocked}`);
      },
      ...more,
    },
    done.signal,
  );
  return stats;
}

export const storedEvents = async (store: SubjectStore, last: bigint): Promise<readonly Event[]> =>
  (await store.rangeEvents(0n, last)).events;
