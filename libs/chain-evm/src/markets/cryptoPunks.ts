import { WorkerError } from '@imart/core';
import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type TradeItem } from '@imart/market';
import { compileEventDecoder } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from '../marketplace';
import { receiptOf } from './tokenTransfers';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'cryptopunks';
const ZERO_TOPIC = `0x${'0'.repeat(64)}`;
const PUNKS = '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb';

interface Punk {
  readonly punkIndex: bigint;
}

const assign = compileEventDecoder<Punk & { to: string }>('Assign(address indexed to, uint256 punkIndex)');
const punkTransfer = compileEventDecoder<Punk & { from: string; to: string }>(
  'PunkTransfer(address indexed from, address indexed to, uint256 punkIndex)',
);
const punkOffered = compileEventDecoder<Punk & { minValue: bigint; toAddress: string }>(
  'PunkOffered(uint256 indexed punkIndex, uint256 minValue, address indexed toAddress)',
);
const bidEntered = compileEventDecoder<Punk & { value: bigint; fromAddress: string }>(
  'PunkBidEntered(uint256 indexed punkIndex, uint256 value, address indexed fromAddress)',
);
const bidWithdrawn = compileEventDecoder<Punk & { value: bigint; fromAddress: string }>(
  'PunkBidWithdrawn(uint256 indexed punkIndex, uint256 value, address indexed fromAddress)',
);
const punkBought = compileEventDecoder<Punk & { value: bigint; fromAddress: string; toAddress: string }>(
  'PunkBought(uint256 indexed punkIndex, uint256 value, address indexed fromAddress, address indexed toAddress)',
);
const noLongerForSale = compileEventDecoder<Punk>('PunkNoLongerForSale(uint256 indexed punkIndex)');
/** ERC-20 in style: the third value is how many punks, always 1. Names no punk. */
const transfer = compileEventDecoder<{ from: string; to: string }>(
  'Transfer(address indexed from, address indexed to, uint256 value)',
);

/** Each punk has at most one listing, one bid and one owner, all named by its index. */
function idOf(log: EvmLog, punkIndex: bigint): string {
  return `${log.address}:${punkIndex}`;
}

function itemsOf(log: EvmLog, tokenId: bigint): TradeItem[] {
  return [{ collection: log.address, tokenId, quantity: 1n, standard: 'punk' }];
}

/**
 * Who offers a punk for sale: its owner, whom the log does not name. Known when the punk changed hands earlier in the
 * transaction; else the owner called the contract, himself or through the contract (a wallet, a vault) that he called.
 */
function offererOf(log: EvmLog, punkIndex: bigint, transaction: MarketTransaction): string {
  const moved = transaction.logs.findLast(
    (other) => other.logIndex < log.logIndex && ownerAfter(other, punkIndex) !== null,
  );
  const owner = moved === undefined ? null : ownerAfter(moved, punkIndex);
  if (owner !== null) return owner;
  const { from, to } = receiptOf(transaction, MARKET);
  return to === null || to === log.address ? from : to;
}

/** The owner that a log gives to the punk. `null`: it gives it none, or does not tell whom. */
function ownerAfter(log: EvmLog, punkIndex: bigint): string | null {
  const topic0 = log.topics[0];
  const moved =
    topic0 === punkTransfer.topic0
      ? punkTransfer.decode(log.topics, log.data)
      : topic0 === assign.topic0
        ? assign.decode(log.topics, log.data)
        : null;
  if (moved !== null) return moved.punkIndex === punkIndex ? moved.to : null;
  if (topic0 !== punkBought.topic0) return null;
  const bought = punkBought.decode(log.topics, log.data);
  return bought.punkIndex === punkIndex && bought.toAddress !== ZERO_ADDRESS ? bought.toAddress : null;
}

/**
 * Who got a punk by an accepted bid. The contract clears the bid before it logs `PunkBought`, which so says value 0 to
 * nobody; the buyer is in the `Transfer` that it logged just before.
 */
function bidderOf(log: EvmLog, seller: string, transaction: MarketTransaction): string {
  const before = receiptOf(transaction, MARKET).logs.findLast(
    (other) =>
      other.logIndex < log.logIndex && other.address === log.address && other.topics[0] === transfer.topic0,
  );
  const moved = before === undefined ? null : transfer.decode(before.topics, before.data);
  if (moved?.from === seller) return moved.to;
  throw new WorkerError(
    `cryptopunks: the bid accepted in ${transaction.hash} has no Transfer from ${seller}`,
    {
      code: 'PUNK_BUYER_UNKNOWN',
      disposition: 'park',
      fields: { txHash: transaction.hash, logIndex: log.logIndex },
    },
  );
}

/** The contract refunds a standing bid of whoever gets the punk in another way, without a log. */
function clearOwnBid(log: EvmLog, punkIndex: bigint, owner: string, emit: EmitMarketEvent): void {
  emit(log, AGGREGATE.offer, idOf(log, punkIndex), 'OfferCancelled', {
    ...PLAIN_CANCELLED,
    market: MARKET,
    side: 'offer',
    maker: owner,
    items: itemsOf(log, punkIndex),
    onlyIfOpen: true,
    onlyMaker: owner,
  });
}

