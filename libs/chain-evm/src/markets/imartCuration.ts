import { AGGREGATE, curationOfferStatusOf, exhibitStatusOf } from '@imart/market';
import { compileEventDecoder, EventDecodeError } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from '../marketplace';
import { expiryUs, startUs } from './expiry';
import { receiptOf, transfersOf } from './tokenTransfers';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'imart-curation';

interface Gallery {
  readonly id: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly owner: string;
  readonly spaceType: string;
  readonly name: string;
  readonly metadataUri: string;
  readonly payees: readonly string[];
  readonly commissionRates: readonly bigint[];
  readonly commissionPool: string;
  readonly admissions: readonly string[];
}

/** Times are seconds since 1970; prices native coin. */
interface Offer {
  readonly id: bigint;
  readonly eventType: string;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly from: string;
  readonly to: string;
  readonly price: bigint;
  readonly galleryId: bigint;
  readonly offerStartAt: bigint;
  readonly offerExpiredAt: bigint;
  readonly exhibitExpiredAt: bigint;
  readonly url: string;
  readonly detail: string;
}

interface Exhibit {
  readonly id: bigint;
  readonly eventType: string;
  readonly galleryId: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly origin: string;
  readonly expiration: bigint;
  readonly price: bigint;
  readonly location: string;
  readonly url: string;
  readonly detail: string;
}

const galleryChanged = compileEventDecoder<Gallery>(
  'GalleryChanged(uint256 indexed id, string eventType, address collection, uint256 tokenId, address owner, string spaceType, string name, string metadataUri, bool isToken, uint64 timestamp, address[] payees, uint256[] commissionRates, address commissionPool, address[] admissions)',
);
const offerChanged = compileEventDecoder<Offer>(
  'OfferChanged(uint256 indexed id, string eventType, address collection, uint256 tokenId, address from, address to, uint256 price, uint256 galleryId, uint64 offerStartAt, uint64 offerExpiredAt, uint64 exhibitExpiredAt, string url, string detail, uint64 timestamp)',
);
const exhibitChanged = compileEventDecoder<Exhibit>(
  'ExhibitChanged(uint256 indexed id, string eventType, uint256 galleryId, address collection, uint256 tokenId, address origin, uint64 expiration, uint256 price, string location, string url, string detail, uint64 timestamp)',
);

function undecodable(log: EvmLog, event: string, path: string, reason: string): EventDecodeError {
  return new EventDecodeError({ event, topic0: log.topics[0] ?? '', reason, path });
}

/** @throws {EventDecodeError} the kind of change is none that is known: the row would keep the state of before. */
function statusIn<Status>(
  log: EvmLog,
  event: string,
  word: string,
  statusOf: (word: string) => Status | undefined,
): Status {
  const status = statusOf(word);
  if (status === undefined) {
    throw undecodable(log, event, 'eventType', `"${word.slice(0, 80)}" is not known`);
  }
  return status;
}

/** The contract says nothing of what kind of token it is. */
const tokenIn = ({ collection, tokenId }: { collection: string; tokenId: bigint }) =>
  collection === ZERO_ADDRESS
    ? { collection: null, tokenId: null, standard: null }
    : { collection, tokenId, standard: null };

function emitGallery(log: EvmLog, emit: EmitMarketEvent): void {
  const gallery = galleryChanged.decode(log.topics, log.data);
  const { payees, commissionRates } = gallery;
  if (payees.length !== commissionRates.length) {
    const reason = `it has ${payees.length} payees and ${commissionRates.length} rates`;
    throw undecodable(log, 'GalleryChanged', 'commissionRates', reason);
  }
  emit(log, AGGREGATE.gallery, `${log.address}:${gallery.id}`, 'GalleryChanged', {
    market: MARKET,
    ...tokenIn(gallery),
    owner: gallery.owner,
    spaceType: gallery.spaceType,
    name: gallery.name,
    metadataUri: gallery.metadataUri,
    commissions: payees.map((payee, i) => ({ payee, rate: commissionRates[i] ?? 0n })),
    commissionPool: gallery.commissionPool,
    admissions: gallery.admissions,
  });
}

function emitOffer(log: EvmLog, emit: EmitMarketEvent): void {
  const offer = offerChanged.decode(log.topics, log.data);
  emit(log, AGGREGATE.curationOffer, `${log.address}:${offer.id}`, 'CurationOfferChanged', {
    market: MARKET,
    status: statusIn(log, 'OfferChanged', offer.eventType, curationOfferStatusOf),
    ...tokenIn(offer),
    galleryId: offer.galleryId,
    from: offer.from,
    to: offer.to,
    price: offer.price,
    currency: ZERO_ADDRESS,
    startsAtUs: startUs(offer.offerStartAt),
    expiresAtUs: expiryUs(offer.offerExpiredAt),
    exhibitExpiresAtUs: expiryUs(offer.exhibitExpiredAt),
    url: offer.url,
    detail: offer.detail,
  });
}

/**
 * Who has what was sold: its last receiver in the transaction, because the event does not say it. Nobody known where the
 * token did not move.
 */
function buyerOf(exhibit: Exhibit, transaction: MarketTransaction): string | null {
  const moved = transfersOf(receiptOf(transaction, MARKET), exhibit.collection, exhibit.tokenId);
  return moved.at(-1)?.to ?? null;
}

function emitExhibit(log: EvmLog, transaction: MarketTransaction, emit: EmitMarketEvent): void {
  const exhibit = exhibitChanged.decode(log.topics, log.data);
  const status = statusIn(log, 'ExhibitChanged', exhibit.eventType, exhibitStatusOf);
  emit(log, AGGREGATE.exhibit, `${log.address}:${exhibit.id}`, 'ExhibitChanged', {
    market: MARKET,
    status,
    ...tokenIn(exhibit),
    galleryId: exhibit.galleryId,
    origin: exhibit.origin,
    curator: null,
    owner: status === 'sold' ? buyerOf(exhibit, transaction) : null,
    price: exhibit.price,
    currency: ZERO_ADDRESS,
    expiresAtUs: expiryUs(exhibit.expiration),
    location: exhibit.location,
    url: exhibit.url,
    detail: exhibit.detail,
  });
}

function sellsExhibit(log: EvmLog): boolean {
  if (log.topics[0] !== exhibitChanged.topic0) return false;
  try {
    return exhibitStatusOf(exhibitChanged.decode(log.topics, log.data).eventType) === 'sold';
  } catch (error) {
    // `translate` meets the same log and says so.
    if (error instanceof EventDecodeError) return false;
    throw error;
  }
}

/**
 * IMart's curation: galleries, offers to exhibit a token in one, exhibits. The same states as on Aptos; the buyer of an
 * exhibit is in the token's transfer. Its address is always configuration.
 */
export const imartCuration: Marketplace = {
  name: MARKET,
  contracts: () => [],
  topics: [galleryChanged, offerChanged, exhibitChanged].map((event) => event.topic0),
  independentLogs: true,
  needsReceipt: sellsExhibit,
  translate(transaction, emit) {
    for (const log of transaction.logs) {
      switch (log.topics[0]) {
        case galleryChanged.topic0:
          emitGallery(log, emit);
          break;
        case offerChanged.topic0:
          emitOffer(log, emit);
          break;
        case exhibitChanged.topic0:
          emitExhibit(log, transaction, emit);
          break;
      }
    }
  },
};
