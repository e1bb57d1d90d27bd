import { aptosSeqNo } from '@imart/chain-aptos';
import { seededRandom } from '../../../libs/testing/src/seededRandom';
import { hashOf, type SlotValues } from './template';
import { addressOf, COLLECTION, EVENT_INDEX, PACKAGE, type MarketAction } from './transactions';

/** Versions of the ledger: as many digits, and as many bytes, as a ledger of today. */
export const FIRST_VERSION = 3_000_000_000;
/** Of one block, its first and last one included. */
const BLOCK_TRANSACTIONS = 50;
const FIRST_TIME_S = 1_700_000_000;
const BLOCKS_PER_SECOND = 4;
const BLOCK_US = 150_000;
const USERS = 5_000;
/** Open ones that there are before any is taken. */
const OPEN_MIN = 20;

export const timeUsOf = (index: number): number => {
  const block = Math.floor(index / BLOCK_TRANSACTIONS);
  return (
    (FIRST_TIME_S + Math.floor(block / BLOCKS_PER_SECOND)) * 1_000_000 +
    300_000 +
    (block % BLOCKS_PER_SECOND) * BLOCK_US
  );
};

export interface MarketTransaction {
  readonly action: MarketAction;
  readonly values: SlotValues;
}

/** A transaction of the ledger: the market's, a block's first or last one, or somebody else's. */
export type Slot = MarketTransaction | 'first' | 'last' | 'foreign';

/** Rows as the views of the benchmark show them, each as text without its key first. */
export type Row = readonly (string | null)[];
export const TABLES = ['orders', 'offers', 'tokens', 'activities'] as const;
export type Table = (typeof TABLES)[number];

export interface History {
  readonly events: number;
  readonly transactions: number;
  readonly marketTransactions: number;
  /** What stands at a place of the ledger, counted from 0. */
  at(index: number): Slot;
  /** The rows that the ledger leads to, of each table in the order of its key. */
  readonly rows: Readonly<Record<Table, readonly Row[]>>;
}

interface Token {
  readonly number: number;
  readonly address: string;
  /** The address as a number, in decimal digits. */
  readonly id: string;
  owner: string;
  readonly mintedUs: number;
  updatedUs: number;
  transfers: number;
  listing: Trade | null;
}

/** A listing or an offer. */
interface Trade {
  readonly id: string;
  readonly token: Token;
  readonly maker: string;
  taker: string | null;
  readonly price: string;
  readonly expires: string | null;
  readonly opened: bigint;
  last: bigint;
  readonly createdUs: number;
  updatedUs: number;
  status: string;
}

/** A list of which any one is taken at once. */
class Bag<T> {
  private readonly list: T[] = [];
  private readonly places = new Map<T, number>();
  get size(): number {
    return this.list.length;
  }
  at(i: number): T {
    return this.list[i] as T;
  }
  add(one: T): void {
    this.places.set(one, this.list.length);
    this.list.push(one);
  }
  delete(one: T): void {
    const place = this.places.get(one);
    const last = this.list.pop();
    if (place === undefined || last === undefined) return;
    if (last !== one) {
      this.list[place] = last;
      this.places.set(last, place);
    }
    this.places.delete(one);
  }
}

/**
 * A ledger's history: so many events of the market, spread over so many transactions, and the rows they lead to, said from what happened and not by
 * the product's reducers. The same numbers always give the same.
 * @throws {RangeError} the transactions have no room for the events.
 */
export function createHistory(events: number, transactions: number): History {
  // What happens does not depend on when: the first telling says how many places it takes.
  const { marketTransactions } = tell(events, transactions, events);
  return tell(events, transactions, marketTransactions);
}

