import { releaseHeld, type Purchase, type PurchaseId } from '@imart/purchase';
import { createCuttingProxy, type Cut } from '../testing/cuttingProxy';
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

/**
 * Runs work in a process of its own, so to say: nothing of it comes to the server from the packet at `dieAt` on. `after`: that one still
 * does, but what came of it is not heard.
 * @returns how many packets were sent
 */
async function runUntil(
  dieAt: number,
  how: Exclude<Cut, 'pass'>,
  work: (parts: PurchaseParts) => Promise<void>,
): Promise<number> {
  const proxy = await createCuttingProxy(database.url);
  // What a process says when it connects, and when it opens its tables, is no statement of the flow.
  let packets = -1;
  proxy.decide = () => {
    if (packets < 0 || packets++ < dieAt) return 'pass';
    return packets - 1 === dieAt ? how : 'before';
  };
  const pool = database.createPool({ connectionString: proxy.url, max: 6 });
  const parts = await openPurchaseParts(pool);
  packets = 0;
  const died = await work(parts).then(
    () => false,
    () => true,
  );
  if (!died && packets > dieAt) {
    // It ended before the last packet was missed: what it closed with.
    expect(packets - dieAt).toBeLessThanOrEqual(1);
  }
  await proxy.close();
  return packets;
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

async function flowDiesAt(dieAt: number, how: Exclude<Cut, 'pass'>): Promise<number> {
  const sale = `sale-${sales++}`;
  await survivor.createSale(sale, { supply: 1 });
  const packets = await runUntil(dieAt, how, async (parts) => {
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
  expect([dieAt, how, ...ended.map(({ status }) => status)]).toEqual([dieAt, how, ...FLOW]);
  await mustBeWhole(sale, ids, 1);
  return packets;
}

async function deadlineDiesAt(dieAt: number, how: Exclude<Cut, 'pass'>): Promise<number> {
  const sale = `sale-${sales++}`;
  await survivor.createSale(sale, { supply: 1 });
  const { id } = await survivor.service.purchase({ productId: sale, quantity: 1 });
  const some = await database.open({ services: { services: ['task', 'stock-check', 'order'] } });
  await some.services.drain();
  expect((await survivor.saleState(sale)).minted).toBe(1);
  await database.pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() WHERE id = $1`, [id]);
  const packets = await runUntil(dieAt, how, async (parts) => {
    await parts.store.endOverdue(10, releaseHeld);
  });
  while ((await survivor.read(id)).status === 'pending') await survivor.store.endOverdue(10, releaseHeld);
  await survivor.services.drain();
  expect(await survivor.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT' });
  await mustBeWhole(sale, [id], 0);
  return packets;
}

/** Every place at which it can die: before its first packet, and after each of them, with what came of it unheard. */
async function everywhere(
  diesAt: (at: number, how: Exclude<Cut, 'pass'>) => Promise<number>,
): Promise<number> {
  const packets = await diesAt(Number.POSITIVE_INFINITY, 'before');
  await diesAt(0, 'before');
  for (let at = 0; at < packets; at++) await diesAt(at, 'after');
  return packets;
}

it('a process that dies between any two statements of the flow leaves each purchase to exactly one end (E15, E18)', async () => {
  expect(await everywhere(flowDiesAt)).toBeGreaterThan(20);
});

it('a process that dies between any two statements of a time-out gives back what was held once (E15, E16)', async () => {
  expect(await everywhere(deadlineDiesAt)).toBeGreaterThan(8);
});
