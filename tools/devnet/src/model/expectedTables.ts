import type { Expected, ExpectedCollection } from '../expected';
import { curationTables } from './curationTables';
import type { ModelState, TradeState } from './state';

function tradeColumns(trade: TradeState) {
  return {
    contract: trade.contract,
    collection: trade.collection,
    tokenId: String(trade.tokenId),
    price: String(trade.price),
    expiresAt: trade.expiresAt === 0n ? null : String(trade.expiresAt),
    quantity: String(trade.quantity),
    filled: String(trade.filled),
    createdAt: trade.createdAt,
    updatedAt: trade.updatedAt,
  };
}

const ORDER_STATUS = { open: 'LISTING', filled: 'SOLD', canceled: 'CANCELED' } as const;
const OFFER_STATUS = { open: 'CREATED', filled: 'ACCEPTED', canceled: 'CANCELED' } as const;

type Tables = Omit<Expected, 'chainId' | 'lastBlock' | 'actions' | 'logs' | 'activities'>;

/** The rows of the model, in the order in which they were made. */
export function expectedTables(state: ModelState): Tables {
  return {
    orders: [...state.orders, ...state.items].map((trade) => ({
      ...tradeColumns(trade),
      orderId: String(trade.id),
      seller: trade.maker,
      buyer: trade.taker,
      status: ORDER_STATUS[trade.status],
    })),
    offers: state.offers.map((trade) => ({
      ...tradeColumns(trade),
      offerId: String(trade.id),
      bidder: trade.maker,
      seller: trade.taker,
      status: OFFER_STATUS[trade.status],
    })),
    tokens: [...state.tokens.values()].map(({ collection, tokenId, owner, mintedAt, transferCount }) => ({
      collection,
      tokenId: String(tokenId),
      owner,
      mintedAt,
      transferCount,
    })),
    balances: [...state.balances.values()].map(({ collection, tokenId, owner, quantity }) => ({
      collection,
      tokenId: String(tokenId),
      owner,
      quantity: String(quantity),
    })),
    collections: [...state.collections.values()].flatMap(({ created, createdAt }): ExpectedCollection[] =>
      created === null ? [] : [{ ...created, createdAt }],
    ),
    ...curationTables(state),
  };
}
