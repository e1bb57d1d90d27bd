// Benchmark of purchases, end to end: from the request to the API to the end that another connection sees.
// See bench.mjs, which builds the programs and starts this.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import type { PurchaseId } from '@imart/purchase';
import { openPurchaseParts, type PurchaseParts } from '../../../libs/storage/src/testing/purchaseDatabase';
import { ROOT } from '../../e2e/bundles';
import { createPrograms } from '../../e2e/programs';
import { until } from '../../e2e/until';
import { accountOf } from '../../oversell/account';
import { figuresOf, type Figures } from '../live/figures';
import { openPlace } from '../live/place';

import { createBuyer, type Buyer } from './buyer';
import { createEndWatch } from './endWatch';

const { values } = parseArgs({
  options: {
    'database-url': { type: 'string' },
    'redis-url': { type: 'string' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '64' },
    most: { type: 'string', default: '10000' },
  },
});

const SALES = 10;
const WARM_UP = 300;
const PATIENCE_MS = 600_000;

async function main(): Promise<void> {
  const redisUrl = values['redis-url'];
  const programs = createPrograms();
  const place = await openPlace({ databaseUrl: values['database-url'], redisUrl });
  try {
    const env = {
      ...place.env,
      // What is put at hand goes by itself soon after.
      PURCHASE_RESULT_MS: '120000',
      ...(redisUrl === undefined ? {} : { SESSION_REDIS_URL: redisUrl }),
    };
    const start = (app: string, more: Readonly<Record<string, string>>) =>
      programs.start({
        name: app,
        args: [`dist/${app}/main.cjs`],
        env: { ...env, ...more },
        cwd: ROOT,
        patienceMs: PATIENCE_MS,
      });
    await start('purchase-worker', {}).line((line) => line.includes('working on purchases'), 'that it works');
    const listening = await start('api', { PURCHASES: 'true', PURCHASES_OPEN: 'true', API_PORT: '0' }).line(
      (line) => line.includes('"listening"'),
      'where it listens',
    );
    const { address } = JSON.parse(listening) as { address: string };
    const client = await place.connect();
    const pool = new Pool({
      host: client.host,
      port: client.port,
      user: client.user ?? '',
      database: client.database ?? '',
      password: client.password ?? '',
      max: 8,
    });
    try {
      const parts = await openPurchaseParts(pool);
      const products = Array.from({ length: SALES }, (_, i) => `sale-${i}`);
      for (const product of products) await parts.createSale(product, { supply: 1_000_000 });
      const buyer = createBuyer(address, products);
      const described = await place.describe();
      await measure(parts, pool, buyer, () => atRate(buyer, 50, WARM_UP));

      const rate = Number(values.rate);
      const steady = await measure(parts, pool, buyer, () =>
        atRate(buyer, rate, rate * Number(values.seconds)),
      );
      console.log(
        `purchase at ${rate}/s: p50 ${steady.p50.toFixed(1)}  p99 ${steady.p99.toFixed(1)}  least ${steady.least.toFixed(1)}  most ${steady.most.toFixed(1)} ms ` +
          `(${steady.count} purchases over ${SALES} sales; ${described}; every purchase, order and event verified)`,
      );
      const clients = Number(values.clients);
      const most = await measure(parts, pool, buyer, () =>
        asFastAsPossible(buyer, clients, Number(values.most)),
      );
      console.log(
        `purchase, ${clients} clients as fast as they can: ${Math.round((1_000 * most.count) / most.wholeMs)}/s to the last one's end, ` +
          `p50 ${most.p50.toFixed(1)}  p99 ${most.p99.toFixed(1)} ms (${most.count} purchases; ${described}; verified)`,
      );
    } finally {
      await pool.end();
    }
  } finally {
    await programs.close();
    await place.close();
  }
}

/** Begins requests at their moments, whatever becomes of those before: a time counts from when it was due. */
async function atRate(buyer: Buyer, perSecond: number, count: number): Promise<void> {
  const begun = performance.now();
  const asked: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const due = begun + (i * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    asked.push(buyer.buy(due));
  }
  await Promise.all(asked);
}

async function asFastAsPossible(buyer: Buyer, clients: number, count: number): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) await buyer.buy(performance.now());
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** @throws unless every purchase is confirmed, and purchases, orders and the sales' logs agree. */
async function measure(
  parts: PurchaseParts,
  pool: Pool,
  buyer: Buyer,
  work: () => Promise<void>,
): Promise<Figures & { readonly wholeMs: number }> {
  const asked = buyer.begin();
  const watch = await createEndWatch(pool, asked);
  const begun = performance.now();
  await work();
  await until(
    'every purchase has ended',
    () => [...asked.keys()].every((id) => watch.ends.has(id)),
    PATIENCE_MS,
  );
  await watch.stop();
  const ends = [...asked].map(([id, { dueMs }]) => (watch.ends.get(id) as number) - dueMs);
  for (const product of buyer.products) {
    const ids = [...buyer.all].flatMap(([id, one]) => (one.product === product ? [id as PurchaseId] : []));
    const { problems, confirmed, left } = await accountOf(pool, parts, product, ids);
    // Orders are compared with all purchases, below.
    const wrong = problems.filter((problem) => !problem.includes('orders of'));
    if (confirmed !== ids.length || left !== 1_000_000 - ids.length || wrong.length > 0) {
      throw new Error(
        `${product}: ${confirmed} of ${ids.length} confirmed, ${left} left; ${wrong.slice(0, 3).join('; ')}`,
      );
    }
  }
  const { rows } = await pool.query('SELECT count(*)::int AS orders FROM purchase_orders');
  if ((rows[0] as { orders: number }).orders !== buyer.all.size)
    throw new Error('orders and purchases differ');
  return { ...figuresOf(ends), wholeMs: Math.max(...[...watch.ends.values()]) - begun };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
