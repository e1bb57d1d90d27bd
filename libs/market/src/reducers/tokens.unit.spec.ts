import { ALICE, BOB, createMarketScript, given, MARKET, NATIVE } from '@imart/testing';
import { AGGREGATE } from '@imart/market';

describe('tokens', () => {
  it('are minted, listed and bought in one block, in the order of the block (D8)', () => {
    const script = createMarketScript().minted(ALICE).listed('1').filled('1').transferred(ALICE, BOB);
    given(script).then(
      [
        {
          table: 'tokens',
          owner: BOB,
          transferCount: 1,
          mintedAtUs: script.events[0]!.source.timeUs,
          version: 2,
        },
        { table: 'orders', status: 'SOLD', taker: BOB },
      ],
      [
        { kind: 'MINT', from: NATIVE, to: ALICE },
        { kind: 'LIST' },
        { kind: 'SALE' },
        { kind: 'TRANSFER', from: ALICE, to: BOB, quantity: 1n },
      ],
    );
  });

  it('start at their first transfer when their mint was not seen, and have no owner once burned', () => {
    given(createMarketScript().transferred(ALICE, BOB).burned(BOB)).then(
      [{ owner: null, mintedAtUs: null, transferCount: 1 }],
      [{ kind: 'TRANSFER' }, { kind: 'BURN', from: BOB, to: NATIVE }],
    );
  });

  it('may be transferred to their owner (D8)', () => {
    given(createMarketScript().minted(ALICE).transferred(ALICE, ALICE)).then(
      [{ owner: ALICE, transferCount: 1 }],
      [{ kind: 'MINT' }, { kind: 'TRANSFER', from: ALICE, to: ALICE }],
    );
  });
});

describe('balances', () => {
  it('are what came minus what went, with one activity for each transfer', () => {
    const script = createMarketScript()
      .received(ALICE, NATIVE, 7n, 10n)
      .sent(ALICE, BOB, 7n, 4n)
      .received(BOB, ALICE, 7n, 4n);
    given(script).then(
      [
        { owner: ALICE, quantity: 6n },
        { owner: BOB, quantity: 4n },
      ],
      [
        { kind: 'MINT', to: ALICE, quantity: 10n },
        { kind: 'TRANSFER', from: ALICE, to: BOB, quantity: 4n },
      ],
    );
  });

  it('do not change by a transfer to their owner (D8)', () => {
    const script = createMarketScript()
      .received(ALICE, NATIVE, 7n, 3n)
      .sent(ALICE, ALICE, 7n, 2n)
      .received(ALICE, ALICE, 7n, 2n);
    given(script).then(
      [{ owner: ALICE, quantity: 3n, version: 3 }],
      [{ kind: 'MINT' }, { kind: 'TRANSFER', quantity: 2n }],
    );
  });

  it('are negative when what came before the first followed block is sent on, and exact at the limit (D2)', () => {
    const all = 2n ** 256n - 1n;
    given(createMarketScript().sent(ALICE, NATIVE, 7n, all)).then(
      [{ quantity: -all }],
      [{ kind: 'BURN', from: ALICE, to: NATIVE, quantity: all }],
    );
  });
});

describe('makers', () => {
  it('void all their orders made before, listings and offers, or one of them', () => {
    const script = createMarketScript().voided(ALICE).voided(ALICE, { side: 'offer' });
    given(script).then(
      [
        {
          maker: ALICE,
          listingsVoidedSeqNo: script.events[0]!.seqNo,
          offersVoidedSeqNo: script.events[1]!.seqNo,
          version: 2,
        },
      ],
      [],
    );
  });

  it('void by nonce, which never moves back', () => {
    given(
      createMarketScript()
        .voided(ALICE, { belowNonce: 9n })
        .voided(ALICE, { belowNonce: 4n, side: 'listing' }),
    ).then(
      [
        {
          listingsVoidedBelow: 9n,
          offersVoidedBelow: 9n,
          listingsVoidedSeqNo: null,
          offersVoidedSeqNo: null,
        },
      ],
      [],
    );
  });
});

describe('collections', () => {
  const created = {
    standard: 'erc721' as const,
    creator: ALICE,
    name: 'Art',
    category: 'art',
    tags: ['a'],
    description: '',
    uri: 'ipfs://x',
    royalties: [{ payee: BOB, rate: 250n }],
    maximum: null,
    nameBytes: null,
  };

  it('are created once; another creation of the same address changes nothing', () => {
    const script = createMarketScript()
      .event(AGGREGATE.collection, '0xc0', 'CollectionCreated', created)
      .event(AGGREGATE.collection, '0xc0', 'CollectionCreated', { ...created, name: 'Other' });
    given(script).then([{ address: '0xc0', factory: MARKET, name: 'Art', creator: ALICE, version: 1 }], []);
  });
});

it('parks an aggregate with an event that it cannot have, and says which', () => {
  const script = createMarketScript()
    .listed('1')
    .event(AGGREGATE.order, `${MARKET}:1`, 'TokenBurned', { from: ALICE, standard: 'erc721' });
  const { parked, rows } = given(script.filled('1'));
  expect(parked).toMatchObject([
    { aggregateType: 'order', fromSeqNo: script.events[1]!.seqNo, code: 'UNEXPECTED_EVENT' },
  ]);
  expect(rows).toMatchObject([{ status: 'LISTING' }]);
});

it('parks an offer that is called a listing: its row would be in a table that offers are not restored from', () => {
  const script = createMarketScript().accepted('1', { side: 'listing' }).offered('2', { side: 'listing' });
  const { parked, rows } = given(script);
  expect(parked.map(({ code }) => code)).toEqual(['UNEXPECTED_EVENT', 'UNEXPECTED_EVENT']);
  expect(rows).toEqual([]);
});
