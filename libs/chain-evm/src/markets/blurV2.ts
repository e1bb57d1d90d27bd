import { AGGREGATE, PLAIN_CANCELLED, PLAIN_SALE } from '@imart/market';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from '../marketplace';
import { on, translateEach, type EventHandler } from './eventHandlers';
import { receiptOf, transfersOf } from './tokenTransfers';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'blur-v2';
const EXCHANGE = '0xb2ecfe4e4d61f8790bbb9de2d1259b9e2410cea5';
/** `side` of an execution: what the trader's order was. */
const ASK = 0n;
const ASSET_ERC721 = 0n;
/** Fees are parts of ten thousand. */
const FEE_BASE = 10_000n;
const ADDRESS_MASK = (1n << 160n) - 1n;
const PRICE_MASK = (1n << 88n) - 1n;

interface Execution {
  readonly orderHash: string;
  /** The maker of the order: the seller of an ask, the buyer of a bid. */
  readonly trader: string;
  readonly side: bigint;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly quantity: bigint;
  readonly standard: 'erc721' | 'erc1155';
  /** Of all of `quantity`. */
  readonly price: bigint;
  /** `null`: more than anybody can pay. */
  readonly fees: bigint | null;
}

interface Packed {
  readonly orderHash: string;
  readonly tokenIdListingIndexTrader: bigint;
  readonly collectionPriceSide: bigint;
}

interface FeeRate {
  readonly recipient: string;
  readonly rate: bigint;
}

interface Unpacked {
  readonly transfer: {
    readonly trader: string;
    readonly id: bigint;
    readonly amount: bigint;
    readonly collection: string;
    readonly assetType: bigint;
  };
  readonly orderHash: string;
  readonly price: bigint;
  readonly makerFee: FeeRate;
  readonly fees: { readonly protocolFee: FeeRate; readonly takerFee: FeeRate };
  readonly orderType: bigint;
}

function addressIn(word: bigint): string {
  return `0x${(word & ADDRESS_MASK).toString(16).padStart(40, '0')}`;
}

function feeOf(price: bigint, rate: bigint): bigint {
  return (price * rate) / FEE_BASE;
}

/** Two packed words, and in the events with a fee a third. The seller pays his side's fee from the price; the buyer's comes on top. */
function unpack(event: Packed, sellerFeeRate: (side: bigint) => bigint): Execution {
  const { orderHash, tokenIdListingIndexTrader: first, collectionPriceSide: second } = event;
  const side = second >> 248n;
  const price = (second >> 160n) & PRICE_MASK;
  return {
    orderHash,
    trader: addressIn(first),
    side,
    collection: addressIn(second),
    tokenId: first >> 168n,
    quantity: 1n,
    standard: 'erc721',
    price,
    fees: feeOf(price, sellerFeeRate(side)),
  };
}

function fromUnpacked({ transfer, orderHash, price, makerFee, fees, orderType }: Unpacked): Execution {
  const erc721 = transfer.assetType === ASSET_ERC721;
  const sellerFee = orderType === ASK ? makerFee : fees.takerFee;
  return {
    orderHash,
    trader: transfer.trader,
    side: orderType,
    collection: transfer.collection,
    tokenId: transfer.id,
    // Of ERC-721 transfers the contract leaves the amount unset.
    quantity: erc721 ? 1n : transfer.amount,
    standard: erc721 ? 'erc721' : 'erc1155',
    price,
    fees: uint256OrNull(feeOf(price, sellerFee.rate) + feeOf(price, fees.protocolFee.rate)),
  };
}

/** The other party is named by the token's transfer alone: the last one before the log, from or to the trader. */
function counterparty(execution: Execution, log: EvmLog, transaction: MarketTransaction): string | null {
  const { collection, tokenId, trader, side } = execution;
  const transfers = transfersOf(receiptOf(transaction, MARKET), collection, tokenId).filter(
    (transfer) => trader === (side === ASK ? transfer.from : transfer.to),
  );
  const transfer = transfers.findLast((one) => one.logIndex < log.logIndex) ?? transfers[0];
  if (transfer === undefined) return null;
  return side === ASK ? transfer.to : transfer.from;
}

