import {
  findGallery,
  listGalleries,
  type CuratedKey,
  type GalleryFilter,
  type ReadDatabase,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { amount, list, maybeText, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields, curatedFields, curatedFilter, curatedName } from './curatedFields';
import { registerNamed } from './registerNamed';

const maybeList = (items: object, description: string) => ({
  ...list(items, description),
  type: ['array', 'null'],
});

const gallerySchema = record({
  ...curatedFields,
  collection: maybeText('Contract of the token that stands for the gallery; null when there is none.'),
  galleryId: text('Id within the contract, decimal.'),
  owner: maybeText('The curator.'),
  spaceType: maybeText('In the words of the contract.'),
  name: maybeText('In the words of the curator.'),
  metadataUri: maybeText('Where the contract says that more is told.'),
  commissions: maybeList(
    record({ payee: text('Account.'), rate: amount("Share of each sale, in the contract's own unit.") }),
    'Who shares in its sales. What each of them can claim is in `/v1/commissions`.',
  ),
  commissionPool: maybeText('Contract that keeps the commissions; the zero address: none; null: not known.'),
  admissions: maybeList(text('Contract.'), 'Collections that may be exhibited; empty: any; null: not known.'),
  ...changedFields,
});

/** Curators' galleries. */
export function registerGalleries(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<GalleryFilter, Omit<CuratedKey, 'id'> & { galleryId: string }>(app, db, {
    path: '/v1/galleries',
    tag: 'curation',
    summary: 'Galleries',
    one: 'gallery',
    item: gallerySchema,
    filter: { ...curatedFilter, owner: p.address('The curator.') },
    name: curatedName('galleryId', 'Id of the gallery within the contract, decimal.'),
    list: listGalleries,
    find: (reads, { galleryId, ...key }) => findGallery(reads, { ...key, id: galleryId }),
  });
}
