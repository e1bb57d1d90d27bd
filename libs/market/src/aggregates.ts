/**
 * Names of the aggregates of a market. Ids join their parts with `:`; every part before the last is an address, a number
 * or a word without a colon.
 */
export const AGGREGATE = {
  /** An order by the id or hash that every event about it can name: `<contract>:<id>`. Its side is part of its state. */
  order: 'order',
  /** An offer, where the market counts offers apart from orders: `<contract>:<id>`. */
  offer: 'offer',
  /** All orders of one maker on one market: `<contract>:<maker>`. */
  maker: 'maker',
  /** A token with one owner: `<collection>:<token id>`. */
  token: 'token',
  /** An owner's quantity of a token that several may own pieces of: `<collection>:<token id>:<owner>`. */
  balance: 'balance',
  /** A collection: its address. */
  collection: 'collection',
  /** What a token is called: `<collection>:<token id>`. */
  tokenDetails: 'token-details',
  /** Tokens set aside for a receiver: `<collection>:<token id>:<sender>:<receiver>`. */
  claim: 'claim',
  /** A curator's gallery: `<contract>:<id>`. */
  gallery: 'gallery',
  /** An offer to exhibit a token: `<contract>:<id>`. */
  curationOffer: 'curation-offer',
  /** A token in a gallery: `<contract>:<id>`. */
  exhibit: 'exhibit',
  /** What a payee may claim of a gallery's sales: `<pool>:<gallery id>:<payee>`. */
  commission: 'commission',
  /** A lottery: `<contract>:<id>`. */
  lottery: 'lottery',
  /** A token to be won: `<contract>:<lottery id>:<token id>`. */
  prize: 'prize',
} as const;

/** The two parts of an `<contract>:<id>` aggregate id. */
export function splitContractId(aggregateId: string): { contract: string; id: string } {
  const colon = aggregateId.indexOf(':');
  return { contract: aggregateId.slice(0, colon), id: aggregateId.slice(colon + 1) };
}

export function tokenAggregateId(collection: string, tokenId: bigint): string {
  return `${collection}:${tokenId}`;
}

export function balanceAggregateId(collection: string, tokenId: bigint, owner: string): string {
  return `${collection}:${tokenId}:${owner}`;
}

export function splitBalanceId(aggregateId: string): { collection: string; tokenId: bigint; owner: string } {
  const [collection = '', tokenId = '', owner = ''] = aggregateId.split(':');
  return { collection, tokenId: BigInt(tokenId), owner };
}

export function claimAggregateId(
  collection: string,
  tokenId: bigint,
  sender: string,
  receiver: string,
): string {
  return `${collection}:${tokenId}:${sender}:${receiver}`;
}

export function splitClaimId(aggregateId: string): {
  collection: string;
  tokenId: bigint;
  sender: string;
  receiver: string;
} {
  const [collection = '', tokenId = '', sender = '', receiver = ''] = aggregateId.split(':');
  return { collection, tokenId: BigInt(tokenId), sender, receiver };
}

export function commissionAggregateId(pool: string, galleryId: bigint, payee: string): string {
  return `${pool}:${galleryId}:${payee}`;
}

export function splitCommissionId(aggregateId: string): {
  contract: string;
  galleryId: bigint;
  payee: string;
} {
  const [contract = '', galleryId = '', payee = ''] = aggregateId.split(':');
  return { contract, galleryId: BigInt(galleryId), payee };
}

export function prizeAggregateId(contract: string, lotteryId: bigint, tokenId: bigint): string {
  return `${contract}:${lotteryId}:${tokenId}`;
}

export function splitPrizeId(aggregateId: string): { contract: string; lotteryId: string; tokenId: bigint } {
  const [contract = '', lotteryId = '', tokenId = ''] = aggregateId.split(':');
  return { contract, lotteryId, tokenId: BigInt(tokenId) };
}
