import { AbiCoder } from 'ethers';
import type { EvmLog } from '../log';
import {
  hasRecordings,
  readRecording,
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
import { maskedData, x2y2 } from './x2y2';

const EXCHANGE = '0x74312363e45dcaba76c59ec49a7aa8a65a67eed3';
const [MAKER, TAKER, OTHER, NFT, WETH] = [1, 2, 3, 4, 5].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
];
const HASH = `0x${'ab'.repeat(32)}`;
const EV_INVENTORY =
  'EvInventory(bytes32 indexed itemHash, address maker, address taker, uint256 orderSalt, uint256 settleSalt, uint256 intent, uint256 delegateType, uint256 deadline, address currency, bytes dataMask, (uint256 price, bytes data) item, (uint8 op, uint256 orderIdx, uint256 itemIdx, uint256 price, bytes32 itemHash, address executionDelegate, bytes dataReplacement, uint256 bidIncentivePct, uint256 aucMinIncrementPct, uint256 aucIncDurationSecs, (uint256 percentage, address to)[] fees) detail)';

const abi = AbiCoder.defaultAbiCoder();
const pairs = (...tokens: [string, bigint][]): string => abi.encode(['tuple(address, uint256)[]'], [tokens]);

function inventory(of: {
  op: bigint;
  intent?: bigint;
  taker?: string;
  price?: bigint;
  data?: string;
  delegateType?: bigint;
  mask?: string;
  replacement?: string;
}): EvmLog {
  const price = of.price ?? 1_000_003n;
  return encodeLog(EXCHANGE, EV_INVENTORY, [
    HASH,
    MAKER,
    of.taker ?? TAKER,
    11n,
    12n,
    of.intent ?? 1n,
    of.delegateType ?? 1n,
    2n ** 40n,
    WETH,
    of.mask ?? '0x',
    [77n, of.data ?? pairs([NFT, 9n])],
    [
      of.op,
      0n,
      0n,
      price,
      HASH,
      OTHER,
      of.replacement ?? '0x',
      0n,
      0n,
      0n,
      [
        [5_000n, OTHER],
        [25_000n, OTHER],
      ],
    ],
  ]);
}

const translate = (...logs: EvmLog[]) =>
  translateReceipts(
    x2y2,
    [EXCHANGE],
    logs.map((log, i) => receiptWith(i + 1, [log])),
  );

