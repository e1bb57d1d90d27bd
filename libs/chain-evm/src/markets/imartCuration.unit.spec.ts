import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { imartCuration } from './imartCuration';
import { ZERO_ADDRESS } from '../zeroAddress';

const CURATION = addressOf(0xc0);
const [OWNER, CURATOR, BUYER, NFT, POOL] = [1, 2, 3, 4, 5].map(addressOf) as [
  string,
  string,
  string,
  string,
  string,
];
const NOW = 1_666_339_963n;

const gallery = (
  changes: Partial<Record<'name' | 'collection' | 'pool', string>> = {},
  rates = [250n],
): EvmLog =>
  encodeLog(
    CURATION,
    'GalleryChanged(uint256 indexed id, string eventType, address collection, uint256 tokenId, address owner, string spaceType, string name, string metadataUri, bool isToken, uint64 timestamp, address[] payees, uint256[] commissionRates, address commissionPool, address[] admissions)',
    [
      7n,
      'whatever',
      changes.collection ?? NFT,
      2n ** 256n - 1n,
      CURATOR,
      'hall',
      changes.name ?? 'Hall',
      'ipfs://1',
      true,
      NOW,
      [CURATOR],
      rates,
      changes.pool ?? POOL,
      [NFT],
    ],
  );
const offer = (eventType: string, changes: { expires?: bigint; price?: bigint } = {}): EvmLog =>
  encodeLog(
    CURATION,
    'OfferChanged(uint256 indexed id, string eventType, address collection, uint256 tokenId, address from, address to, uint256 price, uint256 galleryId, uint64 offerStartAt, uint64 offerExpiredAt, uint64 exhibitExpiredAt, string url, string detail, uint64 timestamp)',
    [
      9n,
      eventType,
      NFT,
      1n,
      CURATOR,
      OWNER,
      changes.price ?? 2n ** 256n - 1n,
      7n,
      NOW,
      changes.expires ?? NOW + 60n,
      2n ** 64n - 1n,
      'u',
      'd',
      NOW,
    ],
  );
const exhibit = (eventType: string, id = 11n, tokenId = 1n, price = 100n): EvmLog =>
  encodeLog(
    CURATION,
    'ExhibitChanged(uint256 indexed id, string eventType, uint256 galleryId, address collection, uint256 tokenId, address origin, uint64 expiration, uint256 price, string location, string url, string detail, uint64 timestamp)',
    [id, eventType, 7n, NFT, tokenId, OWNER, NOW + 60n, price, '3rd floor', 'u', 'd', NOW],
  );
const moved = (from: string, to: string, tokenId = 1n, collection = NFT): EvmLog =>
  encodeLog(collection, 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)', [
    from,
    to,
    tokenId,
  ]);

const translate = (...transactions: EvmLog[][]) =>
  translateReceipts(
    imartCuration,
    [CURATION],
    transactions.map((logs, i) => receiptWith(i + 1, logs)),
  );
const fold = (...transactions: EvmLog[][]) => foldEvents(translate(...transactions));

describe('IMart’s curation on EVM: galleries', () => {
  it('are opened and changed, whatever the change is called', () => {
    expect(fold([gallery()], [gallery({ name: 'Hall 2' }, [2n ** 256n - 1n])]).rows).toMatchObject([
      {
        table: 'galleries',
        contract: CURATION,
        id: '7',
        market: 'imart-curation',
        collection: NFT,
        tokenId: 2n ** 256n - 1n,
        owner: CURATOR,
        spaceType: 'hall',
        name: 'Hall 2',
        metadataUri: 'ipfs://1',
        commissions: [{ payee: CURATOR, rate: 2n ** 256n - 1n }],
        commissionPool: POOL,
        admissions: [NFT],
        version: 2,
      },
    ]);
  });

  it('have no token where the contract names none, and lose their pool when it is taken away', () => {
    expect(
      fold(
        [gallery({ collection: ZERO_ADDRESS })],
        [gallery({ collection: ZERO_ADDRESS, pool: ZERO_ADDRESS })],
      ).rows,
    ).toMatchObject([{ collection: null, tokenId: null, commissionPool: ZERO_ADDRESS }]);
  });

  it('whose payees and rates are not as many park', () => {
    expect(() => translate([gallery({}, [])])).toThrow(/commissionRates: it has 1 payees and 0 rates/);
  });
});

