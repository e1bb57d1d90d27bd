import { constants } from 'node:os';
import type { LogFields, Logger } from './logging/logger';

/** What of the process a shutdown needs; `process` has it. */
export interface ProcessEvents {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): unknown;
}

export interface ShutdownOptions {
  readonly logger: Logger;
  /** How long all closers together may take, in ms. */
  readonly graceMs: number;
  /** Fields for the log line of an unexpected error: what the process was doing. */
  readonly context?: () => LogFields;
  /** Last of all, to write the log out; has a second. */
  readonly flush?: () => Promise<void>;
  /** @defaultValue `process` */
  readonly process?: ProcessEvents;
}

export interface Shutdown {
  /** Aborts when the shutdown begins: loops end, waits are cut short. */
  readonly signal: AbortSignal;
  /**
   * Adds a closer. They run one after another, the last added first, so that what was opened on top of something closes before it.
   * One that fails is logged, and the next one runs. Added during the shutdown, it runs next.
   */
  onClose(name: string, close: () => void | Promise<void>): void;
  /** Begins the shutdown, or joins the one going on; ends the process. The first exit code other than 0 wins. */
  stop(reason: string, exitCode?: number): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const flushMs = 1000;

/**
 * Ends the process in order. SIGINT and SIGTERM: closers, then exit code 0; when they take longer than the grace period,
 * 130 or 143. A second signal ends the process at once with 130 or 143. An unhandled rejection or exception is logged
 * with its context and ends the process the same way with exit code 1 (Q20, Q21). Call it once per process.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { logger, graceMs } = options;
  const target = options.process ?? (process as unknown as ProcessEvents);
  const abort = new AbortController();
  const closers: { name: string; close: () => void | Promise<void> }[] = [];
  let running: Promise<void> | undefined;
  let exitCode = 0;
  let exited = false;
  let current = '';

  let timer: NodeJS.Timeout | undefined;
  const exit = (code: number): void => {
    if (exited) return;
    exited = true;
    clearTimeout(timer);
    target.exit(code);
  };

  /** Whether the work ended in time. */
  const within = async (limitMs: number, work: Promise<unknown>): Promise<boolean> => {
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  };

  const closeAll = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      current = closer.name;
      try {
        await closer.close();
      } catch (error) {
        logger.error('closing failed', { what: closer.name, error });
        exitCode ||= 1;
      }
    }
  };

  const run = async (reason: string, lateCode: number): Promise<void> => {
    logger.info('shutting down', { reason });
    abort.abort(new Error(`shutting down: ${reason}`));
    const closed = await within(graceMs, closeAll());
    if (!closed) logger.error('shutdown took too long, giving up', { graceMs, waitingFor: current });
    else logger.info('shut down', { exitCode });
    if (options.flush !== undefined)
      await within(
        flushMs,
        options.flush().catch(() => undefined),
      );
    exit(closed ? exitCode : exitCode || lateCode);
  };

  const begin = (reason: string, code: number, lateCode: number): Promise<void> => {
    exitCode ||= code;
    if (running === undefined) {
      let finished = (): void => undefined;
      // Known before the work begins: those who wait for the signal may ask for the shutdown again, in this very call.
      running = new Promise((resolve) => (finished = resolve));
      void run(reason, lateCode).then(finished);
    }
    return running;
  };

  let signalled = false;
  for (const name of SIGNALS) {
    const forced = 128 + constants.signals[name];
    target.on(name, () => {
      if (signalled) return exit(forced);
      signalled = true;
      void begin(name, 0, forced);
    });
  }
  const onError = (kind: string) => (error: unknown) => {
    logger.error('unexpected error, stopping', { kind, ...options.context?.(), error });
    void begin(kind, 1, 1);
  };
  target.on('uncaughtException', onError('uncaught exception'));
  target.on('unhandledRejection', onError('unhandled rejection'));

  return {
    signal: abort.signal,
    onClose(name, close) {
      closers.push({ name, close });
    },
    stop: (reason, code = 0) => begin(reason, code, code || 1),
  };
}
