import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type TradeItem } from '@imart/market';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';
import { expiryUs } from './expiry';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'foundation';
const EXCHANGE = '0xcda72070e455bb31c7690a170224ce43623d0b6f';

interface Token {
  readonly nftContract: string;
  readonly tokenId: bigint;
}

/** What the buyer paid, by who got it. The older contracts call the parts otherwise, in the same places. */
interface Paid {
  readonly totalFees: bigint;
  readonly creatorRev: bigint;
  readonly sellerRev: bigint;
}

interface Auction {
  readonly auctionId: bigint;
}

/** A token has at most one buy price and one offer, named by the token; auctions have ids. */
function tokenId(log: EvmLog, token: Token): string {
  return `${log.address}:${token.nftContract}:${token.tokenId}`;
}

function auctionId(log: EvmLog, auction: Auction): string {
  return `${log.address}:auction:${auction.auctionId}`;
}

function itemsOf(token: Token): TradeItem[] {
  return [{ collection: token.nftContract, tokenId: token.tokenId, quantity: 1n, standard: 'erc721' }];
}

function paid(event: Paid) {
  return {
    price: uint256OrNull(event.totalFees + event.creatorRev + event.sellerRev),
    currency: ZERO_ADDRESS,
    fees: uint256OrNull(event.totalFees + event.creatorRev),
  };
}

type End = 'cancelled' | 'invalidated';

/** What other activity of the market invalidates is no act of the maker's: it ends what is known to be open, and no more. */
function ended(side: 'listing' | 'offer', end: End) {
  return { ...PLAIN_CANCELLED, market: MARKET, side, onlyIfOpen: end === 'invalidated' };
}

function onBuyPriceEnd(end: End) {
  return (event: Token, log: EvmLog, emit: EmitMarketEvent) =>
    emit(log, AGGREGATE.order, tokenId(log, event), 'OrderCancelled', {
      ...ended('listing', end),
      items: itemsOf(event),
    });
}

function onOfferEnd(end: End) {
  return (event: Token, log: EvmLog, emit: EmitMarketEvent) =>
    emit(log, AGGREGATE.offer, tokenId(log, event), 'OfferCancelled', {
      ...ended('offer', end),
      items: itemsOf(event),
    });
}

function onAuctionEnd(end: End) {
  return (event: Auction, log: EvmLog, emit: EmitMarketEvent) =>
    emit(log, AGGREGATE.order, auctionId(log, event), 'OrderCancelled', ended('listing', end));
}

const PAID = 'uint256 totalFees, uint256 creatorRev, uint256 sellerRev';
const TOKEN = 'address indexed nftContract, uint256 indexed tokenId';

const buyPrices = [
  on<Token & { seller: string; price: bigint }>(
    `BuyPriceSet(${TOKEN}, address indexed seller, uint256 price)`,
    (event, log, emit) =>
      emit(log, AGGREGATE.order, tokenId(log, event), 'OrderListed', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'listing',
        maker: event.seller,
        items: itemsOf(event),
        price: event.price,
        currency: ZERO_ADDRESS,
        escrow: true,
      }),
  ),
  on<Token & Paid & { seller: string; buyer: string }>(
    `BuyPriceAccepted(${TOKEN}, address indexed seller, address buyer, ${PAID})`,
    (event, log, emit) =>
      emit(log, AGGREGATE.order, tokenId(log, event), 'OrderFilled', {
        ...PLAIN_SALE,
        ...paid(event),
        market: MARKET,
        side: 'listing',
        seller: event.seller,
        buyer: event.buyer,
        items: itemsOf(event),
      }),
  ),
  on<Token>(`BuyPriceCanceled(${TOKEN})`, onBuyPriceEnd('cancelled')),
  on<Token>(`BuyPriceInvalidated(${TOKEN})`, onBuyPriceEnd('invalidated')),
];

const offers = [
  on<Token & { buyer: string; amount: bigint; expiration: bigint }>(
    `OfferMade(${TOKEN}, address indexed buyer, uint256 amount, uint256 expiration)`,
    (event, log, emit) =>
      emit(log, AGGREGATE.offer, tokenId(log, event), 'OfferCreated', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'offer',
        maker: event.buyer,
        items: itemsOf(event),
        price: event.amount,
        currency: ZERO_ADDRESS,
        expiresAtUs: expiryUs(event.expiration),
      }),
  ),
  on<Token & Paid & { seller: string; buyer: string }>(
    `OfferAccepted(${TOKEN}, address indexed buyer, address seller, ${PAID})`,
    (event, log, emit) =>
      emit(log, AGGREGATE.offer, tokenId(log, event), 'OfferAccepted', {
        ...PLAIN_SALE,
        ...paid(event),
        market: MARKET,
        side: 'offer',
        seller: event.seller,
        buyer: event.buyer,
        items: itemsOf(event),
      }),
  ),
  on<Token>(`OfferCanceledByAdmin(${TOKEN}, string reason)`, onOfferEnd('cancelled')),
  on<Token>(`OfferInvalidated(${TOKEN})`, onOfferEnd('invalidated')),
];

