import type { EvmLog } from '../log';
import { hasRecordings, readRecording } from '../testing/recordedBlocks';
import {
  addressOf,
  encodeLog,
  foldEvents,
  receiptWith,
  saleLines,
  translateReceipts,
} from '../testing/translation';
import { createSeaport, seaport11, seaport14, seaport15, seaport16 } from './seaport';
import { ZERO_ADDRESS } from '../zeroAddress';

const EXCHANGE = addressOf(0x5ea);
const ROUTER = addressOf(0x707);
const [SELLER, BUYER, OTHER, FEES, NFT, NFT2, WETH, USDC, ZONE] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(
  addressOf,
) as [string, string, string, string, string, string, string, string, string];
const hashOf = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
const ITEM = '(uint8 itemType, address token, uint256 identifier, uint256 amount';
const FULFILLED = `OrderFulfilled(bytes32 orderHash, address indexed offerer, address indexed zone, address recipient, ${ITEM})[] offer, ${ITEM}, address recipient)[] consideration)`;
const ANNOUNCED =
  '(uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount';
const VALIDATED = `OrderValidated(bytes32 orderHash, (address offerer, address zone, ${ANNOUNCED})[] offer, ${ANNOUNCED}, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey, uint256 totalOriginalConsiderationItems) orderParameters)`;

type Item = readonly [itemType: number, token: string, identifier: bigint, amount: bigint];
type Part = readonly [...Item, recipient: string];

const eth = (amount: bigint): Item => [0, ZERO_ADDRESS, 0n, amount];
const weth = (amount: bigint): Item => [1, WETH, 0n, amount];
const erc721 = (id: bigint, token = NFT): Item => [2, token, id, 1n];
const erc1155 = (id: bigint, amount: bigint): Item => [3, NFT2, id, amount];
const to = (item: Item, recipient: string): Part => [...item, recipient];

const fulfilled = (
  hash: number,
  offerer: string,
  recipient: string,
  offer: readonly Item[],
  consideration: readonly Part[],
): EvmLog => encodeLog(EXCHANGE, FULFILLED, [hashOf(hash), offerer, ZONE, recipient, offer, consideration]);
const matchedLog = (...hashes: number[]): EvmLog =>
  encodeLog(EXCHANGE, 'OrdersMatched(bytes32[] orderHashes)', [hashes.map(hashOf)]);

const seaport = createSeaport('seaport-test', () => [{ address: EXCHANGE }]);
/** All logs in one transaction. */
const translate = (...logs: EvmLog[]) => translateReceipts(seaport, [EXCHANGE], [receiptWith(1, logs)]);

