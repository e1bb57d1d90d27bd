import { type MarketEvent } from '@imart/market';
import type { EvmLog } from '../log';
import type { Marketplace } from '../marketplace';
import { hasRecordings, readRecording } from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { looksRareV1 } from './looksRareV1';
import { looksRareV2 } from './looksRareV2';
import { ZERO_ADDRESS } from '../zeroAddress';

const [MAKER, TAKER, STRATEGY, NFT, WETH, ROYALTY, OTHER] = [1, 2, 3, 4, 5, 6, 7].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const HASH = `0x${'ab'.repeat(32)}`;
const addressOfMarket = (market: Marketplace): string => market.contracts(1)[0]?.address ?? '';
const translate = (market: Marketplace, ...logs: EvmLog[]): MarketEvent[] =>
  translateReceipts(market, [addressOfMarket(market)], [receiptWith(1, logs)]);

describe('LooksRare v1', () => {
  const EXCHANGE = addressOfMarket(looksRareV1);
  const taken = (name: 'TakerBid' | 'TakerAsk', amount = 1n, nonce = 12n): EvmLog =>
    encodeLog(
      EXCHANGE,
      `${name}(bytes32 orderHash, uint256 orderNonce, address indexed taker, address indexed maker, address indexed strategy, address currency, address collection, uint256 tokenId, uint256 amount, uint256 price)`,
      [HASH, nonce, TAKER, MAKER, STRATEGY, WETH, NFT, 7n, amount, 1000n],
    );

  it('TakerBid: the maker’s listing is bought, at the gross price; the order is named by maker and nonce', () => {
    expect(translate(looksRareV1, taken('TakerBid'))).toMatchObject([
      {
        name: 'OrderFilled',
        aggregateType: 'order',
        aggregateId: `${EXCHANGE}:${MAKER}:12`,
        data: {
          market: 'looksrare-v1',
          side: 'listing',
          seller: MAKER,
          buyer: TAKER,
          items: [{ collection: NFT, tokenId: 7n, quantity: 1n, standard: 'erc721' }],
          price: 1000n,
          currency: WETH,
          fees: null,
          isSale: true,
          closes: true,
          nonce: 12n,
          orderHash: HASH,
        },
      },
    ]);
  });

  it('TakerAsk: the taker sells into the maker’s offer', () => {
    const events = translate(looksRareV1, taken('TakerAsk'));
    expect(events[0]?.data).toMatchObject({ side: 'offer', seller: TAKER, buyer: MAKER });
    expect(foldEvents(events).rows).toMatchObject([
      { table: 'offers', status: 'ACCEPTED', maker: MAKER, taker: TAKER, nonce: 12n },
    ]);
  });

  it('several of a token are of an ERC-1155', () => {
    expect(translate(looksRareV1, taken('TakerBid', 40n))[0]?.data).toMatchObject({
      items: [{ quantity: 40n, standard: 'erc1155' }],
    });
  });

  it('cancels every nonce of a list, in its order; one that was filled stays filled', () => {
    const cancel = encodeLog(EXCHANGE, 'CancelMultipleOrders(address indexed user, uint256[] orderNonces)', [
      MAKER,
      [12n, 3n, 2n ** 255n],
    ]);
    const events = translate(looksRareV1, taken('TakerBid'), cancel);
    expect(events.slice(1)).toMatchObject(
      [12n, 3n, 2n ** 255n].map((nonce) => ({
        name: 'OrderCancelled',
        aggregateId: `${EXCHANGE}:${MAKER}:${nonce}`,
        data: { side: null, maker: MAKER, nonce },
      })),
    );
    expect(foldEvents(events).rows).toMatchObject([
      { status: 'SOLD' },
      { status: 'CANCELED' },
      { status: 'CANCELED' },
    ]);
  });

  it('voids the nonces below', () => {
    const cancel = encodeLog(EXCHANGE, 'CancelAllOrders(address indexed user, uint256 newMinNonce)', [
      MAKER,
      100n,
    ]);
    expect(translate(looksRareV1, cancel)).toMatchObject([
      {
        name: 'MakerOrdersVoided',
        aggregateType: 'maker',
        aggregateId: `${EXCHANGE}:${MAKER}`,
        data: { belowNonce: 100n, side: null },
      },
    ]);
  });

  it('asks for no receipt, and is known on Ethereum only', () => {
    expect(looksRareV1.needsReceipt(taken('TakerBid'))).toBe(false);
    expect(looksRareV1.contracts(137)).toEqual([]);
  });
});

