import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import type { SeqNo, SeqNoCodec, SubjectId } from '@imart/core';
import { marketEventCodec, notificationsOf, type Notification } from '@imart/market';
import type { IngestLeases } from '@imart/pipeline';
import { translated } from '../commands/session';
import { openSubscription } from '../commands/subscriptions';
import { consistentRead } from '../subject/consistentRead';
import type { LogContext } from '../subject/eventLog';
import { readToldEvents, type ToldChange } from './toldEvents';
import type { ToldNotification } from './toldNotification';

/** The reader's name among the subject's subscriptions. */
const READER = 'notifications';

export interface OpenNotificationsOptions {
  readonly pool: Pool;
  /** The number of the subject whose feed is read. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  readonly seqNos: SeqNoCodec;
  /**
   * Where a reader that is new begins: nobody is told of what happened before that chain time, in microseconds since 1970. `now`: by the
   * database's clock. Stored at the first start; afterwards it does not count any more.
   */
  readonly from: 'beginning' | 'now' | bigint;
  /** Whether what is told is to be pushed to the receivers' lists too. */
  readonly push: boolean;
}

/** How far the reader is, and what decides whether it may go on. */
export interface ReaderPosition {
  readonly afterFeedNo: bigint;
  readonly lastFeedNo: bigint;
  /** Nobody is told of what happened before; `null`: of everything. */
  readonly sinceUs: bigint | null;
  readonly chainTimeUs: bigint | null;
  /** Rises with everything that is taken back. */
  readonly epoch: bigint;
  /** What lies at or before it can not be taken back any more, but by an operator or late knowledge. */
  readonly finalized: SeqNo;
}

export interface ReconcileOutcome {
  /** New ones, and those that say something else now. */
  readonly told: number;
  readonly retracted: number;
}

/** A notification that is to be pushed, as it is now. */
export interface OutgoingNotification extends ToldNotification {
  readonly no: bigint;
  readonly isRetracted: boolean;
  /** Chain time in milliseconds since 1970. */
  readonly happenedAtMs: number;
}

/** The notifications of one subject. Each method is one transaction. */
export interface NotificationStore {
  readonly subjectId: SubjectId;
  readonly leases: IngestLeases;
  position(): Promise<ReaderPosition>;
  /** Goes to the end of the feed without telling of anything. @returns `false`: somebody else reads now. */
  skip(fencing: bigint, toFeedNo: bigint): Promise<boolean>;
  /** What is to be told of a change's events, as log and tables are now, and all the places that it concerns. */
  wanted(
    change: ToldChange,
    sinceUs: bigint | null,
  ): Promise<{ readonly seqNos: readonly SeqNo[]; readonly wanted: readonly Notification[] }>;
  /**
   * Makes the notifications of these places what is wanted, and moves the cursor, in one transaction: new ones are told, others are
   * retracted, those that are the same stay untouched. Repeating it changes nothing.
   * @returns `null`: somebody else reads now; nothing was written.
   */
  reconcile(
    fencing: bigint,
    feedNo: bigint,
    seqNos: readonly SeqNo[],
    wanted: readonly Notification[],
  ): Promise<ReconcileOutcome | null>;
  /** What is still to be pushed, in the order of telling. */
  outgoing(limit: number): Promise<readonly OutgoingNotification[]>;
  /** These were pushed, as they were given. What has changed since stays to be pushed. */
  pushed(notifications: readonly OutgoingNotification[]): Promise<void>;
}

/** What a receiver knows a notification by: the same on every run, in every database. */
export function notificationId(
  subjectId: SubjectId,
  { seqNo, kind, receiver }: Pick<Notification, 'seqNo' | 'kind' | 'receiver'>,
): string {
  return hash('sha256', `${subjectId}\n${seqNo}\n${kind}\n${receiver}`, 'hex').slice(0, 32);
}

