import { TABLES, type Row, type Table } from './history';

const us = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
const TRADE = [
  ...['contract', 'order_id', 'opened_seq_no::text', 'market', 'kind', 'status', '$maker', '$taker'],
  ...['collection', 'token_id::text', 'quantity::text', 'filled_quantity::text', 'price::text', 'currency'],
  ...[us('expires_at'), us('created_at'), us('updated_at'), 'seq_no::text'],
].join(', ');
const trade = (maker: string, taker: string): string =>
  TRADE.replace('$maker', maker).replace('$taker', taker);

const QUERIES: Readonly<Record<Table, string>> = {
  orders: `SELECT ${trade('seller', 'buyer')} FROM orders ORDER BY order_id COLLATE "C", opened_seq_no`,
  offers: `SELECT ${trade('bidder', 'seller')} FROM offers ORDER BY order_id COLLATE "C", opened_seq_no`,
  tokens: `SELECT collection, token_id::text, standard, owner, ${us('minted_at')}, transfer_count::text, ${us('created_at')},
    ${us('updated_at')} FROM tokens ORDER BY token_id`,
  activities: `SELECT block_number::text, log_index::text, tx_hash, ${us('block_time')}, kind, market, contract, order_id, side, collection,
    token_id::text, quantity::text, from_address, to_address, price::text, currency, fees::text, royalties::text
    FROM activities ORDER BY seq_no, item`,
};

/**
 * Compares every row with what the ledger is known to lead to.
 * @param query gives the rows of a statement, each as its columns in order.
 * @returns of each table that differs its first difference; empty when all rows are as expected.
 */
export async function verifyRows(
  query: (text: string) => Promise<readonly Row[]>,
  expected: Readonly<Record<Table, readonly Row[]>>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const table of TABLES) {
    const rows = await query(QUERIES[table]);
    const wanted = expected[table];
    for (let i = 0; i < Math.max(rows.length, wanted.length); i++) {
      const [row, want] = [rows[i], wanted[i]];
      const column = want?.findIndex((value, at) => value !== row?.[at]) ?? 0;
      if (row !== undefined && want !== undefined && column < 0) continue;
      const shown = (one: Row | undefined): string => (one === undefined ? 'no row' : `${one[column]}`);
      problems.push(
        `${table} (${rows.length} rows, expected ${wanted.length}): row ${i}, column ${column}: ${shown(row)}, expected ${shown(want)}`,
      );
      break;
    }
  }
  return problems;
}