const auctions = [
  on<Token & Auction & { seller: string; reservePrice: bigint }>(
    'ReserveAuctionCreated(address indexed seller, address indexed nftContract, uint256 indexed tokenId, uint256 duration, uint256 extensionDuration, uint256 reservePrice, uint256 auctionId)',
    (event, log, emit) =>
      emit(log, AGGREGATE.order, auctionId(log, event), 'OrderListed', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'listing',
        kind: 'auction',
        maker: event.seller,
        items: itemsOf(event),
        price: event.reservePrice,
        currency: ZERO_ADDRESS,
        escrow: true,
      }),
  ),
  on<Auction & { bidder: string; amount: bigint; endTime: bigint }>(
    'ReserveAuctionBidPlaced(uint256 indexed auctionId, address indexed bidder, uint256 amount, uint256 endTime)',
    (event, log, emit) => {
      emit(log, AGGREGATE.offer, auctionId(log, event), 'OfferCreated', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'offer',
        kind: 'auction',
        maker: event.bidder,
        // Of the auction; the log does not name the token.
        items: [],
        price: event.amount,
        currency: ZERO_ADDRESS,
      });
      // The first bid starts the auction's clock, a late one extends it.
      emit(log, AGGREGATE.order, auctionId(log, event), 'OrderPriceChanged', {
        market: MARKET,
        price: null,
        expiresAtUs: expiryUs(event.endTime),
      });
    },
  ),
  on<Auction & Paid & { seller: string; bidder: string }>(
    `ReserveAuctionFinalized(uint256 indexed auctionId, address indexed seller, address indexed bidder, ${PAID})`,
    (event, log, emit) => {
      const id = auctionId(log, event);
      const won = {
        ...PLAIN_SALE,
        ...paid(event),
        market: MARKET,
        seller: event.seller,
        buyer: event.bidder,
      };
      emit(log, AGGREGATE.order, id, 'OrderFilled', { ...won, side: 'listing' });
      emit(log, AGGREGATE.offer, id, 'OfferAccepted', { ...won, side: 'offer', isSale: false });
    },
  ),
  on<Auction & { reservePrice: bigint }>(
    'ReserveAuctionUpdated(uint256 indexed auctionId, uint256 reservePrice)',
    (event, log, emit) =>
      emit(log, AGGREGATE.order, auctionId(log, event), 'OrderPriceChanged', {
        market: MARKET,
        price: event.reservePrice,
        expiresAtUs: null,
      }),
  ),
  // Neither can happen once there is a bid.
  on<Auction>('ReserveAuctionCanceled(uint256 indexed auctionId)', onAuctionEnd('cancelled')),
  on<Auction>('ReserveAuctionInvalidated(uint256 indexed auctionId)', onAuctionEnd('invalidated')),
  // This can, and refunds the bidder.
  on<Auction>(
    'ReserveAuctionCanceledByAdmin(uint256 indexed auctionId, string reason)',
    (event, log, emit) => {
      onAuctionEnd('cancelled')(event, log, emit);
      emit(log, AGGREGATE.offer, auctionId(log, event), 'OfferCancelled', ended('offer', 'invalidated'));
    },
  ),
];

/** A sale agreed off chain: it has no order, and one name for each agreement. */
const privateSale = on<Token & Paid & { seller: string; buyer: string; deadline: bigint }>(
  `PrivateSaleFinalized(${TOKEN}, address indexed seller, address buyer, ${PAID}, uint256 deadline)`,
  (event, log, emit) =>
    emit(
      log,
      AGGREGATE.order,
      `${log.address}:private:${event.nftContract}:${event.tokenId}:${event.deadline}`,
      'OrderFilled',
      {
        ...PLAIN_SALE,
        ...paid(event),
        market: MARKET,
        side: 'listing',
        seller: event.seller,
        buyer: event.buyer,
        items: itemsOf(event),
      },
    ),
);

/**
 * Foundation's market of single ERC-721 tokens for native coin. It holds a listed token in escrow: the token's transfers to
 * and from the market are no sales. Each end of an order that a sale brings about has a log of its own.
 */
export const foundation: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: () => false,
  ...translateEach([...buyPrices, ...offers, ...auctions, privateSale]),
};
