import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
import { createCursorCodec, limitOf, toPage, type Page, type PageRequest } from './page';
import { isoTime } from './sql';

/** The last trade that moved a token. */
export interface LastSale {
  /** Of the whole trade, in the currency's smallest unit. */
  readonly price: string | null;
  readonly currency: string | null;
  readonly quantity: string | null;
  /** How many items share the price. */
  readonly itemCount: number;
  readonly at: string;
}

/** The cheapest live listing of a token in one currency. */
export interface TokenListing {
  readonly currency: string | null;
  readonly unitPrice: string;
  readonly contract: string;
  readonly orderId: string;
  readonly seller: string | null;
}

/** The highest live offer for a token in one currency. */
export interface TokenOffer {
  readonly currency: string | null;
  readonly unitPrice: string;
  readonly contract: string;
  readonly orderId: string;
  readonly bidder: string | null;
  /** For any token of the collection. */
  readonly collectionOffer: boolean;
}

/** What a token is called, in its creator's words. */
export interface TokenNames {
  readonly creator: string | null;
  readonly collectionName: string | null;
  readonly name: string | null;
  /** Which of several under one name. */
  readonly edition: string | null;
  readonly description: string | null;
  readonly uri: string | null;
}

export interface TokenRecord {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly standard: string;
  /** Null once burned, and for ERC-1155, whose owners have balances. */
  readonly owner: string | null;
  readonly ownerCount: string;
  readonly supply: string;
  readonly mintedAt: string | null;
  readonly transferCount: number | null;
  readonly lastSale: LastSale | null;
  readonly listings: readonly TokenListing[];
  readonly offers: readonly TokenOffer[];
  /** `null` where the chain does not tell it. */
  readonly details: TokenNames | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** How much of an ERC-1155 token an account has. */
export interface BalanceRecord {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly owner: string;
  /** Negative when it sent on what it had received before the first followed block. */
  readonly quantity: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface TokenFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly owner?: string | undefined;
  /** `true`: only tokens with one owner, no ERC-1155. */
  readonly singleOwner?: boolean | undefined;
}

export interface TokenKey {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
}

interface TokenDbRow {
  readonly sortSubject: string;
  readonly sortArm: string;
  readonly lastSaleAt: string | null;
  readonly lastSalePrice: string | null;
  readonly lastSaleCurrency: string | null;
  readonly lastSaleQuantity: string | null;
  readonly lastSaleItemCount: number | null;
  readonly listings: readonly {
    currency: string;
    unit_price: string;
    contract: string;
    order_id: string;
    seller: string;
  }[];
  readonly offers: readonly {
    currency: string;
    unit_price: string;
    contract: string;
    order_id: string;
    bidder: string;
    collection_offer: boolean;
  }[];
}
type TokenRow = TokenDbRow & Omit<TokenRecord, 'lastSale' | 'listings' | 'offers'>;

const COLUMNS = Prisma.raw(`
  v.subject_id AS "subject", v.collection, v.token_id::text AS "tokenId", v.standard, v.owner,
  v.owner_count::text AS "ownerCount", v.supply::text AS "supply", ${isoTime('v.minted_at')} AS "mintedAt",
  v.transfer_count AS "transferCount", v.last_sale_price::text AS "lastSalePrice",
  v.last_sale_currency AS "lastSaleCurrency", v.last_sale_quantity::text AS "lastSaleQuantity",
  v.last_sale_item_count AS "lastSaleItemCount", ${isoTime('v.last_sale_at')} AS "lastSaleAt", v.listings, v.offers,
  ${isoTime('v.created_at')} AS "createdAt", ${isoTime('v.updated_at')} AS "updatedAt", v.seq_no::text AS "seqNo",
  v.subject::text AS "sortSubject", (
    SELECT json_build_object('creator', d.creator, 'collectionName', d.collection_name, 'name', d.name,
      'edition', d.edition::text, 'description', d.description, 'uri', d.uri)
    FROM token_details d
    WHERE d.subject = v.subject AND d.collection = v.collection AND d.token_id = v.token_id
  ) AS "details"`);

/** Which table a token comes from: part of the sort key, because nothing forbids a contract to speak both standards. */
const cursors = createCursorCodec('tokens', ['subject', 'text', 'number', 'item']);

/** By subject, collection and id. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listTokens(db: Reads, filter: TokenFilter): Promise<Page<TokenRecord>> {
  const limit = limitOf(filter);
  const conditions: Prisma.Sql[] = [];
  if (filter.subject !== undefined)
    conditions.push(Prisma.sql`subject = ${await subjectNumber(db, filter.subject)}`);
  if (filter.collection !== undefined) conditions.push(Prisma.sql`collection = ${filter.collection}`);
  if (filter.tokenId !== undefined) conditions.push(Prisma.sql`token_id = ${filter.tokenId}::numeric`);
  if (filter.owner !== undefined) conditions.push(Prisma.sql`owner = ${filter.owner}`);
  const after = filter.cursor === undefined ? null : cursors.decode(filter.cursor);

  // The keys of the page come first, from each table no more than the page holds; what costs is computed for these only.
  const arm = (number: 0 | 1, select: string, extra: readonly Prisma.Sql[]): Prisma.Sql => {
    const all = [...conditions, ...extra];
    if (after !== null) {
      const sign = number > Number(after[3]) ? '>=' : '>';
      all.push(
        Prisma.sql`(subject, collection, token_id)
          ${Prisma.raw(sign)} (${after[0]}::smallint, ${after[1]}, ${after[2]}::numeric)`,
      );
    }
    const filtered = all.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join(all, ' AND ')}`;
    return Prisma.sql`(${Prisma.raw(select)} ${filtered} ORDER BY subject, collection, token_id LIMIT ${limit + 1})`;
  };
  const held = filter.owner === undefined ? [] : [Prisma.sql`quantity > 0`];
  if (filter.singleOwner === true) held.push(Prisma.sql`false`);
  const rows = await db.query<TokenRow>(Prisma.sql`
    WITH page AS MATERIALIZED (
      ${arm(0, 'SELECT subject, collection, token_id, 0 AS arm FROM tokens', [])}
      UNION ALL
      ${arm(1, 'SELECT DISTINCT subject, collection, token_id, 1 AS arm FROM balances', held)}
      ORDER BY subject, collection, token_id, arm LIMIT ${limit + 1}
    )
    SELECT ${COLUMNS}, k.arm::text AS "sortArm" FROM page k CROSS JOIN LATERAL (
      SELECT * FROM token_view t
      WHERE t.subject = k.subject AND t.collection = k.collection AND t.token_id = k.token_id
        AND (t.transfer_count IS NULL) = (k.arm = 1)
      OFFSET 0
    ) v ORDER BY k.subject, k.collection, k.token_id, k.arm`);
  return toPage(
    rows,
    limit,
    cursors,
    (row) => [row.sortSubject, row.collection, row.tokenId, row.sortArm],
    toRecord,
  );
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findToken(db: Reads, key: TokenKey): Promise<TokenRecord | null> {
  const subject = await subjectNumber(db, key.subject);
  const rows = await db.query<TokenRow>(Prisma.sql`
    SELECT ${COLUMNS}, '0' AS "sortArm" FROM token_view v
    WHERE v.subject = ${subject} AND v.collection = ${key.collection} AND v.token_id = ${key.tokenId}::numeric
    ORDER BY (v.transfer_count IS NULL) LIMIT 1`);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

/** Who has how much of an ERC-1155 token, most first; at most `limit` of them. */
export async function listTokenBalances(db: Reads, key: TokenKey, limit: number): Promise<BalanceRecord[]> {
  const subject = await subjectNumber(db, key.subject);
  return listBalances(
    db,
    Prisma.sql`b.subject = ${subject} AND b.collection = ${key.collection} AND b.token_id = ${key.tokenId}::numeric`,
    limit,
  );
}

/** What an account has of ERC-1155 tokens, most first; at most `limit` of them. `subject` absent: on every subject. */
export async function listAccountBalances(
  db: Reads,
  owner: string,
  subject: string | undefined,
  limit: number,
): Promise<BalanceRecord[]> {
  const on =
    subject === undefined ? Prisma.empty : Prisma.sql`AND b.subject = ${await subjectNumber(db, subject)}`;
  return listBalances(db, Prisma.sql`b.owner = ${owner} AND b.quantity > 0 ${on}`, limit);
}

async function listBalances(db: Reads, condition: Prisma.Sql, limit: number): Promise<BalanceRecord[]> {
  return db.query<BalanceRecord>(Prisma.sql`
    SELECT s.subject_id AS "subject", b.collection, b.token_id::text AS "tokenId", b.owner,
      b.quantity::text AS "quantity", ${Prisma.raw(isoTime('b.updated_at'))} AS "updatedAt", b.seq_no::text AS "seqNo"
    FROM balances b JOIN subjects s ON s.id = b.subject
    WHERE ${condition} AND b.quantity <> 0
    ORDER BY b.quantity DESC, b.subject, b.collection, b.token_id, b.owner LIMIT ${limit}`);
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    subject: row.subject,
    collection: row.collection,
    tokenId: row.tokenId,
    standard: row.standard,
    owner: row.owner,
    ownerCount: row.ownerCount,
    supply: row.supply,
    mintedAt: row.mintedAt,
    transferCount: row.transferCount,
    lastSale:
      row.lastSaleAt === null
        ? null
        : {
            price: row.lastSalePrice,
            currency: row.lastSaleCurrency,
            quantity: row.lastSaleQuantity,
            itemCount: row.lastSaleItemCount ?? 1,
            at: row.lastSaleAt,
          },
    listings: row.listings.map(({ unit_price: unitPrice, order_id: orderId, ...rest }) => ({
      ...rest,
      unitPrice,
      orderId,
    })),
    offers: row.offers.map(
      ({ unit_price: unitPrice, order_id: orderId, collection_offer: collectionOffer, ...rest }) => ({
        ...rest,
        unitPrice,
        orderId,
        collectionOffer,
      }),
    ),
    details: row.details,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    seqNo: row.seqNo,
  };
}
