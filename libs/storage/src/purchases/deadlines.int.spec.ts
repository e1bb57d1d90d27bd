import { releaseHeld, type PurchaseId } from '@imart/purchase';
import {
  createPurchaseDatabase,
  type PurchaseDatabase,
  type PurchaseParts,
} from '../testing/purchaseDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

const LIMIT = 100;

let server: TestServer;
let database: PurchaseDatabase;
let parts: PurchaseParts;

beforeAll(async () => {
  server = await startTestServer();
  database = await createPurchaseDatabase(server);
});
beforeEach(async () => {
  await database.clear();
  parts = await database.open();
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const buy = async (quantity = 1): Promise<PurchaseId> =>
  (await parts.service.purchase({ productId: 'art', quantity })).id;

const makeOverdue = (id: PurchaseId) =>
  database.pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() - interval '1 s' WHERE id = $1`, [
    id,
  ]);

/** The steps up to the one that takes from the sale, that one included. */
const untilHeld = async (): Promise<void> => {
  await passSteps('task', 'stock-check', 'order');
};
async function passSteps(...names: ('task' | 'stock-check' | 'order')[]): Promise<void> {
  const some = await database.open({ services: { services: names } });
  await some.services.drain();
}
const endOverdue = () => parts.store.endOverdue(LIMIT, releaseHeld);

describe('a purchase that is over its deadline', () => {
  it('ends with TIMEOUT, whatever step it is at, and what it held is back, in the same transaction (E15)', async () => {
    await parts.createSale('art', { supply: 2, walletLimit: 9 });
    const buyer = { productId: 'art', quantity: 2, wallet: '0x1' };
    const { id: held } = await parts.service.purchase(buyer);
    await untilHeld();
    expect(await parts.saleState('art')).toMatchObject({ minted: 2, wallets: { '0x1': 2 } });
    const { id: early } = await parts.service.purchase(buyer);
    await makeOverdue(held);
    await makeOverdue(early);
    const { ended } = await endOverdue();
    expect(ended.map(({ id }) => id).sort()).toEqual([held, early].sort());
    for (const id of [held, early]) {
      expect(await parts.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT', orderId: null });
    }
    expect(await parts.saleState('art')).toMatchObject({ minted: 0, wallets: {} });
    expect((await endOverdue()).taken).toBe(0);
    const { id: next } = await parts.service.purchase(buyer);
    await parts.services.drain();
    expect((await parts.read(next)).status).toBe('confirmed');
  });

  it.each(['purchase.received', 'stock.check-requested', 'stock.available', 'order.processed'])(
    'is not revived by an answer that comes late: %s (E16)',
    async (step) => {
      await parts.createSale('art', { supply: 1 });
      const id = await buy();
      const steps = ['purchase.received', 'stock.check-requested', 'stock.available', 'order.processed'];
      await passSteps(...(['task', 'stock-check', 'order'] as const).slice(0, steps.indexOf(step)));
      expect((await parts.read(id)).step).toBe(step);
      await makeOverdue(id);
      await endOverdue();
      const ended = await parts.read(id);
      expect(ended).toMatchObject({ status: 'failed', step });
      // What was said before its end is still there, and is heard now.
      expect((await database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(1);
      await parts.services.drain();
      expect(await parts.read(id)).toEqual(ended);
      expect((await database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(0);
      expect(await parts.saleState('art')).toMatchObject({ minted: 0 });
      expect((await database.pool.query('SELECT FROM purchase_orders')).rowCount).toBe(0);
    },
  );

  it('passes no step before it is ended: what is late is left to its deadline (E16)', async () => {
    await parts.createSale('art', { supply: 1 });
    const id = await buy();
    await untilHeld();
    await makeOverdue(id);
    await parts.services.drain();
    expect(await parts.read(id)).toMatchObject({ status: 'pending', step: 'order.processed' });
    await endOverdue();
    expect(await parts.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT' });
    expect(await parts.saleState('art')).toMatchObject({ minted: 0 });
  });

  it('while a step has it in hand is left to that step', async () => {
    await parts.createSale('art', { supply: 1 });
    const id = await buy();
    await passSteps('task', 'stock-check');
    await database.pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() + interval '2 s'`);
    const { taken, said } = await parts.store.processOrders(LIMIT, async (asked) => {
      const isOverdue = async (): Promise<boolean> => {
        const { rows } = await database.pool.query(
          'SELECT deadline_at <= clock_timestamp() AS over FROM purchases',
        );
        return (rows[0] as { over: boolean }).over;
      };
      while (!(await isOverdue()));
      expect(await endOverdue()).toMatchObject({ taken: 0 });
      return asked.map((one) => ({ id: one.id, refused: 'SOLD_OUT' as const, price: null, currency: null }));
    });
    expect({ taken, said }).toEqual({ taken: 1, said: ['stock.unavailable'] });
    expect(await endOverdue()).toMatchObject({ taken: 1, ended: [{ id, error: 'TIMEOUT' }] });
  });

  it('ends also when its sale was closed meanwhile: what it held is given back to it all the same', async () => {
    await parts.createSale('art', { supply: 3 });
    const id = await buy(2);
    await untilHeld();
    await parts.commands.request({ type: 'sale', id: 'art', name: 'Closed', data: {} });
    await makeOverdue(id);
    await endOverdue();
    expect((await parts.read(id)).error).toBe('TIMEOUT');
    expect(await parts.saleState('art')).toMatchObject({ stage: 'closed', minted: 0, supply: 3 });
  });
});