const SELECT_OUTGOING = `SELECT n.no, n.id, n.revision, n.retracted_at IS NOT NULL AS "isRetracted", n.kind, n.receiver, n.actor, n.market,
  n.contract, n.order_id AS "orderId", n.collection, n.token_id::text AS "tokenId", n.quantity::text AS quantity,
  n.item_count AS "itemCount", n.price::text AS price, n.currency, n.tx_hash AS "txHash", n.seq_no::text AS "seqNo",
  (extract(epoch FROM n.happened_at) * 1000)::float8 AS "happenedAtMs"
  FROM notification_outbox o JOIN notifications n ON n.no = o.no WHERE o.subject = $1 ORDER BY o.no LIMIT $2`;

const CONTENT = [
  'actor',
  'market',
  'contract',
  'order_id',
  'collection',
  'token_id',
  'quantity',
  'item_count',
  'price',
  'currency',
  'tx_hash',
  'happened_at',
] as const;
const content = (alias: string): string => CONTENT.map((column) => `${alias}.${column}`).join(', ');

/**
 * One statement, and so all of it or nothing: the cursor moves only under the fencing number that still holds, and the rest only when the
 * cursor moves. Parameters: subject, reader, fencing, feed no, places, wanted rows, whether to push.
 */
const RECONCILE = `WITH held AS (
    UPDATE subscriptions SET feed_no = $4, part_seq_no = NULL WHERE subject = $1 AND name = $2 AND fencing = $3 RETURNING 1
  ), wanted AS (
    SELECT w.*, TIMESTAMPTZ 'epoch' + w.time_us * INTERVAL '1 microsecond' AS happened_at
    FROM json_to_recordset($6::json) AS w(seq_no bigint, kind text, receiver text, id text, actor text, market text, contract text,
      order_id text, collection text, token_id numeric, quantity numeric, item_count int, price numeric, currency text, tx_hash text,
      time_us bigint)
  ), gone AS (
    UPDATE notifications n SET retracted_at = clock_timestamp(), revision = n.revision + 1
    WHERE EXISTS (SELECT FROM held) AND n.subject = $1 AND n.seq_no = ANY($5::bigint[]) AND n.retracted_at IS NULL
      AND NOT EXISTS (SELECT FROM wanted w WHERE w.seq_no = n.seq_no AND w.kind = n.kind AND w.receiver = n.receiver)
    RETURNING n.no, n.revision
  ), told AS (
    INSERT INTO notifications AS n (subject, seq_no, kind, receiver, id, ${CONTENT.join(', ')})
    SELECT $1, w.seq_no, w.kind, w.receiver, w.id, ${content('w')} FROM wanted w WHERE EXISTS (SELECT FROM held)
    ORDER BY w.seq_no, w.kind, w.receiver
    ON CONFLICT (subject, seq_no, kind, receiver) DO UPDATE SET
      ${CONTENT.map((column) => `${column} = EXCLUDED.${column}`).join(', ')},
      revision = n.revision + 1, told_at = clock_timestamp(), retracted_at = NULL, read_at = NULL
    WHERE n.retracted_at IS NOT NULL OR (${content('n')}) IS DISTINCT FROM (${content('EXCLUDED')})
    RETURNING n.no, n.revision
  ), outgoing AS (
    INSERT INTO notification_outbox (subject, no, revision)
    SELECT $1, no, revision FROM (SELECT * FROM told UNION ALL SELECT * FROM gone) changed WHERE $7
    ON CONFLICT (subject, no) DO UPDATE SET revision = EXCLUDED.revision
  )
  SELECT (SELECT count(*) FROM held)::int AS held, (SELECT count(*) FROM told)::int AS told, (SELECT count(*) FROM gone)::int AS gone`;

