import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { translated } from '../commands/session';

/** An address that is told of a topic's events. */
export interface Webhook {
  readonly id: string;
  /** The number of the subject whose feed it is told of. */
  readonly subject: number;
  /** Aggregate type. */
  readonly topic: string;
  readonly url: string;
  /** The id of the API key that it belongs to. */
  readonly owner: string;
  readonly createdAt: Date;
  /** Since when nothing was delivered; `null`: it was the last time. */
  readonly failingSince: Date | null;
  /** Attempts that failed since then. */
  readonly failures: number;
  readonly lastError: string | null;
  /** `null`: it is told. */
  readonly disabledAt: Date | null;
  /** Changes of the feed that it has not been told of. */
  readonly changesBehind: bigint;
}

/** What a delivery needs. Its secret is for signing, and for nobody's eyes. */
export interface ActiveWebhook {
  readonly id: string;
  readonly subject: number;
  readonly topic: string;
  readonly url: string;
  readonly secret: string;
}

export interface NewWebhook {
  readonly subject: number;
  readonly topic: string;
  readonly url: string;
  readonly owner: string;
  readonly from: 'beginning' | 'now';
}

export interface Webhooks {
  /** @returns `null`: the owner has as many as `ownedMax` already. The secret is shown to nobody again. */
  create(
    webhook: NewWebhook,
    ownedMax: number,
  ): Promise<{ readonly webhook: Webhook; readonly secret: string } | null>;
  /** Newest first. */
  list(owner: string): Promise<readonly Webhook[]>;
  find(id: string, owner: string): Promise<Webhook | null>;
  /** Forgets it with its cursor. @returns `false`: the owner has none of this id. */
  remove(id: string, owner: string): Promise<boolean>;
  /** Tells it again, from its cursor on. @returns `false`: the owner has none of this id. */
  enable(id: string, owner: string): Promise<boolean>;
  /** Those to tell now: not disabled, and their owner's key not revoked. */
  active(subjects: readonly number[]): Promise<readonly ActiveWebhook[]>;
  /** Something was delivered: it does not fail any more. */
  delivered(id: string): Promise<void>;
  /**
   * An attempt failed. What has failed for longer than `failingMaxMs`, by the database's clock, is disabled.
   * @returns whether it is to be told on.
   */
  failed(id: string, error: string, failingMaxMs: number): Promise<boolean>;
}

/** Name of the subscription that holds a webhook's cursor. */
export const webhookSubscription = (id: string): string => `webhook:${id}`;

interface WebhookRow {
  readonly id: string;
  readonly subject: number;
  readonly topic: string;
  readonly url: string;
  readonly owner: string;
  readonly created_at: Date;
  readonly failing_since: Date | null;
  readonly failures: number;
  readonly last_error: string | null;
  readonly disabled_at: Date | null;
  readonly behind: string;
}

const webhookOf = (row: WebhookRow): Webhook => ({
  id: row.id,
  subject: row.subject,
  topic: row.topic,
  url: row.url,
  owner: row.owner,
  createdAt: row.created_at,
  failingSince: row.failing_since,
  failures: row.failures,
  lastError: row.last_error,
  disabledAt: row.disabled_at,
  changesBehind: BigInt(row.behind),
});

const SELECT = `SELECT w.*, s.last_feed_no - coalesce(c.feed_no, 0) AS behind FROM webhooks w
  JOIN subjects s ON s.id = w.subject
  LEFT JOIN subscriptions c ON c.subject = w.subject AND c.name = 'webhook:' || w.id`;

export function createWebhooks(pool: Pool): Webhooks {
  const find = async (id: string, owner: string): Promise<Webhook | null> => {
    const { rows } = await pool.query(`${SELECT} WHERE w.id = $1 AND w.owner = $2`, [id, owner]);
    const row = rows[0] as WebhookRow | undefined;
    return row === undefined ? null : webhookOf(row);
  };
  return {
    create: ({ subject, topic, url, owner, from }, ownedMax) =>
      translated(async () => {
        const id = randomBytes(8).toString('hex');
        const secret = `whsec_${randomBytes(32).toString('base64url')}`;
        // With its cursor: from here on nothing is missed. Of several at once, each counts the others under the key's lock.
        const { rowCount } = await pool.query(
          `WITH mine AS MATERIALIZED (
             SELECT id FROM api_keys WHERE id = $6 FOR UPDATE
           ), made AS (
             INSERT INTO webhooks (id, subject, topic, url, secret, owner)
             SELECT $1, $2, $3, $4, $5, mine.id FROM mine WHERE (SELECT count(*) FROM webhooks WHERE owner = $6) < $7
             RETURNING id
           )
           INSERT INTO subscriptions (subject, name, feed_no)
           SELECT s.id, 'webhook:' || made.id, CASE WHEN $8 THEN s.last_feed_no ELSE 0 END FROM made, subjects s WHERE s.id = $2`,
          [id, subject, topic, url, secret, owner, ownedMax, from === 'now'],
        );
        if (rowCount === 0) return null;
        return { webhook: (await find(id, owner)) as Webhook, secret };
      }),

    list: (owner) =>
      translated(async () => {
        const { rows } = await pool.query(`${SELECT} WHERE w.owner = $1 ORDER BY w.created_at DESC, w.id`, [
          owner,
        ]);
        return (rows as WebhookRow[]).map(webhookOf);
      }),

    find: (id, owner) => translated(() => find(id, owner)),

    remove: (id, owner) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          `WITH gone AS (DELETE FROM webhooks WHERE id = $1 AND owner = $2 RETURNING subject, id)
           DELETE FROM subscriptions c USING gone WHERE c.subject = gone.subject AND c.name = 'webhook:' || gone.id`,
          [id, owner],
        );
        return rowCount === 1;
      }),

    enable: (id, owner) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          `UPDATE webhooks SET disabled_at = NULL, failing_since = NULL, failures = 0 WHERE id = $1 AND owner = $2`,
          [id, owner],
        );
        return rowCount === 1;
      }),

    active: (subjects) =>
      translated(async () => {
        const { rows } = await pool.query(
          `SELECT w.id, w.subject, w.topic, w.url, w.secret FROM webhooks w JOIN api_keys k ON k.id = w.owner
           WHERE w.subject = ANY($1) AND w.disabled_at IS NULL AND k.revoked_at IS NULL ORDER BY w.id`,
          [[...subjects]],
        );
        return rows as ActiveWebhook[];
      }),

    delivered: (id) =>
      translated(async () => {
        await pool.query(
          `UPDATE webhooks SET failing_since = NULL, failures = 0, last_error = NULL
           WHERE id = $1 AND failing_since IS NOT NULL`,
          [id],
        );
      }),

    failed: (id, error, failingMaxMs) =>
      translated(async () => {
        const { rows } = await pool.query(
          `UPDATE webhooks SET failing_since = coalesce(failing_since, clock_timestamp()), failures = failures + 1, last_error = $2,
             disabled_at = CASE WHEN failing_since <= clock_timestamp() - $3 * interval '1 ms' THEN clock_timestamp() END
           WHERE id = $1 AND disabled_at IS NULL RETURNING disabled_at IS NULL AS active`,
          [id, error, failingMaxMs],
        );
        return (rows[0] as { active: boolean } | undefined)?.active ?? false;
      }),
  };
}
