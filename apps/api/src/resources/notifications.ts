import { createHash, timingSafeEqual } from 'node:crypto';
import { WorkerError } from '@imart/core';
import { NOTIFICATION_KINDS } from '@imart/market';
import { listNotifications, markNotificationsRead, PAGE_LIMIT_MAX, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { errorSchema } from '../errors';
import { answers, integer, maybeAmount, maybeText, page, record, text, time } from '../fields';
import { canonical, parameters as p, parameterSet } from '../parameters';

/** Somebody wants to mark notifications without the token for it, or with a wrong one. */
export class NotificationAccessError extends WorkerError {
  constructor() {
    super('marking notifications needs the token of NOTIFICATIONS_TOKEN as "Authorization: Bearer ..."', {
      code: 'NOTIFICATION_ACCESS',
      disposition: 'stop',
    });
  }
}

const notificationSchema = record({
  id: text('The same in every answer, and in every push to Redis.'),
  revision: integer('1, 2, 3 ...: of one id the greatest holds.'),
  kind: text(`One of ${NOTIFICATION_KINDS.join(', ')}.`),
  title: text('One sentence for people.'),
  receiver: text('Who is told.'),
  actor: maybeText('Who made it happen; null when not known.'),
  subject: text('CAIP-2 id of the chain.'),
  seqNo: text('SeqNo of the event.'),
  market: text('Name of the marketplace.'),
  contract: text('Contract of the market.'),
  orderId: text('Id of the order, offer or exhibit in its contract.'),
  collection: maybeText('Of the first item.'),
  tokenId: maybeText('Of the first item; decimal.'),
  quantity: maybeAmount('Pieces of the first item.'),
  itemCount: integer('How many items share the price.'),
  price: maybeAmount("Of the whole trade or offer, in the currency's smallest unit."),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  txHash: text('Hex.'),
  happenedAt: time('Chain time.'),
  toldAt: time("When it was told last, by the database's clock."),
  unread: { type: 'boolean', description: 'Nobody has marked it as read.' },
});

const tags = ['accounts'];
const params = parameterSet({ address: p.address('Account.') });

interface NotificationsQuery {
  readonly subject?: string;
  readonly kind?: string[];
  readonly unread?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * What accounts were told of.
 * @param token whoever shows it may mark notifications as read; without it nobody may.
 */
export function registerNotifications(
  app: FastifyInstance,
  db: ReadDatabase,
  token: string | undefined,
): void {
  app.get<{ Params: { address: string }; Querystring: NotificationsQuery }>(
    '/v1/accounts/:address/notifications',
    {
      schema: {
        tags,
        summary: 'What an account was told of, last told first, all chains together',
        params,
        querystring: parameterSet({
          subject: p.subject,
          kind: p.oneOf(NOTIFICATION_KINDS, 'What it was told.'),
          unread: {
            type: 'boolean',
            allowed: 'true or false',
            description: '`true`: only what is not marked as read; `false`: only what is.',
          },
          limit: p.limit,
          cursor: p.cursor,
        }),
        response: answers(page(notificationSchema), 400, 404, 503),
      },
    },
    async ({ params: { address }, query }) => listNotifications(db, canonical(address), query),
  );
  if (token !== undefined) registerMarking(app, db, token);
}

function registerMarking(app: FastifyInstance, db: ReadDatabase, token: string): void {
  app.post<{ Params: { address: string }; Body: { ids: string[] } }>(
    '/v1/accounts/:address/notifications/read',
    {
      schema: {
        tags,
        summary: 'Marks notifications of an account as read',
        description:
          'For whoever has the token of `NOTIFICATIONS_TOKEN`: the service that knows who is logged in.',
        params,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['ids'],
          properties: {
            ids: {
              type: 'array',
              minItems: 1,
              maxItems: PAGE_LIMIT_MAX,
              items: {
                type: 'string',
                pattern: '^[0-9a-f]{32}$',
                allowed: 'the id of a notification: 32 hexadecimal digits',
              },
              allowed: `1 to ${PAGE_LIMIT_MAX} ids`,
            },
          },
        },
        response: {
          ...answers(record({ marked: integer('How many were unread before.') }), 400, 503),
          401: { description: 'The token is missing, or wrong.', ...errorSchema },
        },
      },
      // Before anything of the request is looked at.
      onRequest: async ({ headers }) => {
        const shown = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
        if (!timingSafeEqual(digest(shown), digest(token))) throw new NotificationAccessError();
      },
    },
    async ({ params: { address }, body }) => ({
      marked: await markNotificationsRead(db, canonical(address), body.ids),
    }),
  );
}

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();
