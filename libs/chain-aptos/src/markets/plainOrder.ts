import type { OrderCancelled, OrderFilled, OrderOpened } from '@imart/market';

/** What an order is when its market has no more to say. A buyer alone moves the token: so the market holds it. */
export const PLAIN_OPENED = {
  kind: 'fixed',
  taker: null,
  startsAtUs: null,
  expiresAtUs: null,
  nonce: null,
  orderHash: null,
  escrow: true,
} as const satisfies Partial<OrderOpened>;

/** A sale; what it does not say is what the order says. */
export const PLAIN_SALE = {
  seller: null,
  buyer: null,
  items: null,
  price: null,
  currency: null,
  fees: null,
  isSale: true,
  closes: null,
  nonce: null,
  orderHash: null,
} as const satisfies Partial<OrderFilled>;

/** A cancellation of an order that need not have been seen. */
export const PLAIN_CANCELLED = {
  maker: null,
  items: null,
  onlyIfOpen: false,
  onlyMaker: null,
  nonce: null,
  orderHash: null,
} as const satisfies Partial<OrderCancelled>;
