import type { NotificationKind } from '@imart/market';

/** What a notification says, wherever it is read: in its receiver's list, or by the API. Quantities and prices are decimal text. */
export interface ToldNotification {
  /** The same in every answer, and in every push to the receiver's list. */
  readonly id: string;
  /** 1, 2, 3 ...: of one id the greatest holds. */
  readonly revision: number;
  readonly kind: NotificationKind;
  readonly receiver: string;
  /** Who made it happen. */
  readonly actor: string | null;
  readonly market: string;
  readonly contract: string;
  readonly orderId: string;
  readonly collection: string | null;
  readonly tokenId: string | null;
  readonly quantity: string | null;
  readonly itemCount: number;
  readonly price: string | null;
  readonly currency: string | null;
  readonly txHash: string;
  readonly seqNo: string;
}
