import { type MarketEvent, type MarketEventData } from '@imart/market';
import {
  hasRecordings,
  recordedMarketplaceLogs,
  recordedReceipts,
  recordedSales,
} from '../testing/recordedBlocks';
import { expectedLinesOf, SALE_DIFFERENCES, type SaleLine } from '../testing/recordedSaleLines';
import { translateReceipts } from '../testing/translation';
import { evmMarketplaces } from '.';
import { ZERO_ADDRESS } from '../zeroAddress';

/*
 * Every marketplace on all recorded blocks, compared with what was read from them with other tools. Where the events mean
 * to say something else than the recordings' `sales.csv`, SALE_DIFFERENCES says so; docs/real-data.md gives the reasons.
 */

type Filled = MarketEvent & { readonly data: MarketEventData['OrderFilled'] };

const placeOf = ({ source }: MarketEvent): string => `${source.txHash}/${source.index}`;
const placeOfRow = (row: { tx_hash: string; log_index: string }): string => `${row.tx_hash}/${row.log_index}`;

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

const linesOfEvent = ({ data }: Filled): SaleLine[] =>
  (data.items ?? []).map((item, _, items) => ({
    side: data.side,
    isSale: data.isSale,
    orderHash: data.orderHash,
    token: item.collection ?? '',
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
      const expected = rowsThere.flatMap(expectedLinesOf);
      const filled = (eventsAt.get(place) ?? []).filter(isFilled);
      expect({ place, lines: filled.flatMap(linesOfEvent) }).toEqual({ place, lines: expected });
      expect(filled).toHaveLength(1);
    }
  });

  it.each(SALE_DIFFERENCES.map((difference) => [difference.name, difference] as const))(
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
