import type { Activity, StateRow } from '@imart/core';
import type { CurationOfferStatus, ExhibitStatus, OrderKind, TradeItem, TradeSide } from './events';
import type { TokenStandard } from './tokenStandards';

export type OrderStatus = 'LISTING' | 'SOLD' | 'CANCELED';
export type OfferStatus = 'CREATED' | 'ACCEPTED' | 'CANCELED';

interface TimedRow extends StateRow {
  /** Chain time of the event that made the row, in microseconds since 1970. */
  readonly createdAtUs: bigint;
  readonly updatedAtUs: bigint;
}

/**
 * A listing (`orders`) or an offer (`offers`). Its place never changes while it lives; a later listing of the same
 * aggregate after it has ended is another row.
 */
export interface TradeRow extends TimedRow {
  readonly table: 'orders' | 'offers';
  readonly aggregateType: 'order' | 'offer';
  readonly contract: string;
  readonly id: string;
  /** The event that opened it. */
  readonly openedSeqNo: bigint;
  readonly market: string;
  readonly kind: OrderKind;
  /** Who made it: the seller of a listing, the bidder of an offer. `null` when only its end was seen and does not tell. */
  readonly maker: string | null;
  /** The only one who may take it; `null`: anybody. */
  readonly reservedFor: string | null;
  /** Who took it last. */
  readonly taker: string | null;
  /** Of its one item; `null` for a bundle, and when not known. */
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly standard: TokenStandard | null;
  /** All that it was for; `null` when not known, because its opening was not seen. */
  readonly quantity: bigint | null;
  readonly filledQuantity: bigint;
  /** Of the whole `quantity`; of the last fill when its opening was not seen. */
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly status: OrderStatus | OfferStatus;
  readonly nonce: bigint | null;
  readonly orderHash: string | null;
  readonly escrow: boolean;
  readonly startsAtUs: bigint | null;
  readonly expiresAtUs: bigint | null;
  /** The items of a bundle; `null` for a single item. */
  readonly items: readonly TradeItem[] | null;
  /** Older listings of the same maker under the same name that are still open, the newest last; `null`: none. */
  readonly beneath: readonly TradeRow[] | null;
}

export interface TokenRow extends TimedRow {
  readonly table: 'tokens';
  readonly collection: string;
  readonly tokenId: bigint;
  readonly standard: TokenStandard;
  /** `null` once burned. */
  readonly owner: string | null;
  /** `null` when the mint was not seen. */
  readonly mintedAtUs: bigint | null;
  /** Changes of hands; minting and burning do not count. */
  readonly transferCount: number;
}

export interface BalanceRow extends TimedRow {
  readonly table: 'balances';
  readonly collection: string;
  readonly tokenId: bigint;
  readonly owner: string;
  readonly standard: TokenStandard;
  /**
   * What the chain says the owner has; where it only says what moves, received minus sent since the first followed block: negative
   * when tokens received before that are sent on.
   */
  readonly quantity: bigint;
}

export interface TokenDetailsRow extends TimedRow {
  readonly table: 'token_details';
  readonly collection: string;
  readonly tokenId: bigint;
  readonly standard: TokenStandard;
  readonly creator: string | null;
  readonly collectionName: string | null;
  readonly name: string | null;
  readonly edition: bigint | null;
  readonly description: string | null;
  readonly uri: string | null;
}

export type ClaimStatus = 'PENDING' | 'CLAIMED' | 'CANCELED';

/** Tokens that a sender has set aside for a receiver. */
export interface ClaimRow extends TimedRow {
  readonly table: 'claims';
  readonly collection: string;
  readonly tokenId: bigint;
  readonly sender: string;
  readonly receiver: string;
  readonly standard: TokenStandard;
  /** What can be claimed now; 0 once claimed or taken back. */
  readonly quantity: bigint;
  readonly status: ClaimStatus;
}

export interface CollectionRow extends TimedRow {
  readonly table: 'collections';
  readonly address: string;
  readonly factory: string;
  readonly standard: TokenStandard;
  readonly creator: string;
  readonly name: string;
  readonly nameBytes: string | null;
  readonly category: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly uri: string;
  readonly royalties: readonly { readonly payee: string; readonly rate: bigint }[];
  readonly maximum: bigint | null;
}

export interface MakerRow extends TimedRow {
  readonly table: 'makers';
  readonly contract: string;
  readonly maker: string;
  readonly market: string;
  /** Listings opened before it without a nonce are void. `null`: none. */
  readonly listingsVoidedSeqNo: bigint | null;
  readonly offersVoidedSeqNo: bigint | null;
  /** Listings with a lower nonce are void. */
  readonly listingsVoidedBelow: bigint | null;
  readonly offersVoidedBelow: bigint | null;
}

interface CuratedRow extends TimedRow {
  readonly contract: string;
  readonly id: string;
  readonly market: string;
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly standard: TokenStandard | null;
}

