import {
  findExhibit,
  listExhibits,
  type CuratedKey,
  type ExhibitFilter,
  type ReadDatabase,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { maybeAmount, maybeText, maybeTime, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields, curatedFields, curatedFilter, curatedName, galleryIdField } from './curatedFields';
import { registerNamed } from './registerNamed';

const STATUSES = ['listing', 'reserved', 'sold', 'frozen', 'redeemed'];

const exhibitSchema = record({
  ...curatedFields,
  exhibitId: text('Id within the contract, decimal.'),
  galleryId: galleryIdField,
  status: text(
    'What its own events said last: `listing`, `reserved` (canceled, and still in the gallery), `sold`, `frozen`, `redeemed` (taken back).',
  ),
  state: text('What it is now: `status`, or `expired` for a listing whose time has passed by chain time.'),
  origin: maybeText('Whose token it is.'),
  curator: maybeText("Who shows it; null where the contract does not tell it: then the gallery's owner."),
  owner: maybeText('Who has the token, as far as the contract or a sale tells: of a sold one its buyer.'),
  price: maybeAmount("In the currency's smallest unit."),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  expiresAt: maybeTime('Null: never.'),
  location: maybeText('Where in the gallery.'),
  url: maybeText('In the words of who listed it.'),
  detail: maybeText('In the words of who listed it.'),
  ...changedFields,
});

/** Tokens in galleries. */
export function registerExhibits(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<ExhibitFilter, Omit<CuratedKey, 'id'> & { exhibitId: string }>(app, db, {
    path: '/v1/exhibits',
    tag: 'curation',
    summary: 'Tokens in galleries',
    one: 'exhibit',
    item: exhibitSchema,
    filter: {
      ...curatedFilter,
      galleryId: p.number('Id of the gallery within its contract, decimal.'),
      origin: p.address('Whose token it is.'),
      curator: p.address('Who shows it.'),
      owner: p.address('Who has the token: of a sold one its buyer.'),
      status: p.oneOf(STATUSES, 'What its own events said last.'),
      state: p.oneOf([...STATUSES, 'expired'], 'What it is now; `listing` are those that can be bought.'),
    },
    name: curatedName('exhibitId', 'Id of the exhibit within the contract, decimal.'),
    list: listExhibits,
    find: (reads, { exhibitId, ...key }) => findExhibit(reads, { ...key, id: exhibitId }),
  });
}
