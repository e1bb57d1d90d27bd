import { ALICE, BOB, CAROL, COLLECTION, createMarketScript, given, MARKET } from '@imart/testing';
import { AGGREGATE, commissionAggregateId, prizeAggregateId } from '../aggregates';

const market = 'imart-lottery';
const LOTTERY = `${MARKET}:7`;
const PRIZE = prizeAggregateId(MARKET, 7n, 1n);
const ROOTS = ['0xaa', '0xbb'] as const;
const opened = { market, organizer: ALICE, collection: COLLECTION, endBlock: 100n };
const offered = { market, organizer: ALICE, collection: COLLECTION, quantity: 1n };

describe('lotteries', () => {
  it('are opened, drawn, and ended by who takes back the rest', () => {
    const script = createMarketScript().event(AGGREGATE.lottery, LOTTERY, 'LotteryOpened', opened);
    given(script).then(
      [
        {
          table: 'lotteries',
          contract: MARKET,
          id: '7',
          status: 'open',
          organizer: ALICE,
          collection: COLLECTION,
          endBlock: 100n,
          merkleRoot: null,
        },
      ],
      [],
    );
    script.event(AGGREGATE.lottery, LOTTERY, 'LotteryDrawn', { market, merkleRoot: ROOTS[0] });
    given(script).then([{ status: 'drawn', merkleRoot: ROOTS[0], organizer: ALICE }], []);
    script.event(AGGREGATE.lottery, LOTTERY, 'LotteryWithdrawn', { market, organizer: null });
    given(script).then(
      [{ status: 'withdrawn', merkleRoot: ROOTS[0], organizer: ALICE, version: 3 }],
      [{ kind: 'PRIZE_WITHDRAW', collection: COLLECTION, tokenId: null, to: ALICE, orderId: '7' }],
    );
  });

  it('stay ended when a root is published after that', () => {
    const script = createMarketScript()
      .event(AGGREGATE.lottery, LOTTERY, 'LotteryOpened', opened)
      .event(AGGREGATE.lottery, LOTTERY, 'LotteryWithdrawn', { market, organizer: ALICE })
      .event(AGGREGATE.lottery, LOTTERY, 'LotteryDrawn', { market, merkleRoot: ROOTS[1] });
    given(script).then(
      [{ status: 'withdrawn', merkleRoot: ROOTS[1] }],
      [{ kind: 'PRIZE_WITHDRAW', from: null }],
    );
  });

  it('keep a root that was published before their opening is told, and none of a lottery before them', () => {
    const script = createMarketScript()
      .event(AGGREGATE.lottery, LOTTERY, 'LotteryDrawn', { market, merkleRoot: ROOTS[0] })
      .event(AGGREGATE.lottery, LOTTERY, 'LotteryOpened', opened);
    given(script).then([{ status: 'drawn', merkleRoot: ROOTS[0], organizer: ALICE }], []);
    script.event(AGGREGATE.lottery, LOTTERY, 'LotteryOpened', { ...opened, organizer: BOB, endBlock: 9n });
    given(script).then([{ status: 'open', merkleRoot: null, organizer: BOB, endBlock: 9n }], []);
  });

  it('have no other events than their own', () => {
    const script = createMarketScript().event(AGGREGATE.lottery, LOTTERY, 'PrizeOffered', offered);
    expect(given(script).parked).toMatchObject([{ code: 'UNEXPECTED_EVENT' }]);
  });
});

describe('prizes', () => {
  it('are set out and won', () => {
    const script = createMarketScript()
      .event(AGGREGATE.prize, PRIZE, 'PrizeOffered', offered)
      .event(AGGREGATE.prize, PRIZE, 'PrizeClaimed', { market, claimer: BOB, organizer: null });
    given(script).then(
      [
        {
          table: 'prizes',
          lotteryId: '7',
          tokenId: 1n,
          collection: COLLECTION,
          quantity: 1n,
          claimedQuantity: 1n,
          claimer: BOB,
        },
      ],
      [
        { kind: 'PRIZE', from: ALICE, to: null, tokenId: 1n, quantity: 1n, price: null },
        { kind: 'PRIZE_CLAIM', from: ALICE, to: BOB, tokenId: 1n, quantity: 1n, collection: COLLECTION },
      ],
    );
  });

  it('of which there are several are won one by one', () => {
    const script = createMarketScript()
      .event(AGGREGATE.prize, PRIZE, 'PrizeOffered', { ...offered, quantity: 2n })
      .event(AGGREGATE.prize, PRIZE, 'PrizeOffered', offered)
      .event(AGGREGATE.prize, PRIZE, 'PrizeClaimed', { market, claimer: BOB, organizer: ALICE })
      .event(AGGREGATE.prize, PRIZE, 'PrizeClaimed', { market, claimer: CAROL, organizer: ALICE });
    given(script).then(
      [{ quantity: 3n, claimedQuantity: 2n, claimer: CAROL }],
      [
        { kind: 'PRIZE', quantity: 2n },
        { kind: 'PRIZE', quantity: 1n },
        { kind: 'PRIZE_CLAIM', to: BOB },
        { kind: 'PRIZE_CLAIM', to: CAROL },
      ],
    );
  });

  it('of a lottery whose opening was not seen are known by who won them', () => {
    const script = createMarketScript().event(AGGREGATE.prize, PRIZE, 'PrizeClaimed', {
      market,
      claimer: BOB,
      organizer: ALICE,
    });
    given(script).then(
      [{ collection: null, quantity: null, claimedQuantity: 1n, claimer: BOB, organizer: ALICE }],
      [{ kind: 'PRIZE_CLAIM', collection: null, from: ALICE, to: BOB }],
    );
  });

  it('have no other events than their own', () => {
    const script = createMarketScript().event(AGGREGATE.prize, PRIZE, 'LotteryOpened', opened);
    expect(given(script).parked).toMatchObject([{ code: 'UNEXPECTED_EVENT' }]);
  });
});

describe('commissions', () => {
  const id = commissionAggregateId(MARKET, 3n, BOB);
  const pool = { market: 'imart-commission-pool', currency: `0x${'0'.repeat(40)}` };
  const claimable = (amount: bigint) => ({ ...pool, claimable: amount });

  it('are what can be claimed now, to 256 bits (D2), and no history of payments', () => {
    const script = createMarketScript()
      .event(AGGREGATE.commission, id, 'CommissionChanged', claimable(2n ** 256n - 1n))
      .event(AGGREGATE.commission, id, 'CommissionChanged', claimable(5n));
    given(script).then(
      [
        {
          table: 'commissions',
          contract: MARKET,
          galleryId: 3n,
          payee: BOB,
          claimable: 5n,
          currency: pool.currency,
          version: 2,
        },
      ],
      [],
    );
    given(
      script.event(AGGREGATE.commission, id, 'CommissionChanged', { ...claimable(0n), currency: null }),
    ).then([{ claimable: 0n, currency: pool.currency }], []);
  });

  it('have no other events than their own', () => {
    const script = createMarketScript().event(AGGREGATE.commission, id, 'LotteryOpened', opened);
    expect(given(script).parked).toMatchObject([{ code: 'UNEXPECTED_EVENT' }]);
  });
});
