/**
 * What the traffic knows it did, as plain JSON: quantities, ids and prices are decimal strings, addresses and hashes lower
 * case, times unix seconds of the chain.
 */
export interface Expected {
  readonly chainId: number;
  /** The last block that holds an action; blocks after it are empty. */
  readonly lastBlock: number;
  readonly actions: number;
  /** Every log of the traffic's transactions, in chain order. The deployment's logs are not among them. */
  readonly logs: readonly ExpectedLog[];
  readonly orders: readonly ExpectedOrder[];
  readonly offers: readonly ExpectedOffer[];
  readonly tokens: readonly ExpectedToken[];
  /** Everybody who ever held some, the ones who hold none any more included. */
  readonly balances: readonly ExpectedBalance[];
  /** Those that a factory created. */
  readonly collections: readonly ExpectedCollection[];
  readonly galleries: readonly ExpectedGallery[];
  readonly curationOffers: readonly ExpectedCurationOffer[];
  readonly exhibits: readonly ExpectedExhibit[];
  /** What can be claimed of the sales of a gallery. */
  readonly commissions: readonly ExpectedCommission[];
  readonly lotteries: readonly ExpectedLottery[];
  readonly prizes: readonly ExpectedPrize[];
  /** In chain order; `item` counts within a log. A batch gives one for each distinct id, with the sum of its quantities. */
  readonly activities: readonly ExpectedActivity[];
}

export interface ExpectedPlace {
  readonly block: number;
  readonly logIndex: number;
  readonly txHash: string;
  readonly time: number;
}

export type LogArgument = string | readonly LogArgument[];

export interface ExpectedLog extends ExpectedPlace {
  readonly address: string;
  readonly event: string;
  /** In the order of the event's declaration. */
  readonly args: readonly LogArgument[];
}

interface ExpectedTrade {
  readonly contract: string;
  readonly collection: string;
  readonly tokenId: string;
  /** In wei, of the whole quantity; the newest where it was changed. */
  readonly price: string;
  /** Unix seconds; `null`: never. */
  readonly expiresAt: string | null;
  readonly quantity: string;
  readonly filled: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A listing of IMartMarket or, with a quantity, of MixverseSpace. An expired listing stays `LISTING`. */
export interface ExpectedOrder extends ExpectedTrade {
  readonly orderId: string;
  readonly seller: string;
  /** The last one who bought of it. */
  readonly buyer: string | null;
  readonly status: 'LISTING' | 'SOLD' | 'CANCELED';
}

export interface ExpectedOffer extends ExpectedTrade {
  readonly offerId: string;
  readonly bidder: string;
  readonly seller: string | null;
  readonly status: 'CREATED' | 'ACCEPTED' | 'CANCELED';
}

export interface ExpectedToken {
  readonly collection: string;
  readonly tokenId: string;
  /** `null`: burned. */
  readonly owner: string | null;
  readonly mintedAt: number;
  /** Transfers, to oneself included; minting and burning do not count. */
  readonly transferCount: number;
}

export interface ExpectedBalance {
  readonly collection: string;
  readonly tokenId: string;
  readonly owner: string;
  readonly quantity: string;
}

export interface ExpectedCollection {
  readonly address: string;
  readonly factory: string;
  readonly standard: 'erc721' | 'erc1155';
  readonly creator: string;
  readonly name: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly uri: string;
  readonly royalties: readonly { readonly payee: string; readonly rate: string }[];
  /** Most tokens it may ever have; `null`: no limit. */
  readonly maximum: string | null;
  readonly createdAt: number;
}

/** What all rows of the curation's contract, the pool and the lottery have. */
interface ExpectedOfContract {
  readonly contract: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ExpectedGallery extends ExpectedOfContract {
  readonly galleryId: string;
  readonly collection: string | null;
  readonly tokenId: string | null;
  readonly owner: string;
  readonly spaceType: string;
  readonly name: string;
  readonly metadataUri: string;
  readonly commissions: readonly { readonly payee: string; readonly rate: string }[];
  /** The zero address: none. */
  readonly commissionPool: string;
  readonly admissions: readonly string[];
}

export interface ExpectedCurationOffer extends ExpectedOfContract {
  readonly offerId: string;
  readonly status: 'pending' | 'accepted' | 'rejected' | 'canceled';
  readonly galleryId: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly from: string;
  readonly to: string;
  readonly price: string;
  /** Unix seconds; `null`: at once. */
  readonly startsAt: string | null;
  /** Unix seconds; `null`: never. */
  readonly expiresAt: string | null;
  readonly exhibitExpiresAt: string | null;
  readonly url: string;
  readonly detail: string;
}

export interface ExpectedExhibit extends ExpectedOfContract {
  readonly exhibitId: string;
  readonly status: 'listing' | 'reserved' | 'sold' | 'frozen' | 'redeemed';
  readonly galleryId: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly origin: string;
  /** Who bought it; `null` as long as nobody did. */
  readonly owner: string | null;
  readonly price: string;
  readonly expiresAt: string | null;
  readonly location: string;
  readonly url: string;
  readonly detail: string;
}

export interface ExpectedCommission extends ExpectedOfContract {
  readonly galleryId: string;
  readonly payee: string;
  readonly claimable: string;
}

export interface ExpectedLottery extends ExpectedOfContract {
  readonly lotteryId: string;
  readonly status: 'open' | 'drawn' | 'withdrawn';
  readonly organizer: string;
  readonly collection: string;
  readonly endBlock: string;
  readonly merkleRoot: string | null;
}

export interface ExpectedPrize extends ExpectedOfContract {
  readonly lotteryId: string;
  readonly tokenId: string;
  readonly organizer: string;
  readonly collection: string;
  readonly quantity: string;
  readonly claimedQuantity: string;
  readonly claimer: string | null;
}

export type ExpectedActivityKind =
  | 'LIST'
  | 'UPDATE'
  | 'CANCEL'
  | 'SALE'
  | 'TRANSFER'
  | 'MINT'
  | 'BURN'
  | 'OFFER'
  | 'OFFER_CANCEL'
  | 'PRIZE'
  | 'PRIZE_CLAIM'
  | 'PRIZE_WITHDRAW';

export interface ExpectedActivity extends ExpectedPlace {
  readonly item: number;
  readonly kind: ExpectedActivityKind;
  /** The contract that emitted the log. */
  readonly contract: string;
  /** Of the order, offer, exhibit or lottery; `null` for transfers. */
  readonly orderId: string | null;
  /** Which of the first two `orderId` is, `listing` for an exhibit; `null` for transfers and lotteries. */
  readonly side: 'listing' | 'offer' | null;
  readonly collection: string;
  /** `null`, with the quantity, for all that is left of a lottery's prizes. */
  readonly tokenId: string | null;
  readonly quantity: string | null;
  /** Seller, bidder or organizer; the zero address for a mint; `null` when nobody is meant. */
  readonly from: string | null;
  /** Buyer or receiver, the zero address for a burn; `null` when nobody is meant. */
  readonly to: string | null;
  /** In wei, of the whole `quantity`; `null` for transfers. */
  readonly price: string | null;
}
