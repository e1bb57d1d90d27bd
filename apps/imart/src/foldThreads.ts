import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { messageOf, WorkerError } from '@imart/core';
import { silentLogger } from '@imart/runtime';
import {
  createPool,
  foldPart,
  toStorageError,
  type FoldElsewhere,
  type FoldPart,
  type FoldProgress,
} from '@imart/storage';
import { FOLD_MEANS } from './foldMeans';

/** What a thread is started with. */
interface ThreadTask {
  readonly task: 'fold-part';
  readonly connectionString: string;
  readonly part: FoldPart;
}

type Told =
  | { readonly progress: FoldProgress }
  | { readonly failed: { readonly message: string; readonly code: string | null } };

/** Young generation of a thread, in MB: what one read becomes dies there. */
const YOUNG_MB = 64;

/**
 * Threads of this program, each with its own connections, which fold parts of the log.
 * @param fromLogBytes a smaller log is not worth their start.
 */
export function foldThreads(threads: number, fromLogBytes: number, connectionString: string): FoldElsewhere {
  return {
    threads,
    fromLogBytes,
    fold: (part, onFolded, signal) =>
      new Promise((resolve, reject) => {
        const task: ThreadTask = { task: 'fold-part', connectionString, part };
        const thread = new Worker(__filename, {
          workerData: task,
          execArgv: [],
          resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
        });
        let error: unknown;
        // Its connections go with it, and what it was writing with them.
        const end = (reason: unknown): void => {
          error ??= reason;
          void thread.terminate();
        };
        const onAbort = (): void => end(signal.reason);
        thread.on('message', (told: Told) => {
          if (error !== undefined) return;
          if ('failed' in told) return end(errorOf(told.failed));
          try {
            onFolded(told.progress);
          } catch (thrown) {
            end(thrown);
          }
        });
        thread.on('error', end);
        thread.on('exit', (code) => {
          signal.removeEventListener('abort', onAbort);
          if (error === undefined && code === 0) resolve();
          else reject((error ?? new Error(`a thread that folded the log ended with code ${code}`)) as Error);
        });
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      }),
  };
}

function errorOf({ message, code }: { message: string; code: string | null }): Error {
  return code === null ? new Error(message) : new WorkerError(message, { code, disposition: 'stop' });
}

/** Whether this is one of {@link foldThreads}: it does its part, and is no command line. */
export const isFoldThread = (): boolean =>
  !isMainThread && (workerData as Partial<ThreadTask> | null)?.task === 'fold-part';

/** A thread's whole life. */
export async function runFoldThread(): Promise<void> {
  const { connectionString, part } = workerData as ThreadTask;
  const tell = (told: Told): void => parentPort?.postMessage(told);
  const pool = createPool({
    connectionString,
    max: 3,
    applicationName: 'imart replay',
    logger: silentLogger,
  });
  try {
    await foldPart(pool, part, FOLD_MEANS, (progress) => tell({ progress }));
  } catch (thrown) {
    const error = toStorageError(thrown);
    tell({ failed: { message: messageOf(error), code: error instanceof WorkerError ? error.code : null } });
  } finally {
    await pool.end();
  }
}
