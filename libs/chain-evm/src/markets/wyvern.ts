import { AGGREGATE, PLAIN_CANCELLED, PLAIN_SALE, type TradeSide } from '@imart/market';
import { compileEventDecoder } from '../abi';
import type { EvmLog, EvmReceipt } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { receiptOf } from './tokenTransfers';
import { tradeOf } from './wyvernMatch';

const MARKET = 'wyvern';
/** Versions 2.2 and 2.3, which log alike. */
const EXCHANGES = [
  '0x7be8076f4ea4a4ad08075c2508e481d6c946d12b',
  '0x7f268357a8c2552623316e2562d90e642bb538e5',
];
/** Written in the place of an order that was not looked up, because the sender of the transaction made it. */
const NO_HASH = `0x${'0'.repeat(64)}`;

interface Matched {
  readonly buyHash: string;
  readonly sellHash: string;
  readonly maker: string;
  readonly taker: string;
  readonly price: bigint;
}

const matched = compileEventDecoder<Matched>(
  'OrdersMatched(bytes32 buyHash, bytes32 sellHash, address indexed maker, address indexed taker, uint256 price, bytes32 indexed metadata)',
);
const cancelled = compileEventDecoder<{ hash: string }>('OrderCancelled(bytes32 indexed hash)');
const nonceIncremented = compileEventDecoder<{ maker: string }>(
  'NonceIncremented(address indexed maker, uint256 newNonce)',
);

interface NamedOrder {
  readonly id: string;
  readonly orderHash: string | null;
  readonly side: TradeSide | null;
}

/**
 * The orders that a match filled, the one that reports the sale first: the maker's where it has a hash, else the other. A
 * match of two orders without hash is an order of its own, named by its place.
 */
function ordersOf(
  { buyHash, sellHash }: Matched,
  makerSide: TradeSide | null,
  log: EvmLog,
): readonly [NamedOrder, ...NamedOrder[]] {
  const named = (orderHash: string, side: TradeSide): NamedOrder[] =>
    orderHash === NO_HASH ? [] : [{ id: `${log.address}:${orderHash}`, orderHash, side }];
  const sell = named(sellHash, 'listing');
  const buy = named(buyHash, 'offer');
  const [first, ...others] = makerSide === 'offer' ? [...buy, ...sell] : [...sell, ...buy];
  const unnamed = {
    id: `${log.address}:${log.transactionHash}-${log.logIndex}`,
    orderHash: null,
    side: makerSide,
  };
  return [first ?? unnamed, ...others];
}

function emitMatched(log: EvmLog, afterLogIndex: number, receipt: EvmReceipt, emit: EmitMarketEvent): void {
  const event = matched.decode(log.topics, log.data);
  const { maker, taker, price } = event;
  const { makerSide, ...trade } = tradeOf(
    { maker, taker, price, afterLogIndex, beforeLogIndex: log.logIndex },
    receipt,
  );
  for (const [i, { id, orderHash, side }] of ordersOf(event, makerSide, log).entries()) {
    emit(log, AGGREGATE.order, id, 'OrderFilled', {
      ...PLAIN_SALE,
      market: MARKET,
      ...trade,
      price,
      side,
      isSale: i === 0,
      orderHash,
    });
  }
}

/**
 * Project Wyvern, OpenSea's exchange until Seaport. Orders are signed off chain and named by their hash. A match names
 * neither token nor currency, so sales need the receipt; the token's transfers also tell the user behind an aggregator.
 * Orders approved on chain (`OrderApprovedPartOne`, `OrderApprovedPartTwo`) name no token either, and are not followed.
 */
export const wyvern: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? EXCHANGES.map((address) => ({ address })) : []),
  topics: [matched, cancelled, nonceIncremented].map((event) => event.topic0),
  needsReceipt: (log) => log.topics[0] === matched.topic0,
  translate(transaction, emit) {
    let afterLogIndex = -1;
    for (const log of transaction.logs) {
      switch (log.topics[0]) {
        case matched.topic0:
          emitMatched(log, afterLogIndex, receiptOf(transaction, MARKET), emit);
          afterLogIndex = log.logIndex;
          break;
        case cancelled.topic0: {
          const { hash } = cancelled.decode(log.topics, log.data);
          const data = { ...PLAIN_CANCELLED, market: MARKET, side: null, orderHash: hash };
          emit(log, AGGREGATE.order, `${log.address}:${hash}`, 'OrderCancelled', data);
          break;
        }
        case nonceIncremented.topic0: {
          const { maker } = nonceIncremented.decode(log.topics, log.data);
          // No log tells an order's nonce, but whatever was signed before has an older one.
          const data = { market: MARKET, maker, belowNonce: null, side: null };
          emit(log, AGGREGATE.maker, `${log.address}:${maker}`, 'MakerOrdersVoided', data);
          break;
        }
      }
    }
  },
};