describe('x2y2', () => {
  it('tells a listing bought: the maker sells, at the price paid and not the price asked, less fees in millionths', () => {
    const [event] = translate(inventory({ op: 1n }));
    expect(event).toMatchObject({
      name: 'OrderFilled',
      aggregateType: 'order',
      aggregateId: `${EXCHANGE}:${HASH}`,
      data: {
        side: 'listing',
        seller: MAKER,
        buyer: TAKER,
        items: [{ collection: NFT, tokenId: 9n, quantity: 1n, standard: 'erc721' }],
        price: 1_000_003n,
        currency: WETH,
        // 5,000.015 and 25,000.075, each rounded down as the contract does.
        fees: 30_000n,
        isSale: true,
        closes: true,
        orderHash: HASH,
      },
    });
  });

  it('tells an offer taken: the maker buys', () => {
    const [event] = translate(inventory({ op: 2n, intent: 3n }));
    expect(event).toMatchObject({
      name: 'OrderFilled',
      data: { side: 'offer', seller: TAKER, buyer: MAKER },
    });
    expect(foldEvents([event!]).rows).toMatchObject([
      { table: 'offers', status: 'ACCEPTED', maker: MAKER, taker: TAKER },
    ]);
  });

  it('takes from the replacement what the mask leaves open: the token of an offer on a collection', () => {
    const mask = `0x${'00'.repeat(32 * 3)}${'ff'.repeat(32)}`;
    const [event] = translate(
      inventory({
        op: 2n,
        intent: 3n,
        data: pairs([NFT, 0n]),
        mask,
        replacement: pairs([addressOf(0), 2n ** 256n - 1n]),
      }),
    );
    expect(event).toMatchObject({ data: { items: [{ collection: NFT, tokenId: 2n ** 256n - 1n }] } });
  });

  it('masks no more than the mask reaches, and nothing without a mask or a replacement', () => {
    expect(maskedData('0x11223344', '0xaabbccdd', '0x00ff')).toBe('0x11bb3344');
    expect(maskedData('0x1122', '0xaabb', '0x')).toBe('0x1122');
    expect(maskedData('0x1122', '0x', '0xffff')).toBe('0x1122');
  });

  it('reads a bundle of several tokens with one price', () => {
    const events = translate(inventory({ op: 1n, data: pairs([NFT, 1n], [NFT, 2n], [OTHER, 3n]) }));
    const { rows, activities } = foldEvents(events);
    expect(rows).toMatchObject([
      { status: 'SOLD', price: 1_000_003n, collection: null, items: [{}, {}, {}] },
    ]);
    expect(activities).toMatchObject(
      [1n, 2n, 3n].map((tokenId) => ({ kind: 'SALE', tokenId, itemCount: 3 })),
    );
  });

  it('reads quantities of ERC-1155 tokens', () => {
    const data = abi.encode(['tuple(address, uint256, uint256)[]'], [[[NFT, 9n, 40n]]]);
    const [event] = translate(inventory({ op: 1n, delegateType: 2n, data }));
    expect(event).toMatchObject({ data: { items: [{ tokenId: 9n, quantity: 40n, standard: 'erc1155' }] } });
  });

  it('follows an auction: bids replace each other, the standing bid gives winner and price', () => {
    const { rows, activities } = foldEvents(
      translate(
        inventory({ op: 4n, intent: 2n, taker: TAKER, price: 10n }),
        inventory({ op: 4n, intent: 2n, taker: OTHER, price: 12n }),
        inventory({ op: 5n, intent: 2n, taker: MAKER, price: 0n }),
      ),
    );
    expect(rows).toMatchObject([
      { table: 'offers', kind: 'auction', maker: TAKER, status: 'CANCELED', price: 10n },
      { table: 'offers', kind: 'auction', maker: OTHER, status: 'ACCEPTED', price: 12n, taker: MAKER },
    ]);
    expect(activities.filter((a) => a.kind === 'SALE')).toMatchObject([
      { from: MAKER, to: OTHER, price: 12n, tokenId: 9n },
    ]);
  });

  it.each([6n, 7n])(
    'gives up the standing bid of a refunded auction (op %s), and makes no row when there is none',
    (op) => {
      const refund = inventory({ op, intent: 2n });
      const bid = inventory({ op: 4n, intent: 2n });
      expect(foldEvents(translate(bid, refund)).rows).toMatchObject([{ status: 'CANCELED', maker: TAKER }]);
      expect(foldEvents(translate(refund)).rows).toEqual([]);
    },
  );

  it('cancels by EvCancel, once where EvInventory says it too', () => {
    const cancel = encodeLog(EXCHANGE, 'EvCancel(bytes32 indexed itemHash)', [HASH]);
    const events = translateReceipts(x2y2, [EXCHANGE], [receiptWith(1, [cancel, inventory({ op: 3n })])]);
    expect(events).toMatchObject([
      { name: 'OrderCancelled', aggregateId: `${EXCHANGE}:${HASH}`, data: { side: null } },
    ]);
  });

  it.each([
    ['data that is no list', inventory({ op: 1n, data: '0x1234' })],
    ['an unknown delegate', inventory({ op: 1n, delegateType: 3n })],
  ])('parks %s', (_, log) => {
    expect(() => translate(log)).toThrow(
      expect.objectContaining({ code: 'X2Y2_ITEM_DATA', disposition: 'park' }),
    );
  });

  it('is known on Ethereum only', () => {
    expect(x2y2.contracts(1)).toEqual([{ address: EXCHANGE }]);
    expect(x2y2.contracts(137)).toEqual([]);
  });
});

(hasRecordings() ? describe : describe.skip)('x2y2 on recorded blocks', () => {
  it('finds the 23 recorded sales, each with token, parties, currency and price', () => {
    const events = translateReceipts(x2y2, [EXCHANGE], recordedReceipts());
    const expected = recordedSales().filter((sale) => sale.protocol === 'x2y2');
    expect(expected).toHaveLength(23);
    expect(saleLines(events)).toEqual(
      expected.map(
        ({ protocol: _p, kind, items_in_order: _i, confirmed_by_log_index: _c, note: _n, ...sale }) => ({
          ...sale,
          side: kind,
        }),
      ),
    );
  });

  it('finds the 3 recorded cancels', () => {
    const events = translateReceipts(x2y2, [EXCHANGE], recordedReceipts());
    const cancels = recordedMarketplaceLogs().filter((log) => log.event === 'EvCancel');
    expect(cancels).toHaveLength(3);
    expect(
      events
        .filter((event) => event.name === 'OrderCancelled')
        .map((event) => [event.source.txHash, event.source.index]),
    ).toEqual(cancels.map((log) => [log.tx_hash, Number(log.log_index)]));
  });

  it('agrees with another indexer on its example', () => {
    const { log, expected } = (
      JSON.parse(readRecording('marketplace-logs/cases.json')) as {
        case: string;
        log: EvmLog;
        expected: Record<string, string>;
      }[]
    ).find((one) => one.case === 'first sell log')!;
    const example = { ...encodeLog(EXCHANGE, 'EvCancel(bytes32 indexed itemHash)', [HASH]), ...log };
    const [sale] = saleLines(translate(example));
    expect(sale).toMatchObject({
      seller: expected['seller'],
      buyer: expected['buyer'],
      token: expected['token'],
      token_id: expected['tokenId'],
      price_raw: expected['price'],
    });
  });
});
