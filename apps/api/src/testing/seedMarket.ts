import type { ApiDatabase } from './apiDatabase';

/** An address that a spec can read: `address('a1')` ends with `a1`. */
export const address = (name: string): string => `0x${name.padStart(40, '0')}`;
export const NATIVE = address('0');
export const UINT256_MAX = (2n ** 256n - 1n).toString();
export const MARKET = address('ffff');
export const SEAPORT = address('eeee');
export const SELLER = address('abcdef01');
export const BUYER = address('b1');
export const COLLECTION = address('c0ffee');
export const MULTI = address('1155');
export const HASH = `0x${'ab'.repeat(32)}`;
export const WETH = address('e1');

const DAY_US = 86_400_000_000n;
const JAN_1_2024_US = 1_704_067_200_000_000n;
const day = (number: number): string =>
  new Date(Number((JAN_1_2024_US + BigInt(number - 1) * DAY_US) / 1000n)).toISOString();

/** SeqNos as on an EVM chain: the block in the upper bits. */
export const seqNo = (block: number, index = 0): string =>
  ((BigInt(block) << 31n) | (BigInt(index) << 14n)).toString();

const common = { subject: 1, created_at: day(1), updated_at: day(1), seq_no: seqNo(1), version: 1 };
const trade = {
  ...common,
  aggregate_type: 'order',
  contract: MARKET,
  market: 'imart',
  kind: 'fixed',
  collection: COLLECTION,
  token_id: '1',
  standard: 'erc721',
  quantity: '1',
  filled_quantity: '0',
  price: '100',
  currency: NATIVE,
  escrow: false,
};
const activity = {
  subject: 1,
  item: 0,
  market: 'imart',
  contract: MARKET,
  collection: COLLECTION,
  token_id: '1',
  quantity: '1',
  currency: NATIVE,
  item_count: 1,
  log_index: 0,
  tx_hash: `0x${'11'.repeat(32)}`,
};

const subject = {
  genesis_hash: '0x00',
  epoch: 3,
  lanes: 2,
  start_position: 1,
  finalized_seq_no: -1,
  last_feed_no: 0,
  followed: '',
};

/**
 * A small market on `eip155:1`: a dozen listings of token 1 and one of each state, offers, sales on four days, an ERC-1155
 * token; and one listing and one sale on `eip155:10`.
 */
export async function seedMarket({ insert }: ApiDatabase): Promise<void> {
  await insert(
    'subjects',
    {
      ...subject,
      id: 1,
      subject_id: 'eip155:1',
      next_position: 101,
      ingested_seq_no: (((100n + 1n) << 31n) - 1n).toString(),
      chain_time_us: (JAN_1_2024_US + 30n * DAY_US).toString(),
      head_position: 105,
      head_time_us: (JAN_1_2024_US + 30n * DAY_US + 60_000_000n).toString(),
      head_seen_at: '2024-02-01T00:00:00Z',
      finalized_position: 90,
    },
    { ...subject, id: 2, subject_id: 'eip155:10', next_position: 1, ingested_seq_no: -1 },
  );
  await insert(
    'checkpoints',
    { observer: 'market', subject: 1, lane: 0, seq_no: (((100n + 1n) << 31n) - 1n).toString() },
    { observer: 'market', subject: 1, lane: 1, seq_no: seqNo(98, 3) },
  );
  await insert('park_markers', {
    subject: 1,
    aggregate_type: 'order',
    aggregate_id: 'x:1',
    from_seq_no: 1,
    code: 'BAD',
    message: 'bad',
    parked_at: day(1),
  });
  await seedTrades(insert);
  await seedTokens(insert);
  await seedActivities(insert);
}

