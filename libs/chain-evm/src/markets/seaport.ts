import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type OrderFilled } from '@imart/market';
import { compileEventDecoder } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace, MarketplaceContract } from '../marketplace';
import { expiryUs, startUs } from './expiry';
import { fulfilmentOf, matchTrades, type Fulfilment, type MatchedGivers } from './seaportMatch';
import { paidToOthers, tradeOf, type SeaportPart, type SeaportSides } from './seaportTrade';
import { ZERO_ADDRESS } from '../zeroAddress';

interface Fulfilled extends SeaportSides {
  readonly orderHash: string;
  readonly recipient: string;
}

const fulfilled = compileEventDecoder<Fulfilled>(
  'OrderFulfilled(bytes32 orderHash, address indexed offerer, address indexed zone, address recipient, (uint8 itemType, address token, uint256 identifier, uint256 amount)[] offer, (uint8 itemType, address token, uint256 identifier, uint256 amount, address recipient)[] consideration)',
);
const matched = compileEventDecoder<{ orderHashes: readonly string[] }>(
  'OrdersMatched(bytes32[] orderHashes)',
);
const cancelled = compileEventDecoder<{ orderHash: string; offerer: string }>(
  'OrderCancelled(bytes32 orderHash, address indexed offerer, address indexed zone)',
);
const counterIncremented = compileEventDecoder<{ offerer: string }>(
  'CounterIncremented(uint256 newCounter, address indexed offerer)',
);

interface AnnouncedPart {
  readonly itemType: bigint;
  readonly token: string;
  readonly identifierOrCriteria: bigint;
  readonly startAmount: bigint;
  readonly endAmount: bigint;
  /** Absent in what is offered. */
  readonly recipient?: string;
}

interface Validated {
  readonly orderHash: string;
  readonly orderParameters: {
    readonly offerer: string;
    readonly offer: readonly AnnouncedPart[];
    readonly consideration: readonly AnnouncedPart[];
    readonly startTime: bigint;
    readonly endTime: bigint;
  };
}

/** The form since 1.2. That of 1.1 says nothing about the order but its hash, and so means nothing here. */
const validated = compileEventDecoder<Validated>(
  'OrderValidated(bytes32 orderHash, (address offerer, address zone, (uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount)[] offer, (uint8 itemType, address token, uint256 identifierOrCriteria, uint256 startAmount, uint256 endAmount, address recipient)[] consideration, uint8 orderType, uint256 startTime, uint256 endTime, bytes32 zoneHash, uint256 salt, bytes32 conduitKey, uint256 totalOriginalConsiderationItems) orderParameters)',
);

const orderId = (log: EvmLog, orderHash: string): string => `${log.address}:${orderHash}`;

const atStart = ({
  itemType,
  token,
  identifierOrCriteria,
  startAmount,
  recipient,
}: AnnouncedPart): SeaportPart => ({
  itemType,
  token,
  identifier: identifierOrCriteria,
  amount: startAmount,
  recipient: recipient ?? ZERO_ADDRESS,
});

function emitValidated(market: string, log: EvmLog, emit: EmitMarketEvent): void {
  const { orderHash, orderParameters } = validated.decode(log.topics, log.data);
  const { offerer, offer, consideration, startTime, endTime } = orderParameters;
  const trade = tradeOf({ offerer, offer: offer.map(atStart), consideration: consideration.map(atStart) });
  // A swap has no price to list, or no tokens that could be named; when it is filled, its fulfilment tells.
  if (trade === null || trade.kind === 'swap') return;
  const moving = [...offer, ...consideration].some((part) => part.startAmount !== part.endAmount);
  emit(log, AGGREGATE.order, orderId(log, orderHash), 'OrderListed', {
    ...PLAIN_OPENED,
    market,
    side: trade.kind,
    kind: moving ? 'auction' : 'fixed',
    maker: offerer,
    taker: trade.reservedFor,
    items: trade.kind === 'listing' ? trade.given : trade.wanted,
    price: trade.price,
    currency: trade.currency,
    startsAtUs: startUs(startTime),
    expiresAtUs: expiryUs(endTime),
    orderHash,
  });
}

/** The parties, the price and what it was for. */
type Outcome = Pick<
  OrderFilled,
  'side' | 'seller' | 'buyer' | 'items' | 'price' | 'currency' | 'fees' | 'isSale'
>;

function listingFilled({ event, trade, takers }: Fulfilment<Fulfilled>): Outcome {
  const { kind, given, price, currency, payments, reservedFor } = trade;
  const [taker = null] = takers;
  return {
    side: 'listing',
    seller: event.offerer,
    buyer: takers.size === 0 ? (reservedFor ?? recipientOf(event)) : takers.size === 1 ? taker : null,
    items: given,
    price,
    currency,
    fees: price === null ? null : paidToOthers(payments, event.offerer),
    isSale: kind === 'listing' && takers.size === 0,
  };
}

function offerFilled({ event, trade, givers }: Fulfilment<Fulfilled>): Outcome {
  const { kind, wanted, price, currency, payments } = trade;
  // Who matched the orders need not be who sold: the seller is who gave the token.
  const seller = givers === null ? recipientOf(event) : givers.seller;
  return {
    side: 'offer',
    seller,
    buyer: event.offerer,
    items: wanted,
    price,
    currency,
    fees:
      price === null || seller === null
        ? null
        : offerFees(price, payments, givers, seller, recipientOf(event)),
    isSale: kind === 'offer',
  };
}

