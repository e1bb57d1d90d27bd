import type { EvmLog } from '../log';
import { hasRecordings, readRecording, recordedReceipts, recordedSales } from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { blurV2 } from './blurV2';

const EXCHANGE = '0xb2ecfe4e4d61f8790bbb9de2d1259b9e2410cea5';
const ZERO = addressOf(0);
const [SELLER, BUYER, OTHER, NFT] = [1, 2, 3, 4].map(addressOf) as [string, string, string, string];
const HASH = `0x${'11'.repeat(32)}`;
const PACKED = 'bytes32 orderHash, uint256 tokenIdListingIndexTrader, uint256 collectionPriceSide';

interface Trade {
  readonly side: bigint;
  readonly trader: string;
  readonly tokenId?: bigint;
  readonly price?: bigint;
}

const words = ({ side, trader, tokenId = 9n, price = 1_003n }: Trade) => [
  HASH,
  (tokenId << 168n) | (3n << 160n) | BigInt(trader),
  (side << 248n) | (price << 160n) | BigInt(NFT),
];
const feeWord = (rate: bigint) => (rate << 160n) | BigInt(OTHER);
const packed = (trade: Trade) => encodeLog(EXCHANGE, `Execution721Packed(${PACKED})`, words(trade));
const takerFee = (trade: Trade) =>
  encodeLog(EXCHANGE, `Execution721TakerFeePacked(${PACKED}, uint256 takerFeeRecipientRate)`, [
    ...words(trade),
    feeWord(500n),
  ]);
const makerFee = (trade: Trade) =>
  encodeLog(EXCHANGE, `Execution721MakerFeePacked(${PACKED}, uint256 makerFeeRecipientRate)`, [
    ...words(trade),
    feeWord(500n),
  ]);
const execution = (side: bigint, trader: string, assetType: bigint) =>
  encodeLog(
    EXCHANGE,
    'Execution((address trader, uint256 id, uint256 amount, address collection, uint8 assetType) transfer, bytes32 orderHash, uint256 listingIndex, uint256 price, (address recipient, uint16 rate) makerFee, ((address recipient, uint16 rate) protocolFee, (address recipient, uint16 rate) takerFee) fees, uint8 orderType)',
    [
      [trader, 2n ** 90n, assetType === 0n ? 0n : 5n, NFT, assetType],
      HASH,
      0n,
      1_000n,
      [OTHER, 100n],
      [
        [OTHER, 10n],
        [OTHER, 20n],
      ],
      side,
    ],
  );
const moved = (from: string, to: string, tokenId = 9n) =>
  encodeLog(NFT, 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)', [
    from,
    to,
    tokenId,
  ]);

const translate = (...logs: EvmLog[]) => translateReceipts(blurV2, [EXCHANGE], [receiptWith(1, logs)]);

