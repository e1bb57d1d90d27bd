import { amount, list, maybeAmount, maybeText, maybeTime, record, text, time } from '../fields';

/** What orders and offers have in common. */
export const tradeFields = {
  subject: text('CAIP-2 id of the chain.'),
  contract: text('Contract of the market.'),
  orderId: text('Id within the contract: a number, or a hash.'),
  openedSeqNo: text('SeqNo of the event that opened it; tells successive ones of the same id apart.'),
  market: text('Name of the marketplace.'),
  kind: text('`fixed` or `auction`.'),
  status: text('What its own events said last.'),
  state: text(
    'What it is now: `status`, or why an open one cannot be taken: FILLED (nothing of it is left), EXPIRED (its time has passed by chain time), VOIDED ' +
      '(its maker voided it with all others), UNFILLABLE (its seller does not own the token now), NOT_STARTED.',
  ),
  reservedFor: maybeText('The only account that may take it; null: anybody.'),
  collection: maybeText('Null for a bundle, and when not known.'),
  tokenId: maybeText('Decimal. Null for a bundle, when not known, and for an offer on a whole collection.'),
  standard: maybeText('`erc721`, `erc1155`, `punk`; null for a bundle, and when not known.'),
  quantity: maybeAmount('Pieces of the whole order; null when its opening was not seen.'),
  filledQuantity: amount('Pieces that changed hands so far.'),
  remainingQuantity: maybeAmount('Pieces left; null when the quantity is not known.'),
  price: maybeAmount(
    "Of the whole quantity, in the currency's smallest unit; null when not announced or not known.",
  ),
  unitPrice: maybeAmount(
    "Of one piece, in the currency's smallest unit, fractional where it does not divide; null for a bundle.",
  ),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  nonce: maybeAmount("The maker's counter or nonce that it carries."),
  orderHash: maybeText('Hex.'),
  escrow: { type: 'boolean', description: 'The market holds the token while it is listed.' },
  startsAt: maybeTime('Null: at once.'),
  expiresAt: maybeTime('Valid before, not at, this moment; null: never expires.'),
  items: {
    ...list(
      record({
        collection: text('Contract.'),
        tokenId: maybeText('Decimal; null: any.'),
        quantity: amount('Pieces.'),
        standard: text('Of the token.'),
      }),
      'The items of a bundle; null for a single item.',
    ),
    type: ['array', 'null'],
  },
  createdAt: time('Chain time of the event that opened it.'),
  updatedAt: time('Chain time of the event that changed it last.'),
  seqNo: text('SeqNo of the event that changed it last.'),
};
