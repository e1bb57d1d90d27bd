'use strict';
var __importDefault =
  (this && this.__importDefault) ||
  function (mod) {
    return mod && mod.__esModule ? mod : { default: mod };
  };
Object.defineProperty(exports, '__esModule', { value: true });
exports.randomHistory = void 0;
exports.addPoison = addPoison;
const fast_check_1 = __importDefault(require('fast-check'));
const market_1 = require('@imart/market');
const marketEvents_1 = require('./marketEvents');
const account = fast_check_1.default.constantFrom(
  marketEvents_1.ALICE,
  marketEvents_1.BOB,
  marketEvents_1.CAROL,
  marketEvents_1.DAVE,
);
const orderId = fast_check_1.default.constantFrom('1', '2', '3', '4', '5', '6');
const uint256 = fast_check_1.default.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const amount = fast_check_1.default.oneof(fast_check_1.default.bigInt({ min: 1n, max: 20n }), uint256);
const item = fast_check_1.default.oneof(
  fast_check_1.default.bigInt({ min: 1n, max: 3n }).map((id) => (0, marketEvents_1.art)(id)),
  fast_check_1.default
    .tuple(
      fast_check_1.default.bigInt({ min: 1n, max: 2n }),
      fast_check_1.default.bigInt({ min: 1n, max: 10n }),
    )
    .map(([id, quantity]) => (0, marketEvents_1.multi)(id, quantity)),
  fast_check_1.default.constant({ ...(0, marketEvents_1.art)(), tokenId: null }),
);
const items = fast_check_1.default.array(item, { minLength: 1, maxLength: 3 });
const side = fast_check_1.default.constantFrom('listing', 'offer');
const maybe = (of) => fast_check_1.default.option(of, { nil: null });
const terms = fast_check_1.default.record({
  maker: account,
  taker: maybe(account),
  items,
  price: maybe(amount),
  currency: maybe(fast_check_1.default.constant(marketEvents_1.NATIVE)),
  expiresAtUs: maybe(amount),
  nonce: maybe(amount),
  escrow: fast_check_1.default.boolean(),
  alongside: fast_check_1.default.boolean(),
});
const fill = fast_check_1.default.record({
  side: maybe(side),
  seller: maybe(account),
  buyer: maybe(account),
  items: maybe(fast_check_1.default.array(item, { maxLength: 2 })),
  price: maybe(amount),
  isSale: fast_check_1.default.boolean(),
  closes: maybe(fast_check_1.default.boolean()),
  nonce: maybe(amount),
  remaining: fast_check_1.default.option(fast_check_1.default.bigInt({ min: 0n, max: 5n }), {
    nil: undefined,
  }),
});
const cancel = fast_check_1.default.record({
  side: maybe(side),
  maker: maybe(account),
  items: maybe(items),
  onlyIfOpen: fast_check_1.default.boolean(),
  onlyMaker: maybe(account),
});
// An offer's event never calls it a listing.
const asOffer = (data) => ({
  ...data,
  side: data.side === null ? null : 'offer',
});
const step = fast_check_1.default.oneof(
  fast_check_1.default.bigInt({ min: 1n, max: 3n }).map((blocks) => (s) => s.nextBlock(blocks)),
  fast_check_1.default.tuple(orderId, side, terms).map(
    ([id, of, data]) =>
      (s) =>
        s.listed(id, { ...data, side: of }),
  ),
  fast_check_1.default.tuple(orderId, maybe(amount), maybe(amount)).map(
    ([id, price, expiresAtUs]) =>
      (s) =>
        s.priceChanged(id, { price, expiresAtUs }),
  ),
  fast_check_1.default.tuple(orderId, fill).map(
    ([id, data]) =>
      (s) =>
        s.filled(id, data),
  ),
  fast_check_1.default.tuple(orderId, cancel).map(
    ([id, data]) =>
      (s) =>
        s.cancelled(id, data),
  ),
  fast_check_1.default.tuple(orderId, terms).map(
    ([id, data]) =>
      (s) =>
        s.offered(id, data),
  ),
  fast_check_1.default.tuple(orderId, fill).map(
    ([id, data]) =>
      (s) =>
        s.accepted(id, asOffer(data)),
  ),
  fast_check_1.default.tuple(orderId, cancel).map(
    ([id, data]) =>
      (s) =>
        s.offerCancelled(id, asOffer(data)),
  ),
  fast_check_1.default.tuple(account, maybe(side), maybe(amount)).map(
    ([maker, of, belowNonce]) =>
      (s) =>
        s.voided(maker, { side: of, belowNonce }),
  ),
  fast_check_1.default.tuple(account, account, fast_check_1.default.bigInt({ min: 1n, max: 3n })).map(
    ([from, to, id]) =>
      (s) =>
        s.transferred(from, to, id),
  ),
  fast_check_1.default.tuple(account, fast_check_1.default.bigInt({ min: 1n, max: 3n })).map(
    ([to, id]) =>
      (s) =>
        s.minted(to, id),
  ),
  fast_check_1.default.tuple(account, fast_check_1.default.bigInt({ min: 1n, max: 3n })).map(
    ([from, id]) =>
      (s) =>
        s.burned(from, id),
  ),
  fast_check_1.default.tuple(account, account, amount).map(
    ([from, to, q]) =>
      (s) =>
        s.sent(from, to, 1n, q).received(to, from, 1n, q),
  ),
);
/** Any history of few orders, offers, tokens and makers, sensible or not: what a market could never log is in it too. */
exports.randomHistory = fast_check_1.default
  .array(step, { minLength: 1, maxLength: 60, size: 'max' })
  .map(
    (steps) => steps.reduce((script, one) => one(script), (0, marketEvents_1.createMarketScript)()).events,
  );
/** An event that its aggregate cannot have: its reducer throws, always. */
function addPoison(script, id) {
  return script.event(market_1.AGGREGATE.order, `${marketEvents_1.MARKET}:${id}`, 'TokenMinted', {
    to: marketEvents_1.ALICE,
    standard: 'erc721',
  });
}
