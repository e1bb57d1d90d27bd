import {
  ALICE,
  art,
  BOB,
  CAROL,
  createMarketScript,
  DAVE,
  given,
  MARKET,
  multi,
  NATIVE,
} from '@imart/testing';

const UINT256_MAX = 2n ** 256n - 1n;
const order = `${MARKET}:1`;

describe('orders', () => {
  it('are listed, change their price and are sold', () => {
    const script = createMarketScript().listed('1').nextBlock().priceChanged('1').nextBlock().filled('1');
    given(script).then(
      [
        {
          table: 'orders',
          status: 'SOLD',
          maker: ALICE,
          taker: BOB,
          price: 200n,
          quantity: 1n,
          filledQuantity: 1n,
          version: 3,
          openedSeqNo: script.events[0]!.seqNo,
          seqNo: script.events[2]!.seqNo,
          createdAtUs: script.events[0]!.source.timeUs,
          updatedAtUs: script.events[2]!.source.timeUs,
        },
      ],
      [
        { kind: 'LIST', from: ALICE, price: 100n, tokenId: 1n, itemCount: 1 },
        { kind: 'UPDATE', from: ALICE, price: 200n, tokenId: 1n },
        { kind: 'SALE', from: ALICE, to: BOB, price: 200n, currency: NATIVE, tokenId: 1n, quantity: 1n },
      ],
    );
  });

  it('are cancelled', () => {
    given(createMarketScript().listed('1').cancelled('1')).then(
      [{ table: 'orders', status: 'CANCELED', maker: ALICE, price: 100n }],
      [{ kind: 'LIST' }, { kind: 'CANCEL', from: ALICE, price: 100n, tokenId: 1n }],
    );
  });

  it('change their terms when they are listed again while they live', () => {
    const script = createMarketScript().listed('1', { expiresAtUs: 5n }).listed('1', { price: 70n });
    given(script).then(
      [
        {
          status: 'LISTING',
          price: 70n,
          expiresAtUs: null,
          openedSeqNo: script.events[0]!.seqNo,
          version: 2,
        },
      ],
      [
        { kind: 'LIST', price: 100n },
        { kind: 'UPDATE', price: 70n },
      ],
    );
  });

  it('of a maker end when another maker lists under the same name', () => {
    const script = createMarketScript().listed('1').listed('1', { maker: CAROL, price: 7n });
    given(script).then(
      [
        {
          status: 'CANCELED',
          maker: ALICE,
          openedSeqNo: script.events[0]!.seqNo,
          seqNo: script.events[1]!.seqNo,
        },
        {
          status: 'LISTING',
          maker: CAROL,
          openedSeqNo: script.events[1]!.seqNo,
          seqNo: script.events[1]!.seqNo,
        },
      ],
      [
        { kind: 'LIST', from: ALICE },
        { kind: 'CANCEL', from: ALICE, item: 0 },
        { kind: 'LIST', from: CAROL, item: 1, price: 7n },
      ],
    );
  });

  it('are a new row when they are listed again after their end (list, cancel, list in one block: D8)', () => {
    const script = createMarketScript().listed('1').cancelled('1').listed('1', { price: 5n }).filled('1');
    given(script).then(
      [
        { key: `${order}:${script.events[0]!.seqNo}`, status: 'CANCELED', price: 100n },
        { key: `${order}:${script.events[2]!.seqNo}`, status: 'SOLD', price: 5n },
      ],
      [{ kind: 'LIST' }, { kind: 'CANCEL' }, { kind: 'LIST' }, { kind: 'SALE', price: 5n }],
    );
  });

  it('that were never seen are made from their sale; what it does not tell stays unknown (D14)', () => {
    given(
      createMarketScript().filled('1', { seller: ALICE, price: 9n, currency: NATIVE, items: [art(4n)] }),
    ).then(
      [
        {
          table: 'orders',
          status: 'SOLD',
          maker: ALICE,
          taker: BOB,
          price: 9n,
          tokenId: 4n,
          quantity: 1n,
          filledQuantity: 1n,
          expiresAtUs: null,
          version: 1,
        },
      ],
      [{ kind: 'SALE', from: ALICE, to: BOB, price: 9n, tokenId: 4n }],
    );
  });

  it('that were never seen and whose sale tells nothing have a sale without a token (D14)', () => {
    given(createMarketScript().filled('1', { items: [], buyer: null })).then(
      [
        {
          status: 'SOLD',
          maker: null,
          taker: null,
          price: null,
          collection: null,
          quantity: null,
          filledQuantity: 0n,
        },
      ],
      [{ kind: 'SALE', from: null, to: null, price: null, tokenId: null, itemCount: 1 }],
    );
  });

  it('that were never seen and are cancelled can never look alive later', () => {
    given(createMarketScript().cancelled('1', { maker: ALICE, items: [art()] })).then(
      [{ status: 'CANCELED', maker: ALICE, tokenId: 1n, price: null }],
      [{ kind: 'CANCEL', from: ALICE, tokenId: 1n }],
    );
  });

  it('that were never seen are not made by a cancel that counts for open ones only', () => {
    given(createMarketScript().cancelled('1', { onlyIfOpen: true })).then([], []);
  });

  it('are cancelled by their own maker only, where the cancel says so', () => {
    given(createMarketScript().listed('1').cancelled('1', { onlyMaker: BOB })).then(
      [{ status: 'LISTING' }],
      [{ kind: 'LIST' }],
    );
    given(createMarketScript().listed('1').cancelled('1', { onlyMaker: ALICE })).then(
      [{ status: 'CANCELED' }],
      [{ kind: 'LIST' }, { kind: 'CANCEL' }],
    );
  });

  it('that have ended do not change: a price change is nothing, a cancel is a line of history', () => {
    const script = createMarketScript().listed('1').filled('1').priceChanged('1').cancelled('1');
    given(script).then(
      [{ status: 'SOLD', price: 100n, version: 3, seqNo: script.events[3]!.seqNo }],
      [{ kind: 'LIST' }, { kind: 'SALE' }, { kind: 'CANCEL', from: ALICE }],
    );
  });

  it('are filled in parts until their quantity is used up (D13)', () => {
    const part = (quantity: bigint, price: bigint) => ({ items: [multi(7n, quantity)], price });
    const script = createMarketScript().listed('1', { items: [multi(7n, 10n)], price: 1000n });
    script.filled('1', { ...part(4n, 400n), buyer: BOB }).filled('1', { ...part(5n, 500n), buyer: CAROL });
    given(script).then(
      [{ status: 'LISTING', quantity: 10n, filledQuantity: 9n, price: 1000n, taker: CAROL }],
      [
        { kind: 'LIST', quantity: 10n },
        { kind: 'SALE', quantity: 4n, price: 400n },
        { kind: 'SALE', quantity: 5n },
      ],
    );
    script.filled('1', { ...part(1n, 100n), buyer: DAVE });
    given(script).then(
      [{ status: 'SOLD', quantity: 10n, filledQuantity: 10n, taker: DAVE, version: 4 }],
      [{}, {}, {}, { kind: 'SALE', from: ALICE, to: DAVE, quantity: 1n, price: 100n }],
    );
  });

  it('of unknown size go on to be filled after their first sale, as one row (D13, D14)', () => {
    const part = { items: [multi(7n, 2n)], seller: ALICE, price: 20n, closes: false };
    given(
      createMarketScript()
        .filled('1', part)
        .filled('1', { ...part, buyer: CAROL }),
    ).then(
      [{ status: 'LISTING', quantity: null, filledQuantity: 4n, price: 20n, taker: CAROL }],
      [
        { kind: 'SALE', to: BOB },
        { kind: 'SALE', to: CAROL },
      ],
    );
  });

  it('of two sellers of one token id are two rows; a sale ends only its own (D13)', () => {
    const script = createMarketScript()
      .listed('1', { items: [multi(7n, 3n)], maker: ALICE })
      .listed('2', { items: [multi(7n, 5n)], maker: CAROL })
      .filled('2');
    given(script).then(
      [
        { id: '1', status: 'LISTING', maker: ALICE, filledQuantity: 0n },
        { id: '2', status: 'SOLD', maker: CAROL, filledQuantity: 5n },
      ],
      [{ kind: 'LIST' }, { kind: 'LIST' }, { kind: 'SALE', from: CAROL, quantity: 5n }],
    );
  });

  it('of several items have one price, and an activity for each item', () => {
    const items = [art(1n), multi(7n, 3n)];
    given(createMarketScript().listed('1', { items }).filled('1')).then(
      [
        {
          status: 'SOLD',
          collection: null,
          tokenId: null,
          standard: null,
          items,
          quantity: 4n,
          filledQuantity: 4n,
        },
      ],
      [
        { kind: 'LIST', item: 0, itemCount: 2, tokenId: 1n, price: 100n },
        { kind: 'LIST', item: 1, itemCount: 2, tokenId: 7n, quantity: 3n, price: 100n },
        { kind: 'SALE', item: 0, itemCount: 2, tokenId: 1n, quantity: 1n },
        { kind: 'SALE', item: 1, itemCount: 2, tokenId: 7n, quantity: 3n },
      ],
    );
  });

  it('that are matched report one sale: the half that is no sale fills its order in silence', () => {
    const half = { items: [art()], price: 50n, currency: NATIVE };
    const script = createMarketScript()
      .filled('ask', { ...half, seller: ALICE, buyer: null, isSale: false })
      .filled('bid', { ...half, side: 'offer', seller: ALICE, buyer: BOB });
    given(script).then(
      [
        { table: 'orders', id: 'ask', status: 'SOLD', maker: ALICE },
        { table: 'offers', id: 'bid', status: 'ACCEPTED', maker: BOB, taker: ALICE },
      ],
      [{ kind: 'SALE', orderId: 'bid', side: 'offer', from: ALICE, to: BOB, price: 50n }],
    );
  });

  it('named by a hash may be an offer first and a listing later: two rows of two tables', () => {
    const script = createMarketScript()
      .listed('h', { side: 'offer', maker: BOB })
      .filled('h', { seller: ALICE, buyer: null });
    script.listed('h', { maker: ALICE });
    given(script).then(
      [
        { table: 'offers', status: 'ACCEPTED', maker: BOB, taker: ALICE },
        { table: 'orders', status: 'LISTING', maker: ALICE, taker: null },
      ],
      [{ kind: 'OFFER' }, { kind: 'SALE', from: ALICE, to: BOB }, { kind: 'LIST' }],
    );
  });

  it('keep the largest quantities exactly (D2)', () => {
    const items = [multi(UINT256_MAX, UINT256_MAX)];
    given(
      createMarketScript().listed('1', { items, price: UINT256_MAX, nonce: UINT256_MAX }).filled('1'),
    ).then(
      [
        {
          tokenId: UINT256_MAX,
          quantity: UINT256_MAX,
          filledQuantity: UINT256_MAX,
          price: UINT256_MAX,
          nonce: UINT256_MAX,
        },
      ],
      [{ kind: 'LIST' }, { kind: 'SALE', price: UINT256_MAX, quantity: UINT256_MAX }],
    );
  });

  it('reserved for one taker say so until somebody took them', () => {
    given(createMarketScript().listed('1', { taker: CAROL })).then(
      [{ reservedFor: CAROL, taker: null }],
      [{ kind: 'LIST', to: CAROL }],
    );
  });
});

