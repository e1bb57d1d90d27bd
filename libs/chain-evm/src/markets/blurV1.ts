import { AGGREGATE, PLAIN_CANCELLED, PLAIN_SALE } from '@imart/market';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';
import { uint256OrNull } from './uint256';
import { ZERO_ADDRESS } from '../zeroAddress';

const MARKET = 'blur-v1';
const EXCHANGE = '0x000000000000ad05ccc4f10045630fb830b95127';
/** Deposited ether, from which bids are paid: one for one, not a currency of its own. */
export const BLUR_POOL = '0x0000000000a39bb272e79075ade125fd351887ac';
/** Fees are parts of ten thousand. */
const FEE_BASE = 10_000n;

interface BlurOrder {
  readonly trader: string;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly amount: bigint;
  readonly paymentToken: string;
  readonly price: bigint;
  readonly listingTime: bigint;
  readonly fees: readonly { readonly rate: bigint; readonly recipient: string }[];
}

interface OrdersMatched {
  readonly sell: BlurOrder;
  readonly sellHash: string;
  readonly buy: BlurOrder;
  readonly buyHash: string;
}

const ORDER =
  '(address trader, uint8 side, address matchingPolicy, address collection, uint256 tokenId, uint256 amount, address paymentToken, uint256 price, uint256 listingTime, uint256 expirationTime, (uint16 rate, address recipient)[] fees, uint256 salt, bytes extraParams)';

/**
 * The older of the two orders is the one that was taken; the other was made to take it. That is the contract's own rule,
 * by which it chose the price.
 */
function emitMatched(
  { sell, sellHash, buy, buyHash }: OrdersMatched,
  log: EvmLog,
  emit: EmitMarketEvent,
): void {
  const listing = sell.listingTime <= buy.listingTime;
  const [order, orderHash] = listing ? [sell, sellHash] : [buy, buyHash];
  const { price } = order;
  emit(log, AGGREGATE.order, `${log.address}:${orderHash}`, 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side: listing ? 'listing' : 'offer',
    seller: sell.trader,
    buyer: buy.trader,
    items: [
      {
        collection: sell.collection,
        // A bid on a collection has no token id of its own.
        tokenId: sell.tokenId,
        quantity: sell.amount,
        standard: sell.amount === 1n ? 'erc721' : 'erc1155',
      },
    ],
    price,
    currency: sell.paymentToken === BLUR_POOL ? ZERO_ADDRESS : sell.paymentToken,
    fees: uint256OrNull(sell.fees.reduce((sum, fee) => sum + (price * fee.rate) / FEE_BASE, 0n)),
    orderHash,
  });
}

/** Blur's first exchange. Orders are signed off chain and named by their hash; all of them are single ERC-721 tokens. */
export const blurV1: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: () => false,
  ...translateEach([
    on<OrdersMatched>(
      `OrdersMatched(address indexed maker, address indexed taker, ${ORDER} sell, bytes32 sellHash, ${ORDER} buy, bytes32 buyHash)`,
      emitMatched,
    ),
    on<{ hash: string }>('OrderCancelled(bytes32 hash)', ({ hash }, log, emit) =>
      emit(log, AGGREGATE.order, `${log.address}:${hash}`, 'OrderCancelled', {
        ...PLAIN_CANCELLED,
        market: MARKET,
        side: null,
        orderHash: hash,
      }),
    ),
    // The nonce is part of an order's hash but in no event, so everything before this moment is void.
    on<{ trader: string }>(
      'NonceIncremented(address indexed trader, uint256 newNonce)',
      ({ trader }, log, emit) =>
        emit(log, AGGREGATE.maker, `${log.address}:${trader}`, 'MakerOrdersVoided', {
          market: MARKET,
          maker: trader,
          belowNonce: null,
          side: null,
        }),
    ),
  ]),
};
