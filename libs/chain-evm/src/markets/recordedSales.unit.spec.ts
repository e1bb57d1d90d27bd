import { ZERO_ADDRESS, type MarketEvent, type MarketEventData } from '@imart/market';
import type { EvmLog } from '../log';
import {
  hasRecordings,
  recordedMarketplaceLogs,
  recordedReceipts,
  recordedSales,
} from '../testing/recordedBlocks';
import { translateReceipts } from '../testing/translation';
import { evmMarketplaces } from '.';

/*
 * Every marketplace on all recorded blocks, compared with what was read from them with other tools. Where the events mean
 * to say something else than the recordings' `sales.csv`, DIFFERENCES says so; docs/real-data.md gives the reasons.
 */

type Row = ReturnType<typeof recordedSales>[number];
type Filled = MarketEvent & { readonly data: MarketEventData['OrderFilled'] };

const WETH = '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2';
const GALA = '0x15d4c048f83bd7e37d49ea4c83a07267ec4203da';

/** A line of `sales.csv`, in the columns of the events. */
interface Line {
  readonly side: string | null;
  readonly isSale: boolean;
  readonly orderHash: string | null;
  readonly token: string;
  readonly tokenId: string;
  readonly amount: string;
  readonly seller: string | null;
  readonly buyer: string | null;
  readonly currency: string | null;
  readonly price: string;
  readonly itemsInOrder: number;
}

const lineOf = (row: Row): Line => ({
  side: row.kind,
  isSale: true,
  orderHash: row.order_hash === '' ? null : row.order_hash,
  token: row.token,
  tokenId: row.token_id,
  amount: row.amount,
  seller: row.seller,
  buyer: row.buyer,
  currency: row.currency,
  price: row.price_raw,
  itemsInOrder: Number(row.items_in_order),
});

/**
 * Matches that `sales.csv` leaves open, with the transfers that stand between them and the match before, read from the
 * blocks by hand: transaction, log, token contract, receiver, token ids.
 */
const WYVERN_OPEN: readonly (readonly [string, string, string, string, string[]])[] = [
  [
    '0xdfa69e31',
    '91',
    '0x96316355c44be69414756d6706c61e61aecbd5f3',
    '0xbf49b454818783d12bf4f3375ff17c59015e66cb',
    ['7383', '7512'],
  ],
  [
    '0x98319740',
    '221',
    '0x57f1887a8bf19b14fc0df6fd9b2acc9af147ea85',
    '0x0ce8a7a4dd77ae159520b4f6f9b5079d2abe390f',
    ['35623885868765356493142406934728813471905081462197703743083787335719537939388'],
  ],
  [
    '0x98319740',
    '223',
    '0x57f1887a8bf19b14fc0df6fd9b2acc9af147ea85',
    '0x0ce8a7a4dd77ae159520b4f6f9b5079d2abe390f',
    ['69617175696744305644937300405487360573530234451704165508873649452850181000347'],
  ],
  [
    '0xd6f6ebfc',
    '97',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0xf4accdfa928bf863d097ecf4c4bb57ad77aa0cb2',
    ['5199'],
  ],
  [
    '0xd6f6ebfc',
    '100',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0xf4accdfa928bf863d097ecf4c4bb57ad77aa0cb2',
    ['761'],
  ],
  [
    '0x467d43f4',
    '209',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1866'],
  ],
  [
    '0x467d43f4',
    '212',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1809'],
  ],
  [
    '0x467d43f4',
    '215',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1165'],
  ],
  [
    '0x467d43f4',
    '218',
    '0xb2a2c7fb3e326c5ef282cb78207fbd9dcba8e983',
    '0x325ae3ba1fb564aa1117873089d2260c6303ebe7',
    ['1162'],
  ],
  [
    '0x62f4399f',
    '412',
    '0x75335297cb5029c2a9acb2b47507f18ffd48e96c',
    '0x8951f25adcc7c3256dd9b521ed726fb587a46d52',
    ['1885'],
  ],
  [
    '0x974926f8',
    '636',
    '0x69b9c98e8d715c25b330d0d4eb07e68cbb7f6cfc',
    '0xceb638a86eb40b6e349615eade6b80267044ead1',
    ['4063'],
  ],
];

/** The currencies of the matches that were not paid in ether, by their WETH or GALA transfers. */
const WYVERN_ERC20: Readonly<Record<string, string>> = { '536': WETH, '240': WETH, '602': GALA };

