import { Interface } from 'ethers';
import type { EvmLog } from '../log';
import { hasRecordings, recordedMarketplaceLogs, recordedReceipts } from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { foundation } from './foundation';

const EXCHANGE = '0xcda72070e455bb31c7690a170224ce43623d0b6f';
const [SELLER, BUYER, OTHER, NFT] = [1, 2, 3, 4].map(addressOf) as [string, string, string, string];
const TOKEN = 'address indexed nftContract, uint256 indexed tokenId';
const PAID = 'uint256 totalFees, uint256 creatorRev, uint256 sellerRev';

const log = (signature: string, ...values: unknown[]): EvmLog => encodeLog(EXCHANGE, signature, values);
const buyPriceSet = (price: bigint) =>
  log(`BuyPriceSet(${TOKEN}, address indexed seller, uint256 price)`, NFT, 9n, SELLER, price);
const buyPriceAccepted = () =>
  log(
    `BuyPriceAccepted(${TOKEN}, address indexed seller, address buyer, ${PAID})`,
    NFT,
    9n,
    SELLER,
    BUYER,
    5n,
    10n,
    85n,
  );
const buyPriceCanceled = () => log(`BuyPriceCanceled(${TOKEN})`, NFT, 9n);
const buyPriceInvalidated = () => log(`BuyPriceInvalidated(${TOKEN})`, NFT, 9n);
const offerMade = (buyer: string, amount: bigint, expiration = 1_700_000_000n) =>
  log(
    `OfferMade(${TOKEN}, address indexed buyer, uint256 amount, uint256 expiration)`,
    NFT,
    9n,
    buyer,
    amount,
    expiration,
  );
const offerAccepted = (buyer: string) =>
  log(
    `OfferAccepted(${TOKEN}, address indexed buyer, address seller, ${PAID})`,
    NFT,
    9n,
    buyer,
    SELLER,
    5n,
    10n,
    65n,
  );
const offerInvalidated = () => log(`OfferInvalidated(${TOKEN})`, NFT, 9n);
const offerCanceledByAdmin = () => log(`OfferCanceledByAdmin(${TOKEN}, string reason)`, NFT, 9n, 'because');
const auctionCreated = (reserve: bigint) =>
  log(
    'ReserveAuctionCreated(address indexed seller, address indexed nftContract, uint256 indexed tokenId, uint256 duration, uint256 extensionDuration, uint256 reservePrice, uint256 auctionId)',
    SELLER,
    NFT,
    9n,
    86_400n,
    900n,
    reserve,
    42n,
  );
const auctionUpdated = (reserve: bigint) =>
  log('ReserveAuctionUpdated(uint256 indexed auctionId, uint256 reservePrice)', 42n, reserve);
const bidPlaced = (bidder: string, amount: bigint, endTime: bigint) =>
  log(
    'ReserveAuctionBidPlaced(uint256 indexed auctionId, address indexed bidder, uint256 amount, uint256 endTime)',
    42n,
    bidder,
    amount,
    endTime,
  );
const finalized = (bidder: string) =>
  log(
    `ReserveAuctionFinalized(uint256 indexed auctionId, address indexed seller, address indexed bidder, ${PAID})`,
    42n,
    SELLER,
    bidder,
    5n,
    10n,
    105n,
  );
const auctionCanceled = () => log('ReserveAuctionCanceled(uint256 indexed auctionId)', 42n);
const auctionInvalidated = () => log('ReserveAuctionInvalidated(uint256 indexed auctionId)', 42n);
const auctionCanceledByAdmin = () =>
  log('ReserveAuctionCanceledByAdmin(uint256 indexed auctionId, string reason)', 42n, 'because');
const privateSale = () =>
  log(
    `PrivateSaleFinalized(${TOKEN}, address indexed seller, address buyer, ${PAID}, uint256 deadline)`,
    NFT,
    9n,
    SELLER,
    BUYER,
    5n,
    10n,
    85n,
    1_700_000_000n,
  );

const translate = (...transactions: EvmLog[][]) =>
  translateReceipts(
    foundation,
    [EXCHANGE],
    transactions.map((logs, i) => receiptWith(i + 1, logs)),
  );
