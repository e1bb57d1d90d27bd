import type { Event } from '@imart/core';
import type { FeedReader } from '@imart/pipeline';
import type { SubscriptionCursor } from './ports';
import { wantedOf } from './subscription';

/** An event of a topic, and where a reader goes on who has read it. */
export interface FollowedEvent {
  readonly event: Event;
  readonly cursor: SubscriptionCursor;
}

export interface FollowOptions {
  readonly feed: FeedReader;
  readonly from: SubscriptionCursor;
  /** Until there may be more, or the signal aborts. */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  /** About so many events are read at a time; nothing is read before they are taken. @defaultValue `200` */
  readonly eventsMax?: number;
}

/**
 * Reads a topic for a reader who keeps the cursor: every event once, in commit order of changes, in order per aggregate; ends when the
 * signal aborts. What is not taken is not read on: back-pressure.
 * @throws {FeedGapError} the cursor is of another history.
 * @throws {StorageUnavailableError} `retry`: go on at the last cursor.
 */
export async function* followTopic(
  { feed, from, wait, eventsMax = 200 }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent, void, undefined> {
  let { afterFeedNo, partSeqNo } = from;
  while (!signal.aborted) {
    const changes = await feed.readFeed(afterFeedNo, { eventsMax });
    for (const change of changes) {
      for (const event of wantedOf(change, partSeqNo)) {
        if (signal.aborted) return;
        yield { event, cursor: { afterFeedNo: change.feedNo - 1n, partSeqNo: event.seqNo } };
      }
      afterFeedNo = change.feedNo;
      partSeqNo = null;
    }
    if (changes.length === 0) await wait(signal);
  }
}