describe('a filled Seaport order', () => {
  it('with a token offered for money is a listing sold: the price is all that is asked, the fees what others than the offerer get', () => {
    const events = translate(
      fulfilled(
        1,
        SELLER,
        BUYER,
        [erc721(7n)],
        [to(eth(900n), SELLER), to(eth(25n), FEES), to(eth(75n), OTHER)],
      ),
    );
    expect(events).toMatchObject([
      {
        name: 'OrderFilled',
        aggregateType: 'order',
        aggregateId: `${EXCHANGE}:${hashOf(1)}`,
        data: {
          market: 'seaport-test',
          side: 'listing',
          seller: SELLER,
          buyer: BUYER,
          items: [{ collection: NFT, tokenId: 7n, quantity: 1n, standard: 'erc721' }],
          price: 1000n,
          currency: ZERO_ADDRESS,
          fees: 100n,
          isSale: true,
          closes: null,
          orderHash: hashOf(1),
        },
      },
    ]);
  });

  it('with money offered for a token is an accepted offer: the price is what is offered, fees are taken from it', () => {
    const [event] = translate(
      fulfilled(1, BUYER, SELLER, [weth(1000n)], [to(erc721(7n), BUYER), to(weth(50n), FEES)]),
    );
    expect(event?.data).toMatchObject({
      side: 'offer',
      seller: SELLER,
      buyer: BUYER,
      price: 1000n,
      currency: WETH,
      fees: 50n,
    });
  });

  it('with several tokens is a bundle with one price', () => {
    const events = translate(
      fulfilled(
        1,
        SELLER,
        BUYER,
        [erc721(1n), erc721(2n, NFT2), erc1155(3n, 40n)],
        [to([1, USDC, 0n, 9n], SELLER)],
      ),
    );
    const { rows, activities } = foldEvents(events);
    expect(events).toHaveLength(1);
    expect(rows).toMatchObject([{ status: 'SOLD', price: 9n, currency: USDC }]);
    expect(
      activities.map(({ tokenId, quantity, price, itemCount }) => [tokenId, quantity, price, itemCount]),
    ).toEqual([
      [1n, 1n, 9n, 3],
      [2n, 1n, 9n, 3],
      [3n, 40n, 9n, 3],
    ]);
  });

  it('of an ERC-1155 listing is filled in parts, in one row (D13)', () => {
    const part = (amount: bigint) =>
      fulfilled(1, SELLER, BUYER, [erc1155(3n, amount)], [to(eth(10n * amount), SELLER)]);
    const { rows, activities } = foldEvents(translate(part(2n), part(5n)));
    expect(rows).toMatchObject([{ table: 'orders', filledQuantity: 7n, status: 'SOLD' }]);
    expect(activities).toMatchObject([
      { kind: 'SALE', quantity: 2n, price: 20n },
      { kind: 'SALE', quantity: 5n, price: 50n },
    ]);
  });

  it.each([
    ['tokens on both sides', [erc721(1n)], [to(erc721(2n, NFT2), SELLER)]],
    ['a token and money for a token', [erc721(1n), weth(5n)], [to(erc721(2n, NFT2), SELLER)]],
    ['a token and change for money', [erc721(1n), eth(1n)], [to(eth(5n), SELLER)]],
    ['two currencies asked', [erc721(1n)], [to(eth(5n), SELLER), to(weth(5n), FEES)]],
    ['a fee in another currency than the offer', [weth(9n)], [to(erc721(1n), SELLER), to(eth(1n), FEES)]],
    ['nothing asked', [erc721(1n)], []],
  ] as [string, Item[], Part[]][])('with %s ends its order without a sale', (_, offer, consideration) => {
    const events = translate(fulfilled(1, SELLER, BUYER, offer, consideration));
    expect(events).toMatchObject([
      { name: 'OrderFilled', data: { isSale: false, price: null, currency: null, fees: null } },
    ]);
    const { rows, activities } = foldEvents(events);
    expect(rows).toMatchObject([{ maker: SELLER }]);
    expect(['SOLD', 'ACCEPTED']).toContain((rows[0] as { status: string }).status);
    expect(activities).toEqual([]);
  });

  it('without any token means nothing', () => {
    expect(translate(fulfilled(1, SELLER, BUYER, [eth(5n)], [to(weth(5n), SELLER)]))).toEqual([]);
  });

  it('of a lazily minted token is of the storefront that mints it, not of the adapter that the order names', () => {
    const [event] = translate(
      fulfilled(
        1,
        SELLER,
        BUYER,
        [[3, '0xa604060890923ff400e8c6f5290461a83aedacec', 7n, 1n]],
        [to(eth(5n), SELLER)],
      ),
    );
    expect(event?.data).toMatchObject({
      items: [{ collection: '0x495f947276749ce646f68ac8c248420045cb7b5e', tokenId: 7n, standard: 'erc1155' }],
    });
  });

  it('keeps the greatest amounts and ids exact (D2)', () => {
    const max = 2n ** 256n - 1n;
    const [event] = translate(fulfilled(1, SELLER, BUYER, [[3, NFT, max, max]], [to(eth(max), SELLER)]));
    expect(event?.data).toMatchObject({ items: [{ tokenId: max, quantity: max }], price: max });
  });
});