const fold = (...transactions: EvmLog[][]) => foldEvents(translate(...transactions));

describe('foundation', () => {
  it('sells at a buy price, which is the sum of what everybody got, from escrow', () => {
    const { rows, activities } = fold([buyPriceSet(120n)], [buyPriceSet(100n)], [buyPriceAccepted()]);
    expect(rows).toMatchObject([
      {
        table: 'orders',
        id: `${NFT}:9`,
        maker: SELLER,
        taker: BUYER,
        price: 100n,
        currency: addressOf(0),
        status: 'SOLD',
        escrow: true,
        collection: NFT,
        tokenId: 9n,
      },
    ]);
    expect(activities).toMatchObject([
      { kind: 'LIST' },
      { kind: 'UPDATE' },
      { kind: 'SALE', from: SELLER, to: BUYER, price: 100n },
    ]);
    expect(translate([buyPriceAccepted()])[0]).toMatchObject({ data: { fees: 15n } });
  });

  it('makes no owner of the market that holds a listed token', () => {
    const transfers = [SELLER, EXCHANGE].map((from, i) =>
      encodeLog(NFT, 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)', [
        from,
        i === 0 ? EXCHANGE : BUYER,
        9n,
      ]),
    );
    const { rows, activities } = fold(
      [transfers[0]!, buyPriceSet(100n)],
      [transfers[1]!, buyPriceAccepted()],
    );
    expect(rows.map((row) => row.table)).toEqual(['orders']);
    expect(activities.filter((a) => a.kind === 'SALE')).toHaveLength(1);
  });

  it('relists after a sale as another row', () => {
    const { rows } = fold(
      [buyPriceSet(100n)],
      [buyPriceAccepted()],
      [buyPriceSet(70n)],
      [buyPriceCanceled()],
    );
    expect(rows).toMatchObject([
      { status: 'SOLD', price: 100n },
      { status: 'CANCELED', price: 70n },
    ]);
  });

  it('takes an offer, and ends the buy price that this invalidates', () => {
    const { rows, activities } = fold(
      [buyPriceSet(100n)],
      [offerMade(OTHER, 60n)],
      [offerMade(BUYER, 80n)],
      [buyPriceInvalidated(), offerAccepted(BUYER)],
    );
    expect(rows).toMatchObject([
      { table: 'orders', status: 'CANCELED' },
      { table: 'offers', status: 'CANCELED', maker: OTHER, price: 60n },
      {
        table: 'offers',
        status: 'ACCEPTED',
        maker: BUYER,
        taker: SELLER,
        price: 80n,
        expiresAtUs: 1_700_000_000_000_000n,
      },
    ]);
    expect(activities.filter((a) => a.kind === 'SALE')).toMatchObject([
      { side: 'offer', from: SELLER, to: BUYER, price: 80n },
    ]);
  });

  it.each([
    ['invalidated', offerInvalidated()],
    ['cancelled by an admin', offerCanceledByAdmin()],
  ])('ends an offer that is %s', (_, end) => {
    expect(fold([offerMade(BUYER, 80n)], [end]).rows).toMatchObject([{ status: 'CANCELED', maker: BUYER }]);
  });

  it('makes no rows of what is invalidated without having been seen', () => {
    expect(fold([offerInvalidated()], [buyPriceInvalidated()], [auctionInvalidated()])).toEqual({
      rows: [],
      activities: [],
    });
  });

  it('runs an auction: reserve, bids that replace each other and set its end, one sale', () => {
    const { rows, activities } = fold(
      [auctionCreated(100n)],
      [auctionUpdated(90n)],
      [bidPlaced(OTHER, 95n, 1_700_000_000n)],
      [bidPlaced(BUYER, 120n, 1_700_000_900n)],
      [finalized(BUYER)],
    );
    expect(rows).toMatchObject([
      {
        table: 'orders',
        id: 'auction:42',
        kind: 'auction',
        maker: SELLER,
        taker: BUYER,
        tokenId: 9n,
        price: 90n,
        status: 'SOLD',
        escrow: true,
        expiresAtUs: 1_700_000_900_000_000n,
      },
      { table: 'offers', id: 'auction:42', maker: OTHER, status: 'CANCELED', price: 95n },
      { table: 'offers', id: 'auction:42', maker: BUYER, status: 'ACCEPTED', price: 120n, taker: SELLER },
    ]);
    expect(activities.map((a) => a.kind)).toEqual([
      'LIST',
      'UPDATE',
      'OFFER',
      'OFFER_CANCEL',
      'OFFER',
      'SALE',
    ]);
    expect(activities.at(-1)).toMatchObject({
      side: 'listing',
      from: SELLER,
      to: BUYER,
      price: 120n,
      collection: NFT,
      tokenId: 9n,
    });
  });

  it.each([
    ['cancelled', auctionCanceled()],
    ['invalidated', auctionInvalidated()],
  ])('ends an auction that is %s', (_, end) => {
    expect(fold([auctionCreated(100n)], [end]).rows).toMatchObject([{ status: 'CANCELED' }]);
  });

  it('ends an auction and its standing bid when an admin cancels it', () => {
    const { rows } = fold([auctionCreated(100n)], [bidPlaced(BUYER, 120n, 1n)], [auctionCanceledByAdmin()]);
    expect(rows).toMatchObject([
      { table: 'orders', status: 'CANCELED' },
      { table: 'offers', status: 'CANCELED' },
    ]);
  });

  it('tells a private sale apart from the listing of the same token', () => {
    const { rows } = fold([buyPriceSet(500n)], [privateSale()]);
    expect(rows).toMatchObject([
      { id: `${NFT}:9`, status: 'LISTING' },
      { status: 'SOLD', maker: SELLER, taker: BUYER, price: 100n, tokenId: 9n },
    ]);
  });
});

