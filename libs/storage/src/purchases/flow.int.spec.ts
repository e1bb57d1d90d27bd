import { until } from '@imart/testing';
import { StorageUnavailableError } from '@imart/pipeline';
import type { PurchaseId } from '@imart/purchase';
import type { PurchaseParts } from '../testing/purchaseDatabase';
import { usePurchases } from '../testing/purchaseKit.spec';

const kit = usePurchases();
const { buy } = kit;

describe('a purchase', () => {
  it('is pending with its step at once, passes every step, and is confirmed with an order', async () => {
    await kit.parts.createSale('art', { supply: 3 });
    const id = await buy('art', 2);
    expect(await kit.parts.read(id)).toMatchObject({
      status: 'pending',
      step: 'purchase.received',
      orderId: null,
      finishedAt: null,
    });
    await kit.parts.services.drain();
    const done = await kit.parts.read(id);
    expect(done).toMatchObject({
      productId: 'art',
      quantity: 2,
      status: 'confirmed',
      error: null,
      price: '1.5',
      total: '3',
      currency: 'APT',
      expired: false,
    });
    expect(done.steps.map(({ step }) => step)).toEqual([
      'purchase.received',
      'stock.check-requested',
      'stock.available',
      'order.processed',
    ]);
    const times = done.steps.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    const { rows } = await kit.database.pool.query('SELECT * FROM purchase_orders');
    expect(rows).toMatchObject([{ id: done.orderId, purchase_id: id, quantity: 2, currency: 'APT' }]);
    expect(await kit.parts.saleState('art')).toMatchObject({ supply: 3, minted: 2 });
  });

  it.each([
    ['UNKNOWN_PRODUCT', 'nothing', {}, 1, {}],
    ['SALE_NOT_OPEN', 'later', { opensAt: '2999-01-01T00:00:00Z' }, 1, {}],
    ['SALE_CLOSED', 'over', { closesAt: '2021-01-01T00:00:00Z' }, 1, {}],
    ['WALLET_REQUIRED', 'bounded', { walletLimit: 2 }, 1, {}],
    ['WALLET_LIMIT', 'bounded', { walletLimit: 2 }, 3, { wallet: '0x1' }],
    ['NOT_ENOUGH_LEFT', 'small', { supply: 2 }, 3, {}],
  ] as const)('is rejected with %s', async (code, product, terms, quantity, more) => {
    if (code !== 'UNKNOWN_PRODUCT') await kit.parts.createSale(product, terms);
    const id = await buy(product, quantity, more);
    await kit.parts.services.drain();
    const done = await kit.parts.read(id);
    expect(done).toMatchObject({ status: 'rejected', error: code, orderId: null });
    expect(done.steps.map(({ step }) => step)).toEqual([
      'purchase.received',
      'stock.check-requested',
      'stock.unavailable',
    ]);
  });

  it('of a sale that nobody has approved, and of one that was closed, is rejected', async () => {
    const ask = (name: string, data: unknown) =>
      kit.parts.commands.request({ type: 'sale', id: 'art', name, data });
    await ask('Created', {
      name: 'Art',
      supply: 5,
      walletLimit: null,
      price: '1',
      currency: 'APT',
      opensAt: '2020-01-01T00:00:00Z',
      closesAt: null,
    });
    await kit.parts.appendSales();
    const early = await buy('art', 1);
    await kit.parts.services.drain();
    await ask('Approved', {});
    await ask('Closed', {});
    await kit.parts.appendSales();
    const late = await buy('art', 1);
    await kit.parts.services.drain();
    expect((await kit.parts.read(early)).error).toBe('SALE_NOT_OPEN');
    expect((await kit.parts.read(late)).error).toBe('SALE_CLOSED');
  });

  it('is refused at once when its quantity is none, naming what it must be', async () => {
    for (const quantity of [0, -1, 1.5, Number.NaN, 1e12]) {
      await expect(buy('art', quantity)).rejects.toMatchObject({ code: 'WRONG_QUANTITY' });
    }
    await expect(buy('', 1)).rejects.toMatchObject({ code: 'PURCHASE_INVALID' });
    await expect(buy('a\0b', 1)).rejects.toMatchObject({ code: 'PURCHASE_INVALID' });
    expect((await kit.database.pool.query('SELECT FROM purchases')).rowCount).toBe(0);
  });

  it('whose stock goes between check and order is rejected by the order service, with every step told (E14)', async () => {
    await kit.parts.createSale('art', { supply: 1 });
    const [first, second] = [await buy('art', 1), await buy('art', 1)];
    await kit.parts.services.drain();
    expect(await kit.parts.read(first)).toMatchObject({ status: 'confirmed' });
    const loser = await kit.parts.read(second);
    expect(loser).toMatchObject({ status: 'rejected', error: 'SOLD_OUT' });
    expect(loser.steps.map(({ step }) => step)).toEqual([
      'purchase.received',
      'stock.check-requested',
      'stock.available',
      'stock.unavailable',
    ]);
  });

  it('of many at once takes one event of the sale for all of them, first come, first served (E14)', async () => {
    await kit.parts.createSale('art', { supply: 30, walletLimit: 2 });
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, i) => buy('art', 1, { wallet: `0x${i % 20}` })),
    );
    await kit.parts.services.drain();
    const found = [...(await kit.parts.store.find(ids)).values()];
    expect(found.filter(({ status }) => status === 'confirmed')).toHaveLength(30);
    const refused = found.filter(({ status }) => status === 'rejected').map(({ error }) => error);
    expect(refused).toHaveLength(20);
    expect(new Set(refused)).toEqual(new Set(['WALLET_LIMIT', 'SOLD_OUT']));
    const { wallets, minted } = await kit.parts.saleState('art');
    expect(minted).toBe(30);
    expect(Math.max(...Object.values(wallets))).toBe(2);
    const { rows } = await kit.database.pool.query(
      `SELECT count(*)::int AS n FROM event_log WHERE name = 'Taken'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('sees commands of its sale that were accepted and are not in the log yet', async () => {
    await kit.parts.createSale('art', { supply: 1 });
    const id = await buy('art', 1);
    const limit = 10;
    await kit.parts.store.requestChecks(limit);
    await kit.parts.services.drain();
    expect((await kit.parts.read(id)).status).toBe('confirmed');
    const next = await buy('art', 2);
    await kit.parts.commands.request({ type: 'sale', id: 'art', name: 'Restocked', data: { quantity: 5 } });
    // The check looks at the log; the order service takes in what was accepted.
    await kit.parts.appendSales();
    await kit.parts.commands.request({ type: 'sale', id: 'art', name: 'Closed', data: {} });
    await kit.parts.services.drain();
    const done = await kit.parts.read(next);
    expect(done).toMatchObject({ status: 'rejected', error: 'SALE_CLOSED' });
    expect(done.steps.at(-2)?.step).toBe('stock.available');
  });

  it('asked for again with its key is the same one; the key for another purchase is refused (E5)', async () => {
    await kit.parts.createSale('art');
    const ask = (quantity: number) =>
      kit.parts.service.purchase({ productId: 'art', quantity, wallet: '0x1', idempotencyKey: 'k' });
    const answers = await Promise.all([ask(1), ask(1), ask(1)]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ repeated }) => repeated).sort()).toEqual([false, true, true]);
    await expect(ask(2)).rejects.toMatchObject({ code: 'PURCHASE_CONFLICT' });
    await kit.parts.services.drain();
    expect((await kit.parts.saleState('art')).minted).toBe(1);
    expect(await ask(1)).toEqual({ id: answers[0]?.id, repeated: true });
  });
});

describe('a step', () => {
  it('is done once, also when its message comes again (E15, E20)', async () => {
    await kit.parts.createSale('art', { supply: 5 });
    const id = await buy('art', 1);
    const again = async (topic: string): Promise<void> => {
      await kit.database.pool.query('INSERT INTO purchase_messages (topic, purchase_id) VALUES ($1, $2)', [
        topic,
        id,
      ]);
    };
    await again('purchase.received');
    await kit.parts.services.drain();
    for (const topic of [
      'purchase.received',
      'stock.check-requested',
      'stock.available',
      'stock.unavailable',
      'order.processed',
    ]) {
      await again(topic);
      await kit.parts.services.drain();
    }
    expect((await kit.parts.read(id)).status).toBe('confirmed');
    expect(await kit.parts.saleState('art')).toMatchObject({ minted: 1 });
    expect((await kit.database.pool.query('SELECT FROM purchase_orders')).rowCount).toBe(1);
    expect((await kit.database.pool.query('SELECT FROM purchase_messages')).rowCount).toBe(0);
  });

  it('that takes of several sales marks them in the order of their ids, as commands do: nobody waits in a circle', async () => {
    for (const sale of ['a', 'b']) await kit.parts.createSale(sale);
    const ids = [await buy('b'), await buy('a')];
    const [holder, other] = [await kit.database.pool.connect(), await kit.database.pool.connect()];
    const lockMarker = (sale: string): string =>
      `SELECT FROM command_markers WHERE aggregate_id = '${sale}' FOR UPDATE NOWAIT`;
    let drained: Promise<void>;
    try {
      await holder.query('BEGIN');
      expect((await holder.query(lockMarker('a'))).rowCount).toBe(1);
      drained = kit.parts.services.drain();
      await until(
        async () => {
          const { rowCount } = await other.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return rowCount === 1;
        },
        { what: 'the step waits for the first marker' },
      );
      expect((await other.query(lockMarker('b'))).rowCount).toBe(1);
    } finally {
      await holder.query('ROLLBACK');
      [holder, other].forEach((client) => client.release());
    }
    await drained;
    for (const id of ids) expect(await kit.parts.read(id)).toMatchObject({ status: 'confirmed' });
  });

  it('that fails and is tried again takes first what came first, also beside another process (E19)', async () => {
    await kit.parts.createSale('art', { supply: 1_000 });
    const ids: PurchaseId[] = [];
    for (let i = 0; i < 60; i++) ids.push(await buy('art', 1));
    let failures = 0;
    const processOrders: typeof kit.parts.store.processOrders = (limit, decide) =>
      kit.parts.store.processOrders(limit, async (asked, sales) => {
        const verdicts = await decide(asked, sales);
        if (failures++ < 3) throw new StorageUnavailableError('told by a spec', null);
        return verdicts;
      });
    const some = await kit.database.open({
      services: { services: ['task', 'stock-check'] },
    });
    await some.services.drain();
    const orders = await Promise.all(
      [1, 2].map(() =>
        kit.database.open({
          services: {
            services: ['order'],
            store: { ...kit.parts.store, processOrders },
            batchMax: 7,
            random: () => 0,
          },
        }),
      ),
    );
    const over = new AbortController();
    // One after the other begins: each takes what is first and not in another one's hand.
    const running = orders.map((one) => one.services.run(over.signal));
    while (
      (await kit.database.pool.query(`SELECT FROM purchases WHERE step = 'stock.available'`)).rowCount !== 0
    );
    over.abort();
    await Promise.all(running);
    expect(failures).toBeGreaterThan(3);
    const { rows } = await kit.database.pool.query(
      `SELECT data FROM event_log WHERE name = 'Taken' ORDER BY seq_no`,
    );
    const batches = (rows as { data: string }[]).map(({ data }) => {
      const [, , , , { takes }] = JSON.parse(data) as [1, 1, '', null, { takes: { purchase: PurchaseId }[] }];
      return takes.map(({ purchase }) => ids.indexOf(purchase));
    });
    expect(batches.flat()).toEqual(ids.map((_, i) => i));
  });

  it('that takes a message which nobody can work on sets it back, and goes on with the others (E13)', async () => {
    await kit.parts.createSale('art', { supply: 5 });
    const [bad, good] = [await buy('art', 1), await buy('art', 2)];
    const checkStock: typeof kit.parts.store.checkStock = (limit, judge) =>
      kit.parts.store.checkStock(limit, async (asked, sales) => {
        if (asked.some((one) => one.id === bad)) throw new Error('of no known kind');
        return judge(asked, sales);
      });
    const other = await kit.database.open({
      services: { store: { ...kit.parts.store, checkStock }, random: () => 0 },
    });
    const over = new AbortController();
    const running = other.services.run(over.signal);
    for await (const found of kit.parts.service.watch(good, over.signal)) {
      if (found.kind === 'found' && found.purchase.status !== 'pending') break;
    }
    expect((await kit.parts.read(good)).status).toBe('confirmed');
    expect(await kit.parts.read(bad)).toMatchObject({ status: 'pending', step: 'stock.check-requested' });
    over.abort();
    await running;
    expect(other.services.stats.get('stock-check')?.setBack).toBeGreaterThan(0);
  });
});

describe('services', () => {
  /** Nobody looks by themselves in this time. */
  const NEVER_MS = 60_000;
  const SOON_MS = 30_000;

  const buyBeside = async (opened: readonly PurchaseParts[], begin: () => void): Promise<void> => {
    await kit.parts.createSale('art', { supply: 1 });
    const over = new AbortController();
    const running = opened.map((one) => one.services.run(over.signal));
    const begun = performance.now();
    const id = await kit.buy('art');
    begin();
    let status = '';
    for await (const found of kit.parts.service.watch(id, over.signal)) {
      if (found.kind === 'found') ({ status } = found.purchase);
    }
    const tookMs = performance.now() - begun;
    over.abort();
    await Promise.all(running);
    expect(status).toBe('confirmed');
    expect(tookMs).toBeLessThan(SOON_MS);
  };

  it('in different processes hear of each other when something is said: nobody waits for a look', async () => {
    const names = [['task', 'order'] as const, ['stock-check', 'order-creation'] as const];
    const opened = await Promise.all(
      names.map((services) => kit.database.open({ services: { services, pollMs: NEVER_MS } })),
    );
    await buyBeside(opened, () => undefined);
  });

  it('in one process need no notice for it', async () => {
    const untilAborted = (_onSaid: unknown, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    const announce = jest.fn();
    const store = { ...kit.parts.store, announce, listen: untilAborted };
    const one = await kit.database.open({ services: { store, pollMs: NEVER_MS } });
    await buyBeside([one], () => one.services.wake('purchase.received'));
    expect(announce.mock.calls.flat(2)).toEqual([]);
  });
});
