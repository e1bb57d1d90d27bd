import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../migrate';
import { address, createRowWriter, NATIVE } from '../testing/marketRows';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { applyViews } from '../views';

const PRISMA = join(__dirname, '../../../../prisma');
const VIEWS = join(PRISMA, 'views.sql');
const UINT256_MAX = (2n ** 256n - 1n).toString();

const [seller, other, buyer] = [address('a1'), address('a2'), address('b1')];
const collection = address('c0');

let server: TestServer;
let client: Client;
let insert: ReturnType<typeof createRowWriter>;

beforeAll(async () => {
  server = await startTestServer();
  client = new Client({ connectionString: (await server.createDatabase()).url });
  await client.connect();
  await migrate(client, join(PRISMA, 'migrations'));
  await applyViews(client, VIEWS);
  insert = createRowWriter(client);
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
});

/** Chain time of the subject, in microseconds. */
const NOW_US = 1_700_000_000_000_000n;
const at = (us: bigint): string =>
  new Date(Number(us / 1000n)).toISOString().replace('Z', `${String(us % 1000n).padStart(3, '0')}Z`);

beforeEach(async () => {
  await client.query('TRUNCATE subjects, orders, offers, tokens, balances, makers, activities, collections');
  await insert('subjects', { chain_time_us: NOW_US.toString() });
});

async function rows<Row = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query(sql, values)).rows as Row[];
}

async function stateOf(view: 'order_view' | 'offer_view', id = '1'): Promise<unknown> {
  return (await rows<{ state: string }>(`SELECT state FROM ${view} WHERE order_id = $1`, [id]))[0]?.state;
}

describe('state by time (D10, D11)', () => {
  const cases: readonly [string, Record<string, unknown>, string, string][] = [
    ['never expires', { expires_at: null }, 'LISTING', 'CREATED'],
    ['one microsecond before its expiry', { expires_at: at(NOW_US + 1n) }, 'LISTING', 'CREATED'],
    ['at the exact moment of its expiry', { expires_at: at(NOW_US) }, 'EXPIRED', 'EXPIRED'],
    ['one microsecond after its expiry', { expires_at: at(NOW_US - 1n) }, 'EXPIRED', 'EXPIRED'],
    ['farther away than dates reach', { expires_at: 'infinity' }, 'LISTING', 'CREATED'],
    [
      'expired long ago by chain time, but not by the host',
      { expires_at: '2023-01-01' },
      'EXPIRED',
      'EXPIRED',
    ],
    ['expired by the host clock, but not by chain time', { expires_at: '2023-12-31' }, 'LISTING', 'CREATED'],
    ['starting in one microsecond', { starts_at: at(NOW_US + 1n) }, 'NOT_STARTED', 'NOT_STARTED'],
    ['starting at this moment', { starts_at: at(NOW_US) }, 'LISTING', 'CREATED'],
  ];
  it.each(cases)('%s', async (_name, parts, ofOrder, ofOffer) => {
    await insert('orders', { order_id: '1', ...parts });
    await insert('offers', { order_id: '1', ...parts });
    expect([await stateOf('order_view'), await stateOf('offer_view')]).toEqual([ofOrder, ofOffer]);
  });

  it('is what the events said while no chain time is known', async () => {
    await client.query('UPDATE subjects SET chain_time_us = NULL');
    await insert('orders', { order_id: '1', expires_at: '1970-01-02' });
    expect(await stateOf('order_view')).toBe('LISTING');
  });

  it('of an ended order is how it ended, whatever its expiry', async () => {
    await insert('orders', { order_id: '1', status: 'SOLD', expires_at: '2020-01-01' });
    expect(await stateOf('order_view')).toBe('SOLD');
  });

  it('follows the chain time of its own subject', async () => {
    await insert('subjects', { id: 2, subject_id: 'eip155:2', chain_time_us: (NOW_US - 10n).toString() });
    await insert(
      'orders',
      { order_id: '1', expires_at: at(NOW_US) },
      { subject: 2, order_id: '2', expires_at: at(NOW_US) },
    );
    expect([await stateOf('order_view', '1'), await stateOf('order_view', '2')]).toEqual([
      'EXPIRED',
      'LISTING',
    ]);
  });
});

