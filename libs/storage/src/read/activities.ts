import { Prisma } from '../generated/client';
import { subjectNumber, type Reads } from './database';
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
  'TOKEN_OFFER',
  'TOKEN_OFFER_CANCEL',
  'TOKEN_CLAIM',
  'PRIZE',
  'PRIZE_CLAIM',
  'PRIZE_WITHDRAW',
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
  /** Of a sale: the part of the price that did not go to the seller, and of it the creators' part. `null`: not known. */
  readonly fees: string | null;
  readonly royalties: string | null;
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
  a.from_address AS "from", a.to_address AS "to", a.price::text AS "price", a.currency, a.fees::text AS "fees",
  a.royalties::text AS "royalties", a.item_count AS "itemCount",
  a.block_number::text AS "blockNumber", a.log_index AS "logIndex", a.tx_hash AS "txHash",
  ${isoTime('a.block_time')} AS "blockTime", a.subject::text AS "sortSubject"`);

const cursors = createCursorCodec('activities', ['subject', 'seqNo', 'item']);

/** Newest first, one subject after the other. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listActivities(db: Reads, filter: ActivityFilter): Promise<Page<ActivityRecord>> {
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

/**
 * Says with SeqNos what `since` and `until` say with times. Within a subject, time never runs against the order of events, so
 * halving finds the place in at most 63 looks at the primary key; without it, a page of last year would read this year first.
 */
async function placesOf(db: Reads, filter: ActivityFilter, subject: number | null): Promise<Prisma.Sql[]> {
  const { since, until } = filter;
  if (since === undefined && until === undefined) return [];
  const subjects =
    subject === null
      ? (await db.query<{ id: number }>(Prisma.sql`SELECT id::int FROM subjects`)).map((s) => s.id)
      : [subject];
  if (subjects.length === 0) return [];
  const ranges: Prisma.Sql[] = [];
  for (const id of subjects) {
    const range = [Prisma.sql`a.subject = ${id}`];
    if (since !== undefined) range.push(Prisma.sql`a.seq_no >= ${await firstSeqNoAt(db, id, since)}::bigint`);
    if (until !== undefined) range.push(Prisma.sql`a.seq_no < ${await firstSeqNoAt(db, id, until)}::bigint`);
    ranges.push(Prisma.sql`(${Prisma.join(range, ' AND ')})`);
  }
  return [Prisma.sql`(${Prisma.join(ranges, ' OR ')})`];
}

/** The least SeqNo from which on no activity of the subject is earlier than `moment`. */
async function firstSeqNoAt(db: Reads, subject: number, moment: string): Promise<string> {
  const rows = await db.query<{ seqNo: string }>(Prisma.sql`
    WITH RECURSIVE halving AS (
      SELECT 0::bigint AS low, COALESCE(max(seq_no), -1) + 1 AS high FROM activities WHERE subject = ${subject}
      UNION ALL
      SELECT CASE WHEN early THEN middle + 1 ELSE low END, CASE WHEN early THEN high ELSE middle END
      FROM (
        SELECT low, high, low + (high - low) / 2 AS middle, COALESCE((
          SELECT a.block_time < ${moment}::timestamptz FROM activities a
          WHERE a.subject = ${subject} AND a.seq_no >= low + (high - low) / 2 ORDER BY a.seq_no LIMIT 1
        ), false) AS early
        FROM halving WHERE low < high
      ) step
    )
    SELECT low::text AS "seqNo" FROM halving WHERE low >= high`);
  return rows[0]?.seqNo ?? '0';
}

async function conditionsOf(db: Reads, filter: ActivityFilter): Promise<Prisma.Sql[]> {
  const subject = filter.subject === undefined ? null : await subjectNumber(db, filter.subject);
  const conditions = await placesOf(db, filter, subject);
  if (subject !== null) conditions.push(Prisma.sql`a.subject = ${subject}`);
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
