import { NOTIFICATION_TITLES } from '@imart/market';
import { Prisma } from '../generated/client';
import type { ToldNotification } from '../notifications/toldNotification';
import { subjectNumber, type Reads } from './database';
import { createCursorCodec, limitOf, toPage, type Page, type PageRequest } from './page';
import { isoTime, oneOf, where } from './sql';

/** What an account was told. */
export interface NotificationRecord extends ToldNotification {
  readonly title: string;
  readonly subject: string;
  readonly happenedAt: string;
  readonly toldAt: string;
  readonly unread: boolean;
}

/** What is absent does not filter. */
export interface NotificationFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly unread?: boolean | undefined;
}

const COLUMNS = Prisma.raw(`
  n.id, n.revision, n.kind, n.receiver, n.actor, s.subject_id AS "subject", n.seq_no::text AS "seqNo", n.market, n.contract,
  n.order_id AS "orderId", n.collection, n.token_id::text AS "tokenId", n.quantity::text AS "quantity",
  n.item_count AS "itemCount", n.price::text AS "price", n.currency, n.tx_hash AS "txHash",
  ${isoTime('n.happened_at')} AS "happenedAt", ${isoTime('n.told_at')} AS "toldAt", n.read_at IS NULL AS "unread",
  n.no::text AS "sortNo"`);

const cursors = createCursorCodec('notifications', ['seqNo']);

/**
 * What an account was told, last told first, all subjects together. What was retracted is left out.
 * @param receiver in canonical form.
 * @throws {UnknownSubjectError} @throws {CursorError}
 */
export async function listNotifications(
  db: Reads,
  receiver: string,
  filter: NotificationFilter,
): Promise<Page<NotificationRecord>> {
  const limit = limitOf(filter);
  const conditions = [Prisma.sql`n.receiver = ${receiver}`, Prisma.sql`n.retracted_at IS NULL`];
  if (filter.subject !== undefined)
    conditions.push(Prisma.sql`n.subject = ${await subjectNumber(db, filter.subject)}`);
  if (filter.kind !== undefined) conditions.push(oneOf('n.kind', filter.kind));
  if (filter.unread !== undefined)
    conditions.push(Prisma.sql`(n.read_at IS NULL) = ${filter.unread}::boolean`);
  if (filter.cursor !== undefined) {
    const [no] = cursors.decode(filter.cursor);
    conditions.push(Prisma.sql`n.no < ${no}::bigint`);
  }
  const rows = await db.query<Omit<NotificationRecord, 'title'> & { readonly sortNo: string }>(Prisma.sql`
    SELECT ${COLUMNS} FROM notifications n JOIN subjects s ON s.id = n.subject
    ${where(conditions)} ORDER BY n.no DESC LIMIT ${limit + 1}`);
  return toPage(
    rows,
    limit,
    cursors,
    (row) => [row.sortNo],
    ({ sortNo: _, ...record }) => ({ ...record, title: NOTIFICATION_TITLES[record.kind] }),
  );
}

/**
 * Marks what an account was told as read; ids that are not its own, or not known, change nothing. For a database that can be written to.
 * @param ids at most {@link PAGE_LIMIT_MAX}. @returns how many were unread before.
 */
export async function markNotificationsRead(
  db: Reads,
  receiver: string,
  ids: readonly string[],
): Promise<number> {
  const rows = await db.query<{ no: string }>(Prisma.sql`
    UPDATE notifications SET read_at = clock_timestamp()
    WHERE receiver = ${receiver} AND id = ANY(${[...ids]}::text[]) AND read_at IS NULL RETURNING no::text`);
  return rows.length;
}
