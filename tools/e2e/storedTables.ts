import type { Expected } from '../devnet/src';
import { query, type Row } from '../realdata/tables';

/** Unix seconds of a time column. */
const seconds = (column: string): string => `extract(epoch FROM ${column})::bigint`;

const trade = `contract, collection, token_id AS "tokenId", price, ${seconds('expires_at')}::text AS "expiresAt",
  quantity, filled_quantity AS filled, ${seconds('created_at')} AS "createdAt", ${seconds('updated_at')} AS "updatedAt"`;

const ofContract = `contract, ${seconds('created_at')} AS "createdAt", ${seconds('updated_at')} AS "updatedAt"`;

/** The columns of `Expected`, as the worker's tables have them. */
const STORED = {
  orders: `SELECT ${trade}, order_id AS "orderId", seller, buyer, status FROM orders`,
  offers: `SELECT ${trade}, order_id AS "offerId", bidder, seller, status FROM offers`,
  tokens: `SELECT collection, token_id AS "tokenId", owner, ${seconds('minted_at')} AS "mintedAt",
    transfer_count AS "transferCount" FROM tokens`,
  balances: 'SELECT collection, token_id AS "tokenId", owner, quantity FROM balances',
  collections: `SELECT address, factory, standard, creator, name, category, tags, description, uri, royalties, maximum,
    ${seconds('created_at')} AS "createdAt" FROM collections`,
  galleries: `SELECT ${ofContract}, gallery_id AS "galleryId", collection, token_id AS "tokenId", owner,
    space_type AS "spaceType", name, metadata_uri AS "metadataUri", commissions, commission_pool AS "commissionPool",
    admissions FROM galleries`,
  curationOffers: `SELECT ${ofContract}, offer_id AS "offerId", status, gallery_id AS "galleryId", collection,
    token_id AS "tokenId", from_address AS "from", to_address AS "to", price, ${seconds('starts_at')}::text AS "startsAt",
    ${seconds('expires_at')}::text AS "expiresAt", ${seconds('exhibit_expires_at')}::text AS "exhibitExpiresAt", url, detail
    FROM curation_offers`,
  exhibits: `SELECT ${ofContract}, exhibit_id AS "exhibitId", status, gallery_id AS "galleryId", collection,
    token_id AS "tokenId", origin, owner, price, ${seconds('expires_at')}::text AS "expiresAt", location, url, detail
    FROM exhibits`,
  commissions: `SELECT ${ofContract}, gallery_id AS "galleryId", payee, claimable FROM commissions`,
  lotteries: `SELECT ${ofContract}, lottery_id AS "lotteryId", status, organizer, collection, end_block AS "endBlock",
    merkle_root AS "merkleRoot" FROM lotteries`,
  prizes: `SELECT ${ofContract}, lottery_id AS "lotteryId", token_id AS "tokenId", organizer, collection, quantity,
    claimed_quantity AS "claimedQuantity", claimer FROM prizes`,
  // A log may have become several events: its items are counted over all of them.
  activities: `SELECT block_number AS block, log_index AS "logIndex", tx_hash AS "txHash", ${seconds('block_time')} AS time,
    row_number() OVER (PARTITION BY block_number, log_index ORDER BY seq_no, item) - 1 AS item, kind, contract,
    order_id AS "orderId", side, collection, token_id AS "tokenId", quantity, from_address AS "from", to_address AS "to",
    price FROM activities`,
} as const;

export type ComparedTable = keyof typeof STORED;
export const COMPARED_TABLES = Object.keys(STORED) as ComparedTable[];

/** The name of the table in the database. */
export const storedName = (table: ComparedTable): string =>
  table === 'curationOffers' ? 'curation_offers' : table;

/** What tells rows of a table apart. */
const KEYS: Readonly<Record<ComparedTable, readonly string[]>> = {
  orders: ['contract', 'orderId'],
  offers: ['contract', 'offerId'],
  tokens: ['collection', 'tokenId'],
  balances: ['collection', 'tokenId', 'owner'],
  collections: ['address'],
  galleries: ['contract', 'galleryId'],
  curationOffers: ['contract', 'offerId'],
  exhibits: ['contract', 'exhibitId'],
  commissions: ['contract', 'galleryId', 'payee'],
  lotteries: ['contract', 'lotteryId'],
  prizes: ['contract', 'lotteryId', 'tokenId'],
  activities: ['block', 'logIndex', 'item'],
};

/** Columns that are lists, kept as JSON. */
const LISTS = new Set(['tags', 'royalties', 'commissions', 'admissions']);
/** Columns that are JSON numbers in `Expected` and 64-bit integers in the tables. */
const NUMBERS = new Set(['createdAt', 'updatedAt', 'mintedAt', 'block', 'time', 'item']);

type ComparedRow = Readonly<Record<string, unknown>>;

function comparable(row: Row): ComparedRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      if (value !== null && LISTS.has(column)) return [column, JSON.parse(String(value))];
      return [column, value !== null && NUMBERS.has(column) ? Number(value) : value];
    }),
  );
}

/** Equal rows have equal texts, in whatever order their columns stand. */
const textOf = (row: ComparedRow): string =>
  JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));

/** A row that is not as expected; the first so many of a table are told. */
export interface RowDifference {
  readonly table: ComparedTable;
  readonly expected: string | null;
  readonly stored: string | null;
}

const DIFFERENCES_TOLD = 3;

function differencesOf(
  table: ComparedTable,
  expected: readonly ComparedRow[],
  stored: readonly ComparedRow[],
): RowDifference[] {
  const keyOf = (row: ComparedRow): string => KEYS[table].map((column) => String(row[column])).join('/');
  const left = new Map<string, string>();
  const differences: RowDifference[] = [];
  for (const row of stored) {
    if (left.has(keyOf(row))) differences.push({ table, expected: null, stored: textOf(row) });
    left.set(keyOf(row), textOf(row));
  }
  for (const row of expected) {
    const found = left.get(keyOf(row)) ?? null;
    left.delete(keyOf(row));
    if (found !== textOf(row)) differences.push({ table, expected: textOf(row), stored: found });
  }
  for (const text of left.values()) differences.push({ table, expected: null, stored: text });
  return differences;
}

export interface Comparison {
  /** The first few of each table; none: every row of every table is as expected, and there is no other. */
  readonly differences: readonly RowDifference[];
  /** How many rows each table has. */
  readonly rows: Readonly<Record<ComparedTable, number>>;
}

/** Compares the tables row by row, in every column of `Expected`, with what the traffic knows that it did. */
export async function compareWithExpected(url: string, expected: Expected): Promise<Comparison> {
  const differences: RowDifference[] = [];
  const rows: Partial<Record<ComparedTable, number>> = {};
  for (const table of COMPARED_TABLES) {
    const stored = (await query(url, STORED[table])).map(comparable);
    rows[table] = stored.length;
    const expectedRows = expected[table] as unknown as readonly ComparedRow[];
    differences.push(...differencesOf(table, expectedRows, stored).slice(0, DIFFERENCES_TOLD));
  }
  return { differences, rows: rows as Record<ComparedTable, number> };
}

/** How many rows each table must have. */
export function rowsOf(expected: Expected): Record<ComparedTable, number> {
  return Object.fromEntries(COMPARED_TABLES.map((table) => [table, expected[table].length])) as Record<
    ComparedTable,
    number
  >;
}