describe('blurV2', () => {
  it('finds the buyer of an ask in the token’s transfer', () => {
    expect(translate(moved(SELLER, BUYER), packed({ side: 0n, trader: SELLER }))).toMatchObject([
      {
        name: 'OrderFilled',
        aggregateId: `${EXCHANGE}:${HASH}`,
        data: {
          side: 'listing',
          seller: SELLER,
          buyer: BUYER,
          items: [{ collection: NFT, tokenId: 9n, quantity: 1n, standard: 'erc721' }],
          price: 1_003n,
          currency: ZERO,
          fees: 0n,
          closes: null,
        },
      },
    ]);
  });

  it('finds the seller of a bid there', () => {
    expect(translate(moved(SELLER, BUYER), packed({ side: 1n, trader: BUYER }))).toMatchObject([
      { data: { side: 'offer', seller: SELLER, buyer: BUYER } },
    ]);
  });

  it.each([
    ['ask', 'maker', makerFee({ side: 0n, trader: SELLER }), 50n],
    ['ask', 'taker', takerFee({ side: 0n, trader: SELLER }), 0n],
    ['bid', 'taker', takerFee({ side: 1n, trader: BUYER }), 50n],
    ['bid', 'maker', makerFee({ side: 1n, trader: BUYER }), 0n],
  ])(
    'of an %s counts the %s’s fee as part of the price only when the seller pays it',
    (_, _by, log, fees) => {
      expect(translate(moved(SELLER, BUYER), log)).toMatchObject([{ data: { price: 1_003n, fees } }]);
    },
  );

  it('keeps the widest token id and price of the packed words', () => {
    const most = 2n ** 88n - 1n;
    const [event] = translate(
      moved(SELLER, BUYER, most),
      packed({ side: 1n, trader: BUYER, tokenId: most, price: most }),
    );
    expect(event).toMatchObject({
      data: { price: most, side: 'offer', items: [{ tokenId: most, collection: NFT }] },
    });
  });

  it('reads the unpacked form: what does not fit, ERC-1155 quantities, protocol fees', () => {
    const single = encodeLog(
      NFT,
      'TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
      [OTHER, SELLER, BUYER, 2n ** 90n, 5n],
    );
    expect(translate(single, execution(1n, BUYER, 1n))).toMatchObject([
      {
        data: {
          seller: SELLER,
          fees: 3n,
          items: [{ tokenId: 2n ** 90n, quantity: 5n, standard: 'erc1155' }],
        },
      },
    ]);
    expect(translate(moved(SELLER, BUYER, 2n ** 90n), execution(0n, SELLER, 0n))).toMatchObject([
      { data: { buyer: BUYER, fees: 11n, items: [{ quantity: 1n, standard: 'erc721' }] } },
    ]);
  });

  it('pairs each execution of a transaction with the trader’s own transfer of that token (D8)', () => {
    const sales = saleLines(
      translate(
        // A batch moves all its tokens first.
        moved(SELLER, BUYER, 1n),
        moved(SELLER, BUYER, 2n),
        packed({ side: 0n, trader: SELLER, tokenId: 1n }),
        packed({ side: 0n, trader: SELLER, tokenId: 2n }),
        // Then the buyer sells one on into a bid.
        moved(BUYER, OTHER, 1n),
        packed({ side: 1n, trader: OTHER, tokenId: 1n }),
      ),
    );
    expect(sales.map((sale) => [sale.token_id, sale.seller, sale.buyer])).toEqual([
      ['1', SELLER, BUYER],
      ['2', SELLER, BUYER],
      ['1', BUYER, OTHER],
    ]);
  });

  it('takes the last of several transfers from the same trader before the execution', () => {
    const events = translate(
      moved(SELLER, OTHER),
      moved(OTHER, SELLER),
      moved(SELLER, BUYER),
      packed({ side: 0n, trader: SELLER }),
      moved(BUYER, OTHER),
    );
    expect(events).toMatchObject([{ data: { buyer: BUYER } }]);
  });

  it('passes over what a token contract logs that is no transfer (D6, D7)', () => {
    const erc20 = { ...moved(SELLER, OTHER), data: `0x${'0'.repeat(63)}9` };
    const wide = moved(SELLER, OTHER);
    const events = translate(
      moved(SELLER, BUYER),
      { ...erc20, topics: erc20.topics.slice(0, 3) },
      { ...wide, topics: wide.topics.map((topic, i) => (i === 2 ? `0x${'f'.repeat(64)}` : topic)) },
      packed({ side: 0n, trader: SELLER }),
    );
    expect(events).toMatchObject([{ data: { buyer: BUYER } }]);
  });

  it('reports the sale without the other party when no transfer names it', () => {
    expect(translate(packed({ side: 0n, trader: SELLER }))).toMatchObject([
      { data: { seller: SELLER, buyer: null } },
    ]);
  });

  it('parks an execution whose receipt is missing', () => {
    const { logs, ...place } = receiptWith(1, [packed({ side: 0n, trader: SELLER })]);
    const chain = { chainId: 1, wrappedNative: null };
    const transaction = { chain, hash: place.transactionHash, blockNumber: 1, logs, receipt: null };
    expect(() => blurV2.translate(transaction, () => undefined)).toThrow(
      expect.objectContaining({ code: 'RECEIPT_MISSING', disposition: 'park' }),
    );
  });

  it('cancels by hash and by nonce, without asking for a receipt', () => {
    const cancel = encodeLog(
      EXCHANGE,
      'CancelTrade(address indexed user, bytes32 hash, uint256 index, uint256 amount)',
      [SELLER, HASH, 0n, 1n],
    );
    const increment = encodeLog(EXCHANGE, 'NonceIncremented(address indexed user, uint256 newNonce)', [
      SELLER,
      3n,
    ]);
    const events = translate(cancel, increment);
    expect(events).toMatchObject([
      { name: 'OrderCancelled', aggregateId: `${EXCHANGE}:${HASH}`, data: { maker: SELLER } },
      { name: 'MakerOrdersVoided', aggregateId: `${EXCHANGE}:${SELLER}`, data: { belowNonce: null } },
    ]);
    expect(foldEvents(events).rows[0]).toMatchObject({ status: 'CANCELED', maker: SELLER });
    expect(
      [cancel, increment, packed({ side: 0n, trader: SELLER })].map((log) => blurV2.needsReceipt(log)),
    ).toEqual([false, false, true]);
  });

  it('counts several fills of one bid on a collection as sales of their own', () => {
    const { activities } = foldEvents(
      translate(
        moved(SELLER, BUYER, 1n),
        moved(OTHER, BUYER, 2n),
        packed({ side: 1n, trader: BUYER, tokenId: 1n }),
        packed({ side: 1n, trader: BUYER, tokenId: 2n }),
      ),
    );
    expect(activities).toMatchObject([
      { kind: 'SALE', tokenId: 1n, from: SELLER, to: BUYER },
      { kind: 'SALE', tokenId: 2n, from: OTHER, to: BUYER },
    ]);
  });
});

