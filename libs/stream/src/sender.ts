import { messageOf, type SubjectId } from '@imart/core';
import type { WakeUp, WakeUpSender } from '@imart/pipeline';
import { SEND_CHUNK_MAX, SEND_TIMEOUT_MS } from './bounds';
import { StreamUnavailableError } from './errors';
import { within, type JobBackend, type JobQueue } from './jobBackend';
import type { WakeUpStats } from './stats';
import { toJobData, WAKE_UP_JOB } from './wakeUpJob';

export interface SenderOptions {
  readonly backend: JobBackend;
  readonly queueOf: (lane: number) => JobQueue;
  readonly subjectId: SubjectId;
  readonly stats: WakeUpStats;
}

/**
 * Sends wake-ups, each to its lane's queue under its own id: one that is there already, or whose job is still kept, is not
 * added again. Order within a lane is the order given.
 */
export function createSender({ backend, queueOf, stats }: SenderOptions): WakeUpSender {
  const sendLane = async (lane: number, wakeUps: readonly WakeUp[]): Promise<void> => {
    for (let start = 0; start < wakeUps.length;) {
      // The first one goes ahead: its lane executes all that the others tell of, while they are still being written.
      const chunk = wakeUps.slice(start, start === 0 ? 1 : start + SEND_CHUNK_MAX);
      start += chunk.length;
      await queueOf(lane).addBulk(
        chunk.map((wakeUp) => ({ name: WAKE_UP_JOB, data: toJobData(wakeUp), opts: { jobId: wakeUp.id } })),
      );
      stats.sent += chunk.length;
    }
  };

  return {
    async send(wakeUps) {
      const byLane = new Map<number, WakeUp[]>();
      for (const wakeUp of wakeUps) {
        const lane = byLane.get(wakeUp.lane);
        if (lane === undefined) byLane.set(wakeUp.lane, [wakeUp]);
        else lane.push(wakeUp);
      }
      try {
        backend.assertReachable();
        const sending = Promise.all([...byLane].map(([lane, list]) => sendLane(lane, list)));
        // What is still on its way after that arrives late or never: both are harmless.
        await within(SEND_TIMEOUT_MS, sending, () => {
          throw new StreamUnavailableError(backend.label, `no answer within ${SEND_TIMEOUT_MS} ms`);
        });
      } catch (error) {
        stats.sendErrors++;
        throw error instanceof StreamUnavailableError
          ? error
          : new StreamUnavailableError(backend.label, messageOf(error), error);
      }
    },
  };
}