interface Difference {
  readonly name: string;
  /** How many rows it is about, so that it cannot come to excuse more. */
  readonly rows: number;
  applies(row: Row): boolean;
  instead(row: Row, line: Line): Line[];
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'Wyvern sales have a currency',
    rows: 132,
    applies: (row) => row.protocol === 'wyvern' && row.kind !== 'unresolved',
    instead: (row, line) => {
      const currency = row.kind === 'offer' ? (WYVERN_ERC20[row.log_index] ?? 'missing') : ZERO_ADDRESS;
      return [{ ...line, currency: row.price_raw === '0' ? null : currency }];
    },
  },
  {
    name: 'Wyvern bundles and purchases through aggregators are resolved',
    rows: 11,
    applies: (row) => row.kind === 'unresolved',
    instead: (row, line) => {
      const open = WYVERN_OPEN.filter(([tx, index]) => row.tx_hash.startsWith(tx) && row.log_index === index);
      return open.flatMap(([, , token, buyer, ids]) =>
        ids.map((tokenId) => ({
          ...line,
          side: 'listing',
          orderHash: `0x${(logAt(row)?.data ?? '').slice(2 + 64, 2 + 128)}`,
          token,
          tokenId,
          amount: '1',
          seller: row.note.slice('maker='.length, 'maker='.length + 42),
          buyer,
          currency: ZERO_ADDRESS,
          itemsInOrder: ids.length,
        })),
      );
    },
  },
  {
    name: 'A token minted on its sale is the storefront’s, not the adapter’s',
    rows: 1,
    applies: (row) => row.token === '0xa604060890923ff400e8c6f5290461a83aedacec',
    instead: (_, line) => [{ ...line, token: '0x495f947276749ce646f68ac8c248420045cb7b5e' }],
  },
  {
    name: 'The listing half of a matched trade is no sale, and its taker is the bidder',
    rows: 3,
    applies: (row) => row.note === 'matched' && row.kind === 'listing',
    instead: (row, line) => {
      const offer = recordedSales().find(
        (other) => other.tx_hash === row.tx_hash && other.kind === 'offer' && other.note === 'matched',
      );
      return [{ ...line, isSale: false, buyer: offer?.buyer ?? 'missing' }];
    },
  },
  {
    name: 'Ether from the Blur pool is ether',
    rows: 1,
    applies: (row) => row.currency === '0x0000000000a39bb272e79075ade125fd351887ac',
    instead: (_, line) => [{ ...line, currency: ZERO_ADDRESS }],
  },
  {
    name: 'Blur v2 pays in ether',
    rows: 6,
    applies: (row) => row.protocol === 'blur2',
    instead: (_, line) => [{ ...line, currency: ZERO_ADDRESS }],
  },
  {
    name: 'A punk bought is a listing taken',
    rows: 1,
    applies: (row) => row.kind === 'bought',
    instead: (_, line) => [{ ...line, side: 'listing' }],
  },
];

const placeOf = ({ source }: MarketEvent): string => `${source.txHash}/${source.index}`;
const placeOfRow = (row: { tx_hash: string; log_index: string }): string => `${row.tx_hash}/${row.log_index}`;

function logAt(row: { tx_hash: string; log_index: string }): EvmLog | undefined {
  return recordedReceipts()
    .find(({ transactionHash }) => transactionHash === row.tx_hash)
    ?.logs.find(({ logIndex }) => logIndex === Number(row.log_index));
}

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

const linesOfEvent = ({ data }: Filled): Line[] =>
  (data.items ?? []).map((item, _, items) => ({
    side: data.side,
    isSale: data.isSale,
    orderHash: data.orderHash,
    token: item.collection,
    tokenId: String(item.tokenId),
    amount: String(item.quantity),
    seller: data.seller,
    buyer: data.buyer,
    currency: data.currency,
    price: String(data.price),
    itemsInOrder: items.length,
  }));

const isFilled = (event: MarketEvent): event is Filled =>
  event.name === 'OrderFilled' || event.name === 'OfferAccepted';

/** What each kind of recorded log becomes. Punks and Foundation have states of their own: their specs are exact. */
const MEANINGS: Readonly<Record<string, readonly string[] | 'something' | 'what follows tells'>> = {
  'seaport OrderFulfilled': ['OrderFilled'],
  'seaport OrdersMatched': [],
  'seaport OrderCancelled': ['OrderCancelled'],
  'seaport CounterIncremented': ['MakerOrdersVoided'],
  'wyvern OrdersMatched': ['OrderFilled'],
  'wyvern OrderCancelled': ['OrderCancelled'],
  'wyvern NonceIncremented': ['MakerOrdersVoided'],
  'looksrare1 TakerBid': ['OrderFilled'],
  'looksrare1 TakerAsk': ['OrderFilled'],
  'looksrare1 RoyaltyPayment': [],
  'looksrare1 CancelMultipleOrders': ['OrderCancelled'],
  'x2y2 EvInventory': ['OrderFilled'],
  'x2y2 EvProfit': [],
  'x2y2 EvCancel': ['OrderCancelled'],
  'blur1 OrdersMatched': ['OrderFilled'],
  'blur1 OrderCancelled': ['OrderCancelled'],
  'blur2 Execution721Packed': ['OrderFilled'],
  'blur2 Execution721TakerFeePacked': ['OrderFilled'],
  'blur2 Execution721MakerFeePacked': ['OrderFilled'],
  // Of the first punks contract, which was abandoned.
  'punks Assign': [],
  'punks PunkOffered': 'something',
  // Nothing of its own when the punk is bought in the same breath.
  'punks PunkNoLongerForSale': 'what follows tells',
  'punks PunkTransfer': 'something',
  'punks PunkBought': 'something',
  'foundation ReserveAuctionBidPlaced': 'something',
  'foundation BuyPriceSet': 'something',
  'foundation OfferMade': 'something',
  // Not marketplaces that are followed.
  'zeroex/element ERC1155OrderFilled': [],
  'nftx Minted': [],
};

