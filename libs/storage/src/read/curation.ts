import type { Reads } from './database';
import { matching, matchingNumbers, readerOf } from './named';
import type { Page, PageRequest } from './page';
import { isoTime } from './sql';

interface CuratedRecord {
  readonly subject: string;
  readonly contract: string;
  readonly market: string;
  readonly collection: string | null;
  readonly tokenId: string | null;
  readonly standard: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** A payee's share of sales, in the contract's own unit. */
export interface CommissionShare {
  readonly payee: string;
  readonly rate: string;
}

/** A curator's gallery, as it was last said to be. What no event has told is null. */
export interface GalleryRecord extends CuratedRecord {
  readonly galleryId: string;
  readonly owner: string | null;
  readonly spaceType: string | null;
  readonly name: string | null;
  readonly metadataUri: string | null;
  readonly commissions: readonly CommissionShare[] | null;
  /** The zero address: none. */
  readonly commissionPool: string | null;
  /** Collections that may be exhibited; empty: any. */
  readonly admissions: readonly string[] | null;
}

/** An offer to exhibit a token in a gallery. */
export interface CurationOfferRecord extends CuratedRecord {
  readonly offerId: string;
  readonly status: string;
  /** What it is now: `status`, or why a pending one cannot be accepted. */
  readonly state: string;
  readonly galleryId: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: string | null;
  readonly currency: string | null;
  readonly startsAt: string | null;
  readonly expiresAt: string | null;
  readonly exhibitExpiresAt: string | null;
  readonly url: string | null;
  readonly detail: string | null;
}

/** A token in a gallery. */
export interface ExhibitRecord extends CuratedRecord {
  readonly exhibitId: string;
  readonly status: string;
  /** What it is now: `status`, or `expired`. */
  readonly state: string;
  readonly galleryId: string | null;
  readonly origin: string | null;
  readonly curator: string | null;
  readonly owner: string | null;
  readonly price: string | null;
  readonly currency: string | null;
  readonly expiresAt: string | null;
  readonly location: string | null;
  readonly url: string | null;
  readonly detail: string | null;
}

interface CuratedFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly market?: string | undefined;
  readonly contract?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface GalleryFilter extends CuratedFilter {
  readonly owner?: string | undefined;
}

export interface CurationOfferFilter extends CuratedFilter {
  readonly galleryId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly status?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
}

export interface ExhibitFilter extends CuratedFilter {
  readonly galleryId?: string | undefined;
  readonly origin?: string | undefined;
  readonly curator?: string | undefined;
  readonly owner?: string | undefined;
  readonly status?: readonly string[] | undefined;
  readonly state?: readonly string[] | undefined;
}

/** What names something of a curation: the contract and its id there. */
export interface CuratedKey {
  readonly subject: string;
  readonly contract: string;
  readonly id: string;
}

const COMMON = 'r.contract, r.market, r.collection, r.token_id::text AS "tokenId", r.standard';
const OFFER_STATE = `CASE WHEN r.status <> 'pending' THEN r.status WHEN r.expires_at <= s.chain_time THEN 'expired'
  WHEN r.starts_at > s.chain_time THEN 'not_started' ELSE r.status END`;
const EXHIBIT_STATE = `CASE WHEN r.status = 'listing' AND r.expires_at <= s.chain_time THEN 'expired' ELSE r.status END`;
const nameOf = (id: string) =>
  [
    { column: 'contract', type: 'text' },
    { column: id, type: 'text' },
  ] as const;

const galleries = readerOf<GalleryRecord>({
  table: 'galleries',
  name: nameOf('gallery_id'),
  order: 'newest',
  columns: `${COMMON}, r.gallery_id AS "galleryId", r.owner, r.space_type AS "spaceType", r.name,
    r.metadata_uri AS "metadataUri", r.commissions::json AS "commissions", r.commission_pool AS "commissionPool",
    r.admissions::json AS "admissions"`,
});

const curationOffers = readerOf<CurationOfferRecord>({
  table: 'curation_offers',
  name: nameOf('offer_id'),
  order: 'newest',
  columns: `${COMMON}, r.offer_id AS "offerId", r.status, ${OFFER_STATE} AS "state", r.gallery_id::text AS "galleryId",
    r.from_address AS "from", r.to_address AS "to", r.price::text AS "price", r.currency,
    ${isoTime('r.starts_at')} AS "startsAt", ${isoTime('r.expires_at')} AS "expiresAt",
    ${isoTime('r.exhibit_expires_at')} AS "exhibitExpiresAt", r.url, r.detail`,
});

const exhibits = readerOf<ExhibitRecord>({
  table: 'exhibits',
  name: nameOf('exhibit_id'),
  order: 'newest',
  columns: `${COMMON}, r.exhibit_id AS "exhibitId", r.status, ${EXHIBIT_STATE} AS "state",
    r.gallery_id::text AS "galleryId", r.origin, r.curator, r.owner, r.price::text AS "price", r.currency,
    ${isoTime('r.expires_at')} AS "expiresAt", r.location, r.url, r.detail`,
});

const curatedConditions = (filter: CuratedFilter & { readonly galleryId?: string | undefined }) => [
  ...matching({
    'r.market': filter.market,
    'r.contract': filter.contract,
    'r.collection': filter.collection,
  }),
  ...matchingNumbers({ 'r.token_id': filter.tokenId, 'r.gallery_id': filter.galleryId }),
];

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listGalleries(db: Reads, filter: GalleryFilter): Promise<Page<GalleryRecord>> {
  const { owner } = filter;
  return galleries.list(db, filter, [...curatedConditions(filter), ...matching({ 'r.owner': owner })]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findGallery(db: Reads, key: CuratedKey): Promise<GalleryRecord | null> {
  return galleries.find(db, key.subject, [key.contract, key.id]);
}

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listCurationOffers(
  db: Reads,
  filter: CurationOfferFilter,
): Promise<Page<CurationOfferRecord>> {
  const { from, to, status, state } = filter;
  return curationOffers.list(db, filter, [
    ...curatedConditions(filter),
    ...matching({
      'r.from_address': from,
      'r.to_address': to,
      'r.status': status,
      [`(${OFFER_STATE})`]: state,
    }),
  ]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findCurationOffer(db: Reads, key: CuratedKey): Promise<CurationOfferRecord | null> {
  return curationOffers.find(db, key.subject, [key.contract, key.id]);
}

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listExhibits(db: Reads, filter: ExhibitFilter): Promise<Page<ExhibitRecord>> {
  const { origin, curator, owner, status, state } = filter;
  return exhibits.list(db, filter, [
    ...curatedConditions(filter),
    ...matching({
      'r.origin': origin,
      'r.curator': curator,
      'r.owner': owner,
      'r.status': status,
      [`(${EXHIBIT_STATE})`]: state,
    }),
  ]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findExhibit(db: Reads, key: CuratedKey): Promise<ExhibitRecord | null> {
  return exhibits.find(db, key.subject, [key.contract, key.id]);
}
