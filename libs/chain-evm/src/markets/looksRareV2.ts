import { AGGREGATE, PLAIN_CANCELLED, PLAIN_SALE, type TradeItem } from '@imart/market';
import { EventDecodeError } from '../abi';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';
import { uint256OrNull } from './uint256';

const MARKET = 'looksrare-v2';
const EXCHANGE = '0x0000000000e655fae4d56241588680f86e3b2377';

interface Taken {
  readonly nonceInvalidationParameters: {
    readonly orderHash: string;
    readonly orderNonce: bigint;
    readonly isNonceInvalidated: boolean;
  };
  readonly bidUser: string;
  readonly currency: string;
  readonly collection: string;
  readonly itemIds: readonly bigint[];
  readonly amounts: readonly bigint[];
  /** Who gets the proceeds of the sale, and the royalty. */
  readonly feeRecipients: readonly string[];
  /** Proceeds, royalty, protocol fee: together the price. */
  readonly feeAmounts: readonly bigint[];
}

const NONCE = '(bytes32 orderHash, uint256 orderNonce, bool isNonceInvalidated) nonceInvalidationParameters';
const TRADE =
  'uint256 strategyId, address currency, address collection, uint256[] itemIds, uint256[] amounts, address[2] feeRecipients, uint256[3] feeAmounts';

const orderId = (log: EvmLog, maker: string, nonce: bigint): string => `${log.address}:${maker}:${nonce}`;

/** The log does not tell the standard: one of an id is taken for ERC-721, which nearly all are. */
function itemsOf({ collection, itemIds, amounts }: Taken, log: EvmLog): TradeItem[] {
  if (itemIds.length !== amounts.length) {
    const reason = `it has ${itemIds.length} ids and ${amounts.length} amounts`;
    throw new EventDecodeError({ event: MARKET, topic0: log.topics[0] ?? '', reason, path: 'amounts' });
  }
  const standard = amounts.every((amount) => amount === 1n) ? 'erc721' : 'erc1155';
  return itemIds.map((tokenId, i) => ({ collection, tokenId, quantity: amounts[i] ?? 0n, standard }));
}

function emitTaken(
  side: 'listing' | 'offer',
  parties: { readonly maker: string; readonly seller: string },
  event: Taken,
  log: EvmLog,
  emit: EmitMarketEvent,
): void {
  const { orderHash, orderNonce: nonce, isNonceInvalidated } = event.nonceInvalidationParameters;
  const [, royalty = 0n, protocolFee = 0n] = event.feeAmounts;
  emit(log, AGGREGATE.order, orderId(log, parties.maker, nonce), 'OrderFilled', {
    ...PLAIN_SALE,
    market: MARKET,
    side,
    seller: parties.seller,
    buyer: event.bidUser,
    items: itemsOf(event, log),
    price: uint256OrNull(event.feeAmounts.reduce((sum, amount) => sum + amount, 0n)),
    currency: event.currency,
    fees: uint256OrNull(royalty + protocolFee),
    // Some strategies leave an order open after a fill.
    closes: isNonceInvalidated,
    nonce,
    orderHash,
  });
}

/**
 * LooksRare's second exchange. Orders are signed off chain and named by maker and nonce, as in the first. Not followed:
 * `SubsetNoncesCancelled` and `NewBidAskNonces`, which void orders by numbers that no other log tells; orders that are
 * never announced on chain have nothing here that they could void.
 */
export const looksRareV2: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: () => false,
  ...translateEach([
    on<Taken>(`TakerBid(${NONCE}, address bidUser, address bidRecipient, ${TRADE})`, (event, log, emit) => {
      // The proceeds of a listing go to whoever signed it.
      const seller = event.feeRecipients[0] as string;
      emitTaken('listing', { maker: seller, seller }, event, log, emit);
    }),
    on<Taken & { askUser: string }>(
      `TakerAsk(${NONCE}, address askUser, address bidUser, ${TRADE})`,
      (event, log, emit) =>
        emitTaken('offer', { maker: event.bidUser, seller: event.askUser }, event, log, emit),
    ),
    on<{ user: string; orderNonces: readonly bigint[] }>(
      'OrderNoncesCancelled(address user, uint256[] orderNonces)',
      ({ user, orderNonces }, log, emit) => {
        for (const nonce of orderNonces) {
          const data = { ...PLAIN_CANCELLED, market: MARKET, side: null, maker: user, nonce };
          emit(log, AGGREGATE.order, orderId(log, user, nonce), 'OrderCancelled', data);
        }
      },
    ),
  ]),
};
