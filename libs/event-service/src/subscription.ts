import { aggregateKeyText, messageOf, type Event } from '@imart/core';
import {
  FencedError,
  retryDelayMs,
  runFeedProcess,
  STORAGE_RETRY,
  waitMs,
  type FeedChange,
  type FeedReader,
  type Logger,
} from '@imart/pipeline';
import { createBell } from './bell';
import type { SubscriptionCursor, SubscriptionStore } from './ports';

/** What a subscription reads: one subject's committed changes. */
export interface Topic {
  /** For messages and logs: the subject's id. */
  readonly name: string;
  readonly feed: FeedReader;
}

/** Takes the events of one aggregate, in their order. */
export type Deliver = (events: readonly Event[], signal: AbortSignal) => Promise<void>;

export interface SubscriptionOptions {
  readonly topic: Topic;
  /** Of this subscription: stable, it names its cursor. */
  readonly name: string;
  readonly store: SubscriptionStore;
  /**
   * At least once: after a crash or a lost lease, events come again that were delivered, with the same ids. What it throws is tried again,
   * without end, and holds the subscription back: nothing is skipped.
   */
  readonly deliver: Deliver;
  /** Which events are delivered. @defaultValue all */
  readonly accepts?: (event: Event) => boolean;
  readonly logger: Logger;
  readonly random: () => number;
  /** Unique to this process. */
  readonly holder: string;
  /** @defaultValue {@link LEASE_MS_DEFAULT} */
  readonly leaseMs?: number;
  /** Most events that are on their way at once. @defaultValue {@link DELIVERED_EVENTS_MAX_DEFAULT} */
  readonly deliveredEventsMax?: number;
  /** Aggregates that are delivered side by side. @defaultValue `16` */
  readonly concurrency?: number;
  /** How often the feed is looked at when nobody rings. @defaultValue `25` */
  readonly pollMs?: number;
  /** @defaultValue its own */
  readonly stats?: SubscriptionStats;
}

/** @defaultValue for `deliveredEventsMax` */
export const DELIVERED_EVENTS_MAX_DEFAULT = 200;

/** What a subscription counts. */
export interface SubscriptionStats {
  delivered: number;
  /** Attempts that failed, in all and since the last success. */
  failures: number;
  failing: number;
  /** Every change up to here is delivered. */
  feedNo: bigint;
}

export function createSubscriptionStats(): SubscriptionStats {
  return { delivered: 0, failures: 0, failing: 0, feedNo: 0n };
}

/**
 * A durable reader of a topic: in commit order of changes, in order per aggregate, at least once, with back-pressure (nothing is read
 * before what was read is delivered). Of several processes with one name, one reads; another takes over from the cursor.
 */
export interface Subscription {
  readonly stats: SubscriptionStats;
  /** Something was executed: look at once. */
  wake(): void;
  /** Reads until the signal aborts. @throws what is of disposition `stop`. */
  run(signal: AbortSignal): Promise<void>;
}

export function createSubscription(options: SubscriptionOptions): Subscription {
  const { topic, name, store, logger, random, holder, pollMs = 25 } = options;
  const { stats = createSubscriptionStats(), deliveredEventsMax = DELIVERED_EVENTS_MAX_DEFAULT } = options;
  const bell = createBell();
  const label = `${topic.name}/${name}`;

  const commit = async (fencing: bigint, cursor: SubscriptionCursor): Promise<void> => {
    if (!(await store.commit(fencing, cursor))) throw new FencedError(label, fencing, null);
    stats.feedNo = cursor.afterFeedNo;
  };

  /** @returns whether there was anything. */
  const readOnce = async (fencing: bigint, signal: AbortSignal): Promise<boolean> => {
    const cursor = await store.cursor();
    const changes = await topic.feed.readFeed(cursor.afterFeedNo, { eventsMax: deliveredEventsMax });
    let { partSeqNo } = cursor;
    for (const change of changes) {
      const events = wantedOf(change, partSeqNo, options.accepts);
      partSeqNo = null;
      for (let start = 0; start < events.length; start += deliveredEventsMax) {
        const piece = events.slice(start, start + deliveredEventsMax);
        await deliverPiece(options, stats, label, piece, signal);
        if (signal.aborted) return false;
        const last = piece.at(-1) as Event;
        if (start + deliveredEventsMax < events.length) {
          await commit(fencing, { afterFeedNo: change.feedNo - 1n, partSeqNo: last.seqNo });
        }
      }
      await commit(fencing, { afterFeedNo: change.feedNo, partSeqNo: null });
    }
    return changes.length > 0;
  };

  return {
    stats,
    wake: () => bell.ring(),
    run: (signal) =>
      runFeedProcess(
        {
          label,
          leases: store.leases,
          holder,
          ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
          logger,
          random,
          pollMs,
          idle: (ms, held) => bell.wait(ms, held),
        },
        signal,
        readOnce,
      ),
  };
}

/** What of a change is to be delivered. What was taken back again before it was read never happened for this reader. */
export function wantedOf(
  { added, feedNo }: FeedChange,
  partSeqNo: bigint | null,
  accepts: (event: Event) => boolean = () => true,
): readonly Event[] {
  return added
    .filter(({ addedBy }) => addedBy === feedNo)
    .map(({ event }) => event)
    .filter((event) => (partSeqNo === null || event.seqNo > partSeqNo) && accepts(event));
}

/** Delivers a piece, aggregates side by side; resolves when all of it is delivered or the signal aborts. */
async function deliverPiece(
  { deliver, logger, random, concurrency = 16 }: SubscriptionOptions,
  stats: SubscriptionStats,
  label: string,
  events: readonly Event[],
  signal: AbortSignal,
): Promise<void> {
  const groups = byAggregate(events);
  const work = async (): Promise<void> => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      for (let attempt = 1; !signal.aborted; attempt++) {
        try {
          await deliver(group, signal);
          stats.delivered += group.length;
          stats.failing = 0;
          break;
        } catch (error) {
          stats.failures++;
          stats.failing++;
          const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
          logger.warn('a delivery failed, trying again', {
            subscription: label,
            aggregateId: group[0]?.aggregateId,
            attempt,
            delayMs,
            error: messageOf(error),
          });
          await waitMs(delayMs, signal);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, work));
}

function byAggregate(events: readonly Event[]): (readonly Event[])[] {
  const groups = new Map<string, Event[]>();
  for (const event of events) {
    const key = aggregateKeyText(event.aggregateType, event.aggregateId);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups.values()];
}
