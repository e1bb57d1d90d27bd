import type { Expected } from '../expected';
import { ZERO, type ModelState, type Stamped } from './state';

const times = ({ createdAt, updatedAt }: Stamped) => ({ createdAt, updatedAt });

/** The year 10000: what is as late as that is never. */
const NEVER = 253_402_300_800n;
const expiry = (seconds: bigint): string | null =>
  seconds === 0n || seconds >= NEVER ? null : String(seconds);

function statusOf({ isWithdrawn, merkleRoot }: { isWithdrawn: boolean; merkleRoot: string | null }) {
  if (isWithdrawn) return 'withdrawn';
  return merkleRoot === null ? 'open' : 'drawn';
}

type Tables = Pick<
  Expected,
  'galleries' | 'curationOffers' | 'exhibits' | 'commissions' | 'lotteries' | 'prizes'
>;

/** The rows of curation and lotteries, in the order in which they were made. */
export function curationTables(state: ModelState): Tables {
  const { curation, commissionPool, lottery: lotteryContract } = state.contracts;
  return {
    galleries: state.galleries.map((gallery) => {
      const { collection, tokenId, payees, commissionRates } = gallery.terms;
      const hasToken = collection !== ZERO;
      return {
        contract: curation,
        galleryId: String(gallery.id),
        collection: hasToken ? collection : null,
        tokenId: hasToken ? String(tokenId) : null,
        owner: gallery.owner,
        spaceType: gallery.terms.spaceType,
        name: gallery.terms.name,
        metadataUri: gallery.terms.metadataUri,
        commissions: payees.map((payee, i) => ({ payee, rate: String(commissionRates[i]) })),
        commissionPool: gallery.terms.commissionPool,
        admissions: gallery.terms.admissions,
        ...times(gallery),
      };
    }),
    curationOffers: state.curationOffers.map((offer) => {
      const { terms } = offer;
      return {
        contract: curation,
        offerId: String(offer.id),
        status: offer.status,
        galleryId: String(terms.galleryId),
        collection: terms.collection,
        tokenId: String(terms.tokenId),
        from: offer.from,
        to: terms.to,
        price: String(terms.price),
        startsAt: terms.startAt === 0n ? null : String(terms.startAt),
        expiresAt: expiry(terms.expiredAt),
        exhibitExpiresAt: expiry(terms.exhibitExpiredAt),
        url: terms.url,
        detail: terms.detail,
        ...times(offer),
      };
    }),
    exhibits: state.exhibits.map((shown) => {
      const { terms } = shown;
      return {
        contract: curation,
        exhibitId: String(shown.id),
        status: shown.status,
        galleryId: String(terms.galleryId),
        collection: terms.collection,
        tokenId: String(terms.tokenId),
        origin: shown.origin,
        owner: shown.owner,
        price: String(terms.price),
        expiresAt: expiry(terms.expiration),
        location: terms.location,
        url: terms.url,
        detail: terms.detail,
        ...times(shown),
      };
    }),
    commissions: [...state.commissions.values()].map((commission) => ({
      contract: commissionPool,
      galleryId: String(commission.galleryId),
      payee: commission.payee,
      claimable: String(commission.claimable),
      ...times(commission),
    })),
    lotteries: state.lotteries.map((lottery) => ({
      contract: lotteryContract,
      lotteryId: String(lottery.id),
      status: statusOf(lottery),
      organizer: lottery.organizer,
      collection: lottery.collection,
      endBlock: String(lottery.endBlock),
      merkleRoot: lottery.merkleRoot,
      ...times(lottery),
    })),
    prizes: [...state.prizes.values()].map(({ lottery, tokenId, claimer, ...stamped }) => ({
      contract: lotteryContract,
      lotteryId: String(lottery.id),
      tokenId: String(tokenId),
      organizer: lottery.organizer,
      collection: lottery.collection,
      quantity: '1',
      claimedQuantity: claimer === null ? '0' : '1',
      claimer,
      ...times(stamped),
    })),
  };
}
