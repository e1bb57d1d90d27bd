import { findOffer, listOffers, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors';
import { answers, maybeText, page, record } from '../fields';
import { canonical, canonicalId, parameters as p, parameterSet, requireCollection } from '../parameters';
import { tradeFields } from './tradeFields';

export const offerSchema = record({
  ...tradeFields,
  bidder: maybeText('Who made it; null when only its end was seen and does not tell.'),
  seller: maybeText('Who accepted it last.'),
});

const query = parameterSet({
  subject: p.subject,
  market: p.word('Name of the marketplace.'),
  contract: p.address('Contract of the market.'),
  orderId: p.orderId,
  collection: p.address('Contract of the token.'),
  tokenId: {
    ...p.tokenId,
    description: 'Token id, decimal; needs `collection`. Offers on the whole collection are not among them.',
  },
  bidder: p.address('Who made it.'),
  seller: p.address('Who accepted it last.'),
  currency: p.address(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  status: p.oneOf(['CREATED', 'ACCEPTED', 'CANCELED'], 'What its own events said last.'),
  state: p.oneOf(
    ['CREATED', 'NOT_STARTED', 'EXPIRED', 'VOIDED', 'FILLED', 'ACCEPTED', 'CANCELED'],
    'What it is now; `CREATED` are those that can be accepted.',
  ),
  sort: {
    type: 'string',
    enum: ['newest', 'price'],
    default: 'newest',
    description:
      '`newest`: last made first, one subject after the other. `price`: lowest unit price first, one currency after the other.',
  },
  limit: p.limit,
  cursor: p.cursor,
});

interface OffersQuery {
  readonly subject?: string;
  readonly market?: string;
  readonly contract?: string;
  readonly orderId?: string;
  readonly collection?: string;
  readonly tokenId?: string;
  readonly bidder?: string;
  readonly seller?: string;
  readonly currency?: string;
  readonly status?: string[];
  readonly state?: string[];
  readonly sort?: 'newest' | 'price';
  readonly limit?: number;
  readonly cursor?: string;
}

/** Offers on tokens and on collections. */
export function registerOffers(app: FastifyInstance, db: ReadDatabase): void {
  app.get<{ Querystring: OffersQuery }>(
    '/v1/offers',
    {
      schema: {
        tags: ['offers'],
        summary: 'Offers',
        querystring: query,
        response: answers(page(offerSchema), 400, 404, 503),
      },
    },
    async ({ query }) => {
      requireCollection(query);
      return listOffers(db, {
        ...query,
        contract: canonical(query.contract),
        orderId: canonicalId(query.orderId),
        collection: canonical(query.collection),
        bidder: canonical(query.bidder),
        seller: canonical(query.seller),
        currency: canonical(query.currency),
      });
    },
  );

  app.get<{ Params: { subject: string; contract: string; orderId: string } }>(
    '/v1/offers/:subject/:contract/:orderId',
    {
      schema: {
        tags: ['offers'],
        summary: 'The newest offer of this id',
        params: parameterSet({
          subject: p.subject,
          contract: p.address('Contract of the market.'),
          orderId: p.orderId,
        }),
        querystring: parameterSet({}),
        response: answers(offerSchema, 400, 404, 503),
      },
    },
    async ({ params }) => {
      const { subject, contract, orderId } = params;
      const offer = await findOffer(db, {
        subject,
        contract: canonical(contract),
        orderId: canonicalId(orderId),
      });
      if (offer === null) throw new NotFoundError(`offer ${orderId} of ${contract} on ${subject}`);
      return offer;
    },
  );
}
