import { AGGREGATE, PLAIN_CANCELLED, PLAIN_SALE } from '@imart/market';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';

const MARKET = 'looksrare-v1';
const EXCHANGE = '0x59728544b08ab483533076417fbbb2fd0b17ce3a';

interface Taken {
  readonly orderHash: string;
  readonly orderNonce: bigint;
  readonly taker: string;
  readonly maker: string;
  readonly currency: string;
  readonly collection: string;
  readonly tokenId: bigint;
  readonly amount: bigint;
  readonly price: bigint;
}

const PARAMETERS =
  '(bytes32 orderHash, uint256 orderNonce, address indexed taker, address indexed maker, address indexed strategy, address currency, address collection, uint256 tokenId, uint256 amount, uint256 price)';

const orderId = (log: EvmLog, maker: string, nonce: bigint): string => `${log.address}:${maker}:${nonce}`;

function emitTaken(side: 'listing' | 'offer', event: Taken, log: EvmLog, emit: EmitMarketEvent): void {
  const { maker, taker, orderNonce: nonce, orderHash, collection, tokenId, amount, price, currency } = event;
  emit(log, AGGREGATE.order, orderId(log, maker, nonce), 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side,
    seller: side === 'listing' ? maker : taker,
    buyer: side === 'listing' ? taker : maker,
    items: [
      // The log does not tell the standard: one is taken for ERC-721, which nearly all are.
      { collection, tokenId, quantity: amount, standard: amount === 1n ? 'erc721' : 'erc1155' },
    ],
    price,
    currency,
    nonce,
    orderHash,
  });
}

/**
 * LooksRare's first exchange. Orders are signed off chain; each carries a nonce of its maker's, and whatever has been done
 * with a nonce ends all orders that carry it, so an order is named by maker and nonce. The price includes royalty and
 * protocol fee; how much they were is not in these logs.
 */
export const looksRareV1: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: () => false,
  ...translateEach([
    on<Taken>(`TakerBid${PARAMETERS}`, (event, log, emit) => emitTaken('listing', event, log, emit)),
    on<Taken>(`TakerAsk${PARAMETERS}`, (event, log, emit) => emitTaken('offer', event, log, emit)),
    on<{ user: string; orderNonces: readonly bigint[] }>(
      'CancelMultipleOrders(address indexed user, uint256[] orderNonces)',
      ({ user, orderNonces }, log, emit) => {
        for (const nonce of orderNonces) {
          const data = { ...PLAIN_CANCELLED, market: MARKET, side: null, maker: user, nonce };
          emit(log, AGGREGATE.order, orderId(log, user, nonce), 'OrderCancelled', data);
        }
      },
    ),
    on<{ user: string; newMinNonce: bigint }>(
      'CancelAllOrders(address indexed user, uint256 newMinNonce)',
      ({ user, newMinNonce }, log, emit) => {
        const data = { market: MARKET, maker: user, belowNonce: newMinNonce, side: null };
        emit(log, AGGREGATE.maker, `${log.address}:${user}`, 'MakerOrdersVoided', data);
      },
    ),
  ]),
};
