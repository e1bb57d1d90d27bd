import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { imartMarket } from './imartMarket';

const MARKET = addressOf(0xaaa);
const [SELLER, BUYER, NFT] = [1, 2, 3].map(addressOf) as [string, string, string];

const listed = (price: bigint, expiresAt = 0n, seller = SELLER): EvmLog =>
  encodeLog(
    MARKET,
    'Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
    [7n, NFT, 9n, seller, price, expiresAt],
  );
const sold = (price: bigint): EvmLog =>
  encodeLog(MARKET, 'Sold(uint256 indexed orderId, address indexed buyer, uint256 price)', [
    7n,
    BUYER,
    price,
  ]);
const delisted = (): EvmLog => encodeLog(MARKET, 'Delisted(uint256 indexed orderId)', [7n]);
const offered = (price: bigint, expiresAt = 0n): EvmLog =>
  encodeLog(
    MARKET,
    'OfferCreated(uint256 indexed offerId, address indexed collection, uint256 indexed tokenId, address bidder, uint256 price, uint64 expiresAt)',
    [7n, NFT, 9n, BUYER, price, expiresAt],
  );
const accepted = (): EvmLog =>
  encodeLog(MARKET, 'OfferAccepted(uint256 indexed offerId, address indexed seller)', [7n, SELLER]);
const offerCanceled = (): EvmLog => encodeLog(MARKET, 'OfferCanceled(uint256 indexed offerId)', [7n]);

const translate = (...logs: EvmLog[]) =>
  translateReceipts(
    imartMarket,
    [MARKET],
    logs.map((log, i) => receiptWith(i + 1, [log])),
  );

describe('imartMarket', () => {
  it('lists, changes the price on a second Listed, and sells', () => {
    const { rows, activities } = foldEvents(translate(listed(100n, 1_700_000_000n), listed(90n), sold(90n)));
    expect(rows).toMatchObject([
      {
        table: 'orders',
        contract: MARKET,
        id: '7',
        market: 'imart',
        maker: SELLER,
        taker: BUYER,
        collection: NFT,
        tokenId: 9n,
        quantity: 1n,
        price: 90n,
        currency: addressOf(0),
        status: 'SOLD',
        expiresAtUs: null,
        escrow: false,
      },
    ]);
    expect(activities).toMatchObject([
      { kind: 'LIST', from: SELLER, price: 100n },
      { kind: 'UPDATE', from: SELLER, price: 90n },
      { kind: 'SALE', from: SELLER, to: BUYER, tokenId: 9n, quantity: 1n, price: 90n },
    ]);
  });

  it('delists', () => {
    const { rows, activities } = foldEvents(translate(listed(100n), delisted()));
    expect(rows).toMatchObject([{ status: 'CANCELED', maker: SELLER }]);
    expect(activities).toMatchObject([{ kind: 'LIST' }, { kind: 'CANCEL', from: SELLER, tokenId: 9n }]);
  });

  it('keeps offers apart from orders of the same id, and sells by them', () => {
    const { rows, activities } = foldEvents(translate(listed(100n), offered(80n), accepted()));
    expect(rows).toMatchObject([
      { table: 'orders', aggregateType: 'order', id: '7', status: 'LISTING' },
      {
        table: 'offers',
        aggregateType: 'offer',
        id: '7',
        status: 'ACCEPTED',
        maker: BUYER,
        taker: SELLER,
        price: 80n,
      },
    ]);
    expect(activities).toMatchObject([
      { kind: 'LIST' },
      { kind: 'OFFER', from: BUYER },
      {
        kind: 'SALE',
        side: 'offer',
        from: SELLER,
        to: BUYER,
        price: 80n,
        currency: addressOf(0),
        tokenId: 9n,
      },
    ]);
  });

  it('cancels an offer', () => {
    const { rows } = foldEvents(translate(offered(80n), offerCanceled()));
    expect(rows).toMatchObject([{ table: 'offers', status: 'CANCELED', maker: BUYER }]);
  });

  it.each([
    [0n, null],
    [1n, 1_000_000n],
    [253_402_300_799n, 253_402_300_799_000_000n],
    [253_402_300_800n, null],
    [2n ** 64n - 1n, null],
  ])('reads the expiry %s s as %s us (D10)', (seconds, us) => {
    expect(translate(listed(1n, seconds))[0]).toMatchObject({ data: { expiresAtUs: us } });
    expect(translate(offered(1n, seconds))[0]).toMatchObject({ data: { expiresAtUs: us } });
  });

  it('keeps the largest amounts exact (D2)', () => {
    const most = 2n ** 256n - 1n;
    expect(foldEvents(translate(listed(most), sold(most))).rows).toMatchObject([{ price: most }]);
  });

  it('makes a row of a sale whose listing was not seen (D14)', () => {
    expect(foldEvents(translate(sold(5n))).rows).toMatchObject([
      { status: 'SOLD', maker: null, taker: BUYER, price: 5n, collection: null, quantity: null },
    ]);
  });

  it('follows several orders through one transaction, in log order (D8)', () => {
    const receipt = receiptWith(1, [listed(3n), delisted(), listed(4n), sold(4n)]);
    const { rows } = foldEvents(translateReceipts(imartMarket, [MARKET], [receipt]));
    expect(rows).toMatchObject([
      { status: 'CANCELED', price: 3n },
      { status: 'SOLD', price: 4n },
    ]);
  });

  it('parks a truncated log (D7)', () => {
    const log = { ...sold(5n), data: '0x00' };
    expect(() => translate(log)).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });

  it('needs no receipt and has no address of its own', () => {
    expect([listed(1n), sold(1n), accepted()].map((log) => imartMarket.needsReceipt(log))).toEqual([
      false,
      false,
      false,
    ]);
    expect(imartMarket.contracts(1)).toEqual([]);
    expect(new Set(imartMarket.topics).size).toBe(6);
  });
});
