import { WorkerError, type AppendMessage, type Observer, type SeqNo, type Subject } from '@imart/core';
import {
  createCatchUp,
  FencedError,
  runIngest,
  snapshotEvery,
  withLease,
  type IngestLeases,
  type LeaseState,
  type LocalLanes,
  type PipelineStats,
  type SubjectStore,
  type WakeUpSender,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { isHalting, type HaltGate } from './haltGate';
import { createWorkerExecutor, type ExecutorConfig } from './lanes';
import type { WorkerPasses } from './passes';
import type { WorkerConfig } from './settings';

export interface IngestSessionsOptions {
  readonly config: ExecutorConfig & Pick<WorkerConfig, 'role' | 'leaseMs' | 'snapshotEvery'>;
  readonly subject: Subject;
  readonly store: SubjectStore;
  readonly leases: IngestLeases;
  /** Names this process among all. */
  readonly holder: string;
  readonly observer: Observer;
  readonly sender: WakeUpSender;
  /** Lanes of this process; `null`: it has none. */
  readonly lanes: LocalLanes | null;
  readonly gate: HaltGate;
  readonly stats: PipelineStats;
  readonly logger: Logger;
  /** The store as this process looks at it: for measuring what goes through it. */
  readonly observed: (store: SubjectStore) => SubjectStore;
  /** Before each session: what an earlier one has left in the log is executed before anything new is read. */
  readonly executeRest: (signal: AbortSignal) => Promise<void>;
  /** `null`: no second readings are made. */
  readonly passes: WorkerPasses | null;
  readonly onLease: (state: LeaseState) => void;
  /** A reading ended and another one begins: the code of what ended it. */
  readonly onRestart: (code: string) => void;
  readonly onCaughtUp: () => Promise<void>;
  readonly onIngested: (position: bigint) => void;
  readonly onCommitted: (executed: SeqNo, message: AppendMessage) => void;
}

/** What a new reading mends: it starts from where the log then ends. */
const MENDED_BY_READING_ANEW: ReadonlySet<string> = new Set(['LEDGER_GAP', 'ANCESTOR_MISMATCH']);
/** So often in a row, without a position in between: then it is not mended by that. */
const READINGS_IN_VAIN_MAX = 3;

/**
 * Reads the chain whenever the lease is ours: stands by while another process has it, takes over from the resume point that one has
 * left, waits while the chain stands still, and begins anew when another process took over.
 *
 * @returns `end-position` when everything up to where reading is to end is in the log, `aborted` when the signal did.
 * @throws what ends the process: of disposition `stop`, and no reason for the chain to stand still.
 */
export async function runIngestSessions(
  options: IngestSessionsOptions,
  signal: AbortSignal,
): Promise<'end-position' | 'aborted'> {
  const { config, store, leases, holder, logger, gate, onLease, onRestart } = options;
  const executor = createWorkerExecutor(config, store, options.observer);
  for (;;) {
    try {
      const end = await withLease(
        {
          subjectId: store.subjectId,
          leases,
          holder,
          durationMs: config.leaseMs,
          logger,
          random: Math.random,
          onChange: onLease,
        },
        signal,
        (fencing, held) => besidePasses(fencing, held),
      );
      return end === 'end-position' ? end : 'aborted';
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      logger.warn('another process has taken over; standing by', {
        subject: store.subjectId,
        reason: error.message,
      });
      onRestart(error.code);
    }
  }

  /** Second readings are made as long as the lease is ours, and left when reading ends. */
  async function besidePasses(fencing: bigint, held: AbortSignal): Promise<'end-position' | 'aborted'> {
    const { passes } = options;
    if (passes === null) return readWhileHeld(fencing, held);
    await passes.register(fencing, held);
    const over = new AbortController();
    const fenced = store.fenced(fencing);
    const running = passes.run(fenced, () => gate.halt !== null, AbortSignal.any([held, over.signal]));
    // That another process has taken over, reading is told too.
    running.catch(() => undefined);
    try {
      const end = await readWhileHeld(fencing, held);
      if (end === 'end-position') await passes.finishBackfills(held);
      return held.aborted ? 'aborted' : end;
    } finally {
      over.abort();
      await running.catch(() => undefined);
    }
  }

  async function readWhileHeld(fencing: bigint, held: AbortSignal): Promise<'end-position' | 'aborted'> {
    const fenced = options.observed(store.fenced(fencing));
    for (let inVain = 0; ;) {
      await gate.cleared(held);
      if (held.aborted) return 'aborted';
      const onIngested = (position: bigint): void => {
        inVain = 0;
        options.onIngested(position);
      };
      try {
        await options.executeRest(held);
        const end = await readOnce(fenced, onIngested, held);
        return end === 'end-position' ? end : 'aborted';
      } catch (error) {
        if (held.aborted || !(error instanceof WorkerError)) throw error;
        if (isHalting(error)) await gate.raise(error, held);
        else if (!MENDED_BY_READING_ANEW.has(error.code) || ++inVain >= READINGS_IN_VAIN_MAX) throw error;
        else
          logger.warn('reading anew', { subject: store.subjectId, code: error.code, reason: error.message });
        onRestart(error.code);
      } finally {
        executor.drop();
      }
    }
  }

  function readOnce(fenced: SubjectStore, onIngested: (position: bigint) => void, held: AbortSignal) {
    const { stats } = options;
    const clock = { random: Math.random, now: () => performance.now() };
    const catchUp =
      config.role === 'ingest'
        ? null
        : createCatchUp({
            store: fenced,
            executor,
            stats,
            logger,
            ...clock,
            snapshotRule: snapshotEvery(config.snapshotEvery),
            onCommitted: (executed, message) => {
              onIngested(message.toPosition);
              options.onCommitted(executed, message);
            },
          });
    return runIngest(
      {
        subject: options.subject,
        store: fenced,
        observer: options.observer,
        sender: options.sender,
        catchUp,
        lanes: options.lanes,
        stats,
        logger,
        ...clock,
        onCaughtUp: options.onCaughtUp,
        onHead: () => undefined,
        onIngested,
      },
      held,
    );
  }
}
