import type { CurationOfferStatus, ExhibitStatus } from './events';

/** The words by which IMart's curation contracts, on every chain, tell what happened to an offer. */
const OFFERS: Readonly<Record<string, CurationOfferStatus>> = {
  OfferCreated: 'pending',
  OfferAccepted: 'accepted',
  OfferRejected: 'rejected',
  OfferCanceled: 'canceled',
};

/** The same for exhibits. */
const EXHIBITS: Readonly<Record<string, ExhibitStatus>> = {
  ExhibitListed: 'listing',
  ExhibitCanceled: 'reserved',
  ExhibitSold: 'sold',
  ExhibitFrozen: 'frozen',
  ExhibitRedeemed: 'redeemed',
};

const lookUp = <Status>(words: Readonly<Record<string, Status>>, word: string): Status | undefined =>
  Object.hasOwn(words, word) ? words[word] : undefined;

/** What an offer is after this word of IMart's contracts; `undefined`: the word is not known. */
export function curationOfferStatusOf(word: string): CurationOfferStatus | undefined {
  return lookUp(OFFERS, word);
}

/** What an exhibit is after this word of IMart's contracts; `undefined`: the word is not known. */
export function exhibitStatusOf(word: string): ExhibitStatus | undefined {
  return lookUp(EXHIBITS, word);
}