describe('punks', () => {
  const punk = { ...art(3100n), standard: 'punk' as const };

  it('are offered, offered again to one taker, bought, and offered by their next owner', () => {
    const script = createMarketScript()
      .listed('3100', { items: [punk], price: 10n })
      .listed('3100', { items: [punk], price: 0n, taker: BOB })
      .filled('3100', { items: [punk], price: 0n, seller: ALICE, buyer: BOB, closes: true })
      .listed('3100', { items: [punk], price: 30n, maker: BOB });
    given(script).then(
      [
        { status: 'SOLD', maker: ALICE, taker: BOB, reservedFor: BOB, price: 0n },
        { status: 'LISTING', maker: BOB, price: 30n },
      ],
      [
        { kind: 'LIST' },
        { kind: 'UPDATE', to: BOB },
        { kind: 'SALE', price: 0n },
        { kind: 'LIST', from: BOB },
      ],
    );
  });

  it('lose their listing when they are given away, and nothing when they have none', () => {
    const gone = { onlyIfOpen: true } as const;
    given(
      createMarketScript()
        .cancelled('3100', gone)
        .listed('3100', { items: [punk] })
        .cancelled('3100', gone),
    ).then([{ status: 'CANCELED', standard: 'punk' }], [{ kind: 'LIST' }, { kind: 'CANCEL' }]);
  });
});