describe('open orders of which nothing is left', () => {
  // As a fill that closes nothing leaves an order that was never seen before.
  const filled = { quantity: '3', filled_quantity: '3', price: '3' };
  const cases: readonly [string, Record<string, unknown>, string, string][] = [
    ['all of the quantity', filled, 'FILLED', 'FILLED'],
    ['more than the quantity', { ...filled, filled_quantity: '4' }, 'FILLED', 'FILLED'],
    ['all but one', { ...filled, filled_quantity: '2' }, 'LISTING', 'CREATED'],
    ['of an unknown quantity', { ...filled, quantity: null }, 'LISTING', 'CREATED'],
    ['whatever its expiry', { ...filled, expires_at: '2020-01-01' }, 'FILLED', 'FILLED'],
  ];
  it.each(cases)('%s', async (_name, parts, ofOrder, ofOffer) => {
    await insert('orders', { order_id: '1', ...parts });
    await insert('offers', { order_id: '1', ...parts });
    expect([await stateOf('order_view'), await stateOf('offer_view')]).toEqual([ofOrder, ofOffer]);
  });

  it('are what they ended as once an event says so', async () => {
    await insert('orders', { order_id: '1', ...filled, status: 'SOLD' });
    await insert('offers', { order_id: '1', ...filled, status: 'CANCELED' });
    expect([await stateOf('order_view'), await stateOf('offer_view')]).toEqual(['SOLD', 'CANCELED']);
  });

  it('are no floor, no listing of a token, no offer on it, and are not counted', async () => {
    await insert('tokens', { token_id: '1', owner: seller });
    await insert('orders', { order_id: '1', ...filled }, { order_id: '2', price: '100' });
    await insert('offers', { order_id: '1', ...filled, price: '900' }, { order_id: '2', price: '50' });
    expect(await rows('SELECT listed_count, listed_token_count, floors FROM collection_view')).toEqual([
      {
        listed_count: '1',
        listed_token_count: '1',
        floors: [{ currency: NATIVE, unit_price: '100', listed_count: 1 }],
      },
    ]);
    const [token] = await rows('SELECT listings, offers FROM token_view');
    expect(token?.['listings']).toMatchObject([{ unit_price: '100', order_id: '2' }]);
    expect(token?.['offers']).toMatchObject([{ unit_price: '50', order_id: '2' }]);
  });
});

describe('orders voided by their maker', () => {
  // Maker's row, the order's nonce and place, expected.
  const cases: readonly [string, Record<string, unknown>, Record<string, unknown>, boolean][] = [
    ['nonce below', { voided_below: '5' }, { nonce: '4' }, true],
    ['nonce equal', { voided_below: '5' }, { nonce: '5' }, false],
    [
      'nonce of 256 bits below',
      { voided_below: UINT256_MAX },
      { nonce: (BigInt(UINT256_MAX) - 1n).toString() },
      true,
    ],
    ['made before the event', { voided_seq_no: '10' }, { opened_seq_no: '9' }, true],
    ['made after the event', { voided_seq_no: '10' }, { opened_seq_no: '11' }, false],
    ['nonce known, event without nonce', { voided_seq_no: '10' }, { nonce: '1', opened_seq_no: '9' }, true],
    [
      'nonce decides over the place',
      { voided_seq_no: '10', voided_below: '5' },
      { nonce: '7', opened_seq_no: '9' },
      false,
    ],
    ['nonce not known', { voided_below: '5' }, { opened_seq_no: '9' }, false],
    [
      "another contract's maker",
      { voided_seq_no: '10', contract: address('eeee') },
      { opened_seq_no: '9' },
      false,
    ],
  ];
  it.each(cases)('%s', async (_name, maker, parts, voided) => {
    const { voided_below: below = null, voided_seq_no: place = null, ...rest } = maker;
    await insert(
      'makers',
      { maker: seller, listings_voided_below: below, listings_voided_seq_no: place, ...rest },
      { maker: buyer, offers_voided_below: below, offers_voided_seq_no: place, ...rest },
    );
    await insert('orders', { order_id: '1', ...parts });
    await insert('offers', { order_id: '1', bidder: buyer, ...parts });
    expect([await stateOf('order_view'), await stateOf('offer_view')]).toEqual(
      voided ? ['VOIDED', 'VOIDED'] : ['LISTING', 'CREATED'],
    );
  });

  it('listings only leave offers alone, and the other way round', async () => {
    await insert('makers', { maker: seller, listings_voided_seq_no: '10' });
    await insert('orders', { order_id: '1', opened_seq_no: 5 });
    await insert('offers', { order_id: '1', opened_seq_no: 5, bidder: seller });
    expect([await stateOf('order_view'), await stateOf('offer_view')]).toEqual(['VOIDED', 'CREATED']);
  });
});