(hasRecordings() ? describe : describe.skip)('foundation on recorded blocks', () => {
  it('makes its event of every recorded log', () => {
    const events = translateReceipts(foundation, [EXCHANGE], recordedReceipts());
    const meaning: Record<string, readonly string[]> = {
      BuyPriceSet: ['OrderListed'],
      OfferMade: ['OfferCreated'],
      ReserveAuctionBidPlaced: ['OfferCreated', 'OrderPriceChanged'],
    };
    const recorded = recordedMarketplaceLogs().filter((one) => one.protocol === 'foundation');
    expect(recorded).toHaveLength(6);
    expect(
      events.map((event) => `${event.source.txHash} ${event.source.index} ${event.name}`).sort(),
    ).toEqual(
      recorded
        .flatMap((one) => meaning[one.event]!.map((name) => `${one.tx_hash} ${one.log_index} ${name}`))
        .sort(),
    );
    expect(saleLines(events)).toEqual([]);
  });

  it('reads their values as ethers does', () => {
    const abi = new Interface([
      `event BuyPriceSet(${TOKEN}, address indexed seller, uint256 price)`,
      `event OfferMade(${TOKEN}, address indexed buyer, uint256 amount, uint256 expiration)`,
      'event ReserveAuctionBidPlaced(uint256 indexed auctionId, address indexed bidder, uint256 amount, uint256 endTime)',
    ]);
    const events = translateReceipts(foundation, [EXCHANGE], recordedReceipts());
    const logs = recordedReceipts().flatMap((receipt) =>
      receipt.logs.filter((one) => one.address === EXCHANGE),
    );
    const expected = logs.flatMap((one) => {
      const parsed = abi.parseLog(one);
      if (parsed === null) return [];
      const { args } = parsed;
      const maker = String(args['seller'] ?? args['buyer'] ?? args['bidder']).toLowerCase();
      const id = args['auctionId'] as bigint | undefined;
      return {
        aggregateId: `${EXCHANGE}:${id === undefined ? `${String(args['nftContract']).toLowerCase()}:${args['tokenId']}` : `auction:${id}`}`,
        data: {
          maker,
          price: args['price'] ?? args['amount'],
          expiresAtUs: parsed.name === 'OfferMade' ? args['expiration'] * 1_000_000n : null,
        },
      };
    });
    expect(expected).toHaveLength(6);
    expect(events.filter((event) => event.name !== 'OrderPriceChanged')).toMatchObject(expected);
  });
});