/** @param spread as many transactions of the market are spread over the whole ledger. */
function tell(events: number, transactions: number, spread: number): History {
  const random = seededRandom(1);
  const users = Array.from({ length: USERS }, (_, i) => addressOf(`user ${i}`));
  const tokens: Token[] = [];
  const open = { orders: new Bag<Trade>(), offers: new Bag<Trade>() };
  const trades = { orders: [] as Trade[], offers: [] as Trade[] };
  const activities: Row[] = [];
  const market: MarketTransaction[] = [];

  // Which places are the market's is known before what happens there: the time of an event depends on its place.
  const usersPerBlock = BLOCK_TRANSACTIONS - 2;
  const userPlaces = Math.floor(transactions / BLOCK_TRANSACTIONS) * usersPerBlock;
  if (events > userPlaces)
    throw new RangeError(`${transactions} transactions have no room for ${events} events`);
  const indexOfUser = (user: number): number =>
    Math.floor(user / usersPerBlock) * BLOCK_TRANSACTIONS + 1 + (user % usersPerBlock);
  const userOf = (place: number): number => Math.floor((place * userPlaces) / spread);
  const atIndex = new Map<number, MarketTransaction>();

  let told = 0;
  const user = (): string => random.pick(users);
  const otherThan = (one: string): string => {
    let other = user();
    while (other === one) other = user();
    return other;
  };
  const digits = (least: number, below: number): string => String(random.between(least, least + below - 1));

  /** One more transaction. @returns where its events are. */
  const act = (action: MarketAction, values: SlotValues) => {
    const index = indexOfUser(userOf(market.length));
    const transaction = { action, values };
    market.push(transaction);
    atIndex.set(index, transaction);
    const version = FIRST_VERSION + index;
    const places = EVENT_INDEX[action];
    told += places.length;
    return {
      timeUs: timeUsOf(index),
      seqNo: (event: number): bigint => aptosSeqNo.encode(BigInt(version), places[event] as number, 0),
      tell(event: number, fields: Row): void {
        const hash = `0x${hashOf('hash', version)}`;
        const place = [String(version), String(places[event]), hash, String(timeUsOf(index))];
        activities.push([...place, ...fields]);
      },
    };
  };
  const tradeFields = (
    kind: string,
    side: 'listing' | 'offer',
    trade: Trade,
    from: string | null,
    to: string | null,
    paid: readonly [string, string] | null,
  ): Row => [
    kind,
    'wapal',
    PACKAGE,
    trade.id,
    side,
    COLLECTION,
    trade.token.id,
    '1',
    from,
    to,
    trade.price,
    NO_ACCOUNT,
    paid === null ? null : String(BigInt(paid[0]) + BigInt(paid[1])),
    paid === null ? null : paid[1],
  ];
  const tokenFields = (kind: string, contract: string, token: Token, from: string, to: string): Row => [
    ...[kind, null, contract, null, null, COLLECTION, token.id, '1'],
    ...[from, to, null, null, null, null],
  ];
  const NO_ACCOUNT = `0x${'0'.repeat(64)}`;
  const valuesOf = (token: Token, more: SlotValues): SlotValues => ({
    ...{ seller: token.owner, buyer: token.owner, token: token.address, order: token.address },
    ...{ price: '100000000', commission: '1000000', royalties: '10000000', expires: '1700000000' },
    name: String(token.number).padStart(7, '0'),
    ...more,
  });
  const moved = (token: Token, to: string, place: ReturnType<typeof act>, event: number): void => {
    place.tell(event, tokenFields('TRANSFER', NO_ACCOUNT, token, token.owner, to));
    token.owner = to;
    token.transfers++;
    token.updatedUs = place.timeUs;
  };
  const end = (
    kind: 'orders' | 'offers',
    trade: Trade,
    status: string,
    taker: string | null,
    place: ReturnType<typeof act>,
  ): void => {
    Object.assign(trade, { status, taker, updatedUs: place.timeUs, last: place.seqNo(0) });
    open[kind].delete(trade);
    if (kind === 'orders') trade.token.listing = null;
  };

  const actions = {
    mint(): void {
      const number = tokens.length;
      const to = user();
      const address = addressOf(`token ${number}`);
      const id = String(BigInt(address));
      const never = { mintedUs: 0, updatedUs: 0, transfers: 0, listing: null };
      const draft = { number, address, id, owner: to, ...never };
      const place = act('mint', valuesOf(draft, {}));
      const token: Token = { ...draft, mintedUs: place.timeUs, updatedUs: place.timeUs };
      tokens.push(token);
      place.tell(0, tokenFields('MINT', NO_ACCOUNT, token, NO_ACCOUNT, to));
    },
    open(kind: 'orders' | 'offers', token: Token): void {
      const isListing = kind === 'orders';
      const id = addressOf(`${kind} ${trades[kind].length}`);
      const maker = isListing ? token.owner : otherThan(token.owner);
      const price = digits(100_000_000, 900_000_000);
      const expires = isListing ? null : digits(1_800_000_000, 10_000_000);
      const party = isListing ? { seller: maker } : { buyer: maker, expires: expires as string };
      const place = act(isListing ? 'list' : 'offer', valuesOf(token, { order: id, price, ...party }));
      const trade: Trade = {
        ...{ id, token, maker, taker: null, price, expires },
        ...{ opened: place.seqNo(0), last: place.seqNo(0), createdUs: place.timeUs, updatedUs: place.timeUs },
        status: isListing ? 'LISTING' : 'CREATED',
      };
      trades[kind].push(trade);
      open[kind].add(trade);
      if (isListing) token.listing = trade;
      place.tell(
        0,
        tradeFields(isListing ? 'LIST' : 'OFFER', isListing ? 'listing' : 'offer', trade, maker, null, null),
      );
    },
    close(kind: 'orders' | 'offers', trade: Trade): void {
      const isListing = kind === 'orders';
      const party = isListing ? { seller: trade.maker } : { buyer: trade.maker };
      const values = valuesOf(trade.token, { order: trade.id, price: trade.price, ...party });
      const place = act(isListing ? 'delist' : 'cancel', values);
      end(kind, trade, 'CANCELED', null, place);
      place.tell(
        0,
        tradeFields(
          isListing ? 'CANCEL' : 'OFFER_CANCEL',
          isListing ? 'listing' : 'offer',
          trade,
          trade.maker,
          null,
          null,
        ),
      );
    },
    take(kind: 'orders' | 'offers', trade: Trade): void {
      const { token } = trade;
      const isListing = kind === 'orders';
      const seller = isListing ? trade.maker : token.owner;
      const buyer = isListing ? otherThan(trade.maker) : trade.maker;
      const paid = [digits(1_000_000, 9_000_000), digits(10_000_000, 90_000_000)] as const;
      const money = { price: trade.price, commission: paid[0], royalties: paid[1] };
      const values = valuesOf(token, { order: trade.id, seller, buyer, ...money });
      const place = act(isListing ? 'buy' : 'accept', values);
      end(kind, trade, isListing ? 'SOLD' : 'ACCEPTED', isListing ? buyer : seller, place);
      place.tell(0, tradeFields('SALE', isListing ? 'listing' : 'offer', trade, seller, buyer, paid));
      moved(token, buyer, place, 1);
    },
    gift(token: Token): void {
      const to = otherThan(token.owner);
      const place = act('gift', valuesOf(token, { buyer: to }));
      moved(token, to, place, 0);
    },
  };
  const anyOf = <T>(bag: Bag<T>): T => bag.at(random.between(0, bag.size - 1));

  function step(): void {
    if (tokens.length < 50 || events - told < 3) return actions.mint();
    const choice = random.between(0, 999);
    const token = random.pick(tokens);
    if (choice < 200) return actions.mint();
    if (choice < 500) return token.listing === null ? actions.open('orders', token) : actions.mint();
    if (choice < 660)
      return open.orders.size > OPEN_MIN ? actions.take('orders', anyOf(open.orders)) : actions.mint();
    if (choice < 730)
      return open.orders.size > OPEN_MIN ? actions.close('orders', anyOf(open.orders)) : actions.mint();
    if (choice < 890 || open.offers.size <= OPEN_MIN) return actions.open('offers', token);
    if (choice < 975) {
      const trade = anyOf(open.offers);
      const { listing, owner } = trade.token;
      // Nobody sells to himself, or what stands in a listing.
      const isTakable = choice < 935 && owner !== trade.maker && listing === null;
      return isTakable ? actions.take('offers', trade) : actions.close('offers', trade);
    }
    return token.listing === null ? actions.gift(token) : actions.close('orders', token.listing);
  }
  while (told < events) step();

  const tradeRow = (trade: Trade): Row => [
    ...[PACKAGE, trade.id, String(trade.opened), 'wapal', 'fixed', trade.status, trade.maker, trade.taker],
    ...[COLLECTION, trade.token.id, '1', trade.status === 'SOLD' || trade.status === 'ACCEPTED' ? '1' : '0'],
    ...[trade.price, NO_ACCOUNT, trade.expires === null ? null : `${trade.expires}000000`],
    ...[String(trade.createdUs), String(trade.updatedUs), String(trade.last)],
  ];
  const byText = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  return {
    events: told,
    transactions,
    marketTransactions: market.length,
    at(index) {
      const within = index % BLOCK_TRANSACTIONS;
      if (within === 0) return 'first';
      if (within === BLOCK_TRANSACTIONS - 1) return 'last';
      return atIndex.get(index) ?? 'foreign';
    },
    rows: {
      orders: trades.orders.sort(byText).map(tradeRow),
      offers: trades.offers.sort(byText).map(tradeRow),
      tokens: tokens
        .sort((a, b) => (a.address < b.address ? -1 : 1))
        .map((token) => [
          ...[COLLECTION, token.id, 'aptos-v2', token.owner, String(token.mintedUs)],
          ...[String(token.transfers), String(token.mintedUs), String(token.updatedUs)],
        ]),
      activities,
    },
  };
}
