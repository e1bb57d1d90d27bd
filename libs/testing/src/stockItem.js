'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.stockItem = void 0;
const zod_1 = require('zod');
const event_service_1 = require('@imart/event-service');
const quantity = zod_1.z.number().int().min(1);
const left = zod_1.z.number().int().default(0);
const leftAfter = (marked) => marked?.data.left ?? 0;
/** An aggregate for specs: things in stock, that are added and taken until it is closed. */
exports.stockItem = (0, event_service_1.defineAggregate)({
  type: 'stock-item',
  events: {
    Added: {
      schema: zod_1.z.object({ quantity, left }),
      complete: (data, marked) => ({ ...data, left: leftAfter(marked) + data.quantity }),
    },
    Taken: {
      schema: zod_1.z.object({ quantity, left, by: zod_1.z.string().min(1).default('nobody') }),
      complete: (data, marked) => ({ ...data, left: leftAfter(marked) - data.quantity }),
    },
    Closed: {
      schema: zod_1.z.object({ left }),
      complete: (_data, marked) => ({ left: leftAfter(marked) }),
    },
  },
  rules: [
    { name: 'open', refuses: (_asked, marked) => (marked?.name === 'Closed' ? 'it is closed' : null) },
    {
      name: 'enough-left',
      refuses: (asked, marked) =>
        asked.name === 'Taken' && leftAfter(marked) < asked.data.quantity
          ? `only ${leftAfter(marked)} are left`
          : null,
    },
  ],
  reducer: {
    version: 1,
    initial: () => ({ left: 0, takenBy: {}, closed: false }),
    fold(state, event) {
      switch (event.name) {
        case 'Added':
          return { ...state, left: state.left + event.data.quantity };
        case 'Taken': {
          const { quantity: taken, by } = event.data;
          const takenBy = { ...state.takenBy, [by]: (state.takenBy[by] ?? 0) + taken };
          return { ...state, left: state.left - taken, takenBy };
        }
        default:
          return { ...state, closed: true };
      }
    },
  },
  snapshots: (0, event_service_1.everyEvents)(10),
});
