import { Prisma } from '../generated/client';
import { subjectNumber, type ReadDatabase } from './database';
import { createCursorCodec, limitOf, toPage, type Page, type PageRequest } from './page';
import { isoTime, oneOf, where } from './sql';

/** All kinds of activities. */
export const ACTIVITY_KINDS = [
  'LIST',
  'UPDATE',
  'CANCEL',
  'SALE',
  'TRANSFER',
  'MINT',
  'BURN',
  'OFFER',
  'OFFER_CANCEL',
] as const;

/** One line of a history. */
export interface ActivityRecord {
  readonly subject: string;
  readonly seqNo: string;
  /** From 0, within the event that caused it. */
  readonly item: number;
  readonly kind: string;
  readonly market: string | null;
  readonly contract: string;
  readonly orderId: string | null;
  readonly side: string | null;
  readonly collection: string | null;
  readonly tokenId: string | null;
  readonly quantity: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Of the whole trade: every item of a bundle repeats it. */
  readonly price: string | null;
  readonly currency: string | null;
  readonly itemCount: number;
  readonly blockNumber: string;
  readonly logIndex: number;
  readonly txHash: string;
  readonly blockTime: string;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface ActivityFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly market?: string | undefined;
  readonly contract?: string | undefined;
  readonly orderId?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
  /** On either side. */
  readonly account?: string | undefined;
  /** ISO 8601, inclusive, of chain time. */
  readonly since?: string | undefined;
  /** ISO 8601, exclusive, of chain time. */
  readonly until?: string | undefined;
}

const COLUMNS = Prisma.raw(`
  s.subject_id AS "subject", a.seq_no::text AS "seqNo", a.item::int AS "item", a.kind, a.market, a.contract,
  a.order_id AS "orderId", a.side, a.collection, a.token_id::text AS "tokenId", a.quantity::text AS "quantity",
  a.from_address AS "from", a.to_address AS "to", a.price::text AS "price", a.currency, a.item_count AS "itemCount",
  a.block_number::text AS "blockNumber", a.log_index AS "logIndex", a.tx_hash AS "txHash",
  ${isoTime('a.block_time')} AS "blockTime", a.subject::text AS "sortSubject"`);

const cursors = createCursorCodec('activities', ['subject', 'seqNo', 'item']);

/** Newest first, one subject after the other. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listActivities(db: ReadDatabase, filter: ActivityFilter): Promise<Page<ActivityRecord>> {
  const limit = limitOf(filter);
  const conditions = await conditionsOf(db, filter);
  if (filter.cursor !== undefined) {
    const [subject, seqNo, item] = cursors.decode(filter.cursor);
    conditions.push(
      Prisma.sql`(a.subject, a.seq_no, a.item) < (${subject}::smallint, ${seqNo}::bigint, ${item}::smallint)`,
    );
  }
  const rows = await db.query<ActivityRecord & { readonly sortSubject: string }>(Prisma.sql`
    SELECT ${COLUMNS} FROM activities a JOIN subjects s ON s.id = a.subject
    ${where(conditions)} ORDER BY a.subject DESC, a.seq_no DESC, a.item DESC LIMIT ${limit + 1}`);
  return toPage(
    rows,
    limit,
    cursors,
    (row) => [row.sortSubject, row.seqNo, String(row.item)],
    ({ sortSubject: _, ...record }) => record,
  );
}

async function conditionsOf(db: ReadDatabase, filter: ActivityFilter): Promise<Prisma.Sql[]> {
  const conditions: Prisma.Sql[] = [];
  if (filter.subject !== undefined) {
    conditions.push(Prisma.sql`a.subject = ${await subjectNumber(db, filter.subject)}`);
  }
  if (filter.kind !== undefined) conditions.push(oneOf('a.kind', filter.kind));
  // Says nothing new, but lets the index go on from the kind to the token.
  else if (filter.tokenId !== undefined) conditions.push(oneOf('a.kind', ACTIVITY_KINDS));
  if (filter.market !== undefined) conditions.push(Prisma.sql`a.market = ${filter.market}`);
  if (filter.contract !== undefined) conditions.push(Prisma.sql`a.contract = ${filter.contract}`);
  if (filter.orderId !== undefined) conditions.push(Prisma.sql`a.order_id = ${filter.orderId}`);
  if (filter.collection !== undefined) conditions.push(Prisma.sql`a.collection = ${filter.collection}`);
  if (filter.tokenId !== undefined) conditions.push(Prisma.sql`a.token_id = ${filter.tokenId}::numeric`);
  if (filter.account !== undefined) {
    conditions.push(Prisma.sql`(a.from_address = ${filter.account} OR a.to_address = ${filter.account})`);
  }
  if (filter.since !== undefined) conditions.push(Prisma.sql`a.block_time >= ${filter.since}::timestamptz`);
  if (filter.until !== undefined) conditions.push(Prisma.sql`a.block_time < ${filter.until}::timestamptz`);
  return conditions;
}