describe('listings whose seller does not own the token (D12)', () => {
  it('live again when the token returns', async () => {
    await insert('tokens', { token_id: '1', owner: seller });
    await insert('orders', { order_id: '1' });
    const states: unknown[] = [await stateOf('order_view')];
    for (const owner of [other, seller, null]) {
      await client.query('UPDATE tokens SET owner = $1', [owner]);
      states.push(await stateOf('order_view'));
    }
    expect(states).toEqual(['LISTING', 'UNFILLABLE', 'LISTING', 'UNFILLABLE']);
  });

  const live: readonly [string, Record<string, unknown>][] = [
    ['in escrow', { escrow: true }],
    ['of ERC-1155, where many own one id', { standard: 'erc1155' }],
    ['an auction', { kind: 'auction' }],
    ['by a seller nobody knows', { seller: null }],
    ['of a token whose owner was never seen', { token_id: '2' }],
  ];
  it.each(live)('stay as they are: %s', async (_name, parts) => {
    await insert('tokens', { token_id: '1', owner: other });
    await insert('orders', { order_id: '1', ...parts });
    expect(await stateOf('order_view')).toBe('LISTING');
  });
});

describe('unit price and what is left (D2, D13)', () => {
  const cases: readonly [string, Record<string, unknown>, string | null, string | null][] = [
    ['one piece of the greatest price', { price: UINT256_MAX }, UINT256_MAX, '1'],
    ['a price that divides', { price: '300', quantity: '3', filled_quantity: '1' }, '100', '2'],
    ['a price that does not', { price: '100', quantity: '8' }, '12.5', '8'],
    [
      'the greatest price by the greatest quantity',
      { price: UINT256_MAX, quantity: UINT256_MAX, filled_quantity: UINT256_MAX },
      '1',
      '0',
    ],
    [
      'a great price over three',
      { price: UINT256_MAX, quantity: '3' },
      (BigInt(UINT256_MAX) / 3n).toString(),
      '3',
    ],
    ['filled beyond its quantity', { quantity: '2', filled_quantity: '3' }, '50', '0'],
    ['unknown quantity', { quantity: null }, null, null],
    ['unknown price', { price: null }, null, '1'],
    ['a bundle', { items: '[]', quantity: '2' }, null, '2'],
    ['nothing for something', { quantity: '0' }, null, '0'],
  ];
  it.each(cases)('%s', async (_name, parts, unitPrice, remaining) => {
    await insert('orders', { order_id: '1', ...parts });
    expect(
      await rows(
        'SELECT trim_scale(unit_price)::text AS unit, remaining_quantity::text AS remaining FROM order_view',
      ),
    ).toEqual([{ unit: unitPrice, remaining }]);
  });
});

describe('token_view', () => {
  it('shows last sale, cheapest listing and highest offer of each currency, native coin first', async () => {
    const weth = address('e1');
    await insert('tokens', { token_id: '1', owner: seller });
    await insert(
      'orders',
      { order_id: '1', price: '90', currency: weth },
      { order_id: '2', price: '110' },
      { order_id: '3', price: '100' },
      { order_id: '4', price: '1', expires_at: '2020-01-01' },
      { order_id: '5', price: '2', reserved_for: buyer },
      { order_id: '6', price: '3', kind: 'auction' },
      { order_id: '7', price: '4', token_id: '2' },
      { order_id: '8', price: '5', status: 'SOLD' },
    );
    await insert(
      'offers',
      { order_id: '1', price: '50', currency: weth },
      { order_id: '2', price: '60', currency: weth, token_id: null },
      { order_id: '3', price: '99', currency: weth, status: 'CANCELED' },
    );
    await insert(
      'activities',
      { seq_no: 7, price: '70' },
      { seq_no: 9, price: '80' },
      { seq_no: 10, kind: 'TRANSFER' },
    );
    const [token] = await rows('SELECT * FROM token_view');
    expect(token).toMatchObject({ owner: seller, owner_count: '1', supply: '1', last_sale_price: '80' });
    expect(token?.['listings']).toEqual([
      { currency: NATIVE, unit_price: '100', contract: address('ffff'), order_id: '3', seller },
      { currency: weth, unit_price: '90', contract: address('ffff'), order_id: '1', seller },
    ]);
    expect(token?.['offers']).toEqual([
      {
        currency: weth,
        unit_price: '60',
        contract: address('ffff'),
        order_id: '2',
        bidder: buyer,
        collection_offer: true,
      },
    ]);
  });

  it('adds ERC-1155 ids up from their balances, and takes the cheaper of two sellers (D13)', async () => {
    await insert(
      'balances',
      { token_id: '5', owner: seller, quantity: '10' },
      { token_id: '5', owner: other, quantity: '3' },
      { token_id: '5', owner: address('a3'), quantity: '0' },
      { token_id: '5', owner: address('a4'), quantity: '-2' },
    );
    await insert(
      'orders',
      { order_id: '1', standard: 'erc1155', token_id: '5', quantity: '10', price: '1000' },
      { order_id: '2', standard: 'erc1155', token_id: '5', quantity: '3', price: '270', seller: other },
    );
    const [token] = await rows('SELECT * FROM token_view');
    expect(token).toMatchObject({ standard: 'erc1155', owner: null, owner_count: '2', supply: '13' });
    expect(token?.['listings']).toMatchObject([{ unit_price: '90', order_id: '2', seller: other }]);
    expect(await rows(`SELECT listed_count, listed_token_count, floors FROM collection_view`)).toEqual([
      {
        listed_count: '2',
        listed_token_count: '1',
        floors: [{ currency: NATIVE, unit_price: '90', listed_count: 2 }],
      },
    ]);
  });
});