async function seedTrades(insert: ApiDatabase['insert']): Promise<void> {
  const listing = { ...trade, status: 'LISTING', seller: SELLER };
  const more = Array.from({ length: 12 }, (_, i) => ({
    ...listing,
    order_id: String(100 + i),
    opened_seq_no: seqNo(10 + i),
    price: String(1000 - i),
    currency: i % 3 === 0 ? WETH : NATIVE,
  }));
  await insert(
    'orders',
    ...more,
    { ...listing, order_id: '1', opened_seq_no: seqNo(2), status: 'CANCELED', price: '1' },
    { ...listing, order_id: '1', opened_seq_no: seqNo(3), status: 'SOLD', buyer: BUYER, price: UINT256_MAX },
    { ...listing, order_id: '2', opened_seq_no: seqNo(4), expires_at: day(31) },
    { ...listing, order_id: '3', opened_seq_no: seqNo(5), token_id: '2' },
    {
      ...listing,
      order_id: HASH,
      contract: SEAPORT,
      market: 'seaport-1.5',
      opened_seq_no: seqNo(6),
      collection: null,
      token_id: null,
      standard: null,
      quantity: '3',
      items: JSON.stringify([
        { collection: COLLECTION, tokenId: '1', quantity: '1', standard: 'erc721' },
        { collection: MULTI, tokenId: UINT256_MAX, quantity: '2', standard: 'erc1155' },
      ]),
      price: null,
      currency: null,
    },
    { ...listing, subject: 2, order_id: '1', opened_seq_no: seqNo(7) },
  );
  const offer = { ...trade, aggregate_type: 'offer', status: 'CREATED', bidder: BUYER, currency: WETH };
  await insert(
    'offers',
    { ...offer, order_id: '1', opened_seq_no: seqNo(8), price: '40' },
    { ...offer, order_id: '2', opened_seq_no: seqNo(9), price: UINT256_MAX, token_id: null },
    { ...offer, order_id: '3', opened_seq_no: seqNo(10), status: 'ACCEPTED', seller: SELLER },
  );
}

async function seedTokens(insert: ApiDatabase['insert']): Promise<void> {
  const token = {
    ...common,
    collection: COLLECTION,
    standard: 'erc721',
    transfer_count: 1,
    minted_at: day(1),
  };
  await insert(
    'tokens',
    { ...token, token_id: '1', owner: SELLER },
    { ...token, token_id: '2', owner: BUYER },
    { ...token, token_id: UINT256_MAX, owner: BUYER },
  );
  const balance = { ...common, collection: MULTI, token_id: '7', standard: 'erc1155' };
  await insert(
    'balances',
    { ...balance, owner: SELLER, quantity: '5' },
    { ...balance, owner: BUYER, quantity: '9' },
  );
  await insert('collections', {
    ...common,
    address: COLLECTION,
    factory: address('fac'),
    standard: 'erc721',
    creator: SELLER,
    name: 'Cof\u00e9e \u{1f600}',
    name_bytes: '0x00ff',
    category: 'art',
    tags: '["a","b"]',
    description: 'd',
    uri: 'ipfs://x',
    royalties: JSON.stringify([{ payee: SELLER, rate: '250' }]),
    maximum: UINT256_MAX,
  });
}

async function seedActivities(insert: ApiDatabase['insert']): Promise<void> {
  const sale = { ...activity, kind: 'SALE', side: 'listing', from_address: SELLER, to_address: BUYER };
  await insert(
    'activities',
    ...[1, 2, 3, 4].map((n) => ({
      ...sale,
      seq_no: seqNo(n * 10),
      order_id: String(n),
      price: n === 4 ? UINT256_MAX : String(n),
      block_number: n * 10,
      block_time: day(n),
    })),
    ...[0, 1].map((item) => ({
      ...sale,
      seq_no: seqNo(50),
      item,
      token_id: String(item + 1),
      item_count: 2,
      price: '10',
      block_number: 50,
      block_time: day(5),
    })),
    {
      ...activity,
      kind: 'TRANSFER',
      market: null,
      contract: COLLECTION,
      seq_no: seqNo(51),
      from_address: BUYER,
      to_address: SELLER,
      currency: null,
      block_number: 51,
      block_time: day(6),
    },
    { ...sale, subject: 2, seq_no: seqNo(5), price: '3', block_number: 5, block_time: day(2) },
  );
}
