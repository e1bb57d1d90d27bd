import { WorkerError } from '@imart/core';
import { AGGREGATE, PLAIN_CANCELLED, PLAIN_OPENED, PLAIN_SALE, type TradeItem } from '@imart/market';
import { AbiCoder } from 'ethers';
import type { EvmLog } from '../log';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { on, translateEach } from './eventHandlers';
import { uint256OrNull } from './uint256';

const MARKET = 'x2y2';
const EXCHANGE = '0x74312363e45dcaba76c59ec49a7aa8a65a67eed3';

/** What was done with the order (`detail.op`). */
const OP = {
  sold: 1n,
  offerTaken: 2n,
  cancelled: 3n,
  bid: 4n,
  auctionWon: 5n,
  refunded: 6n,
  refundedStuck: 7n,
};
/** Who moves the tokens (`delegateType`), and with it how they are listed in `item.data`. */
const DELEGATE_ERC721 = 1n;
const DELEGATE_ERC1155 = 2n;
/** Fees are parts of a million. */
const FEE_BASE = 1_000_000n;

interface Inventory {
  readonly itemHash: string;
  readonly maker: string;
  readonly taker: string;
  readonly delegateType: bigint;
  readonly currency: string;
  readonly dataMask: string;
  readonly item: { readonly price: bigint; readonly data: string };
  readonly detail: {
    readonly op: bigint;
    readonly price: bigint;
    readonly dataReplacement: string;
    readonly fees: readonly { readonly percentage: bigint; readonly to: string }[];
  };
}

const SIGNATURE =
  'EvInventory(bytes32 indexed itemHash, address maker, address taker, uint256 orderSalt, uint256 settleSalt, uint256 intent, uint256 delegateType, uint256 deadline, address currency, bytes dataMask, (uint256 price, bytes data) item, (uint8 op, uint256 orderIdx, uint256 itemIdx, uint256 price, bytes32 itemHash, address executionDelegate, bytes dataReplacement, uint256 bidIncentivePct, uint256 aucMinIncrementPct, uint256 aucIncDurationSecs, (uint256 percentage, address to)[] fees) detail)';

const abi = AbiCoder.defaultAbiCoder();

/**
 * The data with the bytes that the mask leaves to the taker taken from the replacement: how an offer on a whole collection
 * says which token it got. The contract has done so in the log already; doing it again changes nothing.
 */
export function maskedData(data: string, replacement: string, mask: string): string {
  if (mask === '0x' || replacement === '0x') return data;
  let out = '0x';
  for (let i = 2; i < data.length; i += 2) {
    const taken = mask.slice(i, i + 2) !== '00' && mask.length > i;
    out += (taken ? replacement : data).slice(i, i + 2);
  }
  return out;
}

/** @throws {WorkerError} `park` when the data lists no tokens of a kind that is known. */
function itemsOf({ item, detail, dataMask, delegateType, itemHash }: Inventory): TradeItem[] {
  const data = maskedData(item.data, detail.dataReplacement, dataMask);
  try {
    if (delegateType === DELEGATE_ERC721) {
      const [pairs] = abi.decode(['tuple(address, uint256)[]'], data) as unknown as [[string, bigint][]];
      return pairs.map(([token, tokenId]) => ({
        collection: token.toLowerCase(),
        tokenId,
        quantity: 1n,
        standard: 'erc721',
      }));
    }
    if (delegateType === DELEGATE_ERC1155) {
      const [pairs] = abi.decode(['tuple(address, uint256, uint256)[]'], data) as unknown as [
        [string, bigint, bigint][],
      ];
      return pairs.map(([token, tokenId, quantity]) => ({
        collection: token.toLowerCase(),
        tokenId,
        quantity,
        standard: 'erc1155',
      }));
    }
  } catch (cause) {
    throw unreadable(
      itemHash,
      `its item data is not a list of tokens (delegate type ${delegateType})`,
      cause,
    );
  }
  throw unreadable(itemHash, `its delegate type ${delegateType} is not known`);
}

function unreadable(itemHash: string, problem: string, cause?: unknown): WorkerError {
  return new WorkerError(`x2y2 order ${itemHash} cannot be read: ${problem}`, {
    code: 'X2Y2_ITEM_DATA',
    disposition: 'park',
    fields: { itemHash },
    ...(cause === undefined ? {} : { cause }),
  });
}

function emitInventory(event: Inventory, log: EvmLog, emit: EmitMarketEvent): void {
  const { itemHash, maker, taker, currency, detail } = event;
  const { op, price } = detail;
  const id = `${log.address}:${itemHash}`;
  const fees = uint256OrNull(detail.fees.reduce((sum, fee) => sum + (price * fee.percentage) / FEE_BASE, 0n));
  switch (op) {
    case OP.sold:
    case OP.offerTaken: {
      const listing = op === OP.sold;
      emit(log, AGGREGATE.order, id, 'OrderFilled', {
        ...PLAIN_SALE,
        market: MARKET,
        side: listing ? 'listing' : 'offer',
        seller: listing ? maker : taker,
        buyer: listing ? taker : maker,
        items: itemsOf(event),
        price,
        currency,
        fees,
        orderHash: itemHash,
      });
      return;
    }
    case OP.bid:
      // A new bid replaces the standing one, which is refunded.
      emit(log, AGGREGATE.offer, id, 'OfferCreated', {
        ...PLAIN_OPENED,
        market: MARKET,
        side: 'offer',
        kind: 'auction',
        maker: taker,
        items: itemsOf(event),
        price,
        currency,
        orderHash: itemHash,
      });
      return;
    case OP.auctionWon:
      // `taker` is whoever settled the auction and `price` what they wrote: winner and price are the standing bid's.
      emit(log, AGGREGATE.offer, id, 'OfferAccepted', {
        ...PLAIN_SALE,
        market: MARKET,
        side: 'offer',
        seller: maker,
        items: itemsOf(event),
        currency,
        orderHash: itemHash,
      });
      return;
    case OP.refunded:
    case OP.refundedStuck:
      emit(log, AGGREGATE.offer, id, 'OfferCancelled', {
        ...PLAIN_CANCELLED,
        market: MARKET,
        side: 'offer',
        items: itemsOf(event),
        onlyIfOpen: true,
        orderHash: itemHash,
      });
      return;
    // OP.cancelled: the EvCancel log before it says so too.
  }
}

/**
 * X2Y2: orders are signed off chain and named by their item hash. One item of an order is a token or a bundle with one
 * price. `EvProfit` repeats what `EvInventory` says, and is left out.
 */
export const x2y2: Marketplace = {
  name: MARKET,
  contracts: (chainId) => (chainId === 1 ? [{ address: EXCHANGE }] : []),
  needsReceipt: () => false,
  ...translateEach([
    on<Inventory>(SIGNATURE, emitInventory),
    on<{ itemHash: string }>('EvCancel(bytes32 indexed itemHash)', ({ itemHash }, log, emit) =>
      emit(log, AGGREGATE.order, `${log.address}:${itemHash}`, 'OrderCancelled', {
        ...PLAIN_CANCELLED,
        market: MARKET,
        side: null,
        orderHash: itemHash,
      }),
    ),
  ]),
};