(hasRecordings() ? describe : describe.skip)('blurV2 on recorded blocks', () => {
  it('finds the 6 recorded sales with the party that only the transfer names', () => {
    const expected = recordedSales().filter((sale) => sale.protocol === 'blur2');
    expect(expected).toHaveLength(6);
    expect(saleLines(translateReceipts(blurV2, [EXCHANGE], recordedReceipts()))).toEqual(
      expected.map(
        ({ protocol: _p, kind, items_in_order: _i, confirmed_by_log_index: _c, note: _n, ...sale }) => ({
          ...sale,
          side: kind,
          // Not in the log, and left open in the list: ether, or ether deposited in the pool.
          currency: ZERO,
        }),
      ),
    );
  });

  it.each(['0x1d5e12b5', '0x7dc5c069'])('agrees with another indexer on its example of %s', (topic) => {
    const cases = JSON.parse(readRecording('marketplace-logs/cases.json')) as {
      log: EvmLog;
      expected: Record<string, string>;
    }[];
    const { log, expected } = cases.find((one) => one.log.topics[0]?.startsWith(topic))!;
    const example = { ...packed({ side: 0n, trader: SELLER }), ...log };
    // The case is one log: the transfer that it goes with is made from what is expected.
    const transfer = encodeLog(
      expected['token']!,
      'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
      [expected['seller'], expected['buyer'], expected['tokenId']],
    );
    expect(saleLines(translate(transfer, example))).toMatchObject([
      {
        side: 'listing',
        order_hash: expected['orderHash'],
        seller: expected['seller'],
        buyer: expected['buyer'],
        token: expected['token'],
        token_id: expected['tokenId'],
        amount: expected['amount'],
        price_raw: expected['price'],
        currency: ZERO,
      },
    ]);
  });
});
