import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { wyvern } from './wyvern';
import { ZERO_ADDRESS } from '../zeroAddress';

const EXCHANGE = '0x7f268357a8c2552623316e2562d90e642bb538e5';
const OLD_EXCHANGE = '0x7be8076f4ea4a4ad08075c2508e481d6c946d12b';
const [SELLER, BUYER, ROUTER, FEES, NFT, NFT2, WETH, OTHER] = [1, 2, 3, 4, 5, 6, 7, 8].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const NONE = `0x${'0'.repeat(64)}`;
const BUY = `0x${'b'.repeat(64)}`;
const SELL = `0x${'5'.repeat(64)}`;

const matchLog = (
  of: { buy?: string; sell?: string; maker?: string; taker?: string; price?: bigint },
  exchange = EXCHANGE,
): EvmLog =>
  encodeLog(
    exchange,
    'OrdersMatched(bytes32 buyHash, bytes32 sellHash, address indexed maker, address indexed taker, uint256 price, bytes32 indexed metadata)',
    [of.buy ?? NONE, of.sell ?? NONE, of.maker ?? SELLER, of.taker ?? BUYER, of.price ?? 1000n, NONE],
  );
const moved = (from: string, to: string, id: bigint, token = NFT): EvmLog =>
  encodeLog(token, 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)', [
    from,
    to,
    id,
  ]);
const batch = (from: string, to: string, ids: bigint[], values: bigint[]): EvmLog =>
  encodeLog(
    NFT2,
    'TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
    [OTHER, from, to, ids, values],
  );
const paid = (from: string, to: string, value: bigint): EvmLog =>
  encodeLog(WETH, 'Transfer(address indexed from, address indexed to, uint256 value)', [from, to, value]);

/** All logs in one transaction. */
const translate = (logs: EvmLog[], from = BUYER) =>
  translateReceipts(wyvern, [EXCHANGE, OLD_EXCHANGE], [receiptWith(1, logs, { from })]);
const dataOf = (events: ReturnType<typeof translate>) => events.map(({ data }) => data);

