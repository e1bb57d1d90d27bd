import {
  messageOf,
  WorkerError,
  type BlockRef,
  type Observer,
  type SeqNo,
  type SeqNoCodec,
  type Subject,
} from '@imart/core';
import {
  runSweeper,
  waitMs,
  type IngestLeases,
  type LaneWorker,
  type LeaseState,
  type PipelineStats,
  type SubjectProgress,
  type SubjectStore,
  type WakeUpReceiver,
  type WakeUpSender,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import type { DatabasePool } from '@imart/storage';
import { buildIndexes } from './buildIndexes';
import { createHaltGate, isHalting, type HaltGate } from './haltGate';
import { runIngestSessions } from './ingestSessions';
import { allLanes, createWorkerLanes, type ExecutorConfig } from './lanes';
import type { WorkerPasses } from './passes';
import type { WorkerConfig } from './settings';

/** How often this process looks how far the subject is, whoever moves it. */
const LOOK_MS = 500;

export interface WorkerOptions {
  readonly config: ExecutorConfig &
    Pick<WorkerConfig, 'role' | 'leaseMs' | 'endPosition' | 'snapshotEvery' | 'sweepIntervalMs'>;
  readonly seqNos: SeqNoCodec;
  readonly pool: DatabasePool;
  /** `null` in a process that only executes. */
  readonly subject: Subject | null;
  readonly store: SubjectStore;
  readonly leases: IngestLeases;
  /** Names this process among all. */
  readonly holder: string;
  /** Second readings beside the live stream. @defaultValue none: so in a process that only executes */
  readonly passes?: WorkerPasses | null;
  readonly observer: Observer;
  readonly stream: { readonly sender: WakeUpSender; readonly receiver: WakeUpReceiver };
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly watch: WorkerWatch;
}

/** What a worker tells while it works. */
export interface WorkerWatch {
  onHead(head: BlockRef): void;
  /** The last position of everything ingested. */
  onIngested(position: bigint): void;
  /** `true` with each range of catching up, `false` when the worker has caught up. */
  onCatchingUp(catchingUp: boolean): void;
  /** How far the subject is, whoever moved it; `seconds`: how long the database took to tell. */
  onLook(progress: SubjectProgress, seconds: number): void;
  onLease(state: LeaseState): void;
  /** A reading ended and another one begins: the code of what ended it. */
  onRestart(code: string): void;
  /** Everything up to this position was read; it is not in the log yet. `last`: the newest block that was told with it. */
  onRead(position: bigint, last: BlockRef | undefined): void;
  /** A transaction begins; the function given is called at its end. */
  transaction(part: 'ingest' | 'lanes'): () => void;
}

export type WorkerEnd = 'end-position' | 'aborted';

/**
 * Does what the role says until the signal aborts or everything up to where reading is to end is executed: reads the chain while the lease is ours, executes what
 * is in the log, both beside others that do the same.
 *
 * @throws what ends the process: of disposition `stop`, and no reason for the chain to stand still.
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<WorkerEnd> {
  const { config, store, subject, stream, stats, logger } = options;
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  let failure: unknown;
  const gate = createHaltGate({ store, logger, random: Math.random });
  const lanes =
    config.role === 'ingest'
      ? null
      : createWorkerLanes({
          ...options,
          store: observed(store, options.watch, 'lanes'),
          receiver: stream.receiver,
          onExecuted: (seqNo) => subject?.executed(seqNo),
          onStop: (error) => {
            if (error instanceof WorkerError && isHalting(error)) return void gate.raise(error, either);
            failure ??= error;
            stopped.abort();
          },
        });

  const looking = lookAround(options, gate, either);
  const sweeping = runSweeper(
    {
      store,
      sender: stream.sender,
      stats,
      logger,
      intervalMs: config.sweepIntervalMs,
      now: () => Date.now(),
      ...(lanes === null
        ? {}
        : { own: { lanes: new Set(allLanes(store)), wake: (lane: number) => lanes.wake(lane, either) } }),
    },
    either,
  );
  try {
    await lanes?.start(either);
    const end = await work(options, gate, lanes, either);
    if (failure !== undefined) throw failure;
    if (end === 'aborted' || either.aborted) return 'aborted';
    await buildIndexes(options);
    return 'end-position';
  } catch (error) {
    // A failure that stopped the lanes is the cause; what the abort made of the rest is not.
    throw failure ?? error;
  } finally {
    stopped.abort();
    await Promise.all([sweeping, looking]);
  }
}

async function work(
  options: WorkerOptions,
  gate: HaltGate,
  lanes: LaneWorker | null,
  signal: AbortSignal,
): Promise<WorkerEnd> {
  const { config, seqNos, store, subject, passes = null, watch } = options;
  const { endPosition } = config;
  if (subject === null) {
    // The sweeper and the jobs drive the lanes.
    if (endPosition === undefined) await untilAborted(signal);
    else await untilExecuted(store, seqNos.last(endPosition), null, gate, signal);
    return signal.aborted ? 'aborted' : 'end-position';
  }
  const end = await runIngestSessions(
    {
      ...options,
      subject,
      passes,
      gate,
      sender: options.stream.sender,
      lanes,
      observed: (fenced) => observed(fenced, watch, 'ingest'),
      executeRest: async (held) => {
        if (lanes === null) return;
        for (const lane of allLanes(store)) await lanes.wake(lane, held);
      },
      onLease: (state) => watch.onLease(state),
      onRestart: (code) => watch.onRestart(code),
      onCaughtUp: async () => {
        await buildIndexes(options);
        watch.onCatchingUp(false);
      },
      onIngested: (position) => watch.onIngested(position),
      onCommitted: (executed) => {
        watch.onCatchingUp(true);
        subject.executed(executed);
      },
    },
    signal,
  );
  if (end === 'end-position' && endPosition !== undefined) {
    await untilExecuted(store, seqNos.last(endPosition), lanes, gate, signal);
  }
  return signal.aborted ? 'aborted' : end;
}

/** The store as this process sees it: what goes through is told. */
function observed(store: SubjectStore, watch: WorkerWatch, part: 'ingest' | 'lanes'): SubjectStore {
  return {
    ...store,
    async heartbeat(head) {
      watch.onHead(head);
      return store.heartbeat(head);
    },
    prepareAppend(message, feedNo) {
      watch.onRead(message.toPosition, message.blocks.at(-1));
      return store.prepareAppend(message, feedNo);
    },
    async transaction(inside) {
      const end = watch.transaction(part);
      try {
        return await store.transaction(inside);
      } finally {
        end();
      }
    },
  };
}

/** Looks how far the subject is, for what depends on it whoever moves it: back-pressure, halts, what is shown. */
async function lookAround(
  { store, subject, logger, watch }: WorkerOptions,
  gate: HaltGate,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    try {
      const progress = await store.progress();
      watch.onLook(progress, (performance.now() - started) / 1000);
      subject?.executed(progress.executed);
      gate.see(progress.halt);
    } catch (error) {
      logger.debug('how far the subject is could not be read', {
        subject: store.subjectId,
        error: messageOf(error),
      });
    }
    await waitMs(LOOK_MS, signal);
  }
}

/** Until every lane has executed everything up to there, whoever does it. Lanes of this process need no wake-up for it. */
async function untilExecuted(
  store: SubjectStore,
  upTo: SeqNo,
  lanes: LaneWorker | null,
  gate: HaltGate,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const progress = await store.progress().catch(() => null);
    if (progress !== null && progress.executed >= upTo) return;
    const behind = progress?.lanes.flatMap((seqNo, lane) => (seqNo < upTo ? [lane] : [])) ?? [];
    if (lanes === null || progress === null || gate.halt !== null) await waitMs(LOOK_MS / 5, signal);
    // Failures meet their fate inside.
    else await Promise.allSettled(behind.map((lane) => lanes.wake(lane, signal)));
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