describe('matched Seaport orders', () => {
  const offer = (recipient: string, hash = 1) =>
    fulfilled(hash, BUYER, recipient, [weth(1000n)], [to(erc721(7n), BUYER), to(weth(50n), FEES)]);
  const listing = (recipient: string, hash = 2, seller = SELLER) =>
    fulfilled(hash, seller, recipient, [erc721(7n)], [to(weth(930n), seller), to(weth(20n), OTHER)]);

  it('are one sale, told by the offer: its price, the seller of the listing, the fees of both', () => {
    const events = translate(offer(SELLER), listing(SELLER), matchedLog(1, 2));
    expect(events).toMatchObject([
      {
        aggregateId: `${EXCHANGE}:${hashOf(1)}`,
        data: { side: 'offer', isSale: true, seller: SELLER, buyer: BUYER, price: 1000n, fees: 70n },
      },
      {
        aggregateId: `${EXCHANGE}:${hashOf(2)}`,
        data: { side: 'listing', isSale: false, seller: SELLER, buyer: BUYER },
      },
    ]);
    const { rows, activities } = foldEvents(events);
    expect(activities.filter(({ kind }) => kind === 'SALE')).toHaveLength(1);
    expect(rows).toMatchObject([
      { table: 'offers', status: 'ACCEPTED' },
      { table: 'orders', status: 'SOLD', taker: BUYER },
    ]);
  });

  it('by somebody else than the seller still name the seller', () => {
    const [sale] = translate(offer(OTHER), listing(OTHER), matchedLog(1, 2));
    expect(sale?.data).toMatchObject({ isSale: true, seller: SELLER, buyer: BUYER, fees: 70n });
  });

  it('of version 1.1, which names no recipient and logs no match, are paired by the token', () => {
    const events = translate(listing(ZERO_ADDRESS), offer(ZERO_ADDRESS));
    expect(
      events.map(({ data }) => [(data as { isSale: boolean }).isSale, (data as { seller: string }).seller]),
    ).toEqual([
      [false, SELLER],
      [true, SELLER],
    ]);
  });

  it('leave a sale outside the match alone', () => {
    const direct = fulfilled(3, OTHER, BUYER, [erc721(8n)], [to(eth(5n), OTHER)]);
    const events = translate(direct, offer(SELLER), listing(SELLER), matchedLog(1, 2));
    expect(events.map(({ data }) => (data as { isSale: boolean }).isSale)).toEqual([true, true, false]);
  });

  it('of the same token twice in a transaction are two sales, each with its seller', () => {
    const resale = fulfilled(3, OTHER, BUYER, [weth(2000n)], [to(erc721(7n), OTHER)]);
    const relisting = fulfilled(4, BUYER, BUYER, [erc721(7n)], [to(weth(2000n), BUYER)]);
    const events = translate(
      offer(SELLER),
      listing(SELLER),
      matchedLog(1, 2),
      resale,
      relisting,
      matchedLog(3, 4),
    );
    expect(saleLines(events).map(({ seller, buyer, price_raw }) => [seller, buyer, price_raw])).toEqual([
      [SELLER, BUYER, '1000'],
      [BUYER, OTHER, '2000'],
    ]);
  });

  it('of a bundle listing taken by two offers are two sales', () => {
    const bundle = fulfilled(3, SELLER, SELLER, [erc721(7n), erc721(8n)], [to(weth(1900n), SELLER)]);
    const second = fulfilled(2, OTHER, SELLER, [weth(900n)], [to(erc721(8n), OTHER)]);
    const events = translate(offer(SELLER), second, bundle, matchedLog(1, 2, 3));
    expect(saleLines(events).map(({ token_id, seller, buyer }) => [token_id, seller, buyer])).toEqual([
      ['7', SELLER, BUYER],
      ['8', SELLER, OTHER],
    ]);
    expect(events[2]?.data).toMatchObject({ isSale: false, buyer: null });
  });

  it('of an offer for more than one seller gives name no single seller, and no fees', () => {
    const wanted = fulfilled(1, BUYER, OTHER, [weth(100n)], [to(erc1155(3n, 5n), BUYER)]);
    const give = (hash: number, seller: string, amount: bigint) =>
      fulfilled(hash, seller, OTHER, [erc1155(3n, amount)], [to(weth(10n), seller)]);
    const events = translate(wanted, give(2, SELLER, 2n), give(3, OTHER, 3n), matchedLog(1, 2, 3));
    expect(events.map(({ data }) => data)).toMatchObject([
      { isSale: true, seller: null, buyer: BUYER, fees: null, items: [{ quantity: 5n }] },
      { isSale: false, seller: SELLER, buyer: BUYER },
      { isSale: false, seller: OTHER, buyer: BUYER },
    ]);
  });

  describe('of some of many', () => {
    const wants = (hash: number, bidder: string, amount: bigint) =>
      fulfilled(hash, bidder, ROUTER, [weth(10n * amount)], [to(erc1155(3n, amount), bidder)]);
    const gives = (hash: number, seller: string, amount: bigint, asks = 10n * amount) =>
      fulfilled(hash, seller, ROUTER, [erc1155(3n, amount)], [to(weth(asks), seller)]);
    const parties = (events: ReturnType<typeof translate>) =>
      saleLines(events).map(({ seller, buyer, amount }) => [seller, buyer, amount]);

    it('take each what they want, and no more, from who comes first', () => {
      const logs = [wants(1, BUYER, 2n), wants(2, FEES, 2n), gives(3, SELLER, 2n), gives(4, OTHER, 2n)];
      expect(parties(translate(...logs, matchedLog(1, 2, 3, 4)))).toEqual([
        [SELLER, BUYER, '2'],
        [OTHER, FEES, '2'],
      ]);
    });

    it('are told apart when the same offer is matched again in the transaction', () => {
      const first = [wants(1, BUYER, 2n), gives(2, SELLER, 2n), matchedLog(1, 2)];
      const again = [wants(1, BUYER, 3n), gives(3, OTHER, 3n), matchedLog(1, 3)];
      expect(parties(translate(...first, ...again))).toEqual([
        [SELLER, BUYER, '2'],
        [OTHER, BUYER, '3'],
      ]);
    });

    it('have no known fees when a rest is left for whoever matched them', () => {
      const [whole] = translate(wants(1, BUYER, 2n), gives(2, SELLER, 2n), matchedLog(1, 2));
      const [rest] = translate(wants(1, BUYER, 2n), gives(2, SELLER, 2n, 19n), matchedLog(1, 2));
      expect([whole, rest].map((event) => (event?.data as { fees: bigint | null }).fees)).toEqual([0n, null]);
    });
  });

  it('of a private listing sell to the account that the listing names, for what it asks', () => {
    const listingFor = fulfilled(
      2,
      SELLER,
      OTHER,
      [erc721(7n)],
      [to(eth(95n), SELLER), to(eth(5n), FEES), to(erc721(7n), BUYER)],
    );
    const payment = fulfilled(1, BUYER, OTHER, [eth(100n)], []);
    const events = translate(listingFor, payment, matchedLog(2, 1));
    expect(events).toMatchObject([
      {
        data: {
          side: 'listing',
          isSale: true,
          seller: SELLER,
          buyer: BUYER,
          price: 100n,
          fees: 5n,
          items: [{ tokenId: 7n }],
        },
      },
    ]);
    expect(events).toHaveLength(1);
  });
});

