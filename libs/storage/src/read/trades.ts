import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
import { createCursorCodec, limitOf, toPage, type CursorCodec, type Page, type PageRequest } from './page';
import { isoTime, oneOf, where } from './sql';

/** One item of a bundle. */
export interface BundleItem {
  readonly collection: string;
  readonly tokenId: string | null;
  readonly quantity: string;
  readonly standard: string;
}

interface TradeRecord {
  readonly subject: string;
  readonly contract: string;
  readonly orderId: string;
  /** Place of the event that opened it. */
  readonly openedSeqNo: string;
  readonly market: string;
  readonly kind: string;
  /** What its own events said last. */
  readonly status: string;
  /** What it is now: `status`, or why an open one cannot be taken. */
  readonly state: string;
  readonly reservedFor: string | null;
  readonly collection: string | null;
  readonly tokenId: string | null;
  readonly standard: string | null;
  readonly quantity: string | null;
  readonly filledQuantity: string;
  readonly remainingQuantity: string | null;
  /** Of the whole quantity, in the currency's smallest unit. */
  readonly price: string | null;
  readonly unitPrice: string | null;
  readonly currency: string | null;
  readonly nonce: string | null;
  readonly orderHash: string | null;
  readonly escrow: boolean;
  readonly startsAt: string | null;
  readonly expiresAt: string | null;
  readonly items: readonly BundleItem[] | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** A listing as the API shows it: amounts are decimal text, times ISO 8601. */
export interface OrderRecord extends TradeRecord {
  readonly seller: string | null;
  readonly buyer: string | null;
}

/** An offer. `tokenId` null: for any token of its collection. */
export interface OfferRecord extends TradeRecord {
  readonly bidder: string | null;
  readonly seller: string | null;
}

/** `newest`: last opened first, one subject after the other. `price`: lowest unit price first, one currency after the other. */
export type TradeSort = 'newest' | 'price';

interface TradeFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly market?: string | undefined;
  readonly contract?: string | undefined;
  readonly orderId?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly currency?: string | undefined;
  readonly seller?: string | undefined;
  readonly status?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
  readonly sort?: TradeSort | undefined;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface OrderFilter extends TradeFilter {
  readonly buyer?: string | undefined;
}

export interface OfferFilter extends TradeFilter {
  readonly bidder?: string | undefined;
}

/** What differs between the two sides of the market. */
interface Side {
  readonly view: 'order_view' | 'offer_view';
  readonly parties: readonly [string, string];
  readonly open: 'LISTING' | 'CREATED';
  readonly cursors: Readonly<Record<TradeSort, CursorCodec>>;
}

const cursorsOf = (list: string): Side['cursors'] => ({
  newest: createCursorCodec(`${list}:newest`, ['subject', 'seqNo']),
  price: createCursorCodec(`${list}:price`, ['text', 'number', 'subject', 'seqNo']),
});

const ORDERS: Side = {
  view: 'order_view',
  parties: ['seller', 'buyer'],
  open: 'LISTING',
  cursors: cursorsOf('orders'),
};
const OFFERS: Side = {
  view: 'offer_view',
  parties: ['bidder', 'seller'],
  open: 'CREATED',
  cursors: cursorsOf('offers'),
};

/** States that are derived of an open row. */
const DERIVED_STATES = ['FILLED', 'EXPIRED', 'VOIDED', 'UNFILLABLE', 'NOT_STARTED'];

type TradeDbRow = Omit<OrderRecord & OfferRecord, 'items'> & {
  readonly items: string | null;
  readonly sortSubject: string;
  readonly sortPrice: string;
  readonly sortCurrency: string;
};

// Rows without a currency or price come last; '~' sorts behind every address.
const SORT_PRICE = `COALESCE(o.unit_price, 'Infinity'::numeric)`;
const SORT_CURRENCY = `COALESCE(o.currency, '~') COLLATE "C"`;

const columns = ({ parties }: Side): Prisma.Sql =>
  Prisma.raw(`
    o.subject_id AS "subject", o.contract, o.order_id AS "orderId", o.opened_seq_no::text AS "openedSeqNo",
    o.market, o.kind, o.status, o.state, ${parties.map((party) => `o.${party}`).join(', ')},
    o.reserved_for AS "reservedFor", o.collection, o.token_id::text AS "tokenId", o.standard,
    o.quantity::text AS "quantity", o.filled_quantity::text AS "filledQuantity",
    o.remaining_quantity::text AS "remainingQuantity", o.price::text AS "price",
    trim_scale(o.unit_price)::text AS "unitPrice", o.currency, o.nonce::text AS "nonce", o.order_hash AS "orderHash",
    o.escrow, ${isoTime('o.starts_at')} AS "startsAt", ${isoTime('o.expires_at')} AS "expiresAt", o.items,
    ${isoTime('o.created_at')} AS "createdAt", ${isoTime('o.updated_at')} AS "updatedAt", o.seq_no::text AS "seqNo",
    o.subject::text AS "sortSubject", ${SORT_PRICE}::text AS "sortPrice", ${SORT_CURRENCY} AS "sortCurrency"`);

/** @throws {UnknownSubjectError} @throws {CursorError} */
export async function listOrders(db: Reads, filter: OrderFilter): Promise<Page<OrderRecord>> {
  return listTrades(db, ORDERS, filter, { seller: filter.seller, buyer: filter.buyer });
}

/** @throws {UnknownSubjectError} @throws {CursorError} */
export async function listOffers(db: Reads, filter: OfferFilter): Promise<Page<OfferRecord>> {
  return listTrades(db, OFFERS, filter, { bidder: filter.bidder, seller: filter.seller });
}

/** The newest listing of this name; earlier ones of the same name are in the list. `null`: there is none. */
export async function findOrder(db: Reads, key: TradeKey): Promise<OrderRecord | null> {
  return findTrade(db, ORDERS, key);
}

export async function findOffer(db: Reads, key: TradeKey): Promise<OfferRecord | null> {
  return findTrade(db, OFFERS, key);
}

/** What names a listing or an offer: the market's contract and its id there. */
export interface TradeKey {
  readonly subject: string;
  readonly contract: string;
  readonly orderId: string;
}

async function listTrades(
  db: Reads,
  side: Side,
  filter: TradeFilter,
  parties: Readonly<Record<string, string | undefined>>,
): Promise<Page<OrderRecord & OfferRecord>> {
  const limit = limitOf(filter);
  const sort = filter.sort ?? 'newest';
  const conditions = [
    ...(await conditionsOf(db, side, filter, parties)),
    ...after(side, sort, filter.cursor),
  ];
  const order =
    sort === 'newest'
      ? Prisma.raw('o.subject DESC, o.opened_seq_no DESC')
      : Prisma.raw(`${SORT_CURRENCY}, ${SORT_PRICE}, o.subject, o.opened_seq_no`);
  const rows = await db.query<TradeDbRow>(Prisma.sql`
    SELECT ${columns(side)} FROM ${Prisma.raw(side.view)} o
    ${where(conditions)} ORDER BY ${order} LIMIT ${limit + 1}`);
  return toPage(
    rows,
    limit,
    side.cursors[sort],
    (row) =>
      sort === 'newest'
        ? [row.sortSubject, row.openedSeqNo]
        : [row.sortCurrency, row.sortPrice, row.sortSubject, row.openedSeqNo],
    toRecord,
  );
}

async function findTrade(db: Reads, side: Side, key: TradeKey): Promise<(OrderRecord & OfferRecord) | null> {
  const subject = await subjectNumber(db, key.subject);
  const rows = await db.query<TradeDbRow>(Prisma.sql`
    SELECT ${columns(side)} FROM ${Prisma.raw(side.view)} o
    WHERE o.subject = ${subject} AND o.contract = ${key.contract} AND o.order_id = ${key.orderId}
    ORDER BY o.opened_seq_no DESC LIMIT 1`);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

async function conditionsOf(
  db: Reads,
  side: Side,
  filter: TradeFilter,
  parties: Readonly<Record<string, string | undefined>>,
): Promise<Prisma.Sql[]> {
  const equals: Record<string, string | undefined> = {
    market: filter.market,
    contract: filter.contract,
    order_id: filter.orderId,
    collection: filter.collection,
    currency: filter.currency,
    ...parties,
  };
  const conditions = Object.entries(equals).flatMap(([column, value]) =>
    value === undefined ? [] : [Prisma.sql`${Prisma.raw(`o.${column}`)} = ${value}`],
  );
  if (filter.subject !== undefined) {
    conditions.push(Prisma.sql`o.subject = ${await subjectNumber(db, filter.subject)}`);
  }
  if (filter.tokenId !== undefined) conditions.push(Prisma.sql`o.token_id = ${filter.tokenId}::numeric`);
  if (filter.status !== undefined) conditions.push(oneOf('o.status', filter.status));
  if (filter.state !== undefined) {
    conditions.push(oneOf('o.state', filter.state));
    // Says nothing new, but is what the index knows.
    const statuses = filter.state.map((state) => (DERIVED_STATES.includes(state) ? side.open : state));
    conditions.push(oneOf('o.status', [...new Set(statuses)]));
  }
  return conditions;
}

function after(side: Side, sort: TradeSort, cursor: string | undefined): Prisma.Sql[] {
  if (cursor === undefined) return [];
  const key = side.cursors[sort].decode(cursor);
  if (sort === 'newest') {
    return [Prisma.sql`(o.subject, o.opened_seq_no) < (${key[0]}::smallint, ${key[1]}::bigint)`];
  }
  return [
    Prisma.sql`(${Prisma.raw(SORT_CURRENCY)}, ${Prisma.raw(SORT_PRICE)}, o.subject, o.opened_seq_no)
      > (${key[0]} COLLATE "C", ${key[1]}::numeric, ${key[2]}::smallint, ${key[3]}::bigint)`,
  ];
}

function toRecord(row: TradeDbRow): OrderRecord & OfferRecord {
  const { sortSubject: _subject, sortPrice: _price, sortCurrency: _currency, items, ...record } = row;
  return { ...record, items: items === null ? null : (JSON.parse(items) as BundleItem[]) };
}
