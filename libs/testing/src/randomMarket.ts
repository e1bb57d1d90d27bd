import fc from 'fast-check';
import { AGGREGATE, type MarketEvent, type TradeItem } from '@imart/market';
import {
  ALICE,
  art,
  BOB,
  CAROL,
  createMarketScript,
  DAVE,
  MARKET,
  multi,
  NATIVE,
  type MarketScript,
} from './marketEvents';

type Step = (script: MarketScript) => MarketScript;

const account = fc.constantFrom(ALICE, BOB, CAROL, DAVE);
const orderId = fc.constantFrom('1', '2', '3', '4', '5', '6');
const uint256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const amount = fc.oneof(fc.bigInt({ min: 1n, max: 20n }), uint256);
const item: fc.Arbitrary<TradeItem> = fc.oneof(
  fc.bigInt({ min: 1n, max: 3n }).map((id) => art(id)),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 2n }), fc.bigInt({ min: 1n, max: 10n }))
    .map(([id, quantity]) => multi(id, quantity)),
  fc.constant({ ...art(), tokenId: null }),
);
const items = fc.array(item, { minLength: 1, maxLength: 3 });
const side = fc.constantFrom('listing' as const, 'offer' as const);
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });

const terms = fc.record({
  maker: account,
  taker: maybe(account),
  items,
  price: maybe(amount),
  currency: maybe(fc.constant(NATIVE)),
  expiresAtUs: maybe(amount),
  nonce: maybe(amount),
  escrow: fc.boolean(),
  alongside: fc.boolean(),
});
const fill = fc.record({
  side: maybe(side),
  seller: maybe(account),
  buyer: maybe(account),
  items: maybe(fc.array(item, { maxLength: 2 })),
  price: maybe(amount),
  isSale: fc.boolean(),
  closes: maybe(fc.boolean()),
  nonce: maybe(amount),
  remaining: fc.option(fc.bigInt({ min: 0n, max: 5n }), { nil: undefined }),
});
const cancel = fc.record({
  side: maybe(side),
  maker: maybe(account),
  items: maybe(items),
  onlyIfOpen: fc.boolean(),
  onlyMaker: maybe(account),
});

// An offer's event never calls it a listing.
const asOffer = <Data extends { side: 'listing' | 'offer' | null }>(data: Data) => ({
  ...data,
  side: data.side === null ? null : ('offer' as const),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.bigInt({ min: 1n, max: 3n }).map(
    (blocks): Step =>
      (s) =>
        s.nextBlock(blocks),
  ),
  fc.tuple(orderId, side, terms).map(
    ([id, of, data]): Step =>
      (s) =>
        s.listed(id, { ...data, side: of }),
  ),
  fc.tuple(orderId, maybe(amount), maybe(amount)).map(
    ([id, price, expiresAtUs]): Step =>
      (s) =>
        s.priceChanged(id, { price, expiresAtUs }),
  ),
  fc.tuple(orderId, fill).map(
    ([id, data]): Step =>
      (s) =>
        s.filled(id, data),
  ),
  fc.tuple(orderId, cancel).map(
    ([id, data]): Step =>
      (s) =>
        s.cancelled(id, data),
  ),
  fc.tuple(orderId, terms).map(
    ([id, data]): Step =>
      (s) =>
        s.offered(id, data),
  ),
  fc.tuple(orderId, fill).map(
    ([id, data]): Step =>
      (s) =>
        s.accepted(id, asOffer(data)),
  ),
  fc.tuple(orderId, cancel).map(
    ([id, data]): Step =>
      (s) =>
        s.offerCancelled(id, asOffer(data)),
  ),
  fc.tuple(account, maybe(side), maybe(amount)).map(
    ([maker, of, belowNonce]): Step =>
      (s) =>
        s.voided(maker, { side: of, belowNonce }),
  ),
  fc.tuple(account, account, fc.bigInt({ min: 1n, max: 3n })).map(
    ([from, to, id]): Step =>
      (s) =>
        s.transferred(from, to, id),
  ),
  fc.tuple(account, fc.bigInt({ min: 1n, max: 3n })).map(
    ([to, id]): Step =>
      (s) =>
        s.minted(to, id),
  ),
  fc.tuple(account, fc.bigInt({ min: 1n, max: 3n })).map(
    ([from, id]): Step =>
      (s) =>
        s.burned(from, id),
  ),
  fc.tuple(account, account, amount).map(
    ([from, to, q]): Step =>
      (s) =>
        s.sent(from, to, 1n, q).received(to, from, 1n, q),
  ),
);

/** Any history of few orders, offers, tokens and makers, sensible or not: what a market could never log is in it too. */
export const randomHistory: fc.Arbitrary<readonly MarketEvent[]> = fc
  .array(step, { minLength: 1, maxLength: 60, size: 'max' })
  .map((steps) => steps.reduce((script, one) => one(script), createMarketScript()).events);

/** An event that its aggregate cannot have: its reducer throws, always. */
export function addPoison(script: MarketScript, id: string): MarketScript {
  return script.event(AGGREGATE.order, `${MARKET}:${id}`, 'TokenMinted', { to: ALICE, standard: 'erc721' });
}
