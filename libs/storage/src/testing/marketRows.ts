import type { ClientBase } from 'pg';

/** A row to insert; what is absent has the default of {@link createRowWriter}. Amounts as text. */
export type RowParts = Readonly<Record<string, unknown>>;

/** Native coin. */
export const NATIVE = `0x${'0'.repeat(40)}`;

/** An address that a spec can read: `address('a1')` ends with `a1`. */
export const address = (name: string): string => `0x${name.padStart(40, '0')}`;

const moment = '2024-01-01T00:00:00Z';
const common = { subject: 1, created_at: moment, updated_at: moment, seq_no: 1, version: 1 };
const trade = {
  ...common,
  contract: address('ffff'),
  opened_seq_no: 1,
  market: 'test',
  kind: 'fixed',
  collection: address('c0'),
  token_id: '1',
  standard: 'erc721',
  quantity: '1',
  filled_quantity: '0',
  price: '100',
  currency: NATIVE,
  escrow: false,
};

const DEFAULTS: Readonly<Record<string, RowParts>> = {
  subjects: {
    id: 1,
    subject_id: 'eip155:1',
    genesis_hash: '0x00',
    epoch: 0,
    lanes: 1,
    start_position: 0,
    next_position: 1,
    ingested_seq_no: -1,
    finalized_seq_no: -1,
    last_feed_no: 0,
    followed: '',
  },
  orders: { ...trade, aggregate_type: 'order', status: 'LISTING', seller: address('a1') },
  offers: { ...trade, aggregate_type: 'offer', status: 'CREATED', bidder: address('b1') },
  tokens: {
    ...common,
    collection: address('c0'),
    standard: 'erc721',
    owner: address('a1'),
    transfer_count: 0,
  },
  balances: { ...common, collection: address('c0'), standard: 'erc1155' },
  makers: { ...common, contract: address('ffff'), market: 'test' },
  activities: {
    subject: 1,
    item: 0,
    kind: 'SALE',
    market: 'test',
    contract: address('ffff'),
    side: 'listing',
    collection: address('c0'),
    token_id: '1',
    quantity: '1',
    from_address: address('a1'),
    to_address: address('b1'),
    price: '100',
    currency: NATIVE,
    item_count: 1,
    block_number: 1,
    log_index: 0,
    tx_hash: '0xaa',
    block_time: moment,
  },
};

/** Writes rows into the tables of state, for specs of what reads them. */
export function createRowWriter(client: ClientBase): (table: string, ...rows: RowParts[]) => Promise<void> {
  return async (table, ...rows) => {
    for (const row of rows) {
      await client.query(
        `INSERT INTO "${table}" SELECT * FROM jsonb_populate_record(NULL::"${table}", $1::jsonb)`,
        [JSON.stringify({ ...DEFAULTS[table], ...row })],
      );
    }
  };
}