/** What a matched offer leaves over, its givers' orders pay out; what neither names goes to the recipient. */
function offerFees(
  price: bigint,
  payments: readonly SeaportPart[],
  givers: MatchedGivers | null,
  seller: string,
  recipient: string | null,
): bigint | null {
  if (givers === null) return paidToOthers(payments, seller);
  const total = [...payments, ...givers.payments].reduce((sum, part) => sum + part.amount, 0n);
  return total === price || recipient === seller
    ? paidToOthers([...payments, ...givers.payments], seller)
    : null;
}

/** Version 1.1 writes the zero address into orders that it matched. */
function recipientOf({ recipient }: Fulfilled): string | null {
  return recipient === ZERO_ADDRESS ? null : recipient;
}

/** The filled orders among a transaction's logs, those that were matched with one another paired. */
function fulfilmentsOf(logs: readonly EvmLog[]): Map<EvmLog, Fulfilment<Fulfilled>> {
  const byLog = new Map<EvmLog, Fulfilment<Fulfilled>>();
  for (const log of logs) {
    if (log.topics[0] === fulfilled.topic0) {
      const event = fulfilled.decode(log.topics, log.data);
      const trade = tradeOf(event);
      if (trade !== null) byLog.set(log, fulfilmentOf(event, trade));
    } else if (log.topics[0] === matched.topic0) {
      // It comes after the fulfilments of its orders.
      const { orderHashes } = matched.decode(log.topics, log.data);
      const hashes = new Set(orderHashes);
      matchTrades([...byLog.values()].filter(({ event }) => hashes.has(event.orderHash)));
    }
  }
  // Version 1.1 has no such event.
  matchTrades([...byLog.values()].filter(({ event }) => recipientOf(event) === null));
  return byLog;
}

function emitFilled(
  market: string,
  fulfilment: Fulfilment<Fulfilled>,
  log: EvmLog,
  emit: EmitMarketEvent,
): void {
  const { orderHash } = fulfilment.event;
  const outcome = fulfilment.trade.given.length > 0 ? listingFilled(fulfilment) : offerFilled(fulfilment);
  emit(log, AGGREGATE.order, orderId(log, orderHash), 'OrderFilled', {
    ...PLAIN_SALE,
    market,
    ...outcome,
    // What fraction is filled by now is not in the log: an order ends when its quantity is used up.
    closes: null,
    orderHash,
  });
}

function emitCancelled(market: string, log: EvmLog, emit: EmitMarketEvent): void {
  const { orderHash, offerer: maker } = cancelled.decode(log.topics, log.data);
  const data = { ...PLAIN_CANCELLED, market, side: null, maker, orderHash };
  emit(log, AGGREGATE.order, orderId(log, orderHash), 'OrderCancelled', data);
}

function emitVoided(market: string, log: EvmLog, emit: EmitMarketEvent): void {
  const { offerer: maker } = counterIncremented.decode(log.topics, log.data);
  // No log tells an order's counter, but whatever was announced before was made under an older one.
  const data = { market, maker, belowNonce: null, side: null };
  emit(log, AGGREGATE.maker, `${log.address}:${maker}`, 'MakerOrdersVoided', data);
}

/**
 * One version of Seaport. Orders are signed off chain and named by their hash. What the logs of a fill say decides, so no
 * receipt is asked for: where an aggregator has itself named as the receiver, it is the buyer.
 */
export function createSeaport(
  name: string,
  contracts: (chainId: number) => readonly MarketplaceContract[],
): Marketplace {
  return {
    name,
    contracts,
    topics: [fulfilled, matched, cancelled, counterIncremented, validated].map((event) => event.topic0),
    needsReceipt: () => false,
    translate({ logs }, emit) {
      const fulfilments = fulfilmentsOf(logs);
      for (const log of logs) {
        const fulfilment = fulfilments.get(log);
        if (fulfilment !== undefined) emitFilled(name, fulfilment, log, emit);
        else if (log.topics[0] === cancelled.topic0) emitCancelled(name, log, emit);
        else if (log.topics[0] === counterIncremented.topic0) emitVoided(name, log, emit);
        else if (log.topics[0] === validated.topic0) emitValidated(name, log, emit);
      }
    },
  };
}

/** Ethereum, Optimism, BSC, Polygon, opBNB, Base, Arbitrum, Avalanche: the address is the same on all of them. */
const CHAINS: ReadonlySet<number> = new Set([1, 10, 56, 137, 204, 8453, 42161, 43114]);
const ZKSYNC = 324;

const at = (address: string, zkSync?: string) => (chainId: number) => {
  if (CHAINS.has(chainId)) return [{ address }];
  return chainId === ZKSYNC && zkSync !== undefined ? [{ address: zkSync }] : [];
};

export const seaport11 = createSeaport('seaport-1.1', at('0x00000000006c3852cbef3e08e8df289169ede581'));
export const seaport14 = createSeaport('seaport-1.4', at('0x00000000000001ad428e4906ae43d8f9852d0dd6'));
export const seaport15 = createSeaport(
  'seaport-1.5',
  at('0x00000000000000adc04c56bf30ac9d3c0aaf14dc', '0xd756e8070b33a35e42f00140ac92c4b4e0bbfb82'),
);
export const seaport16 = createSeaport('seaport-1.6', at('0x0000000000000068f116a894984e2db1123eb395'));