/** Registers the reader of a subject, or finds it again at its cursor. */
export async function openNotifications(options: OpenNotificationsOptions): Promise<NotificationStore> {
  const { pool, subject, subjectId, seqNos, from, push } = options;
  const { leases } = await openSubscription({
    pool,
    subject,
    name: READER,
    from: from === 'now' ? 'now' : 'beginning',
    ...(from === 'beginning' ? {} : { sinceUs: from }),
  });
  const log: LogContext = { subject, subjectId, codec: marketEventCodec, seqNos };
  const key = [subject, READER];

  return {
    subjectId,
    leases,
    position: () =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT u.feed_no, u.since_us, s.last_feed_no, s.chain_time_us, s.epoch, s.finalized_seq_no
           FROM subscriptions u JOIN subjects s ON s.id = u.subject WHERE u.subject = $1 AND u.name = $2`,
          key,
        );
        const row = rows[0] as Record<string, string | null>;
        const numberOf = (column: string): bigint => BigInt(row[column] as string);
        return {
          afterFeedNo: numberOf('feed_no'),
          lastFeedNo: numberOf('last_feed_no'),
          sinceUs: row['since_us'] === null ? null : numberOf('since_us'),
          chainTimeUs: row['chain_time_us'] === null ? null : numberOf('chain_time_us'),
          epoch: numberOf('epoch'),
          finalized: numberOf('finalized_seq_no') as SeqNo,
        };
      }),

    skip: (fencing, toFeedNo) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          'UPDATE subscriptions SET feed_no = $4, part_seq_no = NULL WHERE subject = $1 AND name = $2 AND fencing = $3',
          [...key, fencing.toString(), toFeedNo.toString()],
        );
        return rowCount === 1;
      }),

    wanted: (change, sinceUs) =>
      translated(async () => {
        const { seqNos: places, told } = await consistentRead(pool, (client) =>
          readToldEvents(client, log, change),
        );
        const wanted = told
          .filter(({ event }) => sinceUs === null || event.source.timeUs >= sinceUs)
          .flatMap(({ event, facts }) => notificationsOf(event, facts));
        return { seqNos: places, wanted };
      }),

    reconcile: (fencing, feedNo, places, wanted) =>
      translated(async () => {
        const { rows } = await pool.query(RECONCILE, [
          ...key,
          fencing.toString(),
          feedNo.toString(),
          places.map(String),
          JSON.stringify(wanted.map((one) => wantedRow(subjectId, one))),
          push,
        ]);
        const { held, told, gone } = rows[0] as { held: number; told: number; gone: number };
        return held === 0 ? null : { told, retracted: gone };
      }),

    outgoing: (limit) =>
      translated(async () => {
        const { rows } = await pool.query(SELECT_OUTGOING, [subject, limit]);
        return (rows as (Omit<OutgoingNotification, 'no'> & { readonly no: string })[]).map((row) => ({
          ...row,
          no: BigInt(row.no),
        }));
      }),

    pushed: (notifications) =>
      translated(async () => {
        await pool.query(
          `DELETE FROM notification_outbox o USING unnest($2::bigint[], $3::int[]) AS p(no, revision)
           WHERE o.subject = $1 AND o.no = p.no AND o.revision = p.revision`,
          [
            subject,
            notifications.map(({ no }) => no.toString()),
            notifications.map(({ revision }) => revision),
          ],
        );
      }),
  };
}

function wantedRow(subjectId: SubjectId, wanted: Notification): Readonly<Record<string, unknown>> {
  const text = (quantity: bigint | null): string | null => (quantity === null ? null : quantity.toString());
  return {
    seq_no: wanted.seqNo.toString(),
    kind: wanted.kind,
    receiver: wanted.receiver,
    id: notificationId(subjectId, wanted),
    actor: wanted.actor,
    market: wanted.market,
    contract: wanted.contract,
    order_id: wanted.orderId,
    collection: wanted.collection,
    token_id: text(wanted.tokenId),
    quantity: text(wanted.quantity),
    item_count: wanted.itemCount,
    price: text(wanted.price),
    currency: wanted.currency,
    tx_hash: wanted.txHash,
    time_us: wanted.timeUs.toString(),
  };
}
