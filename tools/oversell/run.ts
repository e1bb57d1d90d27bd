import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { createScratchDatabase, migrate } from '@imart/storage';
// Not by its package: all of that can be loaded in a test runner only.
import { seededRandom } from '../../libs/testing/src/seededRandom';
import { openPurchaseParts } from '../../libs/storage/src/testing/purchaseDatabase';
import { accountOf, WATCH_FINAL_STATES, type Account } from './account';
import { startWorkers } from './workers';

/** `long`: nothing comes to its deadline. `short`: many do. */
export type Deadlines = 'long' | 'short';

export interface OversellOptions {
  readonly seed: number;
  readonly deadlines: Deadlines;
  readonly purchases: number;
  readonly units: number;
  readonly processes: number;
  /** Bundle of purchase-worker. */
  readonly main: string;
  /** A server on which databases may be created. */
  readonly adminUrl: string;
  readonly redisUrl: string | undefined;
  readonly migrations: string;
  readonly logDir: string;
}

export interface OversellResult extends Account {
  readonly kills: number;
  readonly seconds: number;
  /** What is not as it must be; empty: all is. */
  readonly problems: readonly string[];
}

const PRODUCT = 'launch';
const LONG_MS = 3_600_000;
/** Nothing coming to its end for so long is a failure. What is slow, on a machine with much else to do, is none. */
const PATIENCE_MS = 120_000;
/** Kills go on until so many of the purchases have ended, and to so many: the end comes in a time that is worth it. */
const KILLS_UNTIL = 0.9;
const KILLS_MAX = 10;

/** Many buy what there is little of, from several processes that are killed at random. */
export async function runOversell(options: OversellOptions): Promise<OversellResult> {
  const { seed, deadlines, purchases, units, processes, main, adminUrl, redisUrl } = options;
  const random = seededRandom(seed);
  const database = await createScratchDatabase(adminUrl);
  const pool = new Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => undefined);
  const started = performance.now();
  try {
    await migrate(pool, options.migrations);
    await pool.query(WATCH_FINAL_STATES);
    const parts = await openPurchaseParts(pool);
    await parts.createSale(PRODUCT, { supply: units });
    const workers = startWorkers({
      main,
      processes,
      env: {
        DATABASE_URL: database.url,
        LOG_DIR: options.logDir,
        // Small pieces: there is something to kill between.
        PURCHASE_BATCH_MAX: String(random.between(2, 20)),
        PURCHASE_POLL_MS: '50',
        // What is at hand in Redis goes by itself soon after.
        PURCHASE_RESULT_MS: '600000',
        ...(redisUrl === undefined ? {} : { SESSION_REDIS_URL: redisUrl }),
      },
    });
    try {
      await workers.working();
      const ids = await Promise.all(
        Array.from({ length: purchases }, async (_, i) => {
          const deadlineMs = deadlines === 'long' ? LONG_MS : random.between(200, 8_000);
          const wallet = `0x${i.toString(16)}`;
          return (await parts.service.purchase({ productId: PRODUCT, quantity: 1, wallet, deadlineMs })).id;
        }),
      );
      let until = performance.now() + PATIENCE_MS;
      for (let before = 0; ;) {
        const { rows } = await pool.query(
          `SELECT count(*)::int AS ended FROM purchases WHERE status <> 'pending'`,
        );
        const { ended } = rows[0] as { ended: number };
        if (ended === purchases && (await pool.query('SELECT FROM purchase_messages')).rowCount === 0) break;
        if (ended > before) until = performance.now() + PATIENCE_MS;
        before = ended;
        if (performance.now() > until || workers.broken.length > 0) break;
        if (ended < purchases * KILLS_UNTIL && workers.kills < KILLS_MAX)
          workers.killOne(random.between(0, processes - 1));
        await delay(random.between(10, 500));
      }
      const account = await accountOf(pool, parts, PRODUCT, ids);
      return {
        ...account,
        kills: workers.kills,
        seconds: (performance.now() - started) / 1_000,
        problems: [...workers.broken, ...account.problems, ...expected(options, account)],
      };
    } finally {
      await workers.stop();
    }
  } finally {
    await pool.end();
    await database.drop();
  }
}

function expected({ deadlines, purchases, units }: OversellOptions, account: Account): string[] {
  const { confirmed, rejected, failed, pending, left } = account;
  const problems: string[] = [];
  const must = (what: string, is: number, wanted: number): void => {
    if (is !== wanted) problems.push(`${what}: ${is}, not ${wanted}`);
  };
  must('pending', pending, 0);
  must('purchases in a final state', confirmed + rejected + failed, purchases);
  must('confirmed and left', confirmed + left, units);
  if (deadlines === 'long') {
    must('confirmed', confirmed, units);
    must('rejected', rejected, purchases - units);
    must('left', left, 0);
  }
  return problems;
}
