import { NOTIFICATION_TITLES } from '@imart/market';
import type { OutgoingNotification } from '@imart/storage';
import type { NotificationMessage } from '@imart/stream';

/** A notification as its receiver's list has it. */
export function pushMessage(subjectId: string, notification: OutgoingNotification): NotificationMessage {
  const { kind, market, happenedAtMs } = notification;
  return {
    id: notification.id,
    revision: notification.revision,
    retracted: notification.isRetracted,
    receiver: notification.receiver,
    title: NOTIFICATION_TITLES[kind],
    content: `From ${market}`,
    image: '',
    type: kind,
    unread: !notification.isRetracted,
    timestamp: Math.trunc(happenedAtMs),
    detail: {
      chain: subjectId,
      seqNo: notification.seqNo,
      actor: notification.actor,
      market,
      contract: notification.contract,
      orderId: notification.orderId,
      collection: notification.collection,
      tokenId: notification.tokenId,
      quantity: notification.quantity,
      itemCount: notification.itemCount,
      price: notification.price,
      currency: notification.currency,
      txHash: notification.txHash,
    },
  };
}