describe('offers', () => {
  it('are made, accepted and known by their bidder', () => {
    given(createMarketScript().offered('1').accepted('1')).then(
      [
        {
          table: 'offers',
          aggregateType: 'offer',
          status: 'ACCEPTED',
          maker: BOB,
          taker: ALICE,
          price: 100n,
        },
      ],
      [
        { kind: 'OFFER', from: BOB, side: 'offer' },
        { kind: 'SALE', from: ALICE, to: BOB, price: 100n },
      ],
    );
  });

  it('on a whole collection are accepted with the token that was sold', () => {
    const script = createMarketScript()
      .offered('1', { items: [{ ...art(), tokenId: null }] })
      .accepted('1', { items: [art(8n)] });
    given(script).then(
      [{ status: 'ACCEPTED', tokenId: null, filledQuantity: 1n }],
      [
        { kind: 'OFFER', tokenId: null },
        { kind: 'SALE', tokenId: 8n },
      ],
    );
  });

  it('are cancelled', () => {
    given(createMarketScript().offered('1').offerCancelled('1')).then(
      [{ status: 'CANCELED', maker: BOB }],
      [{ kind: 'OFFER' }, { kind: 'OFFER_CANCEL', from: BOB, price: 100n }],
    );
  });

  it('with the id of an order are another aggregate', () => {
    given(createMarketScript().listed('1').offered('1').cancelled('1')).then(
      [
        { table: 'orders', status: 'CANCELED' },
        { table: 'offers', status: 'CREATED' },
      ],
      [{ kind: 'LIST' }, { kind: 'OFFER' }, { kind: 'CANCEL' }],
    );
  });
});
