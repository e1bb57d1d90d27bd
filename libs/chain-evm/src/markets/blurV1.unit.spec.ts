import type { EvmLog } from '../log';
import {
  hasRecordings,
  recordedMarketplaceLogs,
  recordedReceipts,
  recordedSales,
} from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { BLUR_POOL, blurV1 } from './blurV1';

const EXCHANGE = '0x000000000000ad05ccc4f10045630fb830b95127';
const ZERO = addressOf(0);
const [SELLER, BUYER, OTHER, NFT, POLICY] = [1, 2, 3, 4, 5].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
];
const SELL_HASH = `0x${'11'.repeat(32)}`;
const BUY_HASH = `0x${'22'.repeat(32)}`;
const ORDER =
  '(address trader, uint8 side, address matchingPolicy, address collection, uint256 tokenId, uint256 amount, address paymentToken, uint256 price, uint256 listingTime, uint256 expirationTime, (uint16 rate, address recipient)[] fees, uint256 salt, bytes extraParams)';

/** Made at 100 and at the given moments; the buy order names no token, as a bid on a collection does not. */
function matched(of: { sellTime: bigint; buyTime: bigint; currency?: string; amount?: bigint }): EvmLog {
  const currency = of.currency ?? ZERO;
  const amount = of.amount ?? 1n;
  const sell = [
    SELLER,
    1n,
    POLICY,
    NFT,
    9n,
    amount,
    currency,
    1_003n,
    of.sellTime,
    0n,
    [
      [500n, OTHER],
      [50n, OTHER],
    ],
    1n,
    '0x01',
  ];
  const buy = [BUYER, 0n, POLICY, NFT, 0n, amount, currency, 900n, of.buyTime, 0n, [], 1n, '0x01'];
  return encodeLog(
    EXCHANGE,
    `OrdersMatched(address indexed maker, address indexed taker, ${ORDER} sell, bytes32 sellHash, ${ORDER} buy, bytes32 buyHash)`,
    [SELLER, BUYER, sell, SELL_HASH, buy, BUY_HASH],
  );
}

const translate = (...logs: EvmLog[]) =>
  translateReceipts(
    blurV1,
    [EXCHANGE],
    logs.map((log, i) => receiptWith(i + 1, [log])),
  );

describe('blurV1', () => {
  it.each([
    ['older', 100n, 200n],
    ['as old', 100n, 100n],
  ])('tells a listing bought when the sell order is %s', (_, sellTime, buyTime) => {
    const events = translate(matched({ sellTime, buyTime }));
    expect(events).toMatchObject([
      {
        name: 'OrderFilled',
        aggregateId: `${EXCHANGE}:${SELL_HASH}`,
        data: {
          side: 'listing',
          seller: SELLER,
          buyer: BUYER,
          items: [{ collection: NFT, tokenId: 9n, quantity: 1n, standard: 'erc721' }],
          price: 1_003n,
          currency: ZERO,
          // 50.15 and 5.015, each rounded down as the contract does.
          fees: 55n,
          isSale: true,
          orderHash: SELL_HASH,
        },
      },
    ]);
  });

  it('tells a bid taken when the buy order is older, at its price and for the seller’s token', () => {
    const events = translate(matched({ sellTime: 200n, buyTime: 100n }));
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${BUY_HASH}`,
        data: {
          side: 'offer',
          seller: SELLER,
          buyer: BUYER,
          price: 900n,
          fees: 49n,
          items: [{ tokenId: 9n }],
        },
      },
    ]);
    expect(foldEvents(events).rows).toMatchObject([
      { table: 'offers', status: 'ACCEPTED', maker: BUYER, taker: SELLER },
    ]);
  });

  it('reports ether deposited in the pool as ether, and other currencies as they are', () => {
    const currencies = [BLUR_POOL, OTHER].map(
      (currency) => saleLines(translate(matched({ sellTime: 2n, buyTime: 1n, currency })))[0]?.currency,
    );
    expect(currencies).toEqual([ZERO, OTHER]);
  });

  it('cancels one order by its hash, and all of a trader’s by the nonce', () => {
    const cancel = encodeLog(EXCHANGE, 'OrderCancelled(bytes32 hash)', [SELL_HASH]);
    const increment = encodeLog(EXCHANGE, 'NonceIncremented(address indexed trader, uint256 newNonce)', [
      SELLER,
      3n,
    ]);
    expect(translate(cancel, increment)).toMatchObject([
      {
        name: 'OrderCancelled',
        aggregateType: 'order',
        aggregateId: `${EXCHANGE}:${SELL_HASH}`,
        data: { side: null },
      },
      {
        name: 'MakerOrdersVoided',
        aggregateType: 'maker',
        aggregateId: `${EXCHANGE}:${SELLER}`,
        data: { maker: SELLER, belowNonce: null, side: null },
      },
    ]);
  });

  it('parks Wyvern’s OrderCancelled, which has the same topic and one topic more (D6)', () => {
    const wyvern = encodeLog(EXCHANGE, 'OrderCancelled(bytes32 indexed hash)', [SELL_HASH]);
    expect(() => translate(wyvern)).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });
});

(hasRecordings() ? describe : describe.skip)('blurV1 on recorded blocks', () => {
  const events = () => translateReceipts(blurV1, [EXCHANGE], recordedReceipts());

  it('finds the 7 recorded sales; pool money, in one of them, counts as ether', () => {
    const expected = recordedSales().filter((sale) => sale.protocol === 'blur1');
    expect(expected).toHaveLength(7);
    expect(expected.filter((sale) => sale.currency === BLUR_POOL)).toHaveLength(1);
    expect(saleLines(events())).toEqual(
      expected.map(
        ({ protocol: _p, kind, items_in_order: _i, confirmed_by_log_index: _c, note: _n, ...sale }) => ({
          ...sale,
          side: kind,
          currency: sale.currency === BLUR_POOL ? ZERO : sale.currency,
        }),
      ),
    );
  });

  it('finds the recorded cancel, and nothing of Wyvern’s with the same topic', () => {
    const cancels = recordedMarketplaceLogs().filter(
      (log) => log.address === EXCHANGE && log.event === 'OrderCancelled',
    );
    expect(cancels).toHaveLength(1);
    expect(
      events().flatMap((event) =>
        event.name === 'OrderCancelled' ? [[event.source.txHash, event.source.index]] : [],
      ),
    ).toEqual(cancels.map((log) => [log.tx_hash, Number(log.log_index)]));
  });
});
