import { setTimeout as delay } from 'node:timers/promises';
import { createPrograms } from '../../e2e/programs';
import { startChainServer } from './chainServer';
import { figuresOf, latencies, quantile, type Figures } from './figures';
import { openPlace, type PlaceOptions } from './place';
import { createWatch } from './watch';
import { cpuSeconds, startWorker, untilFollowing } from './workerProcess';
import { verifyRows } from './verified';

export interface HeadOptions extends PlaceOptions {
  readonly eventsPerBlock: number;
  /** Blocks that count. */
  readonly blocks: number;
  readonly intervalMs: number;
  /** `false`: new blocks are found by polling alone. */
  readonly hints: boolean;
  readonly pollIntervalMs: number;
}

export interface HeadResult extends Figures {
  readonly place: string;
  /** By how much a figure may be too high, median. */
  readonly uncertaintyMs: number;
  /** Share of one core that the worker took. */
  readonly workerCpu: number;
}

/** Blocks that are served before those that count: the program is warm, as a worker that has been running is. */
const WARM_UP_BLOCKS = 15;
const HISTORY_EVENTS = 20_000;
const PATIENCE_MS = 30_000;

/**
 * Lets the chain grow at its head under a worker that has caught up. Latency of a block: from the moment the RPC server first
 * had it to the moment another connection sees its states committed.
 * @throws unless every row is as the chain's model has it, and each block was taken by itself.
 */
export async function measureHead(options: HeadOptions): Promise<HeadResult> {
  const { eventsPerBlock, blocks, intervalMs, hints, pollIntervalMs } = options;
  const programs = createPrograms();
  const place = await openPlace(options);
  try {
    const chain = await startChainServer(programs, {
      historyEvents: HISTORY_EVENTS,
      liveBlocks: WARM_UP_BLOCKS + blocks,
      liveEvents: eventsPerBlock,
    });
    const worker = startWorker(programs, { place, chain, hints, pollIntervalMs });
    await untilFollowing(worker);
    const client = await place.connect();
    const watch = createWatch(client);
    await watch.until(chain.historyEnd, PATIENCE_MS);

    const last = chain.historyEnd + WARM_UP_BLOCKS + blocks;
    const firstCounted = last - blocks + 1;
    let cpuBefore = 0;
    let startedMs = 0;
    let watching: Promise<unknown> = Promise.resolve();
    const done = new Promise<void>((resolve, reject) => {
      const heads = chain.onHead((number) => {
        if (number === firstCounted) {
          cpuBefore = cpuSeconds(worker.pid);
          startedMs = performance.now();
        }
        watching = watching.then(() => watch.until(number, PATIENCE_MS));
        watching.catch(reject);
        if (number === last) void watching.then(() => resolve());
      });
      heads.then(() => chain.grow(WARM_UP_BLOCKS + blocks, intervalMs, intervalMs / 20)).catch(reject);
    });
    await Promise.race([done, worker.ended.then(() => Promise.reject(new Error(worker.said())))]);
    const workerCpu = (cpuSeconds(worker.pid) - cpuBefore) / ((performance.now() - startedMs) / 1_000 || 1);

    const served = (await chain.served()).filter(({ number }) => number >= firstCounted);
    const measured = latencies(served, watch.looks);
    await delay(500);
    worker.kill('SIGTERM');
    await worker.ended;
    await verifyRows(client, chain);
    const { rows } = await client.query(`SELECT count(*)::int AS ranges FROM feed WHERE kind = 'appended'
      AND from_seq_no >> 31 = to_seq_no >> 31 AND from_seq_no >> 31 >= ${firstCounted}`);
    const { ranges } = rows[0] as { ranges: number };
    if (ranges !== blocks) throw new Error(`${ranges} of ${blocks} blocks were appended by themselves`);
    return {
      ...figuresOf(measured.map(({ ms }) => ms)),
      uncertaintyMs: quantile(
        measured.map((latency) => latency.uncertaintyMs),
        0.5,
      ),
      place: await place.describe(),
      workerCpu,
    };
  } finally {
    await programs.close();
    await place.close();
  }
}
