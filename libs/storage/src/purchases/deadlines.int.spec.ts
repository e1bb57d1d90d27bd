import { releaseHeld, type PurchaseId } from '@imart/purchase';
import { usePurchases } from '../testing/purchaseKit.spec';

const LIMIT = 100;

const kit = usePurchases();
const { buy } = kit;

const makeOverdue = (id: PurchaseId) =>
  kit.database.pool.query(
    `UPDATE purchases SET deadline_at = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [id],
  );

/** The steps up to the one that takes from the sale, that one included. */
const untilHeld = async (): Promise<void> => {
  await passSteps('task', 'stock-check', 'order');
};
async function passSteps(...names: ('task' | 'stock-check' | 'order')[]): Promise<void> {
  const some = await kit.database.open({ services: { services: names } });
  await some.services.drain();
}
const endOverdue = () => kit.parts.store.endOverdue(LIMIT, releaseHeld);

describe('a purchase that is over its deadline', () => {
  it('ends with TIMEOUT, whatever step it is at, and what it held is back, in the same transaction (E15)', async () => {
    await kit.parts.createSale('art', { supply: 2, walletLimit: 9 });
    const buyer = { productId: 'art', quantity: 2, wallet: '0x1' };
    const { id: held } = await kit.parts.service.purchase(buyer);
    await untilHeld();
    expect(await kit.parts.saleState('art')).toMatchObject({ minted: 2, wallets: { '0x1': 2 } });
    const { id: early } = await kit.parts.service.purchase(buyer);
    await makeOverdue(held);
    await makeOverdue(early);
    const { ended } = await endOverdue();
    expect(ended.map(({ id }) => id).sort()).toEqual([held, early].sort());
    for (const id of [held, early]) {
      expect(await kit.parts.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT', orderId: null });
    }
    expect(await kit.parts.saleState('art')).toMatchObject({ minted: 0, wallets: {} });
    expect((await endOverdue()).taken).toBe(0);
    const { id: next } = await kit.parts.service.purchase(buyer);
    await kit.parts.services.drain();
    expect((await kit.parts.read(next)).status).toBe('confirmed');
  });

  it.each(['purchase.received', 'stock.check-requested', 'stock.available', 'order.processed'])(
    'is not revived by an answer that comes late: %s (E16)',
    async (step) => {
      await kit.parts.createSale('art', { supply: 1 });
      const id = await buy('art');
      const steps = ['purchase.received', 'stock.check-requested', 'stock.available', 'order.processed'];
      await passSteps(...(['task', 'stock-check', 'order'] as const).slice(0, steps.indexOf(step)));
      expect((await kit.parts.read(id)).step).toBe(step);
      await makeOverdue(id);
      await endOverdue();
      const ended = await kit.parts.read(id);
      expect(ended).toMatchObject({ status: 'failed', step });
      // What was said before its end is still there, and is heard now.
      expect((await kit.database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(1);
      await kit.parts.services.drain();
      expect(await kit.parts.read(id)).toEqual(ended);
      expect((await kit.database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(0);
      expect(await kit.parts.saleState('art')).toMatchObject({ minted: 0 });
      expect((await kit.database.pool.query('SELECT FROM purchase_orders')).rowCount).toBe(0);
    },
  );

  it('passes no step before it is ended: what is late is left to its deadline (E16)', async () => {
    await kit.parts.createSale('art', { supply: 1 });
    const id = await buy('art');
    await untilHeld();
    await makeOverdue(id);
    await kit.parts.services.drain();
    expect(await kit.parts.read(id)).toMatchObject({ status: 'pending', step: 'order.processed' });
    await endOverdue();
    expect(await kit.parts.read(id)).toMatchObject({ status: 'failed', error: 'TIMEOUT' });
    expect(await kit.parts.saleState('art')).toMatchObject({ minted: 0 });
  });

  it('while a step has it in hand is left to that step', async () => {
    await kit.parts.createSale('art', { supply: 1 });
    const id = await buy('art');
    await passSteps('task', 'stock-check');
    await kit.database.pool.query(`UPDATE purchases SET deadline_at = clock_timestamp() + interval '2 s'`);
    const { taken, said } = await kit.parts.store.processOrders(LIMIT, async (asked) => {
      const isOverdue = async (): Promise<boolean> => {
        const { rows } = await kit.database.pool.query(
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
    await kit.parts.createSale('art', { supply: 3 });
    const id = await buy('art', 2);
    await untilHeld();
    await kit.parts.commands.request({ type: 'sale', id: 'art', name: 'Closed', data: {} });
    await makeOverdue(id);
    await endOverdue();
    expect((await kit.parts.read(id)).error).toBe('TIMEOUT');
    expect(await kit.parts.saleState('art')).toMatchObject({ stage: 'closed', minted: 0, supply: 3 });
  });
});

it('a purchase that holds something of a sale that was set aside waits for the sale; others end (E13)', async () => {
  await kit.parts.createSale('art', { supply: 3 });
  await kit.parts.createSale('other', { supply: 3 });
  const [stuck, free] = [await buy('art'), await buy('other')];
  await untilHeld();
  await kit.database.pool.query(
    `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
     SELECT subject, aggregate_type, aggregate_id, seq_no, 'REDUCER_FAILED', 'told by a spec'
     FROM event_log WHERE aggregate_id = 'art' AND version = 3`,
  );
  await makeOverdue(stuck);
  await makeOverdue(free);
  expect(await endOverdue()).toMatchObject({ taken: 1, ended: [{ id: free }] });
  const asked = await buy('art');
  await kit.parts.services.drain();
  expect(await kit.parts.read(asked)).toMatchObject({ status: 'rejected', error: 'PRODUCT_UNAVAILABLE' });
  await kit.database.pool.query('DELETE FROM park_markers');
  expect(await endOverdue()).toMatchObject({ taken: 1, ended: [{ id: stuck }] });
  expect(await kit.parts.saleState('art')).toMatchObject({ minted: 0 });
});

describe('a result', () => {
  it('is told from its end on, then it is expired, then unknown (E17)', async () => {
    kit.parts = await kit.database.open({ open: { resultMs: 3_600_000, keptMs: 3_600_000 } });
    await kit.parts.createSale('art');
    const id = await buy('art');
    await kit.parts.services.drain();
    const { finishedAt, expiresAt } = await kit.parts.read(id);
    expect(Date.parse(expiresAt as string) - Date.parse(finishedAt as string)).toBe(3_600_000);
    expect(await kit.parts.service.find(id)).toMatchObject({
      kind: 'found',
      purchase: { status: 'confirmed' },
    });
    const earlier = (hours: number) =>
      kit.database.pool.query(`UPDATE purchases SET expires_at = clock_timestamp() - $1 * interval '1 h'`, [
        hours,
      ]);
    await earlier(0.5);
    expect(await kit.parts.service.find(id)).toEqual({ kind: 'expired' });
    expect(await kit.parts.store.forget(LIMIT)).toBe(0);
    await earlier(1.5);
    expect(await kit.parts.store.forget(LIMIT)).toBe(1);
    expect(await kit.parts.service.find(id)).toEqual({ kind: 'unknown' });
    // The order stays.
    expect((await kit.database.pool.query('SELECT FROM purchase_orders')).rowCount).toBe(1);
  });

  it('is not told of a purchase that waits for long: its time starts at its end (E17)', async () => {
    kit.parts = await kit.database.open({ open: { resultMs: 1 } });
    await kit.parts.createSale('art');
    const id = await buy('art');
    expect(await kit.parts.read(id)).toMatchObject({ expiresAt: null, expired: false });
  });

  it('is pushed with the state as it is now first: whoever comes late misses nothing (E17)', async () => {
    await kit.parts.createSale('art');
    const id = await buy('art');
    const over = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const found of kit.parts.service.watch(id, over.signal)) {
        if (found.kind === 'found') seen.push(`${found.purchase.status} ${found.purchase.step}`);
        if (seen.length === 1) await kit.parts.services.drain();
      }
    })();
    await watching;
    expect(seen).toEqual(['pending purchase.received', 'confirmed order.processed']);
    for await (const found of kit.parts.service.watch(id, over.signal)) expect(found.kind).toBe('found');
  });

  it('is put at hand after the commit that made it final, and only then (E18)', async () => {
    await kit.parts.createSale('art', { supply: 1 });
    const [first, second] = [await buy('art'), await buy('art')];
    const put: { id: PurchaseId; inStore: string; orders: number }[] = [];
    const other = await kit.database.open({
      services: {
        sessions: {
          async put(ended) {
            for (const one of ended) {
              const { status } = await kit.parts.read(one.id);
              const { rowCount } = await kit.database.pool.query(
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
    expect(await kit.parts.service.find(first)).toMatchObject({
      kind: 'found',
      purchase: { status: 'confirmed' },
    });
  });
});
