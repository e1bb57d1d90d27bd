import fc from 'fast-check';
import { StorageUnavailableError, type SubjectStore } from '@imart/pipeline';
import {
  blockSeqNo,
  append,
  appendMessages,
  catchUpWith,
  contentsOfStraightFold,
  executeLanes,
  histories,
  marketOfEverything,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import type { Pool } from 'pg';
import { COMMIT, createCuttingProxy, type Cut, type CuttingProxy } from '../testing/cuttingProxy';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let market: MarketDatabase;
let proxy: CuttingProxy;
let pool: Pool;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
  proxy = await createCuttingProxy(market.database.url);
});
afterAll(async () => {
  await market?.close();
  await proxy?.close();
  await server?.stop();
});
beforeEach(async () => {
  proxy.decide = () => 'pass';
  await market.clear();
  pool = market.createPool({ connectionString: proxy.url, max: 4 });
});
afterEach(async () => {
  expect(pool.idleCount).toBe(pool.totalCount);
  // What the pool gives out after all that works, and is not inside a transaction.
  for (let i = 0; i < 4; i++) {
    await pool.query('BEGIN; CREATE TEMPORARY TABLE a_mark (n int) ON COMMIT DROP; COMMIT');
  }
});

/** Retries what passes, as the engine does. Whatever else comes is a fault of the store. */
async function retried<T>(work: () => Promise<T>, failures: unknown[] = []): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toBeInstanceOf(StorageUnavailableError);
      failures.push(error);
    }
  }
}

/** Cuts at the first packet that holds `text`, once. */
function cutOnce(text: string, how: Cut): { readonly happened: () => boolean } {
  let done = false;
  proxy.decide = (said) => {
    if (done || !said.includes(text)) return 'pass';
    done = true;
    return how;
  };
  return { happened: () => done };
}

const { events } = marketOfEverything();
const message = wholeRange(events);

async function expectStraightFold(store: SubjectStore): Promise<void> {
  expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
  const end = blockSeqNo.last(message.toPosition);
  expect(await store.progress()).toMatchObject({ executed: end, ingested: end, lastFeedNo: 1n });
}

describe('a connection that is cut', () => {
  const places = [
    'BEGIN',
    'FROM subjects WHERE id =',
    'COPY "event_log"',
    'UPDATE subjects SET next_position',
    'FROM checkpoints WHERE observer',
    'COPY "activities"',
    'INSERT INTO "orders"',
    'INSERT INTO "offers"',
    'INSERT INTO park_markers',
    'UPDATE checkpoints',
    COMMIT,
  ];
  it.each(places.flatMap((place) => (['before', 'after'] as const).map((how) => [how, place] as const)))(
    '%s %j is a passing fault, and the next attempt gives the same tables (Q12, Q13)',
    async (how, place) => {
      const store = await market.open(SUBJECT, 2, pool);
      const cut = cutOnce(place, how);
      const failures: unknown[] = [];
      await retried(() => append(store, message), failures);
      await retried(() => executeLanes(store), failures);
      expect(cut.happened()).toBe(true);
      expect(failures).toHaveLength(1);
      await expectStraightFold(store);
    },
  );

  it.each(['before', 'after'] as const)(
    '%s a commit while catching up leaves neither a hole nor anything twice (Q1)',
    async (how) => {
      const store = await market.open(SUBJECT, 2, pool);
      const cut = cutOnce(COMMIT, how);
      await catchUpWith(store, [message]);
      expect(cut.happened()).toBe(true);
      await expectStraightFold(store);
    },
  );

  it('anywhere, at random, again and again, gives the tables of one clean pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: 0, max: 79 })),
        async ({ events: random, ends }, lanes, catchingUp, dice) => {
          proxy.decide = () => 'pass';
          await market.clear();
          const store = await market.open(SUBJECT, lanes, pool);
          const messages = appendMessages(random, ends, catchingUp);
          let cuts = 0;
          proxy.decide = () => {
            const roll = dice.next().value;
            // Then it must go on: a database that is never there is not what is tried here.
            if (roll > 1 || cuts > 20) return 'pass';
            cuts++;
            return roll === 0 ? 'before' : 'after';
          };
          if (catchingUp) {
            await catchUpWith(store, messages, 5);
          } else {
            for (const one of messages) await retried(() => append(store, one));
            await retried(() => executeLanes(store, undefined, 5));
          }
          proxy.decide = () => 'pass';
          expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(random));
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('a server that ends a session', () => {
  const terminateAll = async (): Promise<void> => {
    await market.pool.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    );
  };

  it('in the middle of a transaction is a passing fault, and nothing of the transaction stays', async () => {
    const store = await market.open(SUBJECT, 1, pool);
    let ended = false;
    const attempt = (): Promise<void> =>
      store.transaction(async (tx) => {
        const { lastFeedNo } = await tx.lockIngest();
        await tx.append(await store.prepareAppend(message, lastFeedNo + 1n));
        if (!ended) await terminateAll();
        ended = true;
        await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(1n), position: 1n });
      });
    await expect(attempt()).rejects.toThrow(StorageUnavailableError);
    expect(await store.progress()).toMatchObject({ nextPosition: 0n, lastFeedNo: 0n });
    await attempt();
    await retried(() => executeLanes(store));
    await expectStraightFold(store);
  });

  it('while nothing is asked of it goes unnoticed', async () => {
    const store = await market.open(SUBJECT, 1, pool);
    await append(store, message);
    await terminateAll();
    await retried(() => executeLanes(store));
    await expectStraightFold(store);
  });
});

describe('two transactions that cannot both go on', () => {
  it('in a deadlock: one fails, passing, and the other goes on (Q13)', async () => {
    const store = await market.open(SUBJECT, 1, pool);
    const arrived: (() => void)[] = [];
    const both = Promise.all([0, 1].map((i) => new Promise<void>((resolve) => (arrived[i] = resolve))));
    const meet = async (i: number): Promise<unknown> => {
      arrived[i]?.();
      return both;
    };
    const results = await Promise.allSettled([
      store.transaction(async (tx) => {
        await tx.lockIngest();
        await meet(0);
        await tx.lockLanes([0]);
      }),
      // The wrong order of locks, which the engine never takes.
      store.transaction(async (tx) => {
        await tx.lockLanes([0]);
        await meet(1);
        await tx.lockIngest();
      }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const failed = results.find((result) => result.status === 'rejected') as PromiseRejectedResult;
    expect(failed.reason).toBeInstanceOf(StorageUnavailableError);
    expect((failed.reason as Error).cause).toMatchObject({ code: '40P01' });
  });

  it('one snapshot: the second fails, passing, and succeeds when it is tried again (Q13)', async () => {
    const strict = market.createPool({ options: '-c default_transaction_isolation=serializable' });
    const store = await market.open(SUBJECT, 1, strict);
    const failures: unknown[] = [];
    let second: Promise<unknown> = Promise.resolve();
    await store.transaction(async (tx) => {
      await tx.lockIngest();
      second = retried(() => append(store, message), failures);
      for (let waiting = 0; waiting === 0;) {
        const { rowCount } = await market.pool.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        waiting = rowCount ?? 0;
      }
      await tx.append(await store.prepareAppend(message, 1n));
    });
    expect(await second).toEqual({ kind: 'already-there' });
    expect(failures).toMatchObject([{ cause: { code: '40001' } }]);
    await retried(() => executeLanes(store));
    await expectStraightFold(store);
  });
});
