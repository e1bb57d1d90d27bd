'use strict';
var __importDefault =
  (this && this.__importDefault) ||
  function (mod) {
    return mod && mod.__esModule ? mod : { default: mod };
  };
Object.defineProperty(exports, '__esModule', { value: true });
exports.histories = void 0;
const fast_check_1 = __importDefault(require('fast-check'));
const market_1 = require('@imart/market');
const marketEvents_1 = require('./marketEvents');
const randomMarket_1 = require('./randomMarket');
/** No chain of this project tells a time after the year 9999. */
const CALENDAR_END_US = 253402300800000000n;
/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
exports.histories = fast_check_1.default
  .record({
    history: randomMarket_1.randomHistory,
    poison: fast_check_1.default.array(fast_check_1.default.nat({ max: 59 }), { maxLength: 2 }),
    widths: fast_check_1.default.array(fast_check_1.default.integer({ min: 1, max: 6 }), {
      minLength: 40,
      maxLength: 40,
    }),
  })
  .map(({ history, poison, widths }) => {
    const events = history.map((event, i) => {
      if (poison.includes(i) && event.aggregateType === market_1.AGGREGATE.order)
        return { ...event, name: 'TokenMinted', data: { to: marketEvents_1.ALICE, standard: 'erc721' } };
      const { expiresAtUs } = event.data;
      if (typeof expiresAtUs !== 'bigint' || expiresAtUs < CALENDAR_END_US) return event;
      return { ...event, data: { ...event.data, expiresAtUs: CALENDAR_END_US } };
    });
    const last = (events.at(-1)?.source.position ?? 0n) + 1n;
    const ends = [];
    for (let end = -1n, i = 0; end < last; i++)
      ends.push((end += i < widths.length ? BigInt(widths[i]) : last - end));
    return { events, ends };
  });
