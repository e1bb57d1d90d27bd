import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { id } from 'ethers';
import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { marketplaceIn } from './loadMarketplace';

const FILE = resolve(__dirname, '../../../../tools/examples/zoraAsks.cjs');
const GUIDE = resolve(__dirname, '../../../../docs/add-a-marketplace.md');
const zoraAsks = marketplaceIn(require(FILE) as unknown, FILE);

const ASKS = '0x6170b3c3a54c3d8c854934cbc314ed479b2b29a3';
const [SELLER, BUYER, OTHER, NFT, WETH] = [1, 2, 3, 4, 5].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
];
const TUPLE =
  '(address seller, address sellerFundsRecipient, address askCurrency, uint16 findersFeeBps, uint256 askPrice) ask';
const TOKEN = 'address indexed tokenContract, uint256 indexed tokenId';

const ask = (price: bigint, currency: string) => [SELLER, OTHER, currency, 250n, price];
const log = (name: string, price: bigint, currency = addressOf(0)): EvmLog =>
  encodeLog(ASKS, `${name}(${TOKEN}, ${TUPLE})`, [NFT, 9n, ask(price, currency)]);
const filled = (price: bigint, currency = addressOf(0)): EvmLog =>
  encodeLog(ASKS, `AskFilled(${TOKEN}, address indexed buyer, address finder, ${TUPLE})`, [
    NFT,
    9n,
    BUYER,
    OTHER,
    ask(price, currency),
  ]);
const fold = (...logs: EvmLog[]) =>
  foldEvents(
    translateReceipts(
      zoraAsks,
      [ASKS],
      logs.map((one, i) => receiptWith(i + 1, [one])),
    ),
  );

describe('the example of a marketplace in one file', () => {
  it('knows its events by the hashes of their signatures', () => {
    const tuple = '(address,address,address,uint16,uint256)';
    expect(zoraAsks.topics).toEqual([
      id(`AskCreated(address,uint256,${tuple})`),
      id(`AskPriceUpdated(address,uint256,${tuple})`),
      id(`AskCanceled(address,uint256,${tuple})`),
      id(`AskFilled(address,uint256,address,address,${tuple})`),
    ]);
  });

  it('lists, changes price and currency, and sells', () => {
    const most = 2n ** 256n - 1n;
    const { rows, activities } = fold(
      log('AskCreated', 100n),
      log('AskPriceUpdated', most, WETH),
      filled(most, WETH),
    );
    expect(rows).toMatchObject([
      {
        table: 'orders',
        market: 'zora-asks',
        id: `${NFT}:9`,
        maker: SELLER,
        taker: BUYER,
        collection: NFT,
        tokenId: 9n,
        price: most,
        currency: WETH,
        status: 'SOLD',
      },
    ]);
    expect(activities.map((a) => [a.kind, a.price])).toEqual([
      ['LIST', 100n],
      ['UPDATE', most],
      ['SALE', most],
    ]);
  });

  it('cancels, and lists again as another row', () => {
    const { rows } = fold(log('AskCreated', 100n), log('AskCanceled', 100n), log('AskCreated', 50n));
    expect(rows).toMatchObject([
      { status: 'CANCELED', price: 100n },
      { status: 'LISTING', price: 50n },
    ]);
  });

  it('knows where it is deployed', () => {
    expect(zoraAsks.contracts(1)).toEqual([{ address: ASKS }]);
    expect(zoraAsks.contracts(137)).toEqual([{ address: '0x3634e984ba0373cfa178986fd19f03ba4dd8e469' }]);
    expect(zoraAsks.contracts(56)).toEqual([]);
  });

  it('parks a truncated log', () => {
    expect(() => fold({ ...filled(1n), data: '0x' })).toThrow(
      expect.objectContaining({ code: 'MARKETPLACE_FAILED', disposition: 'park' }),
    );
  });

  it('is the file that the guide tells of', () => {
    expect(readFileSync(GUIDE, 'utf8')).toContain('tools/examples/zoraAsks.cjs');
  });
});
