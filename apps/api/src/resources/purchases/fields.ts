import { purchaseErrorText, type Purchase, type ShelfSale } from '@imart/purchase';
import {
  integer,
  list,
  maybeAmount,
  maybeRecord,
  maybeText,
  maybeTime,
  record,
  text,
  time,
  amount,
} from '../../fields';

/** A purchase as the API tells it. */
export const purchaseSchema = record({
  id: text('UUID.'),
  productId: text('The sale.'),
  quantity: integer('Pieces.'),
  wallet: maybeText('Who gets them; null: not told.'),
  status: text('`pending`, or final: `confirmed`, `rejected` (it cannot be had), `failed` (not in time).'),
  step: text(
    'What was said about it last: `purchase.received`, `stock.check-requested`, `stock.available`, `stock.unavailable`, `order.processed`.',
  ),
  steps: list(
    record({ step: text('As `step`.'), at: time('When.') }),
    'Everything that was said about it, in order.',
  ),
  deadlineAt: time('When it fails unless it has ended.'),
  error: maybeRecord(
    { code: text('Why not. Stable between releases.'), message: text('For people.') },
    'Of a rejected or failed one; else null.',
  ),
  orderId: maybeText('UUID of the order; null unless it is confirmed.'),
  price: maybeAmount('Of one piece, once the order is processed.'),
  total: maybeAmount('Of all pieces.'),
  currency: maybeText('Symbol or contract.'),
  finishedAt: maybeTime('When it came to its end; null while pending.'),
  expiresAt: maybeTime('From when on it is answered with 410; null while pending.'),
});

export function purchaseFields({ expired: _expired, error, ...purchase }: Purchase) {
  return { ...purchase, error: error === null ? null : { code: error, message: purchaseErrorText(error) } };
}

/** A sale as the API tells it. */
export const saleSchema = record({
  id: text('Give it as `productId`.'),
  name: text('For people.'),
  status: text(
    '`UNAUDITED`, `UPCOMING`, `LIVE`, `ENDED`. What is sold out stays `LIVE`: it may be restocked.',
  ),
  supply: integer('Pieces in all.'),
  minted: integer('Pieces that purchases have taken.'),
  left: integer('Pieces that can be had.'),
  walletLimit: { type: ['integer', 'null'], description: 'Most that one wallet may take; null: any number.' },
  price: amount('Of one piece.'),
  currency: text('Symbol or contract.'),
  opensAt: time('From when on it can be bought.'),
  closesAt: maybeTime('Until when; null: until it is closed.'),
  version: integer('Of its last event.'),
});

export function saleFields({ id, version, status, state: { supply, minted, terms } }: ShelfSale) {
  return { ...terms, id, version, status, supply, minted, left: supply - minted };
}
