import { ALICE, BOB, CAROL, COLLECTION, createMarketScript, given, MARKET } from '@imart/testing';
import { AGGREGATE, claimAggregateId } from '../aggregates';
import type { MarketEventData } from '../events';

const token = { collection: COLLECTION, tokenId: 1n, standard: 'erc721' } as const;
const unsaid = {
  galleryId: null,
  price: null,
  currency: null,
  url: null,
  detail: null,
} as const;

const exhibit = (
  status: MarketEventData['ExhibitChanged']['status'],
  changes: Partial<MarketEventData['ExhibitChanged']> = {},
): MarketEventData['ExhibitChanged'] => ({
  ...unsaid,
  ...token,
  market: 'imart-curation',
  status,
  origin: null,
  curator: null,
  owner: null,
  expiresAtUs: null,
  location: null,
  ...changes,
});
const offer = (
  status: MarketEventData['CurationOfferChanged']['status'],
  changes: Partial<MarketEventData['CurationOfferChanged']> = {},
): MarketEventData['CurationOfferChanged'] => ({
  ...unsaid,
  ...token,
  market: 'imart-curation',
  status,
  from: null,
  to: null,
  startsAtUs: null,
  expiresAtUs: null,
  exhibitExpiresAtUs: null,
  ...changes,
});
const ID = `${MARKET}:7`;

describe('exhibits', () => {
  it('are listed and sold: a sale by the origin, once', () => {
    given(
      createMarketScript()
        .event(
          AGGREGATE.exhibit,
          ID,
          'ExhibitChanged',
          exhibit('listing', { origin: ALICE, price: 5n, galleryId: 3n }),
        )
        .event(AGGREGATE.exhibit, ID, 'ExhibitChanged', exhibit('sold', { owner: CAROL }))
        .event(AGGREGATE.exhibit, ID, 'ExhibitChanged', exhibit('sold', { owner: CAROL })),
    ).then(
      [
        {
          table: 'exhibits',
          id: '7',
          status: 'sold',
          origin: ALICE,
          owner: CAROL,
          price: 5n,
          galleryId: 3n,
          version: 3,
        },
      ],
      [
        {
          kind: 'SALE',
          market: 'imart-curation',
          from: ALICE,
          to: CAROL,
          price: 5n,
          tokenId: 1n,
          quantity: 1n,
        },
      ],
    );
  });

  it('are reserved, frozen and taken back without a sale', () => {
    const script = createMarketScript();
    for (const status of ['listing', 'reserved', 'frozen', 'redeemed'] as const) {
      script.event(AGGREGATE.exhibit, ID, 'ExhibitChanged', exhibit(status));
    }
    given(script).then([{ status: 'redeemed' }], []);
  });
});

describe('offers to exhibit', () => {
  it.each(['accepted', 'rejected', 'canceled'] as const)(
    'are made and %s, with the terms they had',
    (status) => {
      given(
        createMarketScript()
          .event(
            AGGREGATE.curationOffer,
            ID,
            'CurationOfferChanged',
            offer('pending', { from: ALICE, to: BOB, price: 9n }),
          )
          .event(AGGREGATE.curationOffer, ID, 'CurationOfferChanged', offer(status)),
      ).then([{ table: 'curation_offers', status, from: ALICE, to: BOB, price: 9n }], []);
    },
  );
});

describe('galleries', () => {
  it('are as they were last said to be, and what was not said stays', () => {
    const gallery = {
      market: 'imart-curation',
      ...token,
      owner: ALICE,
      spaceType: 'hall',
      name: 'One',
      metadataUri: 'ipfs://1',
      commissions: [{ payee: BOB, rate: 5n }],
      commissionPool: null,
      admissions: [COLLECTION],
    };
    given(
      createMarketScript()
        .event(AGGREGATE.gallery, ID, 'GalleryChanged', gallery)
        .event(AGGREGATE.gallery, ID, 'GalleryChanged', {
          ...gallery,
          owner: BOB,
          name: null,
          commissions: null,
          admissions: [],
        }),
    ).then(
      [
        {
          table: 'galleries',
          owner: BOB,
          name: 'One',
          commissions: [{ payee: BOB, rate: 5n }],
          admissions: [],
          version: 2,
        },
      ],
      [],
    );
  });

  it('have no other events than their own', () => {
    const script = createMarketScript().event(AGGREGATE.gallery, ID, 'ExhibitChanged', exhibit('sold'));
    expect(given(script).parked).toMatchObject([{ code: 'UNEXPECTED_EVENT' }]);
  });
});

describe('claims', () => {
  const id = claimAggregateId(COLLECTION, 1n, ALICE, BOB);
  const some = (quantity: bigint) => ({ quantity, standard: 'aptos-v1' as const });

  it('add up until they are claimed', () => {
    const script = createMarketScript()
      .event(AGGREGATE.claim, id, 'TokenOffered', some(2n))
      .event(AGGREGATE.claim, id, 'TokenOffered', some(1n));
    given(script).then(
      [{ table: 'claims', sender: ALICE, receiver: BOB, quantity: 3n, status: 'PENDING' }],
      [{ kind: 'TOKEN_OFFER' }, { kind: 'TOKEN_OFFER', from: ALICE, to: BOB, quantity: 1n }],
    );
    given(script.event(AGGREGATE.claim, id, 'TokenClaimed', some(3n))).then(
      [{ quantity: 0n, status: 'CLAIMED' }],
      [{ kind: 'TOKEN_OFFER' }, { kind: 'TOKEN_OFFER' }, { kind: 'TOKEN_CLAIM', quantity: 3n }],
    );
  });

  it('are known by their end alone', () => {
    given(createMarketScript().event(AGGREGATE.claim, id, 'TokenOfferCancelled', some(1n))).then(
      [{ quantity: 0n, status: 'CANCELED' }],
      [{ kind: 'TOKEN_OFFER_CANCEL' }],
    );
  });
});

describe('names of tokens', () => {
  const id = `${COLLECTION}:1`;
  const words = {
    standard: 'aptos-v1' as const,
    creator: ALICE,
    collectionName: 'Things',
    name: 'Thing',
    edition: 0n,
    description: 'd',
    uri: 'u',
  };

  it('keep what is not said again, and change by nothing new', () => {
    const again = { ...words, description: null, uri: null };
    const script = createMarketScript()
      .event(AGGREGATE.tokenDetails, id, 'TokenDescribed', words)
      .event(AGGREGATE.tokenDetails, id, 'TokenDescribed', again);
    given(script).then([{ table: 'token_details', description: 'd', uri: 'u', version: 1 }], []);
    given(script.event(AGGREGATE.tokenDetails, id, 'TokenDescribed', { ...again, uri: 'v' })).then(
      [{ description: 'd', uri: 'v', version: 2 }],
      [],
    );
  });
});

describe('balances of which the chain tells the amount', () => {
  it('are what it tells, and what they add up to where it does not', () => {
    const id = `${COLLECTION}:1:${ALICE}`;
    const v1 = { standard: 'aptos-v1' as const };
    given(
      createMarketScript()
        .event(AGGREGATE.balance, id, 'TokenReceived', { from: null, quantity: 1n, balance: 5n, ...v1 })
        .event(AGGREGATE.balance, id, 'TokenSent', { to: null, quantity: 2n, ...v1 }),
    ).then(
      [{ table: 'balances', quantity: 3n, standard: 'aptos-v1' }],
      [
        { kind: 'TRANSFER', from: null, to: ALICE },
        { kind: 'TRANSFER', from: ALICE, to: null, quantity: 2n },
      ],
    );
  });
});
