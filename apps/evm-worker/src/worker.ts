import { evmSeqNo, messageOf, type Observer, type SeqNo, type Subject } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import {
  createCatchUp,
  createExecutor,
  createLane,
  createLaneWorker,
  RUN_EVENTS_MAX_DEFAULT,
  runIngest,
  runSweeper,
  snapshotEvery,
  type LaneWorker,
  type PipelineStats,
  type SubjectStore,
  type WakeUpReceiver,
  type WakeUpSender,
} from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { createSubjectStore, ensureSecondaryIndexes, openSubject, type DatabasePool } from '@imart/storage';
import type { EvmWorkerConfig } from './config';

/** The observer that keeps the market's state; part of the key of its checkpoints. */
const OBSERVER = 'market';

export interface OpenStoreOptions {
  readonly config: EvmWorkerConfig;
  readonly pool: DatabasePool;
  readonly subject: Subject;
  readonly followed: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface OpenedStore {
  readonly store: SubjectStore;
  readonly observer: Observer;
  /** Where this chain's history begins in this database. */
  readonly startBlock: bigint;
}

/** Asks the chain who it is, and opens its part of the database. */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { config, pool, subject, followed, logger, signal } = options;
  const identity = await subject.identify(signal);
  const opened = await openSubject(pool, {
    identity,
    observer: OBSERVER,
    lanes: config.lanes,
    startPosition: config.startBlock,
    followed,
  });
  if (!opened.empty && opened.startPosition !== config.startBlock && config.startBlock !== 0n) {
    logger.warn('START_BLOCK does not count any more: the database goes on where it was', {
      startBlock: config.startBlock,
      startedAt: opened.startPosition,
    });
  }
  if (opened.followedBefore !== null && opened.followedBefore !== followed && !opened.empty) {
    logger.warn(
      'what is followed has changed since the last start: contracts that are new are followed from the next block on, their earlier history is not read',
      { before: opened.followedBefore, now: followed },
    );
  }
  const observer: Observer = { name: OBSERVER, subjectId: subject.id, reducers: marketReducers };
  const store = createSubjectStore({
    pool,
    subject: opened.subject,
    lanes: config.lanes,
    observer,
    codec: marketEventCodec,
    seqNos: evmSeqNo,
  });
  return { store, observer, startBlock: opened.startPosition };
}

export interface WorkerOptions {
  readonly config: EvmWorkerConfig;
  readonly pool: DatabasePool;
  readonly subject: Subject;
  readonly store: SubjectStore;
  readonly observer: Observer;
  readonly stream: { readonly sender: WakeUpSender; readonly receiver: WakeUpReceiver };
  readonly stats: PipelineStats;
  readonly logger: Logger;
  readonly onHead: (block: bigint) => void;
  /** `false` at first, and whenever the worker is far behind the head. */
  readonly onCatchingUp: (catchingUp: boolean) => void;
  /** The last block of everything ingested. */
  readonly onIngested: (block: bigint) => void;
}

export type WorkerEnd = 'end-block' | 'aborted';

/** Follows the chain until the signal aborts or `END_BLOCK` is executed. @throws what is of disposition `stop`. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<WorkerEnd> {
  const { config, subject, store, observer, stream, stats, logger } = options;
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  let failure: unknown;

  const executors = {
    // One for each lane and one for catching up share what may be kept in memory.
    cachedStatesMax: Math.ceil(config.cachedStatesMax / (store.lanes + 1)),
    parkedAggregatesMax: config.parkedAggregatesMax,
  };
  const onExecuted = (seqNo: SeqNo): void => subject.executed(seqNo);
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({
        lane,
        store,
        executor: createExecutor({ store, observer, ...executors }),
        snapshotRule: snapshotEvery(config.snapshotEvery),
        runEventsMax: RUN_EVENTS_MAX_DEFAULT,
        stats,
        now: () => performance.now(),
      }),
    ]),
  );
  const executedBy: SeqNo[] = Array.from({ length: store.lanes }, () => -1n as SeqNo);
  const laneWorker: LaneWorker = createLaneWorker({
    store,
    lanes,
    receiver: stream.receiver,
    stats,
    logger,
    random: Math.random,
    onExecuted: (lane, seqNo) => {
      executedBy[lane] = seqNo;
      onExecuted(executedBy.reduce((least, s) => (s < least ? s : least)));
    },
    onStop: (error) => {
      failure ??= error;
      stopped.abort();
    },
  });
  const catchUp = createCatchUp({
    store,
    executor: createExecutor({ store, observer, ...executors }),
    stats,
    logger,
    random: Math.random,
    now: () => performance.now(),
    onCommitted: (executed, message) => {
      options.onCatchingUp(true);
      options.onIngested(message.toPosition);
      onExecuted(executed);
    },
  });

  const working = laneWorker.start(either);
  const sweeping = runSweeper(
    {
      store,
      sender: stream.sender,
      stats,
      logger,
      intervalMs: config.sweepIntervalMs,
      now: () => Date.now(),
    },
    either,
  );
  try {
    await working;
    // What an earlier run has left in the log is executed before anything new is read.
    for (const lane of lanes.keys()) await laneWorker.wake(lane, either);
    const end = await runIngest(
      {
        subject,
        store,
        sender: stream.sender,
        catchUp,
        stats,
        logger,
        random: Math.random,
        now: () => performance.now(),
        onCaughtUp: async () => {
          await buildIndexes(options);
          options.onCatchingUp(false);
        },
        onHead: options.onHead,
        onIngested: options.onIngested,
      },
      either,
    );
    if (failure !== undefined) throw failure;
    if (end === 'aborted') return 'aborted';
    await untilExecuted(store, laneWorker, either);
    if (failure !== undefined) throw failure;
    if (either.aborted) return 'aborted';
    await buildIndexes(options);
    return 'end-block';
  } catch (error) {
    // A failure that stopped the lanes is the cause; what the abort made of the rest is not.
    throw failure ?? error;
  } finally {
    stopped.abort();
    await sweeping;
  }
}

/** Executes what is in the log; the lanes need no wake-up for it. */
async function untilExecuted(
  store: SubjectStore,
  laneWorker: LaneWorker,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { lanes, ingested } = await store.progress();
    const behind = lanes.flatMap((seqNo, lane) => (seqNo < ingested ? [lane] : []));
    if (behind.length === 0 || signal.aborted) return;
    await Promise.all(behind.map((lane) => laneWorker.wake(lane, signal)));
  }
}

async function buildIndexes({ pool, logger }: WorkerOptions): Promise<void> {
  const client = await pool.connect();
  try {
    const started = performance.now();
    let built = 0;
    await ensureSecondaryIndexes(client, (progress) => {
      if (progress.built) built++;
    });
    if (built > 0)
      logger.info('indexes built', {
        built,
        seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
      });
  } catch (error) {
    logger.error('indexes could not be built; reads are slower until the next start', {
      error: messageOf(error),
    });
  } finally {
    client.release();
  }
}
