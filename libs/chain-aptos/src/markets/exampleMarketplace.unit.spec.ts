import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TradeRow } from '@imart/market';
import { canonicalAddress } from '../address';
import { readProtoJsonTransaction } from '../read/protoJsonTransaction';
import { describeAptosRecordings, readRecordedJson } from '../testing/recordings.spec';
import { foldEvents, transactionWith, translateTransactions } from '../testing/translation';
import { declaredIn } from './loadMarketplace';
import { splitV1TokenId } from './tokenIds';

const FILE = resolve(__dirname, '../../../../tools/examples/tradeportListings.cjs');
const GUIDE = resolve(__dirname, '../../../../docs/add-an-aptos-marketplace.md');
const example = declaredIn(require(FILE) as unknown, FILE);
const PACKAGE = example.packageOn(1) as string;
const market = example.at(PACKAGE);

const [SELLER, BUYER] = ['0x5e', '0xb0'].map(canonicalAddress) as [string, string];
const told = (name: string, data: object) => ({
  type: `${PACKAGE}::listings::${name}`,
  account: PACKAGE,
  data: {
    price: '100',
    token_id: {
      property_version: '0',
      token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
    },
    ...data,
  } as never,
});
const fold = (...events: ReturnType<typeof told>[]) =>
  foldEvents(
    translateTransactions(
      [market],
      events.map((one, i) => transactionWith(BigInt(i + 1), [one])),
    ),
  );

describe('the example of an Aptos marketplace in one file', () => {
  it('lists, changes the price, and sells', () => {
    const { rows, activities } = fold(
      told('InsertListingEvent', { seller: SELLER }),
      told('InsertListingEvent', { seller: SELLER, price: '90' }),
      told('BuyEvent', { owner: SELLER, buyer: BUYER, price: '90' }),
    );
    expect(rows).toMatchObject([
      {
        market: 'tradeport-listings',
        contract: PACKAGE,
        maker: SELLER,
        taker: BUYER,
        price: 90n,
        status: 'SOLD',
      },
    ]);
    expect(activities.map(({ kind, price }) => [kind, price])).toEqual([
      ['LIST', 100n],
      ['UPDATE', 90n],
      ['SALE', 90n],
    ]);
  });

  it('takes a listing down, and lists again as another row', () => {
    const listed = told('InsertListingEvent', { seller: SELLER });
    expect(fold(listed, told('DeleteListingEvent', { seller: SELLER }), listed).rows).toMatchObject([
      { status: 'CANCELED' },
      { status: 'LISTING' },
    ]);
  });

  it('is the file that the guide tells of', () => {
    expect(readFileSync(GUIDE, 'utf8')).toContain('tools/examples/tradeportListings.cjs');
  });
});

describeAptosRecordings('the example over a recorded transaction', () => {
  it('finds the two sales among another marketplace’s, and what of them was fees', () => {
    const file = 'marketplaces/wapal/transactions/2382221134_wapal_fill_listing.json';
    const transaction = readProtoJsonTransaction(readRecordedJson(file));
    const { rows, activities } = foldEvents(translateTransactions([market], [transaction]));
    expect((rows as readonly TradeRow[]).map((row) => splitV1TokenId(row.tokenId ?? 0n).version)).toEqual([
      1n,
      1n,
    ]);
    expect(activities.map(({ kind, price, fees }) => [kind, price, fees])).toEqual([
      ['SALE', 398_000_000n, 31_840_000n],
      ['SALE', 398_000_000n, 31_840_000n],
    ]);
  });
});