describe('IMart’s curation on EVM: offers', () => {
  it.each([
    ['OfferCreated', 'pending'],
    ['OfferAccepted', 'accepted'],
    ['OfferRejected', 'rejected'],
    ['OfferCanceled', 'canceled'],
  ])('are after %s %s, amounts of 256 bits exact (D2), times in microseconds', (event, status) => {
    expect(fold([offer('OfferCreated')], [offer(event)]).rows).toMatchObject([
      {
        table: 'curation_offers',
        id: '9',
        status,
        collection: NFT,
        tokenId: 1n,
        galleryId: 7n,
        from: CURATOR,
        to: OWNER,
        price: 2n ** 256n - 1n,
        currency: ZERO_ADDRESS,
        startsAtUs: NOW * 1_000_000n,
        expiresAtUs: (NOW + 60n) * 1_000_000n,
        // A year that no calendar has: never (D10).
        exhibitExpiresAtUs: null,
        url: 'u',
        detail: 'd',
        version: 2,
      },
    ]);
  });

  it('without an end never expire (D10)', () => {
    expect(fold([offer('OfferCreated', { expires: 0n })]).rows).toMatchObject([{ expiresAtUs: null }]);
  });
});

describe('IMart’s curation on EVM: exhibits', () => {
  it.each([
    ['ExhibitListed', 'listing'],
    ['ExhibitCanceled', 'reserved'],
    ['ExhibitFrozen', 'frozen'],
    ['ExhibitRedeemed', 'redeemed'],
  ])('are after %s %s, and nothing is sold', (event, status) => {
    const { rows, activities } = fold([exhibit('ExhibitListed')], [exhibit(event)]);
    expect(rows).toMatchObject([
      {
        table: 'exhibits',
        id: '11',
        status,
        galleryId: 7n,
        collection: NFT,
        tokenId: 1n,
        origin: OWNER,
        curator: null,
        owner: null,
        price: 100n,
        currency: ZERO_ADDRESS,
        expiresAtUs: (NOW + 60n) * 1_000_000n,
        location: '3rd floor',
        version: 2,
      },
    ]);
    expect(activities).toEqual([]);
  });

  it('are sold by their origin to who received the token last in the transaction, once', () => {
    const { rows, activities } = fold(
      [exhibit('ExhibitListed')],
      // By way of a contract that bought it for somebody; another token's transfer means nothing.
      [moved(OWNER, POOL), exhibit('ExhibitSold'), moved(POOL, BUYER), moved(OWNER, CURATOR, 2n)],
      [exhibit('ExhibitSold')],
    );
    expect(rows).toMatchObject([{ status: 'sold', owner: BUYER, version: 3 }]);
    expect(activities).toMatchObject([
      {
        kind: 'SALE',
        market: 'imart-curation',
        orderId: '11',
        from: OWNER,
        to: BUYER,
        price: 100n,
        currency: ZERO_ADDRESS,
        collection: NFT,
        tokenId: 1n,
        quantity: 1n,
      },
    ]);
  });

  it('sold beside each other have each its own buyer', () => {
    const { activities } = fold([
      exhibit('ExhibitSold', 11n, 1n),
      moved(OWNER, BUYER, 1n),
      exhibit('ExhibitSold', 12n, 2n),
      moved(OWNER, CURATOR, 2n),
    ]);
    expect(activities).toMatchObject([
      { orderId: '11', to: BUYER },
      { orderId: '12', to: CURATOR },
    ]);
  });

  it('sold without any transfer of the token have no known buyer', () => {
    const { rows, activities } = fold([exhibit('ExhibitSold')]);
    expect(rows).toMatchObject([{ status: 'sold', owner: null }]);
    expect(activities).toMatchObject([{ kind: 'SALE', to: null }]);
  });

  it('ask for the receipt of a sale only', () => {
    const logs = ['ExhibitListed', 'ExhibitSold', 'ExhibitRedeemed', 'Nonsense'].map((kind) => exhibit(kind));
    expect(logs.map((log) => imartCuration.needsReceipt(log))).toEqual([false, true, false, false]);
    expect([gallery(), offer('OfferCreated')].some((log) => imartCuration.needsReceipt(log))).toBe(false);
    expect(imartCuration.needsReceipt({ ...exhibit('ExhibitSold'), data: '0x00' })).toBe(false);
  });

  it.each([
    ['an exhibit', exhibit('ExhibitLost')],
    ['an offer', offer('constructor')],
  ])('park %s of which something happened that nobody knows', (_, log) => {
    expect(() => translate([log])).toThrow(/eventType: ".*" is not known/);
  });
});
