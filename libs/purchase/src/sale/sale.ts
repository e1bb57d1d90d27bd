import { z } from 'zod';
import { anyOf, defineAggregate, everyEvents, onEvents, type Marked, type Rule } from '@imart/event-service';
import { saleTermsSchema, type SaleTerms } from './terms';

/** Where a sale is by what was said about it. Whether it is open is a matter of the time as well: {@link saleStatus}. */
export type SaleStage = 'unaudited' | 'approved' | 'closed';

/** What stands after an event: all that the next command is validated against. */
export interface SaleAfter {
  readonly stage: SaleStage;
  readonly supply: number;
  /** Taken by purchases, held or confirmed. */
  readonly minted: number;
}

/** What one purchase takes. */
export interface Take {
  /** The purchase's id. */
  readonly purchase: string;
  /** `null`: whoever buys has told no wallet. */
  readonly wallet: string | null;
  readonly quantity: number;
}

interface Takes {
  readonly takes: readonly Take[];
  readonly after: SaleAfter;
}

export type SaleEvents = {
  readonly Created: SaleTerms & { readonly after: SaleAfter };
  readonly Approved: { readonly after: SaleAfter };
  readonly Restocked: { readonly quantity: number; readonly after: SaleAfter };
  readonly Closed: { readonly after: SaleAfter };
  /** Purchases have taken: as many as came together, so that a hot sale has few events. */
  readonly Taken: Takes;
  /** What purchases had taken, and did not come to an order, is back. */
  readonly Released: Takes;
};

/** A sale as its events tell. */
export interface SaleState extends SaleAfter {
  /** `null` before it was created. */
  readonly terms: SaleTerms | null;
  /** What each wallet has taken, while the terms bound it; else empty. */
  readonly wallets: Readonly<Record<string, number>>;
}

/** @defaultValue most purchases in one event */
export const TAKES_MAX = 1_000;

/** @defaultValue most that a sale may have in all, and that one purchase may ask for */
export const SUPPLY_MAX = 1_000_000_000;

const NOTHING: SaleAfter = { stage: 'unaudited', supply: 0, minted: 0 };

const quantity = z.number().int().min(1).max(SUPPLY_MAX);
const after = z
  .object({
    stage: z.enum(['unaudited', 'approved', 'closed']),
    supply: z.number().int(),
    minted: z.number().int(),
  })
  // Filled in by `complete`.
  .default(NOTHING);
const takes = z.object({
  takes: z
    .array(z.object({ purchase: z.uuid(), wallet: z.string().min(1).nullable(), quantity }))
    .min(1)
    .max(TAKES_MAX),
  after,
});

const afterOf = (marked: Marked<SaleEvents> | null): SaleAfter => marked?.data.after ?? NOTHING;

/** How many pieces purchases take in all. */
export function takenBy(all: readonly Take[]): number {
  return all.reduce((sum, take) => sum + take.quantity, 0);
}

/** A rule about events of these names. */
function rule(
  name: string,
  events: readonly (keyof SaleEvents)[],
  refuses: (...given: Parameters<Rule<SaleEvents>['refuses']>) => string | null,
): Rule<SaleEvents> {
  return {
    name,
    refuses: (asked, marked) => (events.includes(asked.name) ? refuses(asked, marked) : null),
  };
}

/** A launchpad sale: what is sold, how much of it, and what purchases have taken of it. */
export const sale = defineAggregate<SaleState, SaleEvents>({
  type: 'sale',
  events: {
    Created: {
      schema: saleTermsSchema.extend({ after }),
      complete: (data) => ({ ...data, after: { stage: 'unaudited', supply: data.supply, minted: 0 } }),
    },
    Approved: {
      schema: z.object({ after }),
      complete: (_data, marked) => ({ after: { ...afterOf(marked), stage: 'approved' } }),
    },
    Restocked: {
      schema: z.object({ quantity, after }),
      complete(data, marked) {
        const before = afterOf(marked);
        return { ...data, after: { ...before, supply: before.supply + data.quantity } };
      },
    },
    Closed: {
      schema: z.object({ after }),
      complete: (_data, marked) => ({ after: { ...afterOf(marked), stage: 'closed' } }),
    },
    Taken: {
      schema: takes,
      complete(data, marked) {
        const before = afterOf(marked);
        return { ...data, after: { ...before, minted: before.minted + takenBy(data.takes) } };
      },
    },
    Released: {
      schema: takes,
      complete(data, marked) {
        const before = afterOf(marked);
        return { ...data, after: { ...before, minted: before.minted - takenBy(data.takes) } };
      },
    },
  },
  rules: [
    rule('created-once', ['Created'], (_asked, marked) =>
      marked === null ? null : 'there is a sale of this id',
    ),
    rule('created', ['Approved', 'Restocked', 'Closed', 'Taken', 'Released'], (_asked, marked) =>
      marked === null ? 'there is no sale of this id' : null,
    ),
    rule('not-closed', ['Approved', 'Restocked', 'Closed', 'Taken'], (_asked, marked) =>
      afterOf(marked).stage === 'closed' ? 'it is closed' : null,
    ),
    rule('approved-once', ['Approved'], (_asked, marked) =>
      afterOf(marked).stage === 'approved' ? 'it is approved' : null,
    ),
    rule('approved', ['Taken'], (_asked, marked) =>
      afterOf(marked).stage === 'approved' ? null : 'it is not approved',
    ),
    rule('supply-bound', ['Restocked'], (asked, marked) =>
      asked.name === 'Restocked' && afterOf(marked).supply + asked.data.quantity > SUPPLY_MAX
        ? `a sale has at most ${SUPPLY_MAX}`
        : null,
    ),
    rule('in-stock', ['Taken'], (asked, marked) => {
      const { supply, minted } = afterOf(marked);
      return asked.name === 'Taken' && takenBy(asked.data.takes) > supply - minted
        ? `only ${supply - minted} are left`
        : null;
    }),
    rule('taken-before', ['Released'], (asked, marked) =>
      asked.name === 'Released' && takenBy(asked.data.takes) > afterOf(marked).minted
        ? `only ${afterOf(marked).minted} were taken`
        : null,
    ),
  ],
  reducer: {
    version: 1,
    initial: () => ({ ...NOTHING, terms: null, wallets: {} }),
    fold(state, event) {
      const next = { ...state, ...event.data.after };
      switch (event.name) {
        case 'Created': {
          const { after: _after, ...terms } = event.data;
          return { ...next, terms };
        }
        case 'Taken':
          return { ...next, wallets: counted(state, event.data.takes, 1) };
        case 'Released':
          return { ...next, wallets: counted(state, event.data.takes, -1) };
        default:
          return next;
      }
    },
  },
  snapshots: anyOf(everyEvents(20), onEvents('Created', 'Closed')),
});

/** What wallets have taken after these. Without a bound nobody asks: then nothing is counted. */
function counted({ terms, wallets }: SaleState, all: readonly Take[], sign: 1 | -1): SaleState['wallets'] {
  if (terms?.walletLimit === null || terms === null) return wallets;
  const next = { ...wallets };
  for (const { wallet, quantity: pieces } of all) {
    if (wallet === null) continue;
    const sum = (Object.hasOwn(next, wallet) ? (next[wallet] ?? 0) : 0) + sign * pieces;
    if (sum > 0) next[wallet] = sum;
    else delete next[wallet];
  }
  return next;
}