function emitExecution(
  execution: Execution,
  log: EvmLog,
  emit: EmitMarketEvent,
  transaction: MarketTransaction,
): void {
  const { orderHash, trader, side, collection, tokenId, quantity, standard, price, fees } = execution;
  const listing = side === ASK;
  const other = counterparty(execution, log, transaction);
  emit(log, AGGREGATE.order, `${log.address}:${orderHash}`, 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side: listing ? 'listing' : 'offer',
    seller: listing ? trader : other,
    buyer: listing ? other : trader,
    items: [{ collection, tokenId, quantity, standard }],
    price,
    // Bids are paid from the Blur pool, which is deposited ether.
    currency: ZERO_ADDRESS,
    fees,
    // A bid may be for several tokens of a collection, and one hash cover several listings.
    closes: null,
    orderHash,
  });
}

const PACKED = 'bytes32 orderHash, uint256 tokenIdListingIndexTrader, uint256 collectionPriceSide';

/** The events that name only one party. */
const executions: readonly EventHandler[] = [
  on<Packed>(`Execution721Packed(${PACKED})`, (event, log, emit, transaction) => {
    const execution = unpack(event, () => 0n);
    emitExecution(execution, log, emit, transaction);
  }),
  on<Packed & { takerFeeRecipientRate: bigint }>(
    `Execution721TakerFeePacked(${PACKED}, uint256 takerFeeRecipientRate)`,
    (event, log, emit, transaction) => {
      const rate = event.takerFeeRecipientRate >> 160n;
      const execution = unpack(event, (side) => (side === ASK ? 0n : rate));
      emitExecution(execution, log, emit, transaction);
    },
  ),
  on<Packed & { makerFeeRecipientRate: bigint }>(
    `Execution721MakerFeePacked(${PACKED}, uint256 makerFeeRecipientRate)`,
    (event, log, emit, transaction) => {
      const rate = event.makerFeeRecipientRate >> 160n;
      const execution = unpack(event, (side) => (side === ASK ? rate : 0n));
      emitExecution(execution, log, emit, transaction);
    },
  ),
  on<Unpacked>(
    'Execution((address trader, uint256 id, uint256 amount, address collection, uint8 assetType) transfer, bytes32 orderHash, uint256 listingIndex, uint256 price, (address recipient, uint16 rate) makerFee, ((address recipient, uint16 rate) protocolFee, (address recipient, uint16 rate) takerFee) fees, uint8 orderType)',
    (event, log, emit, transaction) => emitExecution(fromUnpacked(event), log, emit, transaction),
  ),
];
const EXECUTION_TOPICS: ReadonlySet<string | undefined> = new Set(executions.map(({ topic0 }) => topic0));

/** Blur's second exchange. Orders are signed off chain and named by their hash. */
export const blurV2: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: (log) => EXECUTION_TOPICS.has(log.topics[0]),
  ...translateEach([
    ...executions,
    on<{ user: string; hash: string }>(
      'CancelTrade(address indexed user, bytes32 hash, uint256 index, uint256 amount)',
      ({ user, hash }, log, emit) =>
        emit(log, AGGREGATE.order, `${log.address}:${hash}`, 'OrderCancelled', {
          ...PLAIN_CANCELLED,
          market: MARKET,
          side: null,
          maker: user,
          orderHash: hash,
        }),
    ),
    // The nonce is in no other event, so everything before this moment is void.
    on<{ user: string }>('NonceIncremented(address indexed user, uint256 newNonce)', ({ user }, log, emit) =>
      emit(log, AGGREGATE.maker, `${log.address}:${user}`, 'MakerOrdersVoided', {
        market: MARKET,
        maker: user,
        belowNonce: null,
        side: null,
      }),
    ),
  ]),
};
