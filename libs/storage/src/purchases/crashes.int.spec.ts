import { releaseHeld, type Purchase, type PurchaseId } from '@imart/purchase';
import { createCuttingProxy, innerEnds } from '../testing/cuttingProxy';
import {
  createPurchaseDatabase,
  openPurchaseParts,
  type PurchaseDatabase,
  type PurchaseParts,
} from '../testing/purchaseDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let database: PurchaseDatabase;
let survivor: PurchaseParts;
let sales = 0;

beforeAll(async () => {
  server = await startTestServer();
  database = await createPurchaseDatabase(server);
  survivor = await database.open();
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** Nothing of what it says comes to the server. */
const AT_ONCE = -1;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Runs work in a process of its own, so to say, that dies at a place: what it said up to there is done, what came of it is not heard, and
 * nothing else comes to the server. There is a place behind every statement, also between those that are sent together.
 * @returns how many places there are, up to its end
 */
async function runUntil(dieAt: number, work: (parts: PurchaseParts) => Promise<void>): Promise<number> {
  const proxy = await createCuttingProxy(database.url);
  let places = 0;
  // What a process says when it connects, and when it opens its tables, is no statement of the flow.
  let begun = false;
  proxy.decide = (text) => {
    if (!begun) return 'pass';
    const inner = innerEnds(text);
    const first = places;
    places += inner.length + 1;
    if (dieAt < first) return 'before';
    return dieAt >= places ? 'pass' : (inner[dieAt - first] ?? 'after');
  };
  const pool = database.createPool({ connectionString: proxy.url, max: 6 });
  const parts = await openPurchaseParts(pool);
  begun = true;
  const died = await work(parts).then(
    () => false,
    () => true,
  );
  expect({ dieAt, died }).toEqual({ dieAt, died: dieAt < places });
  await proxy.close();
  return places;
}

const FLOW = ['confirmed', 'rejected', 'rejected'] as const;

/** A purchase that can be had, one of what is then sold out, and one of nothing. Asked for with keys, as clients do that may ask again. */
async function buyAll(parts: PurchaseParts, sale: string): Promise<readonly PurchaseId[]> {
  const asked = [sale, sale, `${sale}-unknown`].map((productId, i) =>
    parts.service.purchase({ productId, quantity: 1, idempotencyKey: `${sale}-${i}` }),
  );
  return (await Promise.all(asked)).map(({ id }) => id);
}

async function mustBeWhole(sale: string, ids: readonly PurchaseId[], minted: number): Promise<void> {
  expect((await survivor.saleState(sale)).minted).toBe(minted);
  const { rows } = await database.pool.query(
    'SELECT count(*)::int AS n FROM purchase_orders WHERE purchase_id = ANY($1::uuid[])',
    [ids],
  );
  expect(rows).toEqual([{ n: minted }]);
  expect((await database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(0);
  expect((await database.pool.query('SELECT FROM command_outbox')).rowCount).toBe(0);
}

async function flowDiesAt(dieAt: number): Promise<number> {
  const sale = `sale-${sales++}`;
  await survivor.createSale(sale, { supply: 1 });
  const places = await runUntil(dieAt, async (parts) => {
    await buyAll(parts, sale);
    await parts.services.drain();
  });
  const ids = await buyAll(survivor, sale);
  // The connection of the one that died holds what it had in hand until the server has noticed.
  let ended: readonly Purchase[];
  do {
    await survivor.services.drain();
    ended = await Promise.all(ids.map((id) => survivor.read(id)));
  } while (ended.some(({ status }) => status === 'pending'));
  expect([dieAt, ...ended.map(({ status }) => status)]).toEqual([dieAt, ...FLOW]);
  await mustBeWhole(sale, ids, 1);
  return places;
}

async function deadlineDiesAt(dieAt: number): Promise<number> {
  const sale = `sale-${sales++}`;
  await survivor.createSale(sale, { supply: 1 });
  const { id } = await survivor.service.purchase({ productId: sale, quantity: 1 });
  const some = await database.open({ services: { services: ['task', 'stock-check', 'order'] } });
  await some.services.drain();
  expect((await survivor.saleState(sale)).minted).toBe(1);
  await database.pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() WHERE id = $1`, [id]);
  const places = await runUntil(dieAt, async (parts) => {
    await parts.store.endOverdue(10, releaseHeld);
  });
  while ((await survivor.read(id)).status === 'pending') await survivor.store.endOverdue(10, releaseHeld);
  await survivor.services.drain();
  expect(await survivor.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT' });
  await mustBeWhole(sale, [id], 0);
  return places;
}

/** Every place at which it can die. @returns how many */
async function everywhere(diesAt: (at: number) => Promise<number>): Promise<number> {
  const places = await diesAt(NEVER);
  for (let at = AT_ONCE; at < places; at++) await diesAt(at);
  return places;
}

it('a process that dies between any two statements of the flow leaves each purchase to exactly one end (E15, E18)', async () => {
  expect(await everywhere(flowDiesAt)).toBeGreaterThan(28);
});

it('a process that dies between any two statements of a time-out gives back what was held once (E15, E16)', async () => {
  expect(await everywhere(deadlineDiesAt)).toBeGreaterThan(9);
});