describe('collection_view', () => {
  const volumes = async (): Promise<unknown> =>
    rows('SELECT address, sale_count::int, volumes FROM collection_view ORDER BY address');

  it('counts the price of a bundle once', async () => {
    const bundle = { seq_no: 5, price: '1000', item_count: 3 };
    await insert(
      'activities',
      { ...bundle, item: 0, token_id: '1' },
      { ...bundle, item: 1, token_id: '2' },
      { ...bundle, item: 2, token_id: '3', collection: address('c1') },
      { seq_no: 6, price: '10' },
      { seq_no: 7, price: '5', kind: 'LIST' },
    );
    expect(await volumes()).toEqual([
      {
        address: collection,
        sale_count: 2,
        volumes: [{ currency: NATIVE, amount: '1010', sale_count: 2 }],
      },
      { address: address('c1'), sale_count: 1, volumes: [] },
    ]);
  });

  it('adds up amounts beyond 256 bits, each currency for itself', async () => {
    await insert(
      'activities',
      { seq_no: 1, price: UINT256_MAX },
      { seq_no: 2, price: UINT256_MAX },
      { seq_no: 3, price: '7', currency: address('e1') },
      { seq_no: 4, price: null },
    );
    expect(await volumes()).toEqual([
      {
        address: collection,
        sale_count: 4,
        volumes: [
          { currency: NATIVE, amount: (BigInt(UINT256_MAX) * 2n).toString(), sale_count: 2 },
          { currency: address('e1'), amount: '7', sale_count: 1 },
        ],
      },
    ]);
  });

  it('has floor, listed count, owners and tokens, and forgets a floor that expires', async () => {
    await insert(
      'tokens',
      { token_id: '1', owner: seller },
      { token_id: '2', owner: seller },
      { token_id: '3', owner: other },
      { token_id: '4', owner: null },
    );
    await insert(
      'orders',
      { order_id: '1', token_id: '1', price: '50', expires_at: at(NOW_US + 1n) },
      { order_id: '2', token_id: '2', price: '60' },
      { order_id: '3', token_id: '3', price: '10' },
    );
    const read = async (): Promise<unknown> =>
      (
        await rows(
          'SELECT standard, token_count::int, owner_count::int, listed_count::int, floors->0 AS floor FROM collection_view',
        )
      )[0];
    const counts = { standard: 'erc721', token_count: 3, owner_count: 2 };
    expect(await read()).toEqual({
      ...counts,
      listed_count: 2,
      floor: { currency: NATIVE, unit_price: '50', listed_count: 2 },
    });
    await client.query('UPDATE subjects SET chain_time_us = chain_time_us + 1');
    expect(await read()).toEqual({
      ...counts,
      listed_count: 1,
      floor: { currency: NATIVE, unit_price: '60', listed_count: 1 },
    });
  });

  it('knows every collection that any row names', async () => {
    await insert('tokens', { token_id: '1', collection: address('d1') });
    await insert('balances', { token_id: '1', collection: address('d2'), owner: seller, quantity: '1' });
    await insert('orders', { order_id: '1', collection: address('d3') }, { order_id: '2', collection: null });
    await insert('offers', { order_id: '1', collection: address('d4') });
    await insert('activities', { seq_no: 1, collection: address('d5') }, { seq_no: 2, collection: null });
    const known = await rows<{ address: string }>('SELECT address FROM collection_view ORDER BY address');
    expect(known.map((row) => row.address)).toEqual(['d1', 'd2', 'd3', 'd4', 'd5'].map(address));
  });
});

describe('views.sql', () => {
  it('shows the new tables when it is applied again after tables were switched by renaming', async () => {
    await insert('orders', { order_id: 'old' });
    await client.query('CREATE TABLE fresh_orders (LIKE orders INCLUDING ALL)');
    await client.query('BEGIN');
    await client.query('ALTER TABLE orders RENAME TO old_orders');
    await client.query('ALTER TABLE fresh_orders RENAME TO orders');
    await applyViews(client, VIEWS);
    await client.query('DROP TABLE old_orders');
    await client.query('COMMIT');
    await insert('orders', { order_id: 'new' });
    expect(await rows('SELECT order_id FROM order_view')).toEqual([{ order_id: 'new' }]);
    expect(await rows('SELECT listed_count FROM collection_view')).toEqual([{ listed_count: '1' }]);
  });
});
