import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type TradeItem } from '@imart/market';
import { compileEventDecoder } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from '../marketplace';
import { receiptOf, transfersOf } from './tokenTransfers';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'mixverse';

interface Item {
  readonly id: bigint;
  readonly tokenId: bigint;
  readonly collection: string;
  /** The seller. */
  readonly owner: string;
  readonly totalAmount: bigint;
  /** In native coin. */
  readonly pricePerToken: bigint;
}

const listed = compileEventDecoder<Item>(
  'ItemListedEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 pricePerToken, string uri)',
);
const purchased = compileEventDecoder<Item & { buyer: string; amount: bigint }>(
  'ItemPurchasedEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, address buyer, uint256 totalAmount, uint256 amount, uint256 pricePerToken)',
);
const sold = compileEventDecoder<Item>(
  'ItemSoldEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 pricePerToken)',
);
const canceled = compileEventDecoder<Item & { amount: bigint }>(
  'ItemCanceledEvent(uint256 indexed id, uint256 tokenId, address collection, address owner, uint256 totalAmount, uint256 amount, uint256 pricePerToken)',
);

function itemsOf(item: Item, quantity: bigint): TradeItem[] {
  return [{ collection: item.collection, tokenId: item.tokenId, quantity, standard: 'erc1155' }];
}

function emitSale(
  log: EvmLog,
  item: Item,
  trade: { buyer: string; amount: bigint; closes: true | null },
  emit: EmitMarketEvent,
): void {
  emit(log, AGGREGATE.order, `${log.address}:${item.id}`, 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side: 'listing',
    seller: item.owner,
    buyer: trade.buyer,
    items: itemsOf(item, trade.amount),
    price: uint256OrNull(item.pricePerToken * trade.amount),
    currency: ZERO_ADDRESS,
    closes: trade.closes,
  });
}

/**
 * The purchase that took the last token, of which `ItemSoldEvent` is the second half: the log before it about the same item
 * in this transaction, or the one after it.
 */
function lastPurchase(soldLog: EvmLog, { logs }: MarketTransaction): EvmLog | undefined {
  const about = logs.filter((log) => log.address === soldLog.address && log.topics[1] === soldLog.topics[1]);
  const place = about.indexOf(soldLog);
  return [about[place - 1], about[place + 1]].find((log) => log?.topics[0] === purchased.topic0);
}

function takesLast(log: EvmLog, transaction: MarketTransaction): boolean {
  return transaction.logs.some(
    (other) =>
      other.topics[0] === sold.topic0 &&
      other.topics[1] === log.topics[1] &&
      lastPurchase(other, transaction) === log,
  );
}

/**
 * The last token went. Where a purchase in the same transaction says to whom, that purchase closes the order and this adds
 * nothing. Else this is the sale: its buyer and quantity are in the token's transfer, and a transaction that moved none of
 * them only closes the order.
 */
function emitSold(log: EvmLog, transaction: MarketTransaction, emit: EmitMarketEvent): void {
  const item = sold.decode(log.topics, log.data);
  if (lastPurchase(log, transaction) !== undefined) return;
  const moved = transfersOf(receiptOf(transaction, MARKET), item.collection, item.tokenId);
  const last = moved.findLast((transfer) => transfer.from === item.owner) ?? moved.at(-1);
  if (last !== undefined) {
    emitSale(log, item, { buyer: last.to, amount: last.quantity, closes: true }, emit);
    return;
  }
  emit(log, AGGREGATE.order, `${log.address}:${item.id}`, 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side: 'listing',
    seller: item.owner,
    items: [],
    isSale: false,
  });
}

function translateLog(log: EvmLog, transaction: MarketTransaction, emit: EmitMarketEvent): void {
  switch (log.topics[0]) {
    case listed.topic0: {
      const item = listed.decode(log.topics, log.data);
      emit(log, AGGREGATE.order, `${log.address}:${item.id}`, 'OrderListed', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'listing',
        maker: item.owner,
        items: itemsOf(item, item.totalAmount),
        price: uint256OrNull(item.pricePerToken * item.totalAmount),
        currency: ZERO_ADDRESS,
      });
      return;
    }
    case purchased.topic0: {
      const item = purchased.decode(log.topics, log.data);
      // Otherwise when the quantity is used up: what `totalAmount` counts is not relied on.
      const closes = takesLast(log, transaction) ? true : null;
      emitSale(log, item, { buyer: item.buyer, amount: item.amount, closes }, emit);
      return;
    }
    case sold.topic0:
      emitSold(log, transaction, emit);
      return;
    case canceled.topic0: {
      const item = canceled.decode(log.topics, log.data);
      emit(log, AGGREGATE.order, `${log.address}:${item.id}`, 'OrderCancelled', {
        ...PLAIN_CANCELLED,
        market: MARKET,
        side: 'listing',
        maker: item.owner,
        items: itemsOf(item, item.amount),
      });
      return;
    }
  }
}

/**
 * MixverseSpace, IMart's market of ERC-1155 tokens: a listing is for some quantity at a price per token and is bought in
 * parts. Listing a live id again changes its terms. Its address is always configuration.
 */
export const mixverseSpace: Marketplace = {
  name: MARKET,
  contracts: () => [],
  topics: [listed, purchased, sold, canceled].map((event) => event.topic0),
  needsReceipt: (log) => log.topics[0] === sold.topic0,
  translate(transaction, emit) {
    for (const log of transaction.logs) translateLog(log, transaction, emit);
  },
};
