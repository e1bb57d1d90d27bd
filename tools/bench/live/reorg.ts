import { setTimeout as delay } from 'node:timers/promises';
import { createPrograms } from '../../e2e/programs';
import { startChainServer } from './chainServer';
import { clockOffset, figuresOf, type ClockSample, type Figures } from './figures';
import { openPlace, type PlaceOptions } from './place';
import { createWatch } from './watch';
import { startWorker, untilFollowing } from './workerProcess';
import { verifyRows } from './verified';

export interface ReorgOptions extends PlaceOptions {
  readonly reorgs: number;
  /** Blocks that are taken back each time; the new branch has one more. */
  readonly depth: number;
  readonly eventsPerBlock: number;
}

export interface ReorgResult {
  /** From the moment the new branch is served to its committed states. */
  readonly whole: Figures;
  /** The transaction that takes the old branch back, from its beginning until it is visible. */
  readonly invalidate: Figures;
  readonly place: string;
}

const HISTORY_EVENTS = 5_000;
const PATIENCE_MS = 60_000;
/** Blocks that both branches share, one between two reorgs. */
const SHARED = 1;

/**
 * Lets the head move to another branch again and again: a branch is served block by block and executed, then the main one
 * instead of it, from the same block on and longer by one.
 * @throws unless every row is as the chain's model has it in the end, and each reorg was one change of the log.
 */
export async function measureReorg(options: ReorgOptions): Promise<ReorgResult> {
  const { reorgs, depth, eventsPerBlock } = options;
  const period = SHARED + depth + 1;
  const programs = createPrograms();
  const place = await openPlace(options);
  try {
    const chain = await startChainServer(programs, {
      historyEvents: HISTORY_EVENTS,
      liveBlocks: reorgs * period,
      liveEvents: eventsPerBlock,
      branches: Array.from({ length: reorgs }, (_, i) => ({ offset: i * period + SHARED, seed: 100 + i })),
      branchBlocks: depth,
    });
    const worker = startWorker(programs, { place, chain, hints: true, pollIntervalMs: 1_000 });
    await untilFollowing(worker);
    const client = await place.connect();
    const watch = createWatch(client);
    await watch.until(chain.historyEnd, PATIENCE_MS);

    const clocks: ClockSample[] = [];
    for (let i = 0; i < 20; i++) {
      const beforeNs = process.hrtime.bigint();
      const { rows } = await client.query(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us',
      );
      const afterNs = process.hrtime.bigint();
      clocks.push({ beforeNs, toldNs: BigInt((rows[0] as { us: string }).us) * 1_000n, afterNs });
    }
    const { offsetNs } = clockOffset(clocks);

    const serve = async (branch: number, number: number): Promise<void> => {
      await chain.head(branch, number);
      await watch.until(number, PATIENCE_MS);
    };
    const whole: number[] = [];
    const invalidate: number[] = [];
    for (let i = 0; i < reorgs; i++) {
      const fork = chain.historyEnd + i * period + SHARED;
      await serve(0, fork);
      for (let block = 1; block <= depth; block++) await serve(i + 1, fork + block);
      await delay(500);
      const { epoch } = await watch.look();
      const { atNs } = await chain.head(0, fork + depth + 1);
      const { answeredNs } = await watch.until(fork + depth + 1, PATIENCE_MS);
      whole.push(Number(answeredNs - atNs) / 1e6);
      const taken = watch.looks.find((look) => look.epoch > epoch);
      const { rows } = await client.query(
        `SELECT (extract(epoch FROM committed_at) * 1000000)::bigint AS us FROM feed WHERE kind = 'invalidated' AND epoch > $1`,
        [epoch],
      );
      if (taken === undefined || rows.length !== 1) throw new Error(`${rows.length} changes by one reorg`);
      const beganNs = BigInt((rows[0] as { us: string }).us) * 1_000n - offsetNs;
      invalidate.push(Number(taken.answeredNs - beganNs) / 1e6);
    }
    worker.kill('SIGTERM');
    await worker.ended;
    await verifyRows(client, chain);
    return { whole: figuresOf(whole), invalidate: figuresOf(invalidate), place: await place.describe() };
  } finally {
    await programs.close();
    await place.close();
  }
}
