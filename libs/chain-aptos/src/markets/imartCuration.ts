import { AGGREGATE, curationOfferStatusOf, exhibitStatusOf } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { AptosDecodeError } from '../errors';
import type { AptosRecord } from '../transaction';
import type { AptosMarketplace } from './marketplace';
import { addressAt, listAt, quantityAt, textAt, toAddress, toQuantity } from './paths';
import { expiryUs, startUs } from './times';
import { namesOfTokenId, v1Token } from './tokenIds';
import { translateByType, type TranslateEvent } from './translateByType';

const MARKET = 'imart-curation';

/** @throws {AptosDecodeError} the kind of change is none that is known: the row would keep the state of before. */
function statusIn<Status>(data: AptosRecord, statusOf: (word: string) => Status | undefined): Status {
  const kind = textAt(data, 'event_type');
  const status = statusOf(kind);
  if (status === undefined) throw new AptosDecodeError(`"${kind.slice(0, 80)}" is not known`, 'event_type');
  return status;
}

const tokenIn = (data: AptosRecord) => v1Token(namesOfTokenId(data, 'token_id'));

const translateGallery =
  (contract: string): TranslateEvent =>
  ({ data }, emit) => {
    const payees = listAt(data, 'payees');
    const rates = listAt(data, 'commission_rates');
    if (payees.length !== rates.length) {
      throw new AptosDecodeError(
        `it has ${payees.length} payees and ${rates.length} rates`,
        'commission_rates',
      );
    }
    emit(AGGREGATE.gallery, `${contract}:${quantityAt(data, 'id')}`, 'GalleryChanged', {
      market: MARKET,
      ...tokenIn(data),
      owner: addressAt(data, 'owner'),
      spaceType: textAt(data, 'space_type'),
      name: textAt(data, 'name'),
      metadataUri: textAt(data, 'metadata_uri'),
      commissions: payees.map((payee, i) => ({
        payee: toAddress(payee, `payees.${i}`),
        rate: toQuantity(rates[i], `commission_rates.${i}`),
      })),
      commissionPool: null,
      admissions: null,
    });
  };

const translateOffer =
  (contract: string): TranslateEvent =>
  ({ data }, emit) => {
    emit(AGGREGATE.curationOffer, `${contract}:${quantityAt(data, 'id')}`, 'CurationOfferChanged', {
      market: MARKET,
      status: statusIn(data, curationOfferStatusOf),
      ...tokenIn(data),
      galleryId: quantityAt(data, 'gallery_id'),
      from: addressAt(data, 'source'),
      to: addressAt(data, 'destination'),
      price: quantityAt(data, 'price'),
      currency: ZERO_ADDRESS,
      startsAtUs: startUs(quantityAt(data, 'offer_start_at'), 'by-size'),
      expiresAtUs: expiryUs(quantityAt(data, 'offer_expired_at'), 'by-size'),
      exhibitExpiresAtUs: expiryUs(quantityAt(data, 'exhibit_expired_at'), 'by-size'),
      url: textAt(data, 'url'),
      detail: textAt(data, 'detail'),
    });
  };

const translateExhibit =
  (contract: string): TranslateEvent =>
  ({ data }, emit) => {
    emit(AGGREGATE.exhibit, `${contract}:${quantityAt(data, 'id')}`, 'ExhibitChanged', {
      market: MARKET,
      status: statusIn(data, exhibitStatusOf),
      ...tokenIn(data),
      galleryId: quantityAt(data, 'gallery_id'),
      origin: addressAt(data, 'origin'),
      curator: addressAt(data, 'curator'),
      owner: addressAt(data, 'owner'),
      price: quantityAt(data, 'price'),
      currency: ZERO_ADDRESS,
      expiresAtUs: expiryUs(quantityAt(data, 'expiration'), 'by-size'),
      location: textAt(data, 'location'),
      url: textAt(data, 'url'),
      detail: textAt(data, 'detail'),
    });
  };

/** IMart's curation: galleries, offers to exhibit in them, exhibits. Its times are seconds, unlike the market's. */
export const imartCuration: AptosMarketplace = {
  name: MARKET,
  packageOn: () => null,
  at(packageAddress) {
    const contract = canonicalAddress(packageAddress);
    return translateByType(
      MARKET,
      contract,
      {
        'curation::GalleryEvent': translateGallery(contract),
        'curation::OfferEvent': translateOffer(contract),
        'curation::ExhibitEvent': translateExhibit(contract),
      },
      {
        'curation::CurationEvents/gallery_events': 'curation::GalleryEvent',
        'curation::CurationEvents/offer_events': 'curation::OfferEvent',
        'curation::CurationEvents/exhibit_events': 'curation::ExhibitEvent',
      },
    );
  },
};