export interface GalleryRow extends CuratedRow {
  readonly table: 'galleries';
  readonly owner: string | null;
  readonly spaceType: string | null;
  readonly name: string | null;
  readonly metadataUri: string | null;
  readonly commissions: readonly { readonly payee: string; readonly rate: bigint }[] | null;
  readonly commissionPool: string | null;
  readonly admissions: readonly string[] | null;
}

export interface CurationOfferRow extends CuratedRow {
  readonly table: 'curation_offers';
  readonly status: CurationOfferStatus;
  readonly galleryId: bigint | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly startsAtUs: bigint | null;
  readonly expiresAtUs: bigint | null;
  readonly exhibitExpiresAtUs: bigint | null;
  readonly url: string | null;
  readonly detail: string | null;
}

export interface ExhibitRow extends CuratedRow {
  readonly table: 'exhibits';
  readonly status: ExhibitStatus;
  readonly galleryId: bigint | null;
  readonly origin: string | null;
  readonly curator: string | null;
  readonly owner: string | null;
  readonly price: bigint | null;
  readonly currency: string | null;
  readonly expiresAtUs: bigint | null;
  readonly location: string | null;
  readonly url: string | null;
  readonly detail: string | null;
}

/** What a payee may claim of a gallery's sales. */
export interface CommissionRow extends TimedRow {
  readonly table: 'commissions';
  /** The pool that holds it. */
  readonly contract: string;
  readonly galleryId: bigint;
  readonly payee: string;
  readonly market: string;
  /** Now, in the currency's smallest unit. */
  readonly claimable: bigint;
  readonly currency: string | null;
}

/** `drawn`: who may claim is published. `withdrawn`: what nobody had claimed went back to the organizer. */
export type LotteryStatus = 'open' | 'drawn' | 'withdrawn';

export interface LotteryRow extends TimedRow {
  readonly table: 'lotteries';
  readonly contract: string;
  readonly id: string;
  readonly market: string;
  readonly status: LotteryStatus;
  /** `null`, like all that its opening tells, when that was not seen. */
  readonly organizer: string | null;
  readonly collection: string | null;
  readonly endBlock: bigint | null;
  readonly merkleRoot: string | null;
}

/** A token to be won in a lottery. */
export interface PrizeRow extends TimedRow {
  readonly table: 'prizes';
  readonly contract: string;
  readonly lotteryId: string;
  readonly tokenId: bigint;
  readonly market: string;
  readonly organizer: string | null;
  /** `null` when the lottery's opening was not seen. */
  readonly collection: string | null;
  /** How many there are to be won; `null` as the collection. */
  readonly quantity: bigint | null;
  readonly claimedQuantity: bigint;
  /** Who claimed it last; `null`: nobody yet. */
  readonly claimer: string | null;
}

export type MarketRow =
  | TradeRow
  | TokenRow
  | BalanceRow
  | CollectionRow
  | MakerRow
  | TokenDetailsRow
  | ClaimRow
  | GalleryRow
  | CurationOfferRow
  | ExhibitRow
  | CommissionRow
  | LotteryRow
  | PrizeRow;

/**
 * `TOKEN_OFFER`, `TOKEN_OFFER_CANCEL`, `TOKEN_CLAIM`: set aside for a receiver, without money. `PRIZE`, `PRIZE_CLAIM`,
 * `PRIZE_WITHDRAW`: set out in a lottery, won, taken back.
 */
export type ActivityKind =
  | 'LIST'
  | 'UPDATE'
  | 'CANCEL'
  | 'SALE'
  | 'TRANSFER'
  | 'MINT'
  | 'BURN'
  | 'OFFER'
  | 'OFFER_CANCEL'
  | 'TOKEN_OFFER'
  | 'TOKEN_OFFER_CANCEL'
  | 'TOKEN_CLAIM'
  | 'PRIZE'
  | 'PRIZE_CLAIM'
  | 'PRIZE_WITHDRAW';

/** One line of a token's, a collection's or an account's history. */
export interface MarketActivity extends Activity {
  readonly kind: ActivityKind;
  readonly market: string | null;
  /** Of the market, or of the collection for transfers. */
  readonly contract: string;
  readonly orderId: string | null;
  readonly side: TradeSide | null;
  readonly collection: string | null;
  readonly tokenId: bigint | null;
  readonly quantity: bigint | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Of the whole trade: every item of a bundle repeats it; sums count `item` 0 only. */
  readonly price: bigint | null;
  readonly currency: string | null;
  /** Of a sale: the part of `price` that did not go to the seller. */
  readonly fees: bigint | null;
  /** Of a sale: the part of `fees` that went to the creators. */
  readonly royalties: bigint | null;
  /** How many activities share this trade and its price. */
  readonly itemCount: number;
}