describe('a Seaport order announced on chain', () => {
  type Announced = readonly [number, string, bigint, bigint, bigint];
  const validated = (
    offer: Announced[],
    consideration: [...Announced, string][],
    times: [bigint, bigint] = [100n, 200n],
  ) =>
    encodeLog(EXCHANGE, VALIDATED, [
      hashOf(1),
      [
        SELLER,
        ZONE,
        offer,
        consideration,
        0,
        ...times,
        hashOf(0),
        5n,
        hashOf(0),
        BigInt(consideration.length),
      ],
    ]);

  it('is a listing with price and validity', () => {
    const [event] = translate(
      validated(
        [[2, NFT, 7n, 1n, 1n]],
        [
          [0, ZERO_ADDRESS, 0n, 95n, 95n, SELLER],
          [0, ZERO_ADDRESS, 0n, 5n, 5n, FEES],
        ],
      ),
    );
    expect(event).toMatchObject({
      name: 'OrderListed',
      aggregateId: `${EXCHANGE}:${hashOf(1)}`,
      data: {
        side: 'listing',
        kind: 'fixed',
        maker: SELLER,
        taker: null,
        items: [{ collection: NFT, tokenId: 7n, quantity: 1n, standard: 'erc721' }],
        price: 100n,
        currency: ZERO_ADDRESS,
        startsAtUs: 100_000_000n,
        expiresAtUs: 200_000_000n,
        orderHash: hashOf(1),
        escrow: false,
      },
    });
    const { rows } = foldEvents([event!]);
    expect(rows).toMatchObject([{ table: 'orders', status: 'LISTING', price: 100n }]);
  });

  it('is an offer on a whole collection when its token is a choice; a fill of it names the token and leaves the rest open', () => {
    const offer = validated([[1, WETH, 0n, 300n, 300n]], [[4, NFT, 0n, 3n, 3n, SELLER]]);
    const fill = fulfilled(1, SELLER, OTHER, [weth(100n)], [to(erc721(7n), SELLER)]);
    const events = translate(offer, fill);
    expect(events[0]?.data).toMatchObject({
      side: 'offer',
      price: 300n,
      items: [{ tokenId: null, quantity: 3n, standard: 'erc721' }],
    });
    const { rows, activities } = foldEvents(events);
    expect(rows).toMatchObject([{ table: 'offers', status: 'CREATED', filledQuantity: 1n }]);
    expect(activities).toMatchObject([
      { kind: 'OFFER', tokenId: null },
      { kind: 'SALE', tokenId: 7n, price: 100n, from: OTHER, to: SELLER },
    ]);
  });

  it('is not listed when its token is one of some ids, of which only a root is told: a trait offer is none on every token', () => {
    for (const type of [4, 5]) {
      const some: Announced = [type, NFT, 0xabcn, 1n, 1n];
      expect(translate(validated([[1, WETH, 0n, 300n, 300n]], [[...some, SELLER]]))).toEqual([]);
      expect(translate(validated([some], [[0, ZERO_ADDRESS, 0n, 95n, 95n, SELLER]]))).toEqual([]);
      const all: Announced = [type, NFT, 0n, 1n, 1n];
      expect(translate(validated([[1, WETH, 0n, 300n, 300n]], [[...all, SELLER]]))).toHaveLength(1);
    }
    // Its fill names the token, and is a sale.
    const fill = fulfilled(1, SELLER, OTHER, [weth(300n)], [to(erc721(7n), SELLER)]);
    expect(translate(fill)).toMatchObject([
      { data: { side: 'offer', isSale: true, items: [{ tokenId: 7n }] } },
    ]);
  });

  it('starts at its starting price when the price moves', () => {
    const [event] = translate(validated([[2, NFT, 7n, 1n, 1n]], [[1, WETH, 0n, 500n, 100n, SELLER]]));
    expect(event?.data).toMatchObject({ kind: 'auction', price: 500n, currency: WETH });
  });

  it('reserves a private listing for the account that is to have the token', () => {
    const [event] = translate(
      validated(
        [[2, NFT, 7n, 1n, 1n]],
        [
          [0, ZERO_ADDRESS, 0n, 95n, 95n, SELLER],
          [2, NFT, 7n, 1n, 1n, BUYER],
        ],
      ),
    );
    expect(event?.data).toMatchObject({ side: 'listing', taker: BUYER, price: 95n });
  });

  it('never expires when its end is the greatest number, and begins at once when its start is 0 (D10)', () => {
    const [event] = translate(
      validated([[2, NFT, 7n, 1n, 1n]], [[0, ZERO_ADDRESS, 0n, 95n, 95n, SELLER]], [0n, 2n ** 256n - 1n]),
    );
    expect(event?.data).toMatchObject({ startsAtUs: null, expiresAtUs: null });
  });

  it('is not listed when it is a swap, which has no price', () => {
    expect(translate(validated([[2, NFT, 7n, 1n, 1n]], [[2, NFT2, 8n, 1n, 1n, SELLER]]))).toEqual([]);
  });

  it('in the form of 1.1, which tells nothing but its hash, is not asked for', () => {
    const old = encodeLog(
      EXCHANGE,
      'OrderValidated(bytes32 orderHash, address indexed offerer, address indexed zone)',
      [hashOf(1), SELLER, ZONE],
    );
    expect(seaport.topics).not.toContain(old.topics[0]);
  });
});