describe('LooksRare v2', () => {
  const EXCHANGE = addressOfMarket(looksRareV2);
  const NONCE =
    '(bytes32 orderHash, uint256 orderNonce, bool isNonceInvalidated) nonceInvalidationParameters';
  const TRADE =
    'uint256 strategyId, address currency, address collection, uint256[] itemIds, uint256[] amounts, address[2] feeRecipients, uint256[3] feeAmounts';
  const trade = (seller: string, ids = [7n], amounts = [1n]) => [
    0n,
    ZERO_ADDRESS,
    NFT,
    ids,
    amounts,
    [seller, ROYALTY],
    [950n, 30n, 20n],
  ];
  const bid = (ids?: bigint[], amounts?: bigint[], ends = true): EvmLog =>
    encodeLog(EXCHANGE, `TakerBid(${NONCE}, address bidUser, address bidRecipient, ${TRADE})`, [
      [HASH, 12n, ends],
      TAKER,
      OTHER,
      ...trade(MAKER, ids, amounts),
    ]);
  const ask = (): EvmLog =>
    encodeLog(EXCHANGE, `TakerAsk(${NONCE}, address askUser, address bidUser, ${TRADE})`, [
      [HASH, 12n, true],
      TAKER,
      MAKER,
      ...trade(TAKER),
    ]);

  it('TakerBid: a listing is bought; the price is proceeds, royalty and protocol fee', () => {
    expect(translate(looksRareV2, bid())).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${MAKER}:12`,
        data: {
          market: 'looksrare-v2',
          side: 'listing',
          seller: MAKER,
          buyer: TAKER,
          items: [{ collection: NFT, tokenId: 7n, quantity: 1n, standard: 'erc721' }],
          price: 1000n,
          currency: ZERO_ADDRESS,
          fees: 50n,
          closes: true,
          nonce: 12n,
          orderHash: HASH,
        },
      },
    ]);
  });

  it('TakerAsk: an offer is accepted', () => {
    expect(translate(looksRareV2, ask())).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${MAKER}:12`,
        data: { side: 'offer', seller: TAKER, buyer: MAKER, price: 1000n },
      },
    ]);
  });

  it('reads bundles, and leaves an order open whose nonce goes on', () => {
    const [event] = translate(looksRareV2, bid([1n, 2n], [5n, 1n], false));
    expect(event?.data).toMatchObject({
      items: [
        { tokenId: 1n, quantity: 5n, standard: 'erc1155' },
        { tokenId: 2n, quantity: 1n, standard: 'erc1155' },
      ],
      closes: false,
    });
  });

  it('parks a log with more ids than amounts (D7)', () => {
    expect(() => translate(looksRareV2, bid([1n, 2n], [5n]))).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });

  it('cancels every nonce of a list', () => {
    const cancel = encodeLog(EXCHANGE, 'OrderNoncesCancelled(address user, uint256[] orderNonces)', [
      MAKER,
      [12n, 13n],
    ]);
    expect(translate(looksRareV2, cancel).map(({ name, aggregateId }) => [name, aggregateId])).toEqual([
      ['OrderCancelled', `${EXCHANGE}:${MAKER}:12`],
      ['OrderCancelled', `${EXCHANGE}:${MAKER}:13`],
    ]);
  });

  it('is known on Ethereum only', () => {
    expect(looksRareV2.contracts(1)).toEqual([{ address: '0x0000000000e655fae4d56241588680f86e3b2377' }]);
    expect(looksRareV2.contracts(10)).toEqual([]);
  });
});

(hasRecordings() ? describe : describe.skip)('LooksRare in the examples of another indexer', () => {
  it('agrees on token, price and parties; where the aggregator took the order, the log has the aggregator', () => {
    const cases = (
      JSON.parse(readRecording('marketplace-logs/cases.json')) as {
        log: EvmLog;
        expected: Record<string, string>;
      }[]
    ).filter(({ log }) => looksRareV1.topics.includes(log.topics[0] ?? ''));
    expect(cases).toHaveLength(2);
    for (const { log, expected } of cases) {
      const place = encodeLog(
        addressOfMarket(looksRareV1),
        'CancelAllOrders(address indexed user, uint256 newMinNonce)',
        [MAKER, 1n],
      );
      const buyer = (expected['takerInLog'] ?? expected['buyer'] ?? '').slice(0, 42);
      expect(saleLines(translate(looksRareV1, { ...place, ...log, address: place.address }))).toMatchObject([
        {
          side: 'listing',
          seller: expected['seller'],
          buyer,
          token: expected['token'],
          token_id: expected['tokenId'],
          price_raw: expected['price'],
        },
      ]);
    }
  });
});
