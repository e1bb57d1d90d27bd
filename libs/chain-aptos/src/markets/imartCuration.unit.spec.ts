import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { foldEvents, transactionWith, translateTransactions } from '../testing/translation';
import { imartCuration } from './imartCuration';
import { v1Token } from './tokenIds';

const PACKAGE = canonicalAddress('0xc0ffee');
const market = imartCuration.at('0xc0ffee');
const [OWNER, CURATOR, BUYER] = ['0x0a', '0x0c', '0x0b'].map(canonicalAddress) as [string, string, string];
const token_id = {
  property_version: '0',
  token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
};
const token = v1Token({ creator: '0xc4', collection: 'Things', name: 'Thing', version: 0n });

const told = (struct: string, data: object) => ({
  type: `${PACKAGE}::curation::${struct}`,
  account: PACKAGE,
  data: { id: '7', token_id, timestamp: '1666339963', ...data } as never,
});
const gallery = (changes: object = {}) =>
  told('GalleryEvent', {
    event_type: 'GalleryCreated',
    owner: CURATOR,
    space_type: 'hall',
    name: 'Hall',
    metadata_uri: 'ipfs://1',
    payees: [CURATOR],
    commission_rates: ['5'],
    ...changes,
  });
const offer = (event_type: string, changes: object = {}) =>
  told('OfferEvent', {
    event_type,
    source: CURATOR,
    destination: OWNER,
    price: '9',
    gallery_id: '7',
    offer_start_at: '1666339963',
    offer_expired_at: '1666339964',
    exhibit_expired_at: '1666339965012358',
    url: 'u',
    detail: 'd',
    ...changes,
  });
const exhibit = (event_type: string, changes: object = {}) =>
  told('ExhibitEvent', {
    event_type,
    gallery_id: '7',
    origin: OWNER,
    curator: CURATOR,
    owner: OWNER,
    expiration: '0',
    price: '9',
    location: '3rd floor',
    url: 'u',
    detail: 'd',
    ...changes,
  });
type Told = ReturnType<typeof told>;
const translated = (...transactions: Told[][]) =>
  translateTransactions(
    [market],
    transactions.map((one, i) => transactionWith(BigInt(i + 1), one)),
  );
const fold = (...transactions: Told[][]) => foldEvents(translated(...transactions));

describe('IMart’s curation on Aptos', () => {
  it('opens and changes galleries', () => {
    expect(fold([gallery()], [gallery({ name: 'Hall 2', owner: BUYER })]).rows).toMatchObject([
      {
        table: 'galleries',
        contract: PACKAGE,
        id: '7',
        owner: BUYER,
        name: 'Hall 2',
        collection: token.collection,
        tokenId: token.tokenId,
        commissions: [{ payee: CURATOR, rate: 5n }],
        version: 2,
      },
    ]);
  });

  it.each([
    ['OfferCreated', 'pending'],
    ['OfferAccepted', 'accepted'],
    ['OfferRejected', 'rejected'],
    ['OfferCanceled', 'canceled'],
  ])('keeps an offer after %s as %s, its times in one unit', (event, status) => {
    expect(fold([offer('OfferCreated')], [offer(event)]).rows).toMatchObject([
      {
        table: 'curation_offers',
        status,
        from: CURATOR,
        to: OWNER,
        price: 9n,
        currency: ZERO_ADDRESS,
        startsAtUs: 1_666_339_963_000_000n,
        expiresAtUs: 1_666_339_964_000_000n,
        exhibitExpiresAtUs: 1_666_339_965_012_358n,
      },
    ]);
  });

  it.each([
    ['ExhibitListed', 'listing'],
    ['ExhibitCanceled', 'reserved'],
    ['ExhibitFrozen', 'frozen'],
    ['ExhibitRedeemed', 'redeemed'],
  ])('keeps an exhibit after %s as %s, and sells nothing', (event, status) => {
    const { rows, activities } = fold([exhibit('ExhibitListed')], [exhibit(event)]);
    expect(rows).toMatchObject([{ table: 'exhibits', status, expiresAtUs: null, galleryId: 7n }]);
    expect(activities).toEqual([]);
  });

  it('sells an exhibit once, from its origin to its owner', () => {
    const { rows, activities } = fold(
      [exhibit('ExhibitListed')],
      [exhibit('ExhibitSold', { owner: BUYER })],
      [exhibit('ExhibitRedeemed', { owner: BUYER })],
    );
    expect(rows).toMatchObject([{ status: 'redeemed', owner: BUYER }]);
    expect(activities).toMatchObject([
      { kind: 'SALE', market: 'imart-curation', from: OWNER, to: BUYER, price: 9n, tokenId: token.tokenId },
    ]);
  });

  it.each([
    ['an offer', offer('OfferForgotten')],
    ['an exhibit', exhibit('constructor')],
  ])('parks %s of which something unknown is said', (_what, event) => {
    expect(() => fold([event])).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });

  it('parks payees and rates that do not belong together', () => {
    expect(() => fold([gallery({ payees: [] })])).toThrow('it has 0 payees and 1 rates');
  });

  it('gives the same in any batching', () => {
    expectSameInAnyBatching(
      translated(
        [gallery(), offer('OfferCreated')],
        [offer('OfferAccepted'), exhibit('ExhibitListed')],
        [exhibit('ExhibitSold', { owner: BUYER })],
        [gallery({ name: 'x' })],
      ),
    );
  });
});
