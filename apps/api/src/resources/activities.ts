import { ACTIVITY_KINDS, listActivities, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { answers, integer, maybeAmount, maybeText, page, record, text, time } from '../fields';
import {
  canonical,
  canonicalId,
  parameters as p,
  parameterSet,
  requireCollection,
  toMoment,
} from '../parameters';

const activitySchema = record({
  subject: text('CAIP-2 id of the chain.'),
  seqNo: text('SeqNo of the event that caused it.'),
  item: integer('From 0, among the activities of that event.'),
  kind: text(`One of ${ACTIVITY_KINDS.join(', ')}.`),
  market: maybeText('Name of the marketplace; null for transfers, mints and burns.'),
  contract: text('Contract of the market, or of the collection for transfers.'),
  orderId: maybeText('Id of the order, offer, exhibit or lottery within the contract.'),
  side: maybeText('`listing` or `offer`: which kind of order it is about; `listing` of an exhibit.'),
  collection: maybeText('Null when not known.'),
  tokenId: maybeText('Decimal; null when not known, and for offers on a collection.'),
  quantity: maybeAmount('Pieces.'),
  from: maybeText('Seller, sender, or who listed or offered.'),
  to: maybeText('Buyer or receiver.'),
  price: maybeAmount(
    "Of the whole trade, in the currency's smallest unit: every item of a bundle repeats it.",
  ),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  fees: maybeAmount('Of a sale: the part of the price that did not go to the seller; null when not known.'),
  royalties: maybeAmount('Of a sale: the part of the fees that went to the creators; null when not known.'),
  itemCount: integer('How many activities share the price.'),
  blockNumber: text('Decimal.'),
  logIndex: integer('Place of the log in its block.'),
  txHash: text('Hex.'),
  blockTime: time('Chain time.'),
});

const query = parameterSet({
  subject: p.subject,
  kind: p.oneOf(ACTIVITY_KINDS, 'What happened.'),
  market: p.word('Name of the marketplace.'),
  contract: p.address('Contract of the market, or of the collection for transfers.'),
  orderId: p.orderId,
  collection: p.address('Contract of the token.'),
  tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
  account: p.address('On either side.'),
  since: p.moment('Chain time, inclusive.'),
  until: p.moment('Chain time, exclusive.'),
  limit: p.limit,
  cursor: p.cursor,
});

interface ActivitiesQuery {
  readonly subject?: string;
  readonly kind?: string[];
  readonly market?: string;
  readonly contract?: string;
  readonly orderId?: string;
  readonly collection?: string;
  readonly tokenId?: string;
  readonly account?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** What happened, newest first. */
export function registerActivities(app: FastifyInstance, db: ReadDatabase): void {
  app.get<{ Querystring: ActivitiesQuery }>(
    '/v1/activities',
    {
      schema: {
        tags: ['activities'],
        summary: 'What happened, newest first, one subject after the other',
        querystring: query,
        response: answers(page(activitySchema), 400, 404, 503),
      },
    },
    async ({ query }) => {
      requireCollection(query);
      return listActivities(db, {
        ...query,
        contract: canonical(query.contract),
        orderId: canonicalId(query.orderId),
        collection: canonical(query.collection),
        account: canonical(query.account),
        since: toMoment('since', query.since),
        until: toMoment('until', query.until),
      });
    },
  );
}
