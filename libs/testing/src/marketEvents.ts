import { type SubjectId } from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import {
  AGGREGATE,
  PLAIN_CANCELLED,
  PLAIN_OPENED,
  PLAIN_SALE,
  type MarketEvent,
  type MarketEventData,
  type MarketEventName,
  type TradeItem,
} from '@imart/market';
import { fakeBlock } from './fakeSubject';

export const SUBJECT = 'eip155:31337' as SubjectId;

/** A short name of an account or contract as an address: the same name, the same address. */
export function address(name: string): string {
  return `0x${Buffer.from(name).toString('hex').slice(0, 40).padStart(40, '0')}`;
}

export const MARKET = address('market');
export const COLLECTION = address('art');
export const MULTIPLE = address('multi');
export const [ALICE, BOB, CAROL, DAVE] = ['alice', 'bob', 'carol', 'dave'].map(address) as [
  string,
  string,
  string,
  string,
];
export const NATIVE = address('');

export const art = (tokenId = 1n): TradeItem => ({
  collection: COLLECTION,
  tokenId,
  quantity: 1n,
  standard: 'erc721',
});
export const multi = (tokenId: bigint, quantity: bigint): TradeItem => ({
  collection: MULTIPLE,
  tokenId,
  quantity,
  standard: 'erc1155',
});

type Changes<Name extends MarketEventName> = Partial<MarketEventData[Name]>;

const opened = {
  ...PLAIN_OPENED,
  market: 'imart',
  side: 'listing',
  maker: ALICE,
  items: [art()],
  price: 100n,
  currency: NATIVE,
} as const;
const filled = { ...PLAIN_SALE, market: 'imart', side: null, buyer: BOB, closes: null } as const;
const cancelled = { ...PLAIN_CANCELLED, market: 'imart', side: null } as const;

/** Writes market events, each at the place after the one before; what is not said is as plain as can be. */
export interface MarketScript {
  readonly events: readonly MarketEvent[];
  /** The next event comes in a later block. */
  nextBlock(blocks?: bigint): MarketScript;
  event<Name extends MarketEventName>(
    type: string,
    id: string,
    name: Name,
    data: MarketEventData[Name],
  ): MarketScript;
  listed(id: string, changes?: Changes<'OrderListed'>): MarketScript;
  priceChanged(id: string, changes?: Changes<'OrderPriceChanged'>): MarketScript;
  filled(id: string, changes?: Changes<'OrderFilled'>): MarketScript;
  cancelled(id: string, changes?: Changes<'OrderCancelled'>): MarketScript;
  offered(id: string, changes?: Changes<'OfferCreated'>): MarketScript;
  accepted(id: string, changes?: Changes<'OfferAccepted'>): MarketScript;
  offerCancelled(id: string, changes?: Changes<'OfferCancelled'>): MarketScript;
  voided(maker: string, changes?: Changes<'MakerOrdersVoided'>): MarketScript;
  minted(to: string, tokenId?: bigint): MarketScript;
  transferred(from: string, to: string, tokenId?: bigint): MarketScript;
  burned(from: string, tokenId?: bigint): MarketScript;
  received(owner: string, from: string, tokenId: bigint, quantity: bigint): MarketScript;
  sent(owner: string, to: string, tokenId: bigint, quantity: bigint): MarketScript;
}

export function createMarketScript(): MarketScript {
  const events: MarketEvent[] = [];
  let position = 1n;
  let index = 0;
  const orderId = (id: string): string => `${MARKET}:${id}`;
  const script: MarketScript = {
    events,
    nextBlock(blocks = 1n) {
      position += blocks;
      index = 0;
      return script;
    },
    event(type, id, name, data) {
      const block = fakeBlock(position);
      events.push({
        subjectId: SUBJECT,
        seqNo: blockSeqNo.encode(position, index, 0),
        aggregateType: type,
        aggregateId: id,
        name,
        data,
        source: {
          position,
          index,
          txHash: `0x${(position * 1000n + BigInt(index)).toString(16).padStart(64, '0')}`,
          blockHash: block.hash,
          timeUs: block.timeUs,
          address: MARKET,
        },
      } as unknown as MarketEvent);
      index++;
      return script;
    },
    listed: (id, changes = {}) =>
      script.event(AGGREGATE.order, orderId(id), 'OrderListed', { ...opened, ...changes }),
    priceChanged: (id, changes = {}) =>
      script.event(AGGREGATE.order, orderId(id), 'OrderPriceChanged', {
        market: 'imart',
        price: 200n,
        expiresAtUs: null,
        ...changes,
      }),
    filled: (id, changes = {}) =>
      script.event(AGGREGATE.order, orderId(id), 'OrderFilled', { ...filled, ...changes }),
    cancelled: (id, changes = {}) =>
      script.event(AGGREGATE.order, orderId(id), 'OrderCancelled', { ...cancelled, ...changes }),
    offered: (id, changes = {}) =>
      script.event(AGGREGATE.offer, orderId(id), 'OfferCreated', {
        ...opened,
        side: 'offer',
        maker: BOB,
        ...changes,
      }),
    accepted: (id, changes = {}) =>
      script.event(AGGREGATE.offer, orderId(id), 'OfferAccepted', {
        ...filled,
        buyer: null,
        seller: ALICE,
        ...changes,
      }),
    offerCancelled: (id, changes = {}) =>
      script.event(AGGREGATE.offer, orderId(id), 'OfferCancelled', { ...cancelled, ...changes }),
    voided: (maker, changes = {}) =>
      script.event(AGGREGATE.maker, `${MARKET}:${maker}`, 'MakerOrdersVoided', {
        market: 'imart',
        maker,
        belowNonce: null,
        side: null,
        ...changes,
      }),
    minted: (to, tokenId = 1n) =>
      script.event(AGGREGATE.token, `${COLLECTION}:${tokenId}`, 'TokenMinted', { to, standard: 'erc721' }),
    transferred: (from, to, tokenId = 1n) =>
      script.event(AGGREGATE.token, `${COLLECTION}:${tokenId}`, 'TokenTransferred', {
        from,
        to,
        standard: 'erc721',
      }),
    burned: (from, tokenId = 1n) =>
      script.event(AGGREGATE.token, `${COLLECTION}:${tokenId}`, 'TokenBurned', { from, standard: 'erc721' }),
    received: (owner, from, tokenId, quantity) =>
      script.event(AGGREGATE.balance, `${MULTIPLE}:${tokenId}:${owner}`, 'TokenReceived', { from, quantity }),
    sent: (owner, to, tokenId, quantity) =>
      script.event(AGGREGATE.balance, `${MULTIPLE}:${tokenId}:${owner}`, 'TokenSent', { to, quantity }),
  };
  return script;
}
