import type { OrderCancelled, OrderFilled, OrderOpened } from './events';

/** What a fixed-price order is when its market has no more to say. Spread, then say the rest. */
export const PLAIN_OPENED = {
  kind: 'fixed',
  taker: null,
  startsAtUs: null,
  expiresAtUs: null,
  nonce: null,
  orderHash: null,
  escrow: false,
} as const satisfies Partial<OrderOpened>;

/** A sale that ends its order; what it does not say is what the order says. */
export const PLAIN_SALE = {
  seller: null,
  buyer: null,
  items: null,
  price: null,
  currency: null,
  fees: null,
  isSale: true,
  closes: true,
  nonce: null,
  orderHash: null,
} as const satisfies Partial<OrderFilled>;

/** A cancellation by whoever may cancel, of an order that need not have been seen. */
export const PLAIN_CANCELLED = {
  maker: null,
  items: null,
  onlyIfOpen: false,
  onlyMaker: null,
  nonce: null,
  orderHash: null,
} as const satisfies Partial<OrderCancelled>;
