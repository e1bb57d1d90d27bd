import {
  findOrder,
  listOrders,
  type OrderRecord,
  type ReadDatabase,
  type Reads,
  type TradeKey,
} from '@imart/storage';
import { cacheScope } from '@imart/stream';
import type { FastifyInstance } from 'fastify';
import { nextTurn, type AnswerCache, type Loaded } from '../answerCache';
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
  currency: p.address(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
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
export function registerOrders(app: FastifyInstance, db: ReadDatabase, cache: AnswerCache): void {
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
    async ({ params }, reply) => {
      const { subject, contract, orderId } = params;
      const key = { subject, contract: canonical(contract), orderId: canonicalId(orderId) };
      const id = `${key.contract}:${key.orderId}`;
      const order = await cache.read(reply, 'order', { subject, id }, (reads, { chainTimeUs }) =>
        loadOrder(reads, key, chainTimeUs),
      );
      if (order === null) throw new NotFoundError(`order ${orderId} of ${contract} on ${subject}`);
      return order;
    },
  );
}

/** A listing depends on its own events, on who has its tokens, and on its maker's voiding of orders. */
async function loadOrder(db: Reads, key: TradeKey, chainTimeUs: bigint): Promise<Loaded<OrderRecord>> {
  const value = await findOrder(db, key);
  if (value === null) return { value, scopes: [], untilUs: null };
  const { contract, seller, startsAt, expiresAt } = value;
  const items = value.items ?? [value];
  return {
    value,
    scopes: [
      cacheScope.order(`${contract}:${value.orderId}`),
      ...(seller === null ? [] : [cacheScope.maker(contract, seller)]),
      ...items.flatMap(({ collection, tokenId }) =>
        collection === null || tokenId === null ? [] : [cacheScope.token(collection, tokenId)],
      ),
    ],
    untilUs: nextTurn([startsAt, expiresAt], chainTimeUs),
  };
}
