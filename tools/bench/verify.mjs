// Compares a database with the state that the synthetic chain is known to have, row by row through a checksum of all rows.
import { canonical, Checksum } from './chain.mjs';

const ROWS = {
  order: (s, t) =>
    `select id::text, collection, token_id::text, seller, price::text, expires_at::text, status::text, buyer, created_at::text, updated_at::text from ${s}.${t} order by id::numeric`,
  offer: (s, t) =>
    `select id::text, collection, token_id::text, bidder, price::text, expires_at::text, status::text, seller, created_at::text, updated_at::text from ${s}.${t} order by id::numeric`,
  token: (s, t) =>
    `select collection, token_id::text, owner, minted_at::text, transfer_count::text, last_sale_price::text from ${s}.${t} x order by x.token_id`,
  activity: (s, t) =>
    `select block_number::text, log_index::text, kind, collection, token_id::text, from_address, to_address, price::text, tx_hash, timestamp::text from ${s}.${t} x order by x.block_number, x.log_index`,
};
const TABLES = { order: 'orders', offer: 'offers', token: 'tokens', activity: 'activities' };

/** @param query resolves to `{ rows }`. @returns what differs; empty when every row of every table is as expected. */
export async function verify(query, expected, schema = 'bench') {
  const problems = [];
  const counts = {
    order: expected.orders.count,
    offer: expected.offers.count,
    token: expected.tokens.count,
    activity: expected.activities,
  };
  for (const kind of Object.keys(ROWS)) {
    const { rows } = await query(ROWS[kind](schema, TABLES[kind]));
    const checksum = new Checksum();
    for (const row of rows) checksum.add(canonical[kind](row));
    if (rows.length !== counts[kind])
      problems.push(`${TABLES[kind]}: ${rows.length} rows, expected ${counts[kind]}`);
    if (checksum.end() !== expected.checksum[kind]) problems.push(`${TABLES[kind]}: rows differ`);
  }
  return problems;
}
