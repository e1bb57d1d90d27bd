import type { Action } from './actions';
import { anyToken, approved, DAY, isTakeable, otherThan, terms, type Choice } from './choice';
import { tokenOf } from './model/erc721';
import { ZERO, type ExhibitState, type GalleryState } from './model/state';

const GALLERIES_MAX = 30;
const UINT64_MAX = (1n << 64n) - 1n;
const SPACES = ['hall', 'garden', 'room \u{1f5bc}'];

/** Who shares in the sales of a gallery, in ten thousandths. */
function shares({ random, accounts }: Choice): { payees: string[]; commissionRates: bigint[] } {
  const payees = accounts.slice(0, random.below(4));
  return { payees, commissionRates: payees.map(() => BigInt(random.below(500))) };
}

function openGallery(choice: Choice): Action[] {
  const { state, random, now } = choice;
  const number = state.galleries.length;
  if (number >= GALLERIES_MAX) return changeGallery(choice);
  const token = random.chance(0.5) ? anyToken(choice) : null;
  const gallery = {
    collection: token?.collection ?? ZERO,
    tokenId: token?.tokenId ?? 0n,
    spaceType: random.pick(SPACES),
    name: `Gallery ${number}`,
    metadataUri: `ipfs://devnet/gallery/${number}`,
    isToken: token !== null,
    ...shares(choice),
    commissionPool: random.chance(0.85) ? state.contracts.commissionPool : ZERO,
    admissions: random.chance(0.3) ? [state.contracts.erc721] : [],
  };
  return [{ kind: 'openGallery', by: random.pick(choice.accounts), terms: gallery, now }];
}

function changeGallery(choice: Choice): Action[] {
  const { state, random, now } = choice;
  if (state.galleries.length === 0) return openGallery(choice);
  const { id: galleryId, owner: by, terms: old } = random.pick(state.galleries);
  return [
    { kind: 'changeGallery', by, galleryId, name: `${old.name.slice(0, 20)} again`, ...shares(choice), now },
  ];
}

function anyGallery({ state, random }: Choice): GalleryState | null {
  return state.galleries.length === 0 ? null : random.pick(state.galleries);
}

/** Some of the exhibits that never end say it by the largest number. */
const expiration = ({ random }: Choice, expiresAt: bigint): bigint =>
  expiresAt === 0n && random.chance(0.3) ? UINT64_MAX : expiresAt;

function exhibit(choice: Choice): Action[] {
  const { random, now } = choice;
  const gallery = anyGallery(choice);
  const token = anyToken(choice);
  if (gallery === null || token === null) return openGallery(choice);
  const { collection, tokenId, owner: by } = token;
  const { price, expiresAt } = terms(choice);
  const shown = {
    galleryId: gallery.id,
    collection,
    tokenId,
    price,
    expiration: expiration(choice, expiresAt),
    location: random.chance(0.3) ? '' : `wall ${random.below(9)}`,
    url: `ipfs://devnet/exhibit/${random.below(100)}`,
    detail: random.chance(0.2) ? 'a "detail"\n' : '',
  };
  const action: Action = { kind: 'exhibit', by, terms: shown, now };
  return approved(choice, action, collection, by, choice.state.contracts.curation);
}

function anyExhibit({ state, random }: Choice): ExhibitState | null {
  const { items } = state.open.exhibits;
  return items.length === 0 ? null : random.pick(items);
}

function changeExhibit(choice: Choice): Action[] {
  const { state, random, now } = choice;
  const shown = anyExhibit(choice);
  if (shown === null) return exhibit(choice);
  const { id: exhibitId, origin, status, terms: its } = shown;
  if (status === 'listing' && random.chance(0.5)) {
    return [{ kind: 'changeExhibit', by: origin, exhibitId, to: 'reserved', now }];
  }
  if (status !== 'frozen' && random.chance(0.5)) {
    const { owner } = state.galleries[Number(its.galleryId) - 1] as GalleryState;
    return [{ kind: 'changeExhibit', by: owner, exhibitId, to: 'frozen', now }];
  }
  return [{ kind: 'changeExhibit', by: origin, exhibitId, to: 'redeemed', now }];
}

