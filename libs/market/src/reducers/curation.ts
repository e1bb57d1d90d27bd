import type { Reducer, StateRow } from '@imart/core';
import { AGGREGATE, splitContractId } from '../aggregates';
import type { MarketEvent } from '../events';
import { inFormOf } from '../zeroAddress';
import type { CurationOfferRow, ExhibitRow, GalleryRow, MarketActivity } from '../rows';
import { oneRow, type OneRowState } from './oneRow';
import { unexpected } from './unexpected';

type ContractId = ReturnType<typeof splitContractId>;
export type CuratedState<Row extends StateRow> = OneRowState<ContractId, Row>;

/** What the rows of galleries, offers and exhibits have in common, as an event leaves it. */
function common<Row extends GalleryRow | CurationOfferRow | ExhibitRow>(
  state: CuratedState<Row>,
  event: MarketEvent<'GalleryChanged' | 'CurationOfferChanged' | 'ExhibitChanged'>,
) {
  const { contract, id, row: old } = state;
  const { market, collection, tokenId, standard } = event.data;
  return {
    key: `${contract}:${id}`,
    seqNo: event.seqNo,
    version: state.version + 1,
    contract,
    id,
    market,
    collection: collection ?? old?.collection ?? null,
    tokenId: tokenId ?? old?.tokenId ?? null,
    standard: standard ?? old?.standard ?? null,
    createdAtUs: old?.createdAtUs ?? event.source.timeUs,
    updatedAtUs: event.source.timeUs,
  };
}

/** The parts of a reducer that do not depend on what is curated: one row for each contract and id. */
function curated<Row extends StateRow>(aggregateType: string, version: number, table: Row['table']) {
  return { aggregateType, version, ...oneRow<ContractId, Row>(table, splitContractId) };
}

function became<Row extends StateRow>(
  state: CuratedState<Row>,
  row: Row,
  activities: readonly MarketActivity[] = [],
) {
  return { state: { ...state, seqNo: row.seqNo, version: row.version, row }, rows: [row], activities };
}

/** Galleries, each as it was last said to be. */
export const galleryReducer: Reducer<CuratedState<GalleryRow>> = {
  ...curated<GalleryRow>(AGGREGATE.gallery, 1, 'galleries'),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'GalleryChanged') throw unexpected('gallery', event);
    const { data } = event;
    const { row: old } = state;
    const row: GalleryRow = {
      table: 'galleries',
      ...common(state, event),
      owner: data.owner ?? old?.owner ?? null,
      spaceType: data.spaceType ?? old?.spaceType ?? null,
      name: data.name ?? old?.name ?? null,
      metadataUri: data.metadataUri ?? old?.metadataUri ?? null,
      commissions: data.commissions ?? old?.commissions ?? null,
      commissionPool: data.commissionPool ?? old?.commissionPool ?? null,
      admissions: data.admissions ?? old?.admissions ?? null,
    };
    return became(state, row);
  },
};

/** Offers to exhibit a token. */
export const curationOfferReducer: Reducer<CuratedState<CurationOfferRow>> = {
  ...curated<CurationOfferRow>(AGGREGATE.curationOffer, 2, 'curation_offers'),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'CurationOfferChanged') throw unexpected('curation-offer', event);
    const { data } = event;
    const { row: old } = state;
    const row: CurationOfferRow = {
      table: 'curation_offers',
      ...common(state, event),
      status: data.status,
      galleryId: data.galleryId ?? old?.galleryId ?? null,
      from: data.from ?? old?.from ?? null,
      to: data.to ?? old?.to ?? null,
      price: data.price ?? old?.price ?? null,
      currency: inFormOf(state.contract, data.currency) ?? old?.currency ?? null,
      startsAtUs: data.startsAtUs ?? old?.startsAtUs ?? null,
      expiresAtUs: data.expiresAtUs ?? old?.expiresAtUs ?? null,
      exhibitExpiresAtUs: data.exhibitExpiresAtUs ?? old?.exhibitExpiresAtUs ?? null,
      url: data.url ?? old?.url ?? null,
      detail: data.detail ?? old?.detail ?? null,
    };
    return became(state, row);
  },
};

/** Tokens in galleries. A sold one is a sale by its origin; that it is told twice makes no second one. */
export const exhibitReducer: Reducer<CuratedState<ExhibitRow>> = {
  ...curated<ExhibitRow>(AGGREGATE.exhibit, 2, 'exhibits'),
  fold(state, anyEvent) {
    const event = anyEvent as MarketEvent;
    if (event.name !== 'ExhibitChanged') throw unexpected('exhibit', event);
    const { data } = event;
    const { row: old } = state;
    const row: ExhibitRow = {
      table: 'exhibits',
      ...common(state, event),
      status: data.status,
      galleryId: data.galleryId ?? old?.galleryId ?? null,
      origin: data.origin ?? old?.origin ?? null,
      curator: data.curator ?? old?.curator ?? null,
      owner: data.owner ?? old?.owner ?? null,
      price: data.price ?? old?.price ?? null,
      currency: inFormOf(state.contract, data.currency) ?? old?.currency ?? null,
      expiresAtUs: data.expiresAtUs ?? old?.expiresAtUs ?? null,
      location: data.location ?? old?.location ?? null,
      url: data.url ?? old?.url ?? null,
      detail: data.detail ?? old?.detail ?? null,
    };
    const isSale = row.status === 'sold' && old?.status !== 'sold';
    return became(state, row, isSale ? [saleOf(event, row, data.owner)] : []);
  },
};

/** The buyer is who the sale says; who owned it before is not meant. */
function saleOf(event: MarketEvent, row: ExhibitRow, buyer: string | null): MarketActivity {
  return {
    event,
    item: 0,
    kind: 'SALE',
    market: row.market,
    contract: row.contract,
    orderId: row.id,
    side: 'listing',
    collection: row.collection,
    tokenId: row.tokenId,
    quantity: 1n,
    from: row.origin,
    to: buyer,
    price: row.price,
    currency: row.currency,
    fees: null,
    royalties: null,
    itemCount: 1,
  };
}
