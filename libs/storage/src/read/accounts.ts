import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
import { listAccountBalances, listTokens, type BalanceRecord, type TokenRecord } from './tokens';
import { listOffers, listOrders, type OfferRecord, type OrderRecord } from './trades';

/** What an account has and does; each list holds its first rows, `count` is of all. */
export interface AccountRecord {
  readonly address: string;
  /** Tokens it owns alone. */
  readonly tokens: Counted<TokenRecord>;
  /** ERC-1155 tokens it has some of. */
  readonly balances: Counted<BalanceRecord>;
  /** Its listings that can be taken now. */
  readonly listings: Counted<OrderRecord>;
  /** Its offers that can be taken now. */
  readonly offers: Counted<OfferRecord>;
  readonly saleCount: string;
  readonly purchaseCount: string;
}

interface Counted<Item> {
  readonly count: string;
  readonly items: readonly Item[];
}

interface Counts {
  readonly tokens: string;
  readonly balances: string;
  readonly listings: string;
  readonly offers: string;
  readonly sales: string;
  readonly purchases: string;
  readonly seen: boolean;
}

/**
 * `null`: no event has named the account. `subject` absent: on every subject. At most `limit` rows of each list.
 * @throws {UnknownSubjectError}
 */
export async function findAccount(
  db: Reads,
  address: string,
  subject: string | undefined,
  limit: number,
): Promise<AccountRecord | null> {
  const number = subject === undefined ? null : await subjectNumber(db, subject);
  const on = (table: string): Prisma.Sql =>
    number === null ? Prisma.empty : Prisma.sql`AND ${Prisma.raw(table)}.subject = ${number}`;
  const sales = (column: string): Prisma.Sql =>
    Prisma.sql`(SELECT count(DISTINCT (subject, seq_no))::text FROM activities
      WHERE ${Prisma.raw(column)} = ${address} AND kind = 'SALE' ${on('activities')})`;
  const [counts] = await db.query<Counts>(Prisma.sql`
    SELECT
      (SELECT count(*)::text FROM tokens WHERE owner = ${address} ${on('tokens')}) AS tokens,
      (SELECT count(*)::text FROM balances WHERE owner = ${address} AND quantity > 0 ${on('balances')}) AS balances,
      (SELECT count(*)::text FROM order_view o
        WHERE o.seller = ${address} AND o.status = 'LISTING' AND o.state = 'LISTING' ${on('o')}) AS listings,
      (SELECT count(*)::text FROM offer_view o
        WHERE o.bidder = ${address} AND o.status = 'CREATED' AND o.state = 'CREATED' ${on('o')}) AS offers,
      ${sales('from_address')} AS sales,
      ${sales('to_address')} AS purchases,
      EXISTS (SELECT 1 FROM activities WHERE from_address = ${address} ${on('activities')})
        OR EXISTS (SELECT 1 FROM activities WHERE to_address = ${address} ${on('activities')})
        OR EXISTS (SELECT 1 FROM balances WHERE owner = ${address} ${on('balances')})
        OR EXISTS (SELECT 1 FROM tokens WHERE owner = ${address} ${on('tokens')})
        OR EXISTS (SELECT 1 FROM orders WHERE seller = ${address} ${on('orders')})
        OR EXISTS (SELECT 1 FROM offers WHERE bidder = ${address} ${on('offers')}) AS seen`);
  if (counts === undefined || !counts.seen) return null;

  const [tokens, balances, listings, offers] = await Promise.all([
    listTokens(db, { owner: address, subject, limit, singleOwner: true }),
    listAccountBalances(db, address, subject, limit),
    listOrders(db, { seller: address, subject, state: ['LISTING'], limit }),
    listOffers(db, { bidder: address, subject, state: ['CREATED'], limit }),
  ]);
  return {
    address,
    tokens: { count: counts.tokens, items: tokens.items },
    balances: { count: counts.balances, items: balances },
    listings: { count: counts.listings, items: listings.items },
    offers: { count: counts.offers, items: offers.items },
    saleCount: counts.sales,
    purchaseCount: counts.purchases,
  };
}
