import type { Brand } from '@imart/core';

/** A purchase's UUID, known to whoever asked before anything is decided. */
export type PurchaseId = Brand<string, 'PurchaseId'>;

/**
 * What was said about a purchase last, and the topic that it was said on: each step of the flow listens to one. In this order; of the two
 * about the stock, one.
 */
export const TOPICS = [
  'purchase.received',
  'stock.check-requested',
  'stock.available',
  'stock.unavailable',
  'order.processed',
] as const;

export type Topic = (typeof TOPICS)[number];

/** `confirmed`: there is an order. `rejected`: it cannot be had. `failed`: it did not come to an end in time. The last three are final. */
export type PurchaseStatus = 'pending' | 'confirmed' | 'rejected' | 'failed';

/** Why a purchase was rejected, for people. */
export const REJECTIONS = {
  UNKNOWN_PRODUCT: 'there is no such product',
  PRODUCT_UNAVAILABLE: 'the product cannot be read now: it was set aside after a failure',
  SALE_NOT_OPEN: 'the sale is not open yet',
  SALE_CLOSED: 'the sale has ended',
  WRONG_QUANTITY: 'the quantity must be a whole number of at least 1',
  WALLET_REQUIRED: 'each wallet may buy so many only: a wallet must be told',
  WALLET_LIMIT: 'with this the wallet would have more than it may have',
  SOLD_OUT: 'nothing is left',
  NOT_ENOUGH_LEFT: 'less is left than was asked for',
} as const;

export type RejectionCode = keyof typeof REJECTIONS;

/** Why a purchase failed, for people. */
export const FAILURES = { TIMEOUT: 'it did not come to an end within its time' } as const;

export type PurchaseErrorCode = RejectionCode | keyof typeof FAILURES;

/** @returns what the code means, for people */
export function purchaseErrorText(code: PurchaseErrorCode): string {
  return { ...REJECTIONS, ...FAILURES }[code];
}

/** What somebody wants to buy. */
export interface AskedPurchase {
  readonly id: PurchaseId;
  readonly productId: string;
  readonly quantity: number;
  /** `null`: none was told. */
  readonly wallet: string | null;
}

/** A purchase as it stands. Moments are by the database's clock, ISO 8601 in UTC, to the microsecond. */
export interface Purchase extends AskedPurchase {
  readonly status: PurchaseStatus;
  /** What was said about it last. */
  readonly step: Topic;
  /** Everything that was said about it, in order. */
  readonly steps: readonly { readonly step: Topic; readonly at: string }[];
  readonly deadlineAt: string;
  /** Of a rejected or failed one. */
  readonly error: PurchaseErrorCode | null;
  /** Of a confirmed one. */
  readonly orderId: string | null;
  /** Of one piece, and in all; decimal text. Known once the order is processed. */
  readonly price: string | null;
  readonly total: string | null;
  readonly currency: string | null;
  /** `null` while it is pending. */
  readonly finishedAt: string | null;
  /** From when on its result is not told any more; `null` while it is pending. */
  readonly expiresAt: string | null;
  /** Whether that moment is over, by the database's clock when it was read. */
  readonly expired: boolean;
}
