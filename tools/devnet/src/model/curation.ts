import type { ActionOf } from '../actions';
import type { ExpectedActivityKind } from '../expected';
import { hasApproved, moveToken, tokenOf } from './erc721';
import {
  demand,
  ZERO,
  type ActivityDraft,
  type CurationOfferState,
  type ExhibitState,
  type GalleryState,
  type ModelState,
  type PredictedLog,
  type Stamped,
} from './state';

/** Rates are in ten thousandths of a sale. */
const WHOLE = 10_000n;

const updates = (changed: Stamped) => (time: number) => void (changed.updatedAt = time);
const creates = (made: Stamped) => (time: number) => void (made.createdAt = made.updatedAt = time);

function galleryOf(state: ModelState, id: bigint): GalleryState {
  const gallery = state.galleries[Number(id) - 1];
  demand(gallery !== undefined, `no gallery ${id}`);
  return gallery;
}

function galleryLog(state: ModelState, gallery: GalleryState, eventType: string, now: bigint): PredictedLog {
  const { id, owner, terms } = gallery;
  return {
    address: state.contracts.curation,
    event: 'GalleryChanged',
    args: [
      String(id),
      eventType,
      terms.collection,
      String(terms.tokenId),
      owner,
      terms.spaceType,
      terms.name,
      terms.metadataUri,
      String(terms.isToken),
      String(now),
      terms.payees,
      terms.commissionRates.map(String),
      terms.commissionPool,
      terms.admissions,
    ],
    activities: [],
    stamp: eventType === 'GalleryCreated' ? creates(gallery) : updates(gallery),
  };
}

export function openGallery(state: ModelState, action: ActionOf<'openGallery'>): PredictedLog[] {
  const { by: owner, terms } = action;
  const id = BigInt(state.galleries.length + 1);
  const gallery: GalleryState = { id, owner, terms, createdAt: 0, updatedAt: 0 };
  state.galleries.push(gallery);
  return [galleryLog(state, gallery, 'GalleryCreated', action.now)];
}

export function changeGallery(state: ModelState, action: ActionOf<'changeGallery'>): PredictedLog[] {
  const gallery = galleryOf(state, action.galleryId);
  demand(gallery.owner === action.by, 'only its owner changes a gallery');
  const { name, payees, commissionRates } = action;
  gallery.terms = { ...gallery.terms, name, payees, commissionRates };
  return [galleryLog(state, gallery, 'GalleryUpdated', action.now)];
}

function exhibitLog(
  state: ModelState,
  shown: ExhibitState,
  eventType: string,
  now: bigint,
  activities: readonly ActivityDraft[] = [],
): PredictedLog {
  const { id, origin, terms } = shown;
  return {
    address: state.contracts.curation,
    event: 'ExhibitChanged',
    args: [
      String(id),
      eventType,
      String(terms.galleryId),
      terms.collection,
      String(terms.tokenId),
      origin,
      String(terms.expiration),
      String(terms.price),
      terms.location,
      terms.url,
      terms.detail,
      String(now),
    ],
    activities,
    stamp: eventType === 'ExhibitListed' ? creates(shown) : updates(shown),
  };
}

function exhibitOf(state: ModelState, id: bigint): ExhibitState {
  const shown = state.exhibits[Number(id) - 1];
  demand(shown !== undefined && state.open.exhibits.has(shown), `exhibit ${id} is not there`);
  return shown;
}

function openExhibit(
  state: ModelState,
  origin: string,
  terms: ExhibitState['terms'],
  now: bigint,
): PredictedLog {
  const token = tokenOf(state, terms.collection, terms.tokenId);
  demand(token.owner === origin, 'only the owner exhibits');
  const shown: ExhibitState = {
    id: BigInt(state.exhibits.length + 1),
    origin,
    terms,
    owner: null,
    status: 'listing',
    createdAt: 0,
    updatedAt: 0,
  };
  state.exhibits.push(shown);
  state.open.exhibits.add(shown);
  return exhibitLog(state, shown, 'ExhibitListed', now);
}

export function exhibit(state: ModelState, action: ActionOf<'exhibit'>): PredictedLog[] {
  galleryOf(state, action.terms.galleryId);
  return [openExhibit(state, action.by, action.terms, action.now)];
}

const CHANGES = {
  reserved: 'ExhibitCanceled',
  frozen: 'ExhibitFrozen',
  redeemed: 'ExhibitRedeemed',
} as const;

export function changeExhibit(state: ModelState, action: ActionOf<'changeExhibit'>): PredictedLog[] {
  const shown = exhibitOf(state, action.exhibitId);
  const { to } = action;
  const who = to === 'frozen' ? galleryOf(state, shown.terms.galleryId).owner : shown.origin;
  demand(who === action.by, 'an exhibit is changed by its origin, and frozen by the curator');
  demand(
    to === 'redeemed' || (to === 'frozen' ? shown.status !== 'frozen' : shown.status === 'listing'),
    `what is ${shown.status} does not become ${to}`,
  );
  shown.status = to;
  if (to === 'redeemed') state.open.exhibits.delete(shown);
  return [exhibitLog(state, shown, CHANGES[to], action.now)];
}

