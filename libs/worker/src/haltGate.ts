import { messageOf, WorkerError } from '@imart/core';
import { retryDelayMs, STORAGE_RETRY, waitMs, type Halt, type SubjectStore } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';

/** How often a chain that stands still is looked at. */
const LOOK_MS = 500;

/**
 * Errors after which the chain stands still until an operator has decided: what is stored and what the chain tells cannot both be
 * right, and neither another process nor a restart changes that. What only this process's settings or endpoints are to blame for
 * ends the process instead: with others, another one may go on.
 */
const HALTING: ReadonlySet<string> = new Set(['REORG_TOO_DEEP', 'EVENT_CONFLICT', 'TOO_MANY_PARKED']);

/** Whether an error halts the chain, or says that it is halted. */
export function isHalting({ code }: WorkerError): boolean {
  return HALTING.has(code) || code === 'HALTED';
}

export interface HaltGateOptions {
  readonly store: Pick<SubjectStore, 'subjectId' | 'halt' | 'halted'>;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Whether the chain stands still, as far as this process knows. */
export interface HaltGate {
  readonly halt: Halt | null;
  /** What has just been read of it. */
  see(halt: Halt | null): void;
  /** Stores why the chain stands still: for every process, and over restarts. Does so for as long as it takes, or until aborted. */
  raise(error: WorkerError, signal: AbortSignal): Promise<void>;
  /** Resolves when the chain does not stand still, or the signal aborts. */
  cleared(signal: AbortSignal): Promise<void>;
}

export function createHaltGate({ store, logger, random }: HaltGateOptions): HaltGate {
  let halt: Halt | null = null;

  const see = (now: Halt | null): void => {
    const before = halt;
    halt = now;
    if (now !== null && now.code !== before?.code) {
      logger.error(`standing still: ${now.message}`, { subject: store.subjectId, code: now.code });
    }
    if (now === null && before !== null) {
      logger.info('going on: the halt is cleared', { subject: store.subjectId, code: before.code });
    }
  };

  const untilDone = async (
    what: string,
    signal: AbortSignal,
    work: () => Promise<Halt | null>,
  ): Promise<void> => {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return see(await work());
      } catch (error) {
        logger.warn(what, { subject: store.subjectId, error: messageOf(error) });
        await waitMs(retryDelayMs(STORAGE_RETRY, attempt, random), signal);
      }
    }
  };

  return {
    get halt() {
      return halt;
    },
    see,
    async raise(error, signal) {
      // Whoever says that it is halted has read it; what halts it is read from there, too.
      const work =
        error.code === 'HALTED' ? () => store.halted() : () => store.halt(error.code, error.message);
      await untilDone('why the chain stands still could not be stored, trying again', signal, work);
    },
    async cleared(signal) {
      for (;;) {
        await untilDone('whether the chain stands still could not be read, trying again', signal, () =>
          store.halted(),
        );
        if (halt === null || signal.aborted) return;
        await waitMs(LOOK_MS, signal);
      }
    },
  };
}
