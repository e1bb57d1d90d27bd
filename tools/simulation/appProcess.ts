import { evmSeqNo } from '@imart/chain-evm';
import { createPipelineStats } from '@imart/pipeline';
import { silentLogger } from '../../libs/testing/src/silentLogger';
import { runWorker, type WorkerOptions } from '../../libs/worker/src/worker';
import type { MortalProcess } from './mortalProcess';
import {
  createProcessPorts,
  LEASE,
  PARKED_MAX,
  SWEEP_INTERVAL,
  type ProcessNews,
  type WorkerRole,
  type World,
} from './world';

const ignored: WorkerOptions['watch'] = {
  onHead: () => undefined,
  onIngested: () => undefined,
  onCatchingUp: () => undefined,
  onLook: () => undefined,
  onLease: () => undefined,
  onRestart: () => undefined,
  onRead: () => undefined,
  transaction: () => () => undefined,
};

/** Starts a process from what is stored: the worker itself, with the world's ports. */
export function startAppProcess(
  world: World,
  role: WorkerRole,
  name: string,
  onNews: (news: ProcessNews, worker: MortalProcess) => void,
): MortalProcess {
  const { observer, settings, chain } = world;
  const tell = (news: ProcessNews): void => onNews(news, process);
  const { process, subject, store, sender, receiver, leases } = createProcessPorts(world, name, () =>
    tell({ kind: 'died' }),
  );
  const config = {
    role,
    // Whoever only executes cannot know that the chain will not take its last block back.
    endPosition: role === 'apply' ? undefined : BigInt(chain.final.blocks.length - 1),
    leaseMs: LEASE,
    sweepIntervalMs: SWEEP_INTERVAL,
    cachedStatesMax: settings.cachedStatesMax,
    parkedAggregatesMax: PARKED_MAX,
    snapshotEvery: settings.snapshotEvery,
  };
  const worker = runWorker(
    {
      config,
      seqNos: evmSeqNo,
      // Only indexes are built with it, and without it they are not.
      pool: { connect: () => Promise.reject(new Error('there is no database')) } as never,
      subject: role === 'apply' ? null : subject,
      store,
      leases,
      holder: name,
      observer,
      stream: { sender, receiver },
      stats: createPipelineStats(),
      logger: silentLogger as WorkerOptions['logger'],
      watch: ignored,
    },
    process.signal,
  );
  worker.then(
    (end) => end === 'end-position' && role !== 'apply' && tell({ kind: 'end' }),
    (error: unknown) => !process.dead && tell({ kind: 'stopped', error }),
  );
  return process;
}
