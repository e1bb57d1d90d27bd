import { AptosDecodeError } from '../errors';
import { foldEvents, transactionWith, translateTransactions } from '../testing/translation';
import { canonicalAddress } from '../address';
import { rarible } from './rarible';
import { wapal } from './wapal';

const PACKAGE = canonicalAddress('0x584b');
const [SELLER, ALICE, BOB, LISTING, TOKEN, COLLECTION] = ['0x5e', '0xa1', '0xb0', '0x11', '0x70', '0xc0'].map(
  canonicalAddress,
);
const END_S = 1_800_000_000n;
const token_metadata = {
  token: { vec: [{ inner: TOKEN }] },
  collection: { vec: [{ inner: COLLECTION }] },
  ...{ token_name: 'Loony #1', collection_name: 'Loonies', creator_address: '0xc4' },
  property_version: { vec: [] },
};

describe.each([
  ['events of handles', wapal, 'Event'],
  ['module events', rarible, ''],
] as const)('an auction, by %s', (_name, marketplace, suffix) => {
  const event = (name: string, data: object) => ({
    type: `${PACKAGE}::events::${name}${suffix}`,
    account: '0x71f7',
    data: { listing: LISTING, token_metadata, ...data } as never,
  });
  const placed = (type: string) => event('ListingPlaced', { price: '10', seller: SELLER, type });
  const bid = (bidder: string | undefined, amount: string, end = END_S) =>
    event('AuctionBid', {
      ...{ new_bidder: bidder, new_bid: amount, new_end_time: String(end) },
      ...{ previous_bidder: { vec: [] }, previous_bid: { vec: [] }, previous_end_time: '0' },
    });
  const won = event('ListingFilled', {
    ...{ price: '30', seller: SELLER, purchaser: BOB, type: 'auction', commission: '1', royalties: '2' },
  });
  const fold = (...events: readonly ReturnType<typeof event>[]) =>
    foldEvents(
      translateTransactions(
        [marketplace.at(PACKAGE)],
        events.map((one, i) => transactionWith(BigInt(i + 1), [one])),
      ),
    );

  it('is no listing that anybody can take at its price', () => {
    expect(fold(placed('auction')).rows).toMatchObject([{ table: 'orders', kind: 'auction', price: 10n }]);
    expect(fold(placed('fixed price')).rows).toMatchObject([{ table: 'orders', kind: 'fixed' }]);
  });

  it('has one bid at a time, which lapses when the auction ends; a late one makes that later', () => {
    const { rows, activities } = fold(placed('auction'), bid(ALICE, '20'), bid(BOB, '30', END_S + 60n));
    const expiresAtUs = (END_S + 60n) * 1_000_000n;
    expect(rows.filter(({ table }) => table === 'offers')).toMatchObject([
      { kind: 'auction', maker: ALICE, price: 20n, status: 'CANCELED' },
      {
        kind: 'auction',
        maker: BOB,
        price: 30n,
        status: 'CREATED',
        tokenId: BigInt(TOKEN ?? 0),
        expiresAtUs,
      },
    ]);
    expect(rows.filter(({ table }) => table === 'orders')).toMatchObject([
      { status: 'LISTING', expiresAtUs },
    ]);
    expect(activities.map(({ kind }) => kind)).toEqual(['LIST', 'OFFER', 'OFFER_CANCEL', 'OFFER']);
  });

  it('ends with one sale, told of the listing', () => {
    const { rows, activities } = fold(placed('auction'), bid(BOB, '30'), won);
    expect(rows.filter(({ table }) => table === 'orders')).toMatchObject([{ status: 'SOLD', taker: BOB }]);
    expect(activities.filter(({ kind }) => kind === 'SALE')).toMatchObject([
      { side: 'listing', from: SELLER, to: BOB, price: 30n, fees: 3n, royalties: 2n },
    ]);
  });

  it('of a bid that does not say who makes it nothing is guessed (D4)', () => {
    expect(() => fold(bid(undefined, '20'))).toThrow(AptosDecodeError);
  });
});
