import { EventDecodeError } from '../abi';
import type { EvmLog } from '../log';
import type { Marketplace } from '../marketplace';
import { addressOf, encodeLog, receiptWith, translateReceipts } from '../testing/translation';
import { blurV1 } from './blurV1';
import { blurV2 } from './blurV2';
import { createCollections } from './collections';
import { foundation } from './foundation';
import { looksRareV2 } from './looksRareV2';
import { mixverseSpace } from './mixverseSpace';
import { seaport15 } from './seaport';
import { uint256OrNull } from './uint256';
import { wyvern } from './wyvern';
import { x2y2 } from './x2y2';

const MAX = 2n ** 256n - 1n;
const HASH = `0x${'ab'.repeat(32)}`;
const NONE = `0x${'0'.repeat(64)}`;
const MARKET = addressOf(0xaaa);
const [SELLER, BUYER, OTHER, NFT, WETH, ZERO] = [1, 2, 3, 4, 5, 0].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

/** One transaction of these logs, as its marketplace reads it at the first log's address. */
function eventsOf(market: Marketplace, logs: readonly EvmLog[]) {
  const contracts = [market.contracts(1)[0]?.address ?? MARKET];
  return translateReceipts(market, contracts, [receiptWith(1, logs)]);
}
const dataOf = (market: Marketplace, ...logs: EvmLog[]) => eventsOf(market, logs).map(({ data }) => data);
const exchangeOf = (market: Marketplace): string => market.contracts(1)[0]?.address ?? MARKET;

const ITEM = '(uint8 itemType, address token, uint256 identifier, uint256 amount';
const ANNOUNCED =
  '(uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount';
const announced = (offer: unknown[], consideration: unknown[]) =>
  encodeLog(
    exchangeOf(seaport15),
    `OrderValidated(bytes32 orderHash, (address offerer, address zone, ${ANNOUNCED})[] offer, ${ANNOUNCED}, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey, uint256 totalOriginalConsiderationItems) orderParameters)`,
    [HASH, [SELLER, ZERO, offer, consideration, 0, 1n, 2n, NONE, 5n, NONE, BigInt(consideration.length)]],
  );
const filled = (offer: unknown[], consideration: unknown[]) =>
  encodeLog(
    exchangeOf(seaport15),
    `OrderFulfilled(bytes32 orderHash, address indexed offerer, address indexed zone, address recipient, ${ITEM})[] offer, ${ITEM}, address recipient)[] consideration)`,
    [HASH, SELLER, ZERO, BUYER, offer, consideration],
  );
const mixverse = (name: string, between: string, values: unknown[]) =>
  encodeLog(
    MARKET,
    `${name}(uint256 indexed id, uint256 tokenId, address collection, address owner, ${between})`,
    [7n, 9n, NFT, SELLER, ...values],
  );

