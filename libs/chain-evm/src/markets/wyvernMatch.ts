import { type TradeItem, type TradeSide } from '@imart/market';
import { compileEventDecoder, EventDecodeError } from '../abi';
import type { EvmLog, EvmReceipt } from '../log';
import { transfer, transferBatch, transferSingle } from './tokenTransfers';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

/** One match, and where its own logs lie: Wyvern pays, moves the tokens, and only then logs the match. */
export interface WyvernMatch {
  readonly maker: string;
  readonly taker: string;
  readonly price: bigint;
  /** The match before it in the transaction, or -1. */
  readonly afterLogIndex: number;
  readonly beforeLogIndex: number;
}

/** What a match was about, as the token contracts witnessed it. */
export interface WyvernTrade {
  /** Whether the maker sold or bought; `null`: no token moved from or to the maker. */
  readonly makerSide: TradeSide | null;
  readonly seller: string | null;
  readonly buyer: string | null;
  readonly items: readonly TradeItem[];
  readonly currency: string | null;
  readonly fees: bigint | null;
}

interface Moved {
  readonly logIndex: number;
  readonly from: string;
  readonly to: string;
  readonly item: TradeItem;
}

interface Paid {
  readonly token: string;
  readonly from: string;
  readonly to: string;
  readonly value: bigint;
}

const erc20Transfer = compileEventDecoder<{ from: string; to: string; value: bigint }>(
  'Transfer(address indexed from, address indexed to, uint256 value)',
);

/** ERC-20 and ERC-721 share the topic and differ in how many there are (D6). */
const is = (log: EvmLog, event: { topic0: string; topicCount: number }): boolean =>
  log.topics[0] === event.topic0 && log.topics.length === event.topicCount;

function movedIn(log: EvmLog): Moved[] {
  const { address: collection, logIndex, topics, data } = log;
  if (is(log, transfer)) {
    const { from, to, tokenId } = transfer.decode(topics, data);
    return [{ logIndex, from, to, item: { collection, tokenId, quantity: 1n, standard: 'erc721' } }];
  }
  if (is(log, transferSingle)) {
    const { from, to, id: tokenId, value: quantity } = transferSingle.decode(topics, data);
    return [{ logIndex, from, to, item: { collection, tokenId, quantity, standard: 'erc1155' } }];
  }
  if (!is(log, transferBatch)) return [];
  const { from, to, ids, values } = transferBatch.decode(topics, data);
  return ids.map((tokenId, i) => {
    const item = { collection, tokenId, quantity: values[i] ?? 0n, standard: 'erc1155' } as const;
    return { logIndex, from, to, item };
  });
}

function paidIn(log: EvmLog): Paid[] {
  return is(log, erc20Transfer)
    ? [{ token: log.address, ...erc20Transfer.decode(log.topics, log.data) }]
    : [];
}

/** Any contract may log in a transaction, and in any form: what is no transfer although it says so, tells nothing. */
function readable<T>(logs: readonly EvmLog[], read: (log: EvmLog) => T[]): T[] {
  return logs.flatMap((log) => {
    try {
      return read(log);
    } catch (error) {
      if (error instanceof EventDecodeError) return [];
      throw error;
    }
  });
}

function onlyOne(accounts: readonly string[]): string | null {
  const [first = null, ...others] = new Set(accounts);
  return others.length === 0 ? first : null;
}

const sameToken = (a: TradeItem, b: TradeItem): boolean =>
  a.collection === b.collection && a.tokenId === b.tokenId;

/** Which of the transfers are the match's own, and what the maker did in it. */
function ownMoves(
  { maker, taker }: WyvernMatch,
  moves: readonly Moved[],
): { makerSide: TradeSide; moves: readonly Moved[] } | null {
  const direct = moves.filter(
    ({ from, to }) => (from === maker && to === taker) || (from === taker && to === maker),
  );
  // Through an aggregator, the token may go from or to somebody else than the taker.
  const candidates =
    direct.length > 0 ? direct : moves.filter(({ from, to }) => from === maker || to === maker);
  if (candidates.length === 0) {
    // A token that is sold before it is minted comes from nowhere.
    const minted = moves.filter(({ from, to }) => from === ZERO_ADDRESS && to === taker);
    return minted.length === 0 ? null : { makerSide: 'listing', moves: minted };
  }
  if (candidates.every(({ from, to }) => from === maker && to !== maker)) {
    return { makerSide: 'listing', moves: candidates };
  }
  if (candidates.every(({ from, to }) => to === maker && from !== maker)) {
    return { makerSide: 'offer', moves: candidates };
  }
  return null;
}

/** The receiver, or whoever sent the transaction when all the tokens went on to them: they bought through a contract. */
function buyerOf(moves: readonly Moved[], all: readonly Moved[], sender: string): string | null {
  const last = (move: Moved): string => all.findLast((one) => sameToken(one.item, move.item))?.to ?? move.to;
  return moves.every((move) => last(move) === sender) ? sender : onlyOne(moves.map(({ to }) => to));
}

/** The giver, or whoever sent the transaction when all the tokens came from them: they sold through a contract. */
function sellerOf(
  moves: readonly Moved[],
  all: readonly Moved[],
  sender: string,
  taker: string,
): string | null {
  const first = (move: Moved): string => all.find((one) => sameToken(one.item, move.item))?.from ?? move.from;
  if (moves.every((move) => first(move) === sender)) return sender;
  return onlyOne(moves.map(({ from }) => (from === ZERO_ADDRESS ? taker : from)));
}

/** Wyvern moves ERC-20 straight between the two, at the price; fees go on from there. Coin leaves no log. */
function paymentOf(match: WyvernMatch, paid: readonly Paid[]): Pick<WyvernTrade, 'currency' | 'fees'> {
  const { maker, taker, price } = match;
  const between = paid.filter(
    ({ from, to }) => (from === maker && to === taker) || (from === taker && to === maker),
  );
  if (price === 0n) return { currency: null, fees: 0n };
  if (between.length === 0) return { currency: ZERO_ADDRESS, fees: null };
  const payment = between.find(({ value }) => value === price);
  if (payment === undefined) return { currency: null, fees: null };
  const onward = paid.slice(paid.indexOf(payment) + 1);
  const fees = onward.filter(({ token, from }) => token === payment.token && from === payment.to);
  // A hostile currency may log any value any number of times.
  return { currency: payment.token, fees: uint256OrNull(fees.reduce((sum, fee) => sum + fee.value, 0n)) };
}

/** Never throws for what other contracts log; what cannot be told for certain is `null`, and items are then empty. */
export function tradeOf(match: WyvernMatch, receipt: EvmReceipt): WyvernTrade {
  const all = readable(receipt.logs, movedIn);
  const within = ({ logIndex }: { readonly logIndex: number }): boolean =>
    logIndex > match.afterLogIndex && logIndex < match.beforeLogIndex;
  const payment = paymentOf(match, readable(receipt.logs.filter(within), paidIn));
  const own = ownMoves(match, all.filter(within));
  if (own === null) return { makerSide: null, seller: null, buyer: null, items: [], ...payment };
  const { makerSide, moves } = own;
  const listing = makerSide === 'listing';
  return {
    makerSide,
    seller: listing ? match.maker : sellerOf(moves, all, receipt.from, match.taker),
    buyer: listing ? buyerOf(moves, all, receipt.from) : match.maker,
    items: moves.map(({ item }) => item),
    ...payment,
  };
}