(hasRecordings() ? describe : describe.skip)('all marketplaces on the recorded blocks', () => {
  let events: readonly MarketEvent[];
  let eventsAt: ReadonlyMap<string, readonly MarketEvent[]>;

  beforeAll(() => {
    events = evmMarketplaces.flatMap((marketplace) => {
      const contracts = marketplace.contracts(1).map(({ address }) => address);
      return translateReceipts(marketplace, contracts, recordedReceipts());
    });
    eventsAt = groupBy(events, placeOf);
  });

  it.each([
    ['seaport', 141],
    ['wyvern', 143],
    ['looksrare1', 15],
    ['x2y2', 23],
    ['blur1', 7],
    ['blur2', 6],
    ['punks', 1],
  ])('tell of %s the %s recorded sales, in every column', (protocol, count) => {
    const rows = recordedSales().filter((row) => row.protocol === protocol);
    expect(rows).toHaveLength(count);
    for (const [place, rowsThere] of groupBy(rows, placeOfRow)) {
      const expected = rowsThere.flatMap((row) => {
        const differences = DIFFERENCES.filter((difference) => difference.applies(row));
        expect(differences.length).toBeLessThanOrEqual(1);
        return differences[0]?.instead(row, lineOf(row)) ?? [lineOf(row)];
      });
      const filled = (eventsAt.get(place) ?? []).filter(isFilled);
      expect({ place, lines: filled.flatMap(linesOfEvent) }).toEqual({ place, lines: expected });
      expect(filled).toHaveLength(1);
    }
  });

  it.each(DIFFERENCES.map((difference) => [difference.name, difference] as const))(
    'differ on purpose no more than is said: %s',
    (_, difference) => {
      expect(recordedSales().filter((row) => difference.applies(row))).toHaveLength(difference.rows);
    },
  );

  it('tell of no sale that the recordings do not know', () => {
    const known = new Set(recordedSales().map(placeOfRow));
    const filled = events.filter(isFilled);
    expect(filled.filter((event) => !known.has(placeOf(event)))).toEqual([]);
    expect(filled).toHaveLength(known.size);
  });

  it('tell of every recorded marketplace log what it means, and of no other log anything', () => {
    const rows = recordedMarketplaceLogs();
    expect(rows).toHaveLength(414);
    for (const row of rows) {
      const meaning = MEANINGS[`${row.protocol} ${row.event}`];
      if (meaning === 'what follows tells') continue;
      const names = [...new Set((eventsAt.get(placeOfRow(row)) ?? []).map(({ name }) => name))];
      if (meaning === 'something') expect(names).not.toEqual([]);
      else expect({ ...row, names }).toEqual({ ...row, names: meaning });
    }
    const known = new Set(rows.map(placeOfRow));
    const elsewhere = [...eventsAt.keys()].filter((place) => !known.has(place));
    expect(elsewhere).toEqual([]);
  });

  it('name the orders of hash-named markets by contract and hash, so that a cancel finds its order', () => {
    const named = events.filter(
      ({ aggregateType, name }) => aggregateType === 'order' && /Filled|Cancelled/.test(name),
    );
    const byHash = named.filter(({ data }) =>
      /^(seaport|wyvern|x2y2|blur)/.test((data as { market: string }).market),
    );
    expect(byHash.length).toBeGreaterThan(340);
    for (const { aggregateId, source, data } of byHash) {
      expect(aggregateId).toBe(`${source.address}:${(data as { orderHash: string }).orderHash}`);
      expect(aggregateId).toMatch(/^0x[0-9a-f]{40}:0x[0-9a-f]{64}$/);
    }
  });

  it('agree with the currency’s own transfers on what the sellers of accepted offers kept', () => {
    const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
    let compared = 0;
    for (const receipt of recordedReceipts()) {
      const sales = events
        .filter(isFilled)
        .filter(({ source, data }) => source.txHash === receipt.transactionHash && data.isSale);
      const [sale] = sales;
      if (sales.length !== 1 || sale?.data.side !== 'offer' || sale.data.fees === null) continue;
      const { currency, seller, price, fees } = sale.data;
      let kept = 0n;
      for (const { address, topics, data } of receipt.logs) {
        if (address !== currency || topics[0] !== TRANSFER || topics.length !== 3) continue;
        if (topics[2]?.endsWith((seller ?? '').slice(2))) kept += BigInt(data);
        if (topics[1]?.endsWith((seller ?? '').slice(2))) kept -= BigInt(data);
      }
      // The Blur pool pays ether, which leaves no transfer.
      if (currency === ZERO_ADDRESS) continue;
      expect({ tx: receipt.transactionHash, kept }).toEqual({
        tx: receipt.transactionHash,
        kept: (price ?? 0n) - fees,
      });
      compared++;
    }
    expect(compared).toBe(13);
  });
});
