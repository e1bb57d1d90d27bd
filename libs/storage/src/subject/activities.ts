import type { Activity } from '@imart/core';
import type { MarketActivity } from '@imart/market';
import { copyTextCell, timestampText } from './copyText';

export const COPY_ACTIVITIES =
  'COPY "activities" ("subject", "seq_no", "item", "kind", "market", "contract", "order_id", "side", "collection", ' +
  '"token_id", "quantity", "from_address", "to_address", "price", "currency", "fees", "royalties", "item_count", "block_number", ' +
  '"log_index", "tx_hash", "block_time") FROM STDIN';

const orNull = (value: string | bigint | null): string | bigint => (value === null ? '\\N' : value);

/** COPY text of activities. */
export function activitiesText(subject: number, activities: readonly Activity[]): string {
  let text = '';
  for (const activity of activities as readonly MarketActivity[]) {
    const { event } = activity;
    const { source } = event;
    text +=
      `${subject}\t${event.seqNo}\t${activity.item}\t${activity.kind}\t` +
      `${activity.market === null ? '\\N' : copyTextCell(activity.market)}\t${activity.contract}\t` +
      `${activity.orderId === null ? '\\N' : copyTextCell(activity.orderId)}\t${orNull(activity.side)}\t` +
      `${orNull(activity.collection)}\t${orNull(activity.tokenId)}\t${orNull(activity.quantity)}\t` +
      `${orNull(activity.from)}\t${orNull(activity.to)}\t${orNull(activity.price)}\t${orNull(activity.currency)}\t` +
      `${orNull(activity.fees)}\t${orNull(activity.royalties)}\t` +
      `${activity.itemCount}\t${source.position}\t${source.index}\t${source.txHash}\t${timestampText(source.timeUs)}\n`;
  }
  return text;
}