describe('the end of Seaport orders', () => {
  it('is a cancel by hash and maker', () => {
    const cancel = encodeLog(
      EXCHANGE,
      'OrderCancelled(bytes32 orderHash, address indexed offerer, address indexed zone)',
      [hashOf(1), SELLER, ZONE],
    );
    expect(translate(cancel)).toMatchObject([
      {
        name: 'OrderCancelled',
        aggregateId: `${EXCHANGE}:${hashOf(1)}`,
        data: { side: null, maker: SELLER, orderHash: hashOf(1), onlyIfOpen: false },
      },
    ]);
  });

  it('is a counter that voids all that the maker made before', () => {
    const increment = encodeLog(EXCHANGE, 'CounterIncremented(uint256 newCounter, address indexed offerer)', [
      2n ** 200n,
      SELLER,
    ]);
    expect(translate(increment)).toMatchObject([
      {
        name: 'MakerOrdersVoided',
        aggregateType: 'maker',
        aggregateId: `${EXCHANGE}:${SELLER}`,
        data: { maker: SELLER, belowNonce: null, side: null },
      },
    ]);
  });

  it('parks a log that is cut off (D7)', () => {
    const log = fulfilled(1, SELLER, BUYER, [erc721(7n)], [to(eth(5n), SELLER)]);
    expect(() => translate({ ...log, data: log.data.slice(0, -64) })).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });
});