describe('a quantity above 2^256 - 1 (D2)', () => {
  it('is none; the greatest uint256 is one', () => {
    expect([uint256OrNull(MAX), uint256OrNull(MAX + 1n), uint256OrNull(0n)]).toEqual([MAX, null, 0n]);
  });

  it('announced by nine considerations of a Seaport order is no listing, as an offer of as much is none', () => {
    const nine = Array.from({ length: 9 }, () => [0, ZERO, 0n, MAX, MAX, SELLER]);
    expect(dataOf(seaport15, announced([[2, NFT, 7n, 1n, 1n]], nine))).toEqual([]);
    const money = [1, WETH, 0n, MAX, MAX];
    expect(dataOf(seaport15, announced([money, money], [[2, NFT, 7n, 1n, 1n, SELLER]]))).toEqual([]);
    // What fits is listed.
    expect(dataOf(seaport15, announced([[2, NFT, 7n, 1n, 1n]], nine.slice(0, 1)))).toMatchObject([
      { price: MAX },
    ]);
  });

  it('paid for a filled Seaport order leaves it without price, and is no sale', () => {
    const fill = filled(
      [[2, NFT, 7n, 1n]],
      [
        [1, WETH, 0n, MAX, SELLER],
        [1, WETH, 0n, 1n, OTHER],
      ],
    );
    expect(dataOf(seaport15, fill)).toMatchObject([
      { price: null, currency: null, fees: null, isSale: false },
    ]);
  });

  it('of fees beside a price of a filled Seaport offer leaves the fees unknown', () => {
    const fee = [1, WETH, 0n, MAX, OTHER];
    const fill = filled([[1, WETH, 0n, 5n]], [[2, NFT, 7n, 1n, SELLER], fee, fee]);
    expect(dataOf(seaport15, fill)).toMatchObject([{ price: 5n, fees: null }]);
  });

  it('as the price of many at MixverseSpace is unknown, listed, bought and sold out', () => {
    const list = mixverse('ItemListedEvent', 'uint256 totalAmount, uint256 pricePerToken, string uri', [
      MAX,
      2n,
      '',
    ]);
    const buy = mixverse(
      'ItemPurchasedEvent',
      'address buyer, uint256 totalAmount, uint256 amount, uint256 pricePerToken',
      [BUYER, MAX, MAX, 2n],
    );
    const soldOut = mixverse('ItemSoldEvent', 'uint256 totalAmount, uint256 pricePerToken', [0n, 2n]);
    const moved = encodeLog(
      NFT,
      'TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
      [MARKET, SELLER, BUYER, 9n, MAX],
    );
    expect(dataOf(mixverseSpace, list, buy)).toMatchObject([{ price: null }, { price: null }]);
    expect(dataOf(mixverseSpace, moved, soldOut)).toMatchObject([
      { price: null, items: [{ quantity: MAX }] },
    ]);
  });

  it('summed from the repeated ids of a TransferBatch is refused', () => {
    const collections = createCollections({ unindexedContracts: new Set() });
    const batch = (values: bigint[]) =>
      encodeLog(
        MARKET,
        'TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
        [OTHER, SELLER, BUYER, [5n, 6n, 5n], values],
      );
    expect(() => dataOf(collections, batch([MAX, 1n, 1n]))).toThrow(EventDecodeError);
    expect(dataOf(collections, batch([MAX - 1n, MAX, 1n]))).toMatchObject(
      Array.from({ length: 4 }, () => ({ quantity: MAX })),
    );
  });

  it('as the parts of a price of LooksRare v2 leaves price and fees unknown', () => {
    const taken = encodeLog(
      exchangeOf(looksRareV2),
      'TakerBid((bytes32 orderHash, uint256 orderNonce, bool isNonceInvalidated) nonceInvalidationParameters, address bidUser, address bidRecipient, uint256 strategyId, address currency, address collection, uint256[] itemIds, uint256[] amounts, address[2] feeRecipients, uint256[3] feeAmounts)',
      [[HASH, 1n, true], BUYER, BUYER, 0n, WETH, NFT, [7n], [1n], [SELLER, OTHER], [0n, MAX, MAX]],
    );
    expect(dataOf(looksRareV2, taken)).toMatchObject([{ price: null, fees: null }]);
  });

  it('as the parts of a price of Foundation leaves price and fees unknown', () => {
    const accepted = encodeLog(
      exchangeOf(foundation),
      'BuyPriceAccepted(address indexed nftContract, uint256 indexed tokenId, address indexed seller, address buyer, uint256 totalFees, uint256 creatorRev, uint256 sellerRev)',
      [NFT, 9n, SELLER, BUYER, MAX, MAX, 1n],
    );
    expect(dataOf(foundation, accepted)).toMatchObject([{ price: null, fees: null }]);
  });

  it('as the fees that a hostile currency logs after a Wyvern match’s payment leaves the fees unknown', () => {
    const paid = (from: string, to: string, value: bigint) =>
      encodeLog(WETH, 'Transfer(address indexed from, address indexed to, uint256 value)', [from, to, value]);
    const logs = [
      paid(BUYER, SELLER, 1000n),
      paid(SELLER, OTHER, MAX),
      paid(SELLER, OTHER, MAX),
      encodeLog(
        exchangeOf(wyvern),
        'OrdersMatched(bytes32 buyHash, bytes32 sellHash, address indexed maker, address indexed taker, uint256 price, bytes32 indexed metadata)',
        [NONE, HASH, SELLER, BUYER, 1000n, NONE],
      ),
    ];
    expect(dataOf(wyvern, ...logs)).toMatchObject([{ price: 1000n, currency: WETH, fees: null }]);
  });

  it('as the fees of X2Y2 or Blur leaves the fees unknown', () => {
    const sold = encodeLog(
      exchangeOf(x2y2),
      'EvInventory(bytes32 indexed itemHash, address maker, address taker, uint256 orderSalt, uint256 settleSalt, uint256 intent, uint256 delegateType, uint256 deadline, address currency, bytes dataMask, (uint256 price, bytes data) item, (uint8 op, uint256 orderIdx, uint256 itemIdx, uint256 price, bytes32 itemHash, address executionDelegate, bytes dataReplacement, uint256 bidIncentivePct, uint256 aucMinIncrementPct, uint256 aucIncDurationSecs, (uint256 percentage, address to)[] fees) detail)',
      [
        HASH,
        SELLER,
        BUYER,
        1n,
        1n,
        1n,
        1n,
        1n,
        WETH,
        '0x',
        [1n, `0x${[0x20n, 1n, BigInt(NFT), 9n].map((w) => w.toString(16).padStart(64, '0')).join('')}`],
        [1, 0n, 0n, MAX, HASH, OTHER, '0x', 0n, 0n, 0n, [[MAX, OTHER]]],
      ],
    );
    expect(dataOf(x2y2, sold)).toMatchObject([{ price: MAX, fees: null }]);

    const order =
      '(address trader, uint8 side, address matchingPolicy, address collection, uint256 tokenId, uint256 amount, address paymentToken, uint256 price, uint256 listingTime, uint256 expirationTime, (uint16 rate, address recipient)[] fees, uint256 salt, bytes extraParams)';
    const side = (of: string, n: bigint) =>
      [of, n, OTHER, NFT, 9n, 1n, ZERO, MAX, 10n - n, 0n, [[65_535n, OTHER]], 1n, '0x'] as const;
    const matched = encodeLog(
      exchangeOf(blurV1),
      `OrdersMatched(address indexed maker, address indexed taker, ${order} sell, bytes32 sellHash, ${order} buy, bytes32 buyHash)`,
      [SELLER, BUYER, side(SELLER, 1n), HASH, side(BUYER, 0n), NONE],
    );
    expect(dataOf(blurV1, matched)).toMatchObject([{ price: MAX, fees: null }]);

    const executed = encodeLog(
      exchangeOf(blurV2),
      'Execution((address trader, uint256 id, uint256 amount, address collection, uint8 assetType) transfer, bytes32 orderHash, uint256 listingIndex, uint256 price, (address recipient, uint16 rate) makerFee, ((address recipient, uint16 rate) protocolFee, (address recipient, uint16 rate) takerFee) fees, uint8 orderType)',
      [
        [SELLER, 9n, 0n, NFT, 0],
        HASH,
        0n,
        MAX,
        [OTHER, 65_535n],
        [
          [OTHER, 1n],
          [OTHER, 1n],
        ],
        0,
      ],
    );
    expect(dataOf(blurV2, executed)).toMatchObject([{ price: MAX, fees: null }]);
  });
});
