import { Client } from 'pg';

/** A row as the database gives it: numbers as text. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Rows of a query, in its order; NUMERIC and BIGINT as text, times as text in UTC, bytes as hex. */
export async function query(url: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url, options: '-c TimeZone=UTC' });
  // Times keep their microseconds as text.
  client.setTypeParser(1184, (text: string) => text);
  client.setTypeParser(17, (text: string) => text);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** What a run leaves, with what each table is ordered by; of the log all but the number of the commit. */
const TABLES: Readonly<Record<string, string>> = {
  event_log: 'seq_no',
  orders: 'contract, order_id, opened_seq_no',
  offers: 'contract, order_id, opened_seq_no',
  tokens: 'collection, token_id',
  balances: 'collection, token_id, owner',
  collections: 'address',
  makers: 'contract, maker',
  token_details: 'collection, token_id',
  claims: 'collection, token_id, sender, receiver',
  galleries: 'contract, gallery_id',
  curation_offers: 'contract, offer_id',
  exhibits: 'contract, exhibit_id',
  commissions: 'contract, gallery_id, payee',
  lotteries: 'contract, lottery_id',
  prizes: 'contract, lottery_id, token_id',
  activities: 'seq_no, item',
  discovered_contracts: 'address',
  park_markers: 'aggregate_type, aggregate_id',
};
const NOT_COMPARED = new Set(['feed_no', 'parked_at']);

/** All rows of all tables of events and states, as text. Equal runs give equal text. */
export async function dump(url: string): Promise<Readonly<Record<string, string>>> {
  const tables = await Promise.all(
    Object.entries(TABLES).map(async ([table, order]) => {
      const rows = await query(url, `SELECT * FROM ${table} ORDER BY subject, ${order}`);
      const lines = rows.map((row) =>
        JSON.stringify(Object.entries(row).filter(([column]) => !NOT_COMPARED.has(column))),
      );
      return [table, lines.join('\n')] as const;
    }),
  );
  return Object.fromEntries(tables);
}
