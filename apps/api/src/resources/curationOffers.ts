import {
  findCurationOffer,
  listCurationOffers,
  type CuratedKey,
  type CurationOfferFilter,
  type ReadDatabase,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { maybeAmount, maybeText, maybeTime, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields, curatedFields, curatedFilter, curatedName, galleryIdField } from './curatedFields';
import { registerNamed } from './registerNamed';

const STATUSES = ['pending', 'accepted', 'rejected', 'canceled'];

const curationOfferSchema = record({
  ...curatedFields,
  offerId: text('Id within the contract, decimal.'),
  galleryId: galleryIdField,
  status: text('What its own events said last: `pending`, `accepted`, `rejected`, `canceled`.'),
  state: text(
    'What it is now: `status`, or why a pending one cannot be accepted: `expired`, `not_started`, by chain time.',
  ),
  from: maybeText('Who asks for the token.'),
  to: maybeText('Whose token it is.'),
  price: maybeAmount("Asked for the token in the gallery, in the currency's smallest unit."),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  startsAt: maybeTime('Null: at once.'),
  expiresAt: maybeTime('Null: never.'),
  exhibitExpiresAt: maybeTime('Until when the token would be shown; null: without end.'),
  url: maybeText('In the words of who asks.'),
  detail: maybeText('In the words of who asks.'),
  ...changedFields,
});

/** Offers to exhibit a token in a gallery. */
export function registerCurationOffers(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<CurationOfferFilter, Omit<CuratedKey, 'id'> & { offerId: string }>(app, db, {
    path: '/v1/curation-offers',
    tag: 'curation',
    summary: 'Offers to exhibit a token in a gallery',
    one: 'curation offer',
    item: curationOfferSchema,
    filter: {
      ...curatedFilter,
      galleryId: p.number('Id of the gallery within its contract, decimal.'),
      from: p.address('Who asks.'),
      to: p.address('Whose token it is.'),
      status: p.oneOf(STATUSES, 'What its own events said last.'),
      state: p.oneOf(
        [...STATUSES, 'expired', 'not_started'],
        'What it is now; `pending` are those that can be accepted.',
      ),
    },
    name: curatedName('offerId', 'Id of the offer within the contract, decimal.'),
    list: listCurationOffers,
    find: (reads, { offerId, ...key }) => findCurationOffer(reads, { ...key, id: offerId }),
  });
}