describe('the versions of Seaport', () => {
  it('are markets of their own, at the same address on every chain but zkSync', () => {
    const versions = [seaport11, seaport14, seaport15, seaport16];
    expect(versions.map(({ name }) => name)).toEqual([
      'seaport-1.1',
      'seaport-1.4',
      'seaport-1.5',
      'seaport-1.6',
    ]);
    for (const { contracts } of versions) {
      expect(contracts(1)).toHaveLength(1);
      for (const chain of [10, 56, 137, 204, 8453, 42161, 43114])
        expect(contracts(chain)).toEqual(contracts(1));
      expect(contracts(31337)).toEqual([]);
    }
    expect(versions.map(({ contracts }) => contracts(324).map(({ address }) => address))).toEqual([
      [],
      [],
      ['0xd756e8070b33a35e42f00140ac92c4b4e0bbfb82'],
      [],
    ]);
  });
});

interface Case {
  readonly case: string;
  readonly log: EvmLog;
  readonly expected: Record<string, string>;
}

(hasRecordings() ? describe : describe.skip)('Seaport in the examples of another indexer', () => {
  const cases = hasRecordings()
    ? (JSON.parse(readRecording('marketplace-logs/cases.json')) as Case[]).filter(({ log }) =>
        seaport.topics.includes(log.topics[0] ?? ''),
      )
    : [];

  it('has five of them', () => expect(cases).toHaveLength(5));

  it.each(cases.map((one) => [one.case, one] as const))('agrees: %s', (_, { log, expected }) => {
    const place = fulfilled(1, SELLER, BUYER, [], []);
    const events = translate({ ...place, ...log });
    if (expected['offerer'] !== undefined) {
      expect(events).toMatchObject([
        { name: 'OrderCancelled', data: { maker: expected['offerer'], orderHash: expected['orderHash'] } },
      ]);
      return;
    }
    expect(saleLines(events)).toMatchObject([
      {
        token: expected['token'],
        token_id: expected['tokenId'],
        amount: expected['amount'],
        price_raw: expected['price'],
        currency: expected['currency'] === 'native' ? ZERO_ADDRESS : expected['currency'],
        seller: expected['seller'],
        ...(expected['buyer'] === undefined ? {} : { buyer: expected['buyer'] }),
        ...(expected['orderHash'] === undefined ? {} : { order_hash: expected['orderHash'] }),
      },
    ]);
  });
});
