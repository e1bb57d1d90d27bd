import { messageOf, WorkerError } from '@imart/core';
import { createBell } from '@imart/event-service';
import { retryDelayMs, STORAGE_RETRY, waitMs, type Logger } from '@imart/pipeline';
import type { StepResult } from './ports';

/** What a step counts. */
export interface StepStats {
  rounds: number;
  messages: number;
  failures: number;
  /** Failures since the last success. */
  failing: number;
  /** Messages that were put behind all others because they could not be worked on. */
  setBack: number;
}

export function createStepStats(): StepStats {
  return { rounds: 0, messages: 0, failures: 0, failing: 0, setBack: 0 };
}

export interface StepLoopOptions {
  /** For logs. */
  readonly name: string;
  /** One round: one transaction. */
  readonly work: (limit: number) => Promise<StepResult>;
  /** Puts the first message behind all others. */
  readonly setBack: () => Promise<void>;
  /** Told after each round that did something. */
  readonly onDone: (result: StepResult) => Promise<void>;
  readonly batchMax: number;
  /** How often the topic is looked at when nobody rings. */
  readonly pollMs: number;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Works on one topic, in the order in which things were said. */
export interface StepLoop {
  readonly stats: StepStats;
  /** Something was said: look at once. */
  wake(): void;
  /** Until the signal aborts; a round that runs is finished. @throws what is of disposition `stop`. */
  run(signal: AbortSignal): Promise<void>;
}

export function createStepLoop(options: StepLoopOptions): StepLoop {
  const { name, work, setBack, onDone, batchMax, pollMs, logger, random } = options;
  const stats = createStepStats();
  const bell = createBell();
  /** After a failure, messages are taken one by one until so many have passed: the one that fails holds up no other. */
  let singly = 0;

  /** @returns whether there may be more: a round that was not full took all there was, and who says more rings. */
  const round = async (): Promise<boolean> => {
    const limit = singly > 0 ? 1 : batchMax;
    const result = await work(limit);
    stats.failing = 0;
    singly = Math.max(0, singly - result.taken);
    if (result.taken === 0) {
      singly = 0;
      return false;
    }
    stats.rounds++;
    stats.messages += result.taken;
    await onDone(result);
    return result.taken >= limit;
  };

  /** The one place where failures of a step meet their fate. */
  const failed = async (error: unknown, signal: AbortSignal): Promise<void> => {
    stats.failures++;
    stats.failing++;
    if (error instanceof WorkerError && error.disposition === 'stop') throw error;
    const passes = error instanceof WorkerError && error.disposition === 'retry';
    logger.warn('a step of purchases failed, trying again', {
      step: name,
      attempt: stats.failing,
      error: messageOf(error),
    });
    if (!passes && singly > 0) {
      // Its deadline ends it, unless it can be worked on by then.
      await setBack().then(
        () => void stats.setBack++,
        () => undefined,
      );
    }
    if (!passes) singly = batchMax;
    await waitMs(retryDelayMs(STORAGE_RETRY, stats.failing, random), signal);
  };

  return {
    stats,
    wake: () => bell.ring(),
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (!(await round())) await bell.wait(pollMs, signal);
        } catch (error) {
          await failed(error, signal);
        }
      }
    },
  };
}