describe('a Wyvern match', () => {
  it('in which the token leaves the maker is a listing sold, in ether when no currency moved', () => {
    const events = translate([moved(SELLER, BUYER, 7n), matchLog({ sell: SELL })]);
    expect(events).toMatchObject([
      {
        name: 'OrderFilled',
        aggregateType: 'order',
        aggregateId: `${EXCHANGE}:${SELL}`,
        data: {
          market: 'wyvern',
          side: 'listing',
          seller: SELLER,
          buyer: BUYER,
          items: [{ collection: NFT, tokenId: 7n, quantity: 1n, standard: 'erc721' }],
          price: 1000n,
          currency: ZERO_ADDRESS,
          fees: null,
          isSale: true,
          closes: true,
          orderHash: SELL,
        },
      },
    ]);
  });

  it('in which the token reaches the maker is an offer accepted, in the currency that moved at that price', () => {
    const events = translate([
      paid(BUYER, SELLER, 1000n),
      paid(SELLER, FEES, 50n),
      moved(SELLER, BUYER, 7n),
      matchLog({ buy: BUY, maker: BUYER, taker: SELLER }),
    ]);
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${BUY}`,
        data: { side: 'offer', seller: SELLER, buyer: BUYER, currency: WETH, fees: 50n, isSale: true },
      },
    ]);
  });

  it('of two orders with hashes fills both: the maker’s reports the sale', () => {
    const logs = [moved(SELLER, BUYER, 7n), matchLog({ sell: SELL, buy: BUY })];
    expect(translate(logs)).toMatchObject([
      { aggregateId: `${EXCHANGE}:${SELL}`, data: { side: 'listing', isSale: true } },
      { aggregateId: `${EXCHANGE}:${BUY}`, data: { side: 'offer', isSale: false } },
    ]);
    const reversed = translate([logs[0]!, matchLog({ sell: SELL, buy: BUY, maker: BUYER, taker: SELLER })]);
    expect(reversed).toMatchObject([
      { aggregateId: `${EXCHANGE}:${BUY}`, data: { side: 'offer', isSale: true } },
      { aggregateId: `${EXCHANGE}:${SELL}`, data: { side: 'listing', isSale: false } },
    ]);
    expect(foldEvents(reversed).activities.filter(({ kind }) => kind === 'SALE')).toHaveLength(1);
  });

  it('sent by the maker, whose order then has no hash, is told by the other order', () => {
    const events = translate([moved(SELLER, BUYER, 7n), matchLog({ buy: BUY })], SELLER);
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${BUY}`,
        data: { side: 'offer', seller: SELLER, buyer: BUYER, isSale: true },
      },
    ]);
  });

  it('without any hash is an order of its own, named by its place', () => {
    const events = translate([moved(SELLER, BUYER, 7n), matchLog({})]);
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${events[0]!.source.txHash}-1`,
        data: { side: 'listing', orderHash: null, isSale: true },
      },
    ]);
  });

  it('of a bundle has all tokens that moved, with one price', () => {
    const events = translate([
      moved(SELLER, BUYER, 7n),
      moved(SELLER, BUYER, 8n),
      batch(SELLER, BUYER, [1n, 2n], [10n, 20n]),
      matchLog({ sell: SELL }),
    ]);
    expect(dataOf(events)).toMatchObject([
      {
        price: 1000n,
        items: [
          { tokenId: 7n, standard: 'erc721' },
          { tokenId: 8n },
          { collection: NFT2, tokenId: 1n, quantity: 10n, standard: 'erc1155' },
          { tokenId: 2n, quantity: 20n },
        ],
      },
    ]);
  });

  it('is about the tokens that moved since the match before', () => {
    const events = translate([
      moved(SELLER, BUYER, 7n),
      matchLog({ sell: SELL, price: 1n }),
      moved(SELLER, BUYER, 8n),
      matchLog({ sell: BUY, price: 2n }, OLD_EXCHANGE),
    ]);
    expect(events).toMatchObject([
      { aggregateId: `${EXCHANGE}:${SELL}`, data: { price: 1n, items: [{ tokenId: 7n }] } },
      { aggregateId: `${OLD_EXCHANGE}:${BUY}`, data: { price: 2n, items: [{ tokenId: 8n }] } },
    ]);
    expect(dataOf(events).map((data) => (data as unknown as { items: unknown[] }).items.length)).toEqual([
      1, 1,
    ]);
  });

  it('is not about what its maker did with somebody else before', () => {
    const logs = [moved(SELLER, OTHER, 6n), moved(SELLER, BUYER, 7n), matchLog({ sell: SELL })];
    expect(dataOf(translate(logs))).toMatchObject([{ buyer: BUYER, items: [{ tokenId: 7n }] }]);
  });

  it('through an aggregator names the user, whether the token went to them at once or by way of it', () => {
    const atOnce = [moved(SELLER, BUYER, 7n), matchLog({ sell: SELL, taker: ROUTER })];
    const byWay = [
      moved(SELLER, ROUTER, 7n),
      matchLog({ sell: SELL, taker: ROUTER }),
      moved(ROUTER, BUYER, 7n),
    ];
    expect(dataOf(translate(atOnce))).toMatchObject([{ seller: SELLER, buyer: BUYER }]);
    expect(dataOf(translate(byWay))).toMatchObject([{ seller: SELLER, buyer: BUYER }]);
  });

  it('of a buyer who sells on in the same transaction names that buyer', () => {
    const logs = [
      moved(SELLER, ROUTER, 7n),
      matchLog({ sell: SELL, taker: ROUTER }),
      moved(ROUTER, OTHER, 7n),
    ];
    expect(dataOf(translate(logs))).toMatchObject([{ buyer: ROUTER }]);
  });

  it('accepted through an aggregator names the user who gave the token to it', () => {
    const logs = [
      moved(SELLER, ROUTER, 7n),
      moved(ROUTER, BUYER, 7n),
      matchLog({ buy: BUY, maker: BUYER, taker: ROUTER }),
    ];
    expect(dataOf(translate(logs, SELLER))).toMatchObject([
      { side: 'offer', seller: SELLER, buyer: BUYER, items: [{ tokenId: 7n }] },
    ]);
  });

  it('of a token that is minted by its sale has the maker for seller', () => {
    const logs = [moved(ZERO_ADDRESS, BUYER, 7n), matchLog({ sell: SELL })];
    expect(dataOf(translate(logs))).toMatchObject([
      { side: 'listing', seller: SELLER, buyer: BUYER, items: [{ tokenId: 7n }] },
    ]);
  });

  it.each([
    ['no token moved', []],
    ['tokens moved both ways', [moved(SELLER, BUYER, 7n), moved(BUYER, SELLER, 8n)]],
    ['the maker’s token only came back to it', [moved(SELLER, SELLER, 7n)]],
    ['only others’ tokens moved', [moved(OTHER, ROUTER, 7n)]],
  ] as [string, EvmLog[]][])('is a sale of what is known, and no more, when %s', (_, logs) => {
    const events = translate([...logs, matchLog({ sell: SELL })]);
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${SELL}`,
        data: { isSale: true, price: 1000n, items: [], seller: null, buyer: null },
      },
    ]);
    expect(foldEvents(events).activities).toMatchObject([{ kind: 'SALE', price: 1000n, tokenId: null }]);
  });

  it('has no currency when none can be told for certain', () => {
    const other = [paid(BUYER, SELLER, 999n), moved(SELLER, BUYER, 7n), matchLog({ sell: SELL })];
    expect(dataOf(translate(other))).toMatchObject([{ currency: null, fees: null }]);
    const free = [moved(SELLER, BUYER, 7n), matchLog({ sell: SELL, price: 0n })];
    expect(dataOf(translate(free))).toMatchObject([{ currency: null, price: 0n }]);
  });

  it('is not disturbed by what hostile contracts log in its transaction (D7)', () => {
    const broken = { ...batch(SELLER, BUYER, [1n], [1n]), data: '0x1234' };
    const events = translate([broken, moved(SELLER, BUYER, 7n), matchLog({ sell: SELL })]);
    expect(dataOf(events)).toMatchObject([{ items: [{ tokenId: 7n }] }]);
  });

  it('is not translated without the receipt that it asked for', () => {
    const log = { ...matchLog({ sell: SELL }), logIndex: 1 };
    expect(wyvern.needsReceipt(log)).toBe(true);
    const transaction = {
      chain: { chainId: 1, wrappedNative: WETH },
      hash: '0x1',
      blockNumber: 1,
      logs: [log],
      receipt: null,
    };
    expect(() => wyvern.translate(transaction, () => undefined)).toThrow(
      expect.objectContaining({ code: 'RECEIPT_MISSING', disposition: 'park' }),
    );
  });
});

describe('the end of Wyvern orders', () => {
  it('is a cancel by hash, which asks for no receipt', () => {
    const cancel = encodeLog(EXCHANGE, 'OrderCancelled(bytes32 indexed hash)', [SELL]);
    expect(wyvern.needsReceipt(cancel)).toBe(false);
    expect(translate([cancel])).toMatchObject([
      {
        name: 'OrderCancelled',
        aggregateId: `${EXCHANGE}:${SELL}`,
        data: { side: null, maker: null, orderHash: SELL },
      },
    ]);
  });

  it('is a nonce that voids all that the maker signed before', () => {
    const increment = encodeLog(EXCHANGE, 'NonceIncremented(address indexed maker, uint256 newNonce)', [
      SELLER,
      3n,
    ]);
    expect(translate([increment])).toMatchObject([
      {
        name: 'MakerOrdersVoided',
        aggregateId: `${EXCHANGE}:${SELLER}`,
        data: { belowNonce: null, side: null },
      },
    ]);
  });

  it('is known on Ethereum only', () => {
    expect(wyvern.contracts(1).map(({ address }) => address)).toEqual([OLD_EXCHANGE, EXCHANGE]);
    expect(wyvern.contracts(137)).toEqual([]);
  });
});
