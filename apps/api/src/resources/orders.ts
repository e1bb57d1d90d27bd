import { findOrder, listOrders, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors';
import { answers, maybeText, page, record } from '../fields';
import { canonical, canonicalId, parameters as p, parameterSet, requireCollection } from '../parameters';
import { tradeFields } from './tradeFields';

export const orderSchema = record({
  ...tradeFields,
  seller: maybeText('Who made it; null when only its end was seen and does not tell.'),
  buyer: maybeText('Who took it last.'),
});

const query = parameterSet({
  subject: p.subject,
  market: p.word('Name of the marketplace.'),
  contract: p.address('Contract of the market.'),
  orderId: p.orderId,
  collection: p.address('Contract of the token.'),
  tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
  seller: p.address('Who made it.'),
  buyer: p.address('Who took it last.'),
  currency: p.address('Contract of the currency; the zero address is native coin.'),
  status: p.oneOf(['LISTING', 'SOLD', 'CANCELED'], 'What its own events said last.'),
  state: p.oneOf(
    ['LISTING', 'NOT_STARTED', 'EXPIRED', 'VOIDED', 'UNFILLABLE', 'FILLED', 'SOLD', 'CANCELED'],
    'What it is now; `LISTING` are those that can be taken.',
  ),
  sort: {
    type: 'string',
    enum: ['newest', 'price'],
    default: 'newest',
    description:
      '`newest`: last opened first, one subject after the other. `price`: lowest unit price first, one currency after the other.',
  },
  limit: p.limit,
  cursor: p.cursor,
});

interface OrdersQuery {
  readonly subject?: string;
  readonly market?: string;
  readonly contract?: string;
  readonly orderId?: string;
  readonly collection?: string;
  readonly tokenId?: string;
  readonly seller?: string;
  readonly buyer?: string;
  readonly currency?: string;
  readonly status?: string[];
  readonly state?: string[];
  readonly sort?: 'newest' | 'price';
  readonly limit?: number;
  readonly cursor?: string;
}

/** Listings. */
export function registerOrders(app: FastifyInstance, db: ReadDatabase): void {
  app.get<{ Querystring: OrdersQuery }>(
    '/v1/orders',
    {
      schema: {
        tags: ['orders'],
        summary: 'Listings',
        querystring: query,
        response: answers(page(orderSchema), 400, 404, 503),
      },
    },
    async ({ query }) => {
      requireCollection(query);
      return listOrders(db, {
        ...query,
        contract: canonical(query.contract),
        orderId: canonicalId(query.orderId),
        collection: canonical(query.collection),
        seller: canonical(query.seller),
        buyer: canonical(query.buyer),
        currency: canonical(query.currency),
      });
    },
  );

  app.get<{ Params: { subject: string; contract: string; orderId: string } }>(
    '/v1/orders/:subject/:contract/:orderId',
    {
      schema: {
        tags: ['orders'],
        summary: 'The newest listing of this id',
        params: parameterSet({
          subject: p.subject,
          contract: p.address('Contract of the market.'),
          orderId: p.orderId,
        }),
        querystring: parameterSet({}),
        response: answers(orderSchema, 400, 404, 503),
      },
    },
    async ({ params }) => {
      const { subject, contract, orderId } = params;
      const order = await findOrder(db, {
        subject,
        contract: canonical(contract),
        orderId: canonicalId(orderId),
      });
      if (order === null) throw new NotFoundError(`order ${orderId} of ${contract} on ${subject}`);
      return order;
    },
  );
}
