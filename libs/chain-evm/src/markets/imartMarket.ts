import { AGGREGATE, PLAIN_CANCELLED } from '@imart/market';
import { compileEventDecoder } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { expiryUs } from './expiry';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'imart';

interface Opening {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly price: bigint;
  readonly expiresAt: bigint;
}

const listed = compileEventDecoder<Opening & { orderId: bigint; seller: string }>(
  'Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
);
const sold = compileEventDecoder<{ orderId: bigint; buyer: string; price: bigint }>(
  'Sold(uint256 indexed orderId, address indexed buyer, uint256 price)',
);
const delisted = compileEventDecoder<{ orderId: bigint }>('Delisted(uint256 indexed orderId)');
const offerCreated = compileEventDecoder<Opening & { offerId: bigint; bidder: string }>(
  'OfferCreated(uint256 indexed offerId, address indexed collection, uint256 indexed tokenId, address bidder, uint256 price, uint64 expiresAt)',
);
const offerAccepted = compileEventDecoder<{ offerId: bigint; seller: string }>(
  'OfferAccepted(uint256 indexed offerId, address indexed seller)',
);
const offerCanceled = compileEventDecoder<{ offerId: bigint }>('OfferCanceled(uint256 indexed offerId)');

function opened(side: 'listing' | 'offer', maker: string, event: Opening) {
  return {
    market: MARKET,
    side,
    kind: 'fixed' as const,
    maker,
    taker: null,
    items: [
      { collection: event.collection, tokenId: event.tokenId, quantity: 1n, standard: 'erc721' as const },
    ],
    price: event.price,
    currency: ZERO_ADDRESS,
    startsAtUs: null,
    expiresAtUs: expiryUs(event.expiresAt),
    nonce: null,
    orderHash: null,
    escrow: false,
  };
}

// The events of these say nothing of their own but the id, so one object serves them all.
const DELISTED = { ...PLAIN_CANCELLED, market: MARKET, side: 'listing' } as const;
const OFFER_CANCELED = { ...PLAIN_CANCELLED, market: MARKET, side: 'offer' } as const;

/** One log, one event: this is where most of a busy chain's logs go, so it is written out. */
function translateLog(log: EvmLog, emit: EmitMarketEvent): void {
  switch (log.topics[0]) {
    case listed.topic0: {
      const event = listed.decode(log.topics, log.data);
      const id = `${log.address}:${event.orderId}`;
      emit(log, AGGREGATE.order, id, 'OrderListed', opened('listing', event.seller, event));
      return;
    }
    case sold.topic0: {
      const { orderId, buyer, price } = sold.decode(log.topics, log.data);
      emit(log, AGGREGATE.order, `${log.address}:${orderId}`, 'OrderFilled', {
        market: MARKET,
        side: 'listing',
        seller: null,
        buyer,
        items: null,
        price,
        currency: ZERO_ADDRESS,
        fees: null,
        isSale: true,
        closes: true,
        nonce: null,
        orderHash: null,
      });
      return;
    }
    case delisted.topic0: {
      const { orderId } = delisted.decode(log.topics, log.data);
      emit(log, AGGREGATE.order, `${log.address}:${orderId}`, 'OrderCancelled', DELISTED);
      return;
    }
    case offerCreated.topic0: {
      const event = offerCreated.decode(log.topics, log.data);
      const id = `${log.address}:${event.offerId}`;
      emit(log, AGGREGATE.offer, id, 'OfferCreated', opened('offer', event.bidder, event));
      return;
    }
    case offerAccepted.topic0: {
      const { offerId, seller } = offerAccepted.decode(log.topics, log.data);
      emit(log, AGGREGATE.offer, `${log.address}:${offerId}`, 'OfferAccepted', {
        market: MARKET,
        side: 'offer',
        seller,
        buyer: null,
        items: null,
        price: null,
        currency: null,
        fees: null,
        isSale: true,
        closes: true,
        nonce: null,
        orderHash: null,
      });
      return;
    }
    case offerCanceled.topic0: {
      const { offerId } = offerCanceled.decode(log.topics, log.data);
      emit(log, AGGREGATE.offer, `${log.address}:${offerId}`, 'OfferCancelled', OFFER_CANCELED);
      return;
    }
  }
}

/**
 * IMartMarket: listings and offers of single ERC-721 tokens for native coin, each with an id of its own. A second
 * `Listed` of a live order is a price change. Its address is always configuration.
 */
export const imartMarket: Marketplace = {
  name: MARKET,
  contracts: () => [],
  topics: [listed, sold, delisted, offerCreated, offerAccepted, offerCanceled].map((event) => event.topic0),
  needsReceipt: () => false,
  translate(transaction, emit) {
    for (const log of transaction.logs) translateLog(log, emit);
  },
};