it('a purchase that holds something of a sale that was set aside waits for the sale; others end (E13)', async () => {
  await parts.createSale('art', { supply: 3 });
  await parts.createSale('other', { supply: 3 });
  const [stuck, free] = [await buy(), (await parts.service.purchase({ productId: 'other', quantity: 1 })).id];
  await untilHeld();
  await database.pool.query(
    `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
     SELECT subject, aggregate_type, aggregate_id, seq_no, 'REDUCER_FAILED', 'told by a spec'
     FROM event_log WHERE aggregate_id = 'art' AND version = 3`,
  );
  await makeOverdue(stuck);
  await makeOverdue(free);
  expect(await endOverdue()).toMatchObject({ taken: 1, ended: [{ id: free }] });
  const { id: asked } = await parts.service.purchase({ productId: 'art', quantity: 1 });
  await parts.services.drain();
  expect(await parts.read(asked)).toMatchObject({ status: 'rejected', error: 'PRODUCT_UNAVAILABLE' });
  await database.pool.query('DELETE FROM park_markers');
  expect(await endOverdue()).toMatchObject({ taken: 1, ended: [{ id: stuck }] });
  expect(await parts.saleState('art')).toMatchObject({ minted: 0 });
});

describe('a result', () => {
  it('is told from its end on, then it is expired, then unknown (E17)', async () => {
    parts = await database.open({ open: { resultMs: 3_600_000, keptMs: 3_600_000 } });
    await parts.createSale('art');
    const id = await buy();
    await parts.services.drain();
    const { finishedAt, expiresAt } = await parts.read(id);
    expect(Date.parse(expiresAt as string) - Date.parse(finishedAt as string)).toBe(3_600_000);
    expect(await parts.service.find(id)).toMatchObject({ kind: 'found', purchase: { status: 'confirmed' } });
    const earlier = (hours: number) =>
      database.pool.query(`UPDATE purchases SET expires_at = clock_timestamp() - $1 * interval '1 h'`, [
        hours,
      ]);
    await earlier(0.5);
    expect(await parts.service.find(id)).toEqual({ kind: 'expired' });
    expect(await parts.store.forget(LIMIT)).toBe(0);
    await earlier(1.5);
    expect(await parts.store.forget(LIMIT)).toBe(1);
    expect(await parts.service.find(id)).toEqual({ kind: 'unknown' });
    // The order stays.
    expect((await database.pool.query('SELECT FROM purchase_orders')).rowCount).toBe(1);
  });

  it('is not told of a purchase that waits for long: its time starts at its end (E17)', async () => {
    parts = await database.open({ open: { resultMs: 1 } });
    await parts.createSale('art');
    const id = await buy();
    expect(await parts.read(id)).toMatchObject({ expiresAt: null, expired: false });
  });

  it('is pushed with the state as it is now first: whoever comes late misses nothing (E17)', async () => {
    await parts.createSale('art');
    const id = await buy();
    const over = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const found of parts.service.watch(id, over.signal)) {
        if (found.kind === 'found') seen.push(`${found.purchase.status} ${found.purchase.step}`);
        if (seen.length === 1) await parts.services.drain();
      }
    })();
    await watching;
    expect(seen).toEqual(['pending purchase.received', 'confirmed order.processed']);
    for await (const found of parts.service.watch(id, over.signal)) expect(found.kind).toBe('found');
  });

  it('is put at hand after the commit that made it final, and only then (E18)', async () => {
    await parts.createSale('art', { supply: 1 });
    const [first, second] = [await buy(), await buy()];
    const put: { id: PurchaseId; inStore: string; orders: number }[] = [];
    const other = await database.open({
      services: {
        sessions: {
          async put(ended) {
            for (const one of ended) {
              const { status } = await parts.read(one.id);
              const { rowCount } = await database.pool.query(
                'SELECT FROM purchase_orders WHERE purchase_id = $1',
                [one.id],
              );
              put.push({ id: one.id, inStore: status, orders: rowCount ?? 0 });
            }
            throw new Error('no memory left');
          },
          get: async () => null,
        },
      },
    });
    await other.services.drain();
    expect(put.sort((a, b) => a.orders - b.orders)).toEqual([
      { id: second, inStore: 'rejected', orders: 0 },
      { id: first, inStore: 'confirmed', orders: 1 },
    ]);
    // A cache that fails costs nothing but time.
    expect(await parts.service.find(first)).toMatchObject({
      kind: 'found',
      purchase: { status: 'confirmed' },
    });
  });
});
