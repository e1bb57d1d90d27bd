import { messageOf, type Observer } from '@imart/core';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs, type Logger } from '@imart/pipeline';
import { ReplayError } from '../replay/errors';
import type { ReplayOptions } from '../replay/options';
import { replay } from '../replay/replay';
import { toStorageError } from '../subject/pgErrors';
import {
  compareReducers,
  reducerVersionsText,
  ReducersChangedError,
  storedReducerVersions,
} from './reducerVersions';

export interface RebuildStatesOptions extends Pick<
  ReplayOptions,
  'pool' | 'viewsFile' | 'codec' | 'seqNosOf'
> {
  /** The observer of every subject; only its subject's id differs. */
  readonly observer: Omit<Observer, 'subjectId'>;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Between two looks whether another process has rebuilt the states. */
const LOOK_MS = 1_000;

/** How often it is told how far it is. */
const TELL_EVERY_EVENTS = 250_000;

/**
 * Sees to it that the states are of this program's reducers, before it works on them: where they are of older ones, rebuilds all of them
 * from the log into tables beside the old, and switches in one transaction. Reads are served all along, of the old states until then and
 * of the new ones from then on. Workers of the older version may go on until the switch; after it they stop. Of several new processes
 * one rebuilds, the others wait. Killed or aborted in the middle, nothing has changed, and the next start does it.
 *
 * @throws {ReducersChangedError} `stop` when the states are of newer reducers.
 * @throws the signal's reason when it aborts before the switch.
 */
export async function rebuildStates(options: RebuildStatesOptions, signal: AbortSignal): Promise<void> {
  const { pool, logger, random } = options;
  const observer = { ...options.observer, subjectId: '' } as Observer;
  const own = reducerVersionsText(observer);
  let waiting = false;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      const stored = await storedReducerVersions(pool, observer);
      const order = compareReducers(stored, own);
      if (order === 'same') return;
      if (order === 'older') throw new ReducersChangedError(stored, own);
      if (!waiting)
        logger.info('the reducers have changed: the states are rebuilt from the log', { stored, own });
      await rebuild(options, signal);
      return;
    } catch (cause) {
      if (signal.aborted) {
        logger.info('the states are as they were; the next start rebuilds them');
        throw signal.reason;
      }
      const isBusy = cause instanceof ReplayError && cause.fields['busy'] === true;
      if (isBusy) {
        if (!waiting) logger.info('another process rebuilds the states: waiting for it');
        waiting = true;
        attempt = 0;
        await waitMs(LOOK_MS, signal);
        continue;
      }
      const error = toStorageError(cause);
      if (!mayRetry(error, attempt)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
      logger.warn('the states could not be rebuilt, trying again', {
        attempt,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
    }
  }
}

async function rebuild(options: RebuildStatesOptions, signal: AbortSignal): Promise<void> {
  const { observer, logger } = options;
  const started = performance.now();
  let told = 0;
  const { events, rows, activities, newlyParked } = await replay({
    pool: options.pool,
    viewsFile: options.viewsFile,
    codec: options.codec,
    seqNosOf: options.seqNosOf,
    observerOf: (subjectId) => ({ ...observer, subjectId }),
    onDifference: 'switch',
    signal,
    onProgress: (step) => {
      if (step.step === 'folding' && step.events - told < TELL_EVERY_EVENTS) return;
      told = step.step === 'folding' ? step.events : told;
      logger.info('rebuilding the states', step);
    },
  });
  logger.info('the states are rebuilt', {
    events,
    rows,
    activities,
    newlyParked,
    seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
  });
}
