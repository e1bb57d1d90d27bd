import {
  createCatchUp,
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  runIngest,
  runSweeper,
  snapshotEvery,
  withLease,
  type SubjectStore,
} from '@imart/pipeline';
import { silentLogger } from '../../libs/testing/src/silentLogger';
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

/** Starts a process from what is stored: the engine's parts, put together as the worker does. */
export function startEngineProcess(
  world: World,
  role: WorkerRole,
  name: string,
  onNews: (news: ProcessNews, worker: MortalProcess) => void,
): MortalProcess {
  const { random, observer, settings } = world;
  const tell = (news: ProcessNews): void => onNews(news, process);
  const ports = createProcessPorts(world, name, () => tell({ kind: 'died' }));
  const { process, subject, store, sender, leases } = ports;
  const stop = (error: unknown): void => tell({ kind: 'stopped', error });
  const stats = createPipelineStats();
  const now = (): number => 0;
  const chance = (): number => random.below(1000) / 1000;
  const executor = () =>
    createExecutor({
      store,
      observer,
      cachedStatesMax: settings.cachedStatesMax,
      parkedAggregatesMax: PARKED_MAX,
    });
  const lanes = new Map(
    Array.from({ length: store.lanes }, (_, lane) => [
      lane,
      createLane({
        lane,
        store,
        executor: executor(),
        snapshotRule: snapshotEvery(settings.snapshotEvery),
        runEventsMax: settings.runEventsMax,
        stats,
        now,
      }),
    ]),
  );
  const laneWorker = createLaneWorker({
    store,
    lanes,
    receiver: ports.receiver,
    stats,
    logger: silentLogger,
    random: chance,
    onExecuted: () => undefined,
    onStop: stop,
  });

  const ingest = async (own: SubjectStore, signal: AbortSignal): Promise<void> => {
    const catchUp =
      role === 'all'
        ? createCatchUp({
            store: own,
            executor: executor(),
            stats,
            logger: silentLogger,
            random: chance,
            now,
            onCommitted: () => undefined,
          })
        : null;
    const end = await runIngest(
      {
        subject,
        store: own,
        observer,
        sender,
        catchUp,
        lanes: role === 'all' ? laneWorker : null,
        stats,
        logger: silentLogger,
        random: chance,
        now,
        onCaughtUp: () => Promise.resolve(),
        onHead: () => undefined,
        onIngested: () => undefined,
      },
      signal,
    );
    if (end === 'end-position') tell({ kind: 'end' });
  };

  const run = async (): Promise<void> => {
    void runSweeper(
      {
        store,
        sender,
        stats,
        logger: silentLogger,
        intervalMs: SWEEP_INTERVAL,
        now,
        ...(role === 'ingest'
          ? {}
          : {
              own: {
                lanes: new Set(lanes.keys()),
                wake: (lane: number) => laneWorker.wake(lane, process.signal),
              },
            }),
      },
      process.signal,
    );
    if (role !== 'ingest') {
      await laneWorker.start(process.signal);
      for (const lane of lanes.keys()) await laneWorker.wake(lane, process.signal);
    }
    if (role === 'apply') return;
    const options = {
      subjectId: store.subjectId,
      leases,
      holder: name,
      durationMs: LEASE,
      logger: silentLogger,
    };
    await withLease({ ...options, random: chance }, process.signal, (fencing, signal) =>
      ingest(store.fenced(fencing), signal),
    );
  };
  run().catch((error: unknown) => {
    if (!process.dead) stop(error);
  });
  return process;
}
