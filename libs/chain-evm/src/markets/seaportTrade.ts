import { type TradeItem } from '@imart/market';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

/** What changes hands: of a filled order the amounts and ids of this fill, of an announced one those it starts with. */
export interface SeaportItem {
  /** 0 native coin, 1 ERC-20, 2 ERC-721, 3 ERC-1155, 4 and 5 the same with a choice of ids. */
  readonly itemType: bigint;
  readonly token: string;
  readonly identifier: bigint;
  readonly amount: bigint;
}

export interface SeaportPart extends SeaportItem {
  readonly recipient: string;
}

/** The two sides of an order: what the offerer gives, and what is asked for it, for whom. */
export interface SeaportSides {
  readonly offerer: string;
  readonly offer: readonly SeaportItem[];
  readonly consideration: readonly SeaportPart[];
}

/**
 * What an order is about. `swap`: tokens against tokens, several currencies, nothing asked, or more than a uint256 holds
 * (to announce such an order needs no money): no price can be told. Also a choice among some ids of a collection: it must
 * not be taken for one among all. Its items are those given, or when only money is given those wanted.
 */
export interface SeaportTrade {
  readonly kind: 'listing' | 'offer' | 'swap';
  readonly given: readonly TradeItem[];
  readonly wanted: readonly TradeItem[];
  /** All that the taker of a listing pays, or the bidder of an offer; `null` for a swap. */
  readonly price: bigint | null;
  readonly currency: string | null;
  /** Payments that the order asks for, in the same currency as `price`. */
  readonly payments: readonly SeaportPart[];
  /** Who is to get the tokens of a listing, when the listing itself says so (a private one). */
  readonly reservedFor: string | null;
}

const ERC20 = 1n;
const ERC1155 = 3n;
const ERC721_WITH_CRITERIA = 4n;
const ERC1155_WITH_CRITERIA = 5n;

/**
 * OpenSea's shared storefront tokens that were not minted yet are offered as tokens of an adapter, which mints them in the
 * storefront under the same id. A sale is a sale of the storefront's token (Ethereum only; nothing else has this address).
 */
const LAZY_MINT_ADAPTER = '0xa604060890923ff400e8c6f5290461a83aedacec';
const SHARED_STOREFRONT = '0x495f947276749ce646f68ac8c248420045cb7b5e';

const isMoney = (item: SeaportItem): boolean => item.itemType <= ERC20;

/**
 * A choice among some ids, such as those with a trait: of which ids, only a Merkle root is told. Root 0 is a choice among
 * all ids of the collection.
 */
const isOneOfSome = (item: SeaportItem): boolean =>
  item.itemType >= ERC721_WITH_CRITERIA && item.identifier !== 0n;

function toItem({ itemType, token, identifier, amount }: SeaportItem): TradeItem {
  const isChoice = itemType >= ERC721_WITH_CRITERIA;
  return {
    collection: token === LAZY_MINT_ADAPTER ? SHARED_STOREFRONT : token,
    tokenId: isChoice ? null : identifier,
    quantity: amount,
    standard: itemType === ERC1155 || itemType === ERC1155_WITH_CRITERIA ? 'erc1155' : 'erc721',
  };
}

/** `null`: more than anybody can pay. */
const sum = (items: readonly SeaportItem[]): bigint | null =>
  uint256OrNull(items.reduce((total, item) => total + item.amount, 0n));

/** What an order trades; `null` when no token is on either side. */
export function tradeOf({ offer, consideration }: SeaportSides): SeaportTrade | null {
  const givenTokens = offer.filter((item) => !isMoney(item));
  const givenMoney = offer.filter(isMoney);
  const payments = consideration.filter(isMoney);
  // In matched orders a token that is given may stand among what is asked: nobody pays it, it names who is to have it.
  const isGiven = (part: SeaportItem): boolean =>
    givenTokens.some((item) => item.token === part.token && item.identifier === part.identifier);
  const returned = consideration.filter((part) => !isMoney(part) && isGiven(part));
  const wantedTokens = consideration.filter((part) => !isMoney(part) && !isGiven(part));
  if (givenTokens.length === 0 && wantedTokens.length === 0) return null;

  const currencies = new Set(
    [...givenMoney, ...payments].map((item) => (item.itemType === ERC20 ? item.token : ZERO_ADDRESS)),
  );
  const [currency = null] = currencies;
  const recipients = new Set(returned.map((part) => part.recipient));
  const [reservedFor = null] = recipients;
  const trade = {
    given: givenTokens.map(toItem),
    wanted: wantedTokens.map(toItem),
    payments,
    reservedFor: recipients.size === 1 ? reservedFor : null,
  };
  if (currencies.size === 1 && ![...offer, ...consideration].some(isOneOfSome)) {
    const isListing = wantedTokens.length === 0 && givenMoney.length === 0;
    const price = sum(isListing ? payments : givenMoney);
    if (isListing && price !== null) return { ...trade, kind: 'listing', price, currency };
    if (givenTokens.length === 0 && givenMoney.length > 0 && price !== null) {
      return { ...trade, kind: 'offer', price, currency };
    }
  }
  return { ...trade, kind: 'swap', price: null, currency: null };
}

/** The part of the payments that is not for this account; `null`: more than anybody can pay. */
export function paidToOthers(payments: readonly SeaportPart[], account: string): bigint | null {
  return sum(payments.filter((part) => part.recipient !== account));
}
