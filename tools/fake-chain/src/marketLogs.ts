import type { FakeLog } from '../../../libs/chain-evm/src/testing/fakeChain';
import { encodeLog } from './encodeLog';

/** Terms of a listing or an offer. Prices in wei, expiry in unix seconds; 0: never. */
export interface FakeTerms {
  readonly collection: string;
  readonly tokenId: bigint;
  readonly price: bigint;
  readonly expiresAt?: bigint;
}

const ZERO = '0x0000000000000000000000000000000000000000';

/** Logs of IMart's market at this address, one by one, for a spec that wants just these. */
export function imartLogs(market: string) {
  const log = (event: string, ...args: readonly (string | bigint)[]): FakeLog =>
    encodeLog('IMartMarket', { address: market, event, args: args.map(String) });
  const opened = (event: string, id: bigint, maker: string, terms: FakeTerms): FakeLog => {
    const { collection, tokenId, price, expiresAt = 0n } = terms;
    return log(event, id, collection, tokenId, maker, price, expiresAt);
  };
  return {
    /** A second one of an open order changes its terms. */
    listed: (orderId: bigint, seller: string, terms: FakeTerms) => opened('Listed', orderId, seller, terms),
    sold: (orderId: bigint, buyer: string, price: bigint) => log('Sold', orderId, buyer, price),
    delisted: (orderId: bigint) => log('Delisted', orderId),
    offered: (offerId: bigint, bidder: string, terms: FakeTerms) =>
      opened('OfferCreated', offerId, bidder, terms),
    accepted: (offerId: bigint, seller: string) => log('OfferAccepted', offerId, seller),
    offerCancelled: (offerId: bigint) => log('OfferCanceled', offerId),
  };
}

/** Logs of an ERC-721 collection. */
export function erc721Logs(collection: string) {
  const transferred = (from: string, to: string, tokenId: bigint): FakeLog =>
    encodeLog('SingleToken', { address: collection, event: 'Transfer', args: [from, to, String(tokenId)] });
  return {
    transferred,
    minted: (to: string, tokenId: bigint) => transferred(ZERO, to, tokenId),
    burned: (from: string, tokenId: bigint) => transferred(from, ZERO, tokenId),
  };
}

/** Logs of an ERC-1155 collection, of one id. */
export function erc1155Logs(collection: string) {
  const sent = (operator: string, from: string, to: string, id: bigint, value: bigint): FakeLog =>
    encodeLog('MultipleToken', {
      address: collection,
      event: 'TransferSingle',
      args: [operator, from, to, String(id), String(value)],
    });
  return {
    sent,
    minted: (to: string, id: bigint, value: bigint) => sent(to, ZERO, to, id, value),
  };
}

/** What a factory of ERC-721 collections says when it creates one. */
export function collectionCreated(
  factory: string,
  collection: string,
  creator: string,
  name = 'A collection',
): FakeLog {
  const args = [collection, creator, name, 'art', ['a'], 'made by a spec', 'ipfs://c', [], [], '0'];
  return encodeLog('SingleCollective', { address: factory, event: 'CollectionCreated', args });
}