function endListing(log: EvmLog, punkIndex: bigint, emit: EmitMarketEvent): void {
  emit(log, AGGREGATE.order, idOf(log, punkIndex), 'OrderCancelled', {
    ...PLAIN_CANCELLED,
    market: MARKET,
    side: 'listing',
    items: itemsOf(log, punkIndex),
    // Said of punks that were not for sale, too.
    onlyIfOpen: true,
  });
}

function moveTo(log: EvmLog, punkIndex: bigint, from: string, to: string, emit: EmitMarketEvent): void {
  emit(log, AGGREGATE.token, idOf(log, punkIndex), 'TokenTransferred', { from, to, standard: 'punk' });
}

function emitBought(log: EvmLog, transaction: MarketTransaction, emit: EmitMarketEvent): void {
  const { punkIndex, value, fromAddress: seller, toAddress } = punkBought.decode(log.topics, log.data);
  const id = idOf(log, punkIndex);
  const sale = {
    ...PLAIN_SALE,
    market: MARKET,
    seller,
    items: itemsOf(log, punkIndex),
    currency: ZERO_ADDRESS,
    fees: 0n,
  };
  if (toAddress === ZERO_ADDRESS) {
    const buyer = bidderOf(log, seller, transaction);
    // The price is the standing bid's: the log says 0.
    emit(log, AGGREGATE.offer, id, 'OfferAccepted', { ...sale, side: 'offer', buyer });
    endListing(log, punkIndex, emit);
    moveTo(log, punkIndex, seller, buyer, emit);
    return;
  }
  emit(log, AGGREGATE.order, id, 'OrderFilled', { ...sale, side: 'listing', buyer: toAddress, price: value });
  moveTo(log, punkIndex, seller, toAddress, emit);
  clearOwnBid(log, punkIndex, toAddress, emit);
}

/** Buying a punk logs `PunkNoLongerForSale` first, which then is no cancellation. */
function isPartOfPurchase(punkIndex: bigint, next: EvmLog | undefined): boolean {
  if (next === undefined || next.topics[0] !== punkBought.topic0) return false;
  const bought = punkBought.decode(next.topics, next.data);
  return bought.punkIndex === punkIndex && bought.toAddress !== ZERO_ADDRESS;
}

function translateLog(
  log: EvmLog,
  next: EvmLog | undefined,
  transaction: MarketTransaction,
  emit: EmitMarketEvent,
): void {
  const { topics, data } = log;
  switch (topics[0]) {
    case assign.topic0: {
      const { to, punkIndex } = assign.decode(topics, data);
      emit(log, AGGREGATE.token, idOf(log, punkIndex), 'TokenMinted', { to, standard: 'punk' });
      return;
    }
    case punkTransfer.topic0: {
      const { from, to, punkIndex } = punkTransfer.decode(topics, data);
      moveTo(log, punkIndex, from, to, emit);
      clearOwnBid(log, punkIndex, to, emit);
      return;
    }
    case punkOffered.topic0: {
      const { punkIndex, minValue, toAddress } = punkOffered.decode(topics, data);
      emit(log, AGGREGATE.order, idOf(log, punkIndex), 'OrderListed', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'listing',
        maker: offererOf(log, punkIndex, transaction),
        taker: toAddress === ZERO_ADDRESS ? null : toAddress,
        items: itemsOf(log, punkIndex),
        price: minValue,
        currency: ZERO_ADDRESS,
      });
      return;
    }
    case noLongerForSale.topic0: {
      const { punkIndex } = noLongerForSale.decode(topics, data);
      if (!isPartOfPurchase(punkIndex, next)) endListing(log, punkIndex, emit);
      return;
    }
    case bidEntered.topic0: {
      const { punkIndex, value, fromAddress } = bidEntered.decode(topics, data);
      emit(log, AGGREGATE.offer, idOf(log, punkIndex), 'OfferCreated', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'offer',
        maker: fromAddress,
        items: itemsOf(log, punkIndex),
        price: value,
        currency: ZERO_ADDRESS,
      });
      return;
    }
    case bidWithdrawn.topic0: {
      const { punkIndex, fromAddress } = bidWithdrawn.decode(topics, data);
      emit(log, AGGREGATE.offer, idOf(log, punkIndex), 'OfferCancelled', {
        ...PLAIN_CANCELLED,
        market: MARKET,
        side: 'offer',
        maker: fromAddress,
        items: itemsOf(log, punkIndex),
      });
      return;
    }
    case punkBought.topic0:
      emitBought(log, transaction, emit);
      return;
  }
}

/**
 * CryptoPunks: market and token in one contract, older than ERC-721. Its events are the tokens' history too. The first
 * contract, whose market could be cheated, is left out.
 */
export const cryptoPunks: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: PUNKS }] : []),
  topics: [assign, punkTransfer, punkOffered, bidEntered, bidWithdrawn, punkBought, noLongerForSale].map(
    (event) => event.topic0,
  ),
  needsReceipt: ({ topics }) =>
    topics[0] === punkOffered.topic0 || (topics[0] === punkBought.topic0 && topics[3] === ZERO_TOPIC),
  translate(transaction, emit) {
    const { logs } = transaction;
    logs.forEach((log, i) => translateLog(log, logs[i + 1], transaction, emit));
  },
};
