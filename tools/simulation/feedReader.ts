import { messageOf, type Event } from '@imart/core';
import type { SubjectStore } from '@imart/pipeline';
import type { Random } from '../devnet/src/random';
import { turns } from './virtualTime';

/** A reader of the feed with a cursor of its own, which keeps the events that it was told and not told to forget. */
export interface SimulatedReader {
  readonly name: string;
  readonly events: readonly Event[];
  /** What it was told that cannot be. */
  readonly contradictions: readonly string[];
  /** How many events it was told, retracted since or not. */
  readonly told: number;
  /** Takes in what there is now. */
  drain(): Promise<void>;
  stop(): void;
}

/** @param away whether it reads a few changes only and is away until the end. */
export function startFeedReader(
  name: string,
  store: SubjectStore,
  random: Random,
  away: boolean,
): SimulatedReader {
  const events = new Map<bigint, Event>();
  const contradictions: string[] = [];
  let cursor = 0n;
  let told = 0;
  let stopped = false;

  const step = async (): Promise<boolean> => {
    const changes = await store.readFeed(cursor, {
      changesMax: 1 + random.below(5),
      eventsMax: 1 + random.below(20),
    });
    for (const { feedNo, added, retracted, kind } of changes) {
      if (feedNo !== cursor + 1n) contradictions.push(`${name}: change ${feedNo} after ${cursor}`);
      cursor = feedNo;
      for (const { event } of retracted) {
        if (!events.delete(event.seqNo))
          contradictions.push(
            `${name}: change ${feedNo} (${kind}) takes back ${event.seqNo}, which was never told`,
          );
      }
      for (const { event } of added) {
        told++;
        if (events.has(event.seqNo))
          contradictions.push(`${name}: change ${feedNo} (${kind}) adds ${event.seqNo} a second time`);
        events.set(event.seqNo, event);
      }
    }
    return changes.length > 0;
  };
  const run = async (): Promise<void> => {
    for (let steps = 0; !stopped && !(away && steps > 3); steps++) {
      await turns(5 + random.below(60));
      if (!stopped) await step();
    }
  };
  const running = run().catch((error: unknown) => void contradictions.push(`${name}: ${messageOf(error)}`));
  return {
    name,
    get events() {
      return [...events.values()].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
    },
    contradictions,
    get told() {
      return told;
    },
    async drain() {
      stopped = true;
      await running;
      while (await step());
    },
    stop() {
      stopped = true;
    },
  };
}
