import type { WakeUp, WakeUpFate, WakeUpReceiver, WakeUpSender } from '@imart/pipeline';
import type { Random } from '../devnet/src/random';
import { turns } from './virtualTime';

/** What a queue may do to wake-ups, as probabilities: all of it costs latency only (Q2, Q3, Q4). */
export interface QueueFaults {
  readonly lost: number;
  readonly duplicated: number;
  /** Longest way of a wake-up to its lane, in turns: wake-ups overtake each other. */
  readonly delayTurnsMax: number;
  /** The chance, each time one is sent, that all waiting ones are gone (FLUSHALL). */
  readonly flushed: number;
  /** The chance that a wake-up of a dead worker is delivered again. */
  readonly redelivered: number;
}

/** A queue that outlives the processes that use it. */
export interface WakeUpQueue {
  readonly sender: WakeUpSender;
  /** Each process has a receiver of its own; wake-ups of a lane go to any of those that took it. */
  receiver(isAlive: () => boolean): WakeUpReceiver;
  readonly counts: Readonly<Record<'sent' | 'lost' | 'duplicated' | 'flushed' | 'delivered', number>>;
}

interface Consumer {
  readonly isAlive: () => boolean;
  readonly lanes: readonly number[];
  readonly handler: (wakeUp: WakeUp) => Promise<WakeUpFate>;
  stopped: boolean;
}

export function createWakeUpQueue(random: Random, faults: QueueFaults): WakeUpQueue {
  let consumers: Consumer[] = [];
  let flushes = 0;
  const running = new Set<Promise<unknown>>();
  const counts = { sent: 0, lost: 0, duplicated: 0, flushed: 0, delivered: 0 };

  /** Never at the same time for one lane is what the queue promises, and does not keep (Q2): the lane must. */
  const deliver = async (wakeUp: WakeUp): Promise<void> => {
    const flushesBefore = flushes;
    await turns(random.below(faults.delayTurnsMax + 1));
    if (flushes !== flushesBefore) {
      counts.flushed++;
      return;
    }
    consumers = consumers.filter((consumer) => consumer.isAlive() && !consumer.stopped);
    const able = consumers.filter(({ lanes }) => lanes.includes(wakeUp.lane));
    if (able.length === 0) return;
    const consumer = random.pick(able);
    counts.delivered++;
    const handled = consumer.handler(wakeUp).then(
      () => undefined,
      () => undefined,
    );
    running.add(handled);
    void handled.then(() => running.delete(handled));
    await turns(2);
    if (!consumer.isAlive() && random.chance(faults.redelivered)) await deliver(wakeUp);
  };

  return {
    counts,
    sender: {
      async send(wakeUps) {
        if (random.chance(faults.flushed)) flushes++;
        for (const wakeUp of wakeUps) {
          counts.sent++;
          if (random.chance(faults.lost)) {
            counts.lost++;
            continue;
          }
          void deliver(wakeUp);
          if (random.chance(faults.duplicated)) {
            counts.duplicated++;
            void deliver(wakeUp);
          }
        }
      },
    },
    receiver(isAlive) {
      let own: Consumer | undefined;
      return {
        async start(lanes, handler) {
          own = { isAlive, lanes, handler, stopped: false };
          consumers.push(own);
        },
        async stop() {
          if (own !== undefined) own.stopped = true;
        },
      };
    },
  };
}
