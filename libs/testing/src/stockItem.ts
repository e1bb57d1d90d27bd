import { z } from 'zod';
import { defineAggregate, everyEvents, type Marked } from '@imart/event-service';

/** Every event says how much is left after it: that is all that the next command is validated against. */
export type StockEvents = {
  readonly Added: { readonly quantity: number; readonly left: number };
  readonly Taken: { readonly quantity: number; readonly left: number; readonly by: string };
  readonly Closed: { readonly left: number };
};

export interface StockState {
  readonly left: number;
  readonly takenBy: Readonly<Record<string, number>>;
  readonly closed: boolean;
}

const quantity = z.number().int().min(1);
const left = z.number().int().default(0);
const leftAfter = (marked: Marked<StockEvents> | null): number => marked?.data.left ?? 0;

/** An aggregate for specs: things in stock, that are added and taken until it is closed. */
export const stockItem = defineAggregate<StockState, StockEvents>({
  type: 'stock-item',
  events: {
    Added: {
      schema: z.object({ quantity, left }),
      complete: (data, marked) => ({ ...data, left: leftAfter(marked) + data.quantity }),
    },
    Taken: {
      schema: z.object({ quantity, left, by: z.string().min(1).default('nobody') }),
      complete: (data, marked) => ({ ...data, left: leftAfter(marked) - data.quantity }),
    },
    Closed: {
      schema: z.object({ left }),
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
  snapshots: everyEvents(10),
});