function buyExhibit(choice: Choice): Action[] {
  const { state, now } = choice;
  const shown = anyExhibit(choice);
  if (shown === null) return exhibit(choice);
  const { collection, tokenId, price, expiration: expiresAt } = shown.terms;
  const { owner } = tokenOf(state, collection, tokenId);
  if (shown.status !== 'listing') return exhibit(choice);
  // What its origin has sold elsewhere meanwhile is taken out of the gallery.
  if (owner !== shown.origin || !isTakeable({ price, expiresAt }, now)) {
    return changeExhibit(choice);
  }
  const action: Action = {
    kind: 'buyExhibit',
    by: otherThan(choice, shown.origin),
    exhibitId: shown.id,
    now,
  };
  // An exhibit that came of an offer need not be approved yet.
  return approved(choice, action, collection, shown.origin, state.contracts.curation);
}

function offerCuration(choice: Choice): Action[] {
  const { random, now } = choice;
  const gallery = anyGallery(choice);
  const token = anyToken(choice);
  if (gallery === null || token === null) return openGallery(choice);
  const { price, expiresAt } = terms(choice);
  const offer = {
    galleryId: gallery.id,
    collection: token.collection,
    tokenId: token.tokenId,
    to: token.owner,
    price,
    startAt: random.chance(0.5) ? 0n : now - DAY,
    expiredAt: expiresAt,
    exhibitExpiredAt: expiration(choice, random.chance(0.5) ? 0n : now + DAY * 200n),
    url: 'ipfs://devnet/offer',
    detail: `please ${random.below(100)}`,
  };
  return [{ kind: 'offerCuration', by: gallery.owner, terms: offer, now }];
}

function answerCuration(choice: Choice): Action[] {
  const { state, random, now } = choice;
  const { items } = state.open.curationOffers;
  if (items.length === 0) return offerCuration(choice);
  const { id: offerId, from, terms: its } = random.pick(items);
  const { price, expiredAt } = its;
  const isPossible =
    tokenOf(state, its.collection, its.tokenId).owner === its.to &&
    isTakeable({ price, expiresAt: expiredAt }, now);
  if (isPossible && random.chance(0.6)) {
    return [{ kind: 'answerCuration', by: its.to, offerId, answer: 'accepted', now }];
  }
  return random.chance(0.5)
    ? [{ kind: 'answerCuration', by: its.to, offerId, answer: 'rejected', now }]
    : [{ kind: 'answerCuration', by: from, offerId, answer: 'canceled', now }];
}

function claimCommission(choice: Choice): Action[] {
  const { items } = choice.state.open.commissions;
  if (items.length === 0) return buyExhibit(choice);
  const { galleryId, payee } = choice.random.pick(items);
  return [{ kind: 'claimCommission', by: payee, galleryId }];
}

/** How often each thing happens in a gallery, out of the sum. */
const WEIGHTS: readonly (readonly [number, (choice: Choice) => Action[]])[] = [
  [1, openGallery],
  [1, changeGallery],
  [5, exhibit],
  [2, changeExhibit],
  [4, buyExhibit],
  [2, offerCuration],
  [2, answerCuration],
  [1, claimCommission],
];
const WEIGHT_SUM = WEIGHTS.reduce((sum, [weight]) => sum + weight, 0);

/** What happens in the galleries. Without a token that could be shown, only galleries do. */
export function chooseCuration(choice: Choice): Action[] {
  let x = choice.random.below(WEIGHT_SUM);
  for (const [weight, choose] of WEIGHTS) {
    if (x < weight) return choose(choice);
    x -= weight;
  }
  throw new RangeError('the weights do not add up');
}