function claimableLog(state: ModelState, galleryId: bigint, payee: string, change: bigint): PredictedLog {
  const key = `${galleryId}:${payee}`;
  let commission = state.commissions.get(key);
  const isNew = commission === undefined;
  if (commission === undefined) {
    commission = { galleryId, payee, claimable: 0n, createdAt: 0, updatedAt: 0 };
    state.commissions.set(key, commission);
  }
  commission.claimable += change;
  if (commission.claimable > 0n) state.open.commissions.add(commission);
  else state.open.commissions.delete(commission);
  return {
    address: state.contracts.commissionPool,
    event: 'ClaimableUpdated',
    args: [String(galleryId), payee, String(commission.claimable)],
    activities: [],
    stamp: isNew ? creates(commission) : updates(commission),
  };
}

function commissionLogs(state: ModelState, { terms: { galleryId, price } }: ExhibitState): PredictedLog[] {
  const { commissionPool, payees, commissionRates } = galleryOf(state, galleryId).terms;
  if (commissionPool === ZERO) return [];
  return payees.map((payee, i) =>
    claimableLog(state, galleryId, payee, (price * (commissionRates[i] ?? 0n)) / WHOLE),
  );
}

export function buyExhibit(state: ModelState, action: ActionOf<'buyExhibit'>): PredictedLog[] {
  const sold = exhibitOf(state, action.exhibitId);
  demand(sold.status === 'listing', 'it is not for sale');
  const { collection, tokenId, price } = sold.terms;
  const token = tokenOf(state, collection, tokenId);
  demand(token.owner === sold.origin, 'the origin no longer owns it');
  demand(
    hasApproved(state, collection, sold.origin, state.contracts.curation),
    'the origin has not approved the curation',
  );
  sold.status = 'sold';
  sold.owner = action.by;
  state.open.exhibits.delete(sold);
  const sale: ActivityDraft = {
    kind: 'SALE' satisfies ExpectedActivityKind,
    orderId: String(sold.id),
    side: 'listing',
    collection,
    tokenId: String(tokenId),
    quantity: '1',
    from: sold.origin,
    to: action.by,
    price: String(price),
  };
  return [
    exhibitLog(state, sold, 'ExhibitSold', action.now, [sale]),
    moveToken(token, action.by),
    ...commissionLogs(state, sold),
  ];
}

export function claimCommission(state: ModelState, action: ActionOf<'claimCommission'>): PredictedLog[] {
  const commission = state.commissions.get(`${action.galleryId}:${action.by}`);
  demand(commission !== undefined && commission.claimable > 0n, 'nothing to claim');
  return [claimableLog(state, action.galleryId, action.by, -commission.claimable)];
}

function offerLog(
  state: ModelState,
  offer: CurationOfferState,
  eventType: string,
  now: bigint,
): PredictedLog {
  const { id, from, terms } = offer;
  return {
    address: state.contracts.curation,
    event: 'OfferChanged',
    args: [
      String(id),
      eventType,
      terms.collection,
      String(terms.tokenId),
      from,
      terms.to,
      String(terms.price),
      String(terms.galleryId),
      String(terms.startAt),
      String(terms.expiredAt),
      String(terms.exhibitExpiredAt),
      terms.url,
      terms.detail,
      String(now),
    ],
    activities: [],
    stamp: eventType === 'OfferCreated' ? creates(offer) : updates(offer),
  };
}

export function offerCuration(state: ModelState, action: ActionOf<'offerCuration'>): PredictedLog[] {
  const { by: from, terms } = action;
  demand(galleryOf(state, terms.galleryId).owner === from, 'only its owner makes offers of a gallery');
  const offer: CurationOfferState = {
    id: BigInt(state.curationOffers.length + 1),
    from,
    terms,
    status: 'pending',
    createdAt: 0,
    updatedAt: 0,
  };
  state.curationOffers.push(offer);
  state.open.curationOffers.add(offer);
  return [offerLog(state, offer, 'OfferCreated', action.now)];
}

const ANSWERS = { accepted: 'OfferAccepted', rejected: 'OfferRejected', canceled: 'OfferCanceled' } as const;

export function answerCuration(state: ModelState, action: ActionOf<'answerCuration'>): PredictedLog[] {
  const offer = state.curationOffers[Number(action.offerId) - 1];
  demand(offer !== undefined && offer.status === 'pending', `curation offer ${action.offerId} is not live`);
  const { terms } = offer;
  const { answer } = action;
  demand(action.by === (answer === 'canceled' ? offer.from : terms.to), 'it is not theirs to answer');
  const { galleryId, collection, tokenId, price, exhibitExpiredAt, url, detail } = terms;
  const listed =
    answer === 'accepted'
      ? [
          openExhibit(
            state,
            terms.to,
            {
              galleryId,
              collection,
              tokenId,
              price,
              expiration: exhibitExpiredAt,
              location: '',
              url,
              detail,
            },
            action.now,
          ),
        ]
      : [];
  offer.status = answer;
  state.open.curationOffers.delete(offer);
  return [offerLog(state, offer, ANSWERS[answer], action.now), ...listed];
}
