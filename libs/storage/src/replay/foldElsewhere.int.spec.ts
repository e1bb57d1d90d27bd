import fc from 'fast-check';
import { type Observer } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import {
  blockSeqNo,
  append,
  contentsOfStraightFold,
  executeLanes,
  marketOfEverything,
  SUBJECT,
  wholeRange,
} from '@imart/testing';

import { createMarketDatabase, VIEWS_FILE, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { ReplayError } from './errors';
import { evenParts, foldPart, WRITERS_LOCK, type AggregateSelection } from './foldPart';
import type { FoldElsewhere, ReplayOptions, ReplayResult } from './options';
import { replay } from './replay';

const MEANS = {
  codec: marketEventCodec,
  seqNosOf: () => blockSeqNo,
  observerOf: (subjectId: Observer['subjectId']): Observer => ({
    name: 'market',
    subjectId,
    reducers: marketReducers,
  }),
};

describe('the bounds of parts', () => {
  it('hold every hash exactly once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 33 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (count, hash) => {
          const parts = evenParts(count);
          expect(parts).toHaveLength(count);
          expect(parts[0]?.from).toBe(-(2n ** 63n));
          expect(parts.at(-1)?.to).toBe(2n ** 63n - 1n);
          expect(parts.filter(({ from, to }) => from <= hash && hash <= to)).toHaveLength(1);
        },
      ),
    );
  });
});

describe('replay of a log in parts', () => {
  let server: TestServer;
  let market: MarketDatabase;
  beforeAll(async () => {
    server = await startTestServer();
    market = await createMarketDatabase(server);
  });
  afterAll(async () => {
    await market?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await market.clear();
    const store = await market.open(SUBJECT, 1);
    await append(store, wholeRange(marketOfEverything().events));
    await executeLanes(store);
  });

  const run = (elsewhere: FoldElsewhere, options: Partial<ReplayOptions> = {}): Promise<ReplayResult> =>
    replay({
      ...MEANS,
      pool: market.pool,
      viewsFile: VIEWS_FILE,
      onDifference: 'refuse',
      onProgress: () => undefined,
      elsewhere,
      ...options,
    });
  const folding = (threads: number, fold: FoldElsewhere['fold'], fromLogBytes = 0): FoldElsewhere => ({
    threads,
    fromLogBytes,
    fold,
  });
  /** Folds as a thread does, on a pool of its own. */
  const onOwnPool: FoldElsewhere['fold'] = async (part, onFolded) => {
    const pool = market.createPool({ max: 3 });
    await foldPart(pool, part, MEANS, onFolded);
  };
  const oidOfOrders = async (): Promise<unknown> =>
    (await market.pool.query(`SELECT 'orders'::regclass::oid AS oid`)).rows[0];

  it('gives the same tables, and counts what every part gave', async () => {
    const alone = await run(folding(1, onOwnPool, Number.MAX_SAFE_INTEGER));
    const parts: AggregateSelection[] = [];
    const told: number[] = [];
    const result = await run(
      folding(3, async (part, ...rest) => {
        parts.push(part.aggregates);
        await onOwnPool(part, ...rest);
      }),
      { onProgress: (step) => void (step.step === 'folding' && told.push(step.events)) },
    );
    expect(parts).toEqual(evenParts(4).slice(1));
    expect(result).toEqual(alone);
    expect(result.switched).toBe(true);
    expect(told.at(-1)).toBe(marketOfEverything().events.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(marketOfEverything().events));
  });

  it('asks nobody for a small log', async () => {
    const result = await run(folding(1, () => Promise.reject(new Error('asked')), Number.MAX_SAFE_INTEGER));
    expect(result.switched).toBe(true);
  });

  it('finds what one of them left out', async () => {
    const result = await run(folding(1, () => Promise.resolve()));
    expect(result.switched).toBe(false);
    expect(result.differences.length).toBeGreaterThan(0);
  });

  it('ends with the failure of a part, the others having ended before, and the live tables are untouched', async () => {
    const before = await oidOfOrders();
    const ended: unknown[] = [];
    const elsewhere = folding(2, (part, _onFolded, signal) => {
      if (part.aggregates === 'all' || 'only' in part.aggregates) throw new Error('no bounds');
      if (part.aggregates.to === 2n ** 63n - 1n) return Promise.reject(new Error('the thread broke'));
      return new Promise((_resolve, reject) => {
        const end = (): void => {
          ended.push(signal.reason);
          reject(signal.reason as Error);
        };
        if (signal.aborted) end();
        else signal.addEventListener('abort', end);
      });
    });
    await expect(run(elsewhere)).rejects.toThrow('the thread broke');
    expect(ended).toHaveLength(1);
    expect(await oidOfOrders()).toEqual(before);
    expect((await run(folding(2, onOwnPool))).switched).toBe(true);
  });

  it('is ended in all parts by the signal', async () => {
    const ending = new AbortController();
    const elsewhere = folding(
      1,
      (_part, _onFolded, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          ending.abort(new Error('enough'));
        }),
    );
    await expect(run(elsewhere, { signal: ending.signal })).rejects.toThrow('enough');
  });

  it('does not begin while somebody still writes for one that is gone', async () => {
    const pool = market.createPool({ max: 1 });
    const client = await pool.connect();
    await client.query(`SELECT pg_advisory_lock_shared(${WRITERS_LOCK})`);
    await expect(run(folding(1, onOwnPool), { patienceMs: 50 })).rejects.toThrow(ReplayError);
    // It is gone in the end, and that is waited for.
    const next = run(folding(1, onOwnPool));
    client.release(true);
    expect((await next).switched).toBe(true);
  });
});
