import type { Mutant } from '../mutants';

const DEADLINES = 'libs/storage/src/purchases/deadlines.int.spec.ts';

/** Purchases. */
export const PURCHASE_MUTANTS: readonly Mutant[] = [
  {
    name: 'late-answers-revive',
    breaks: 'a purchase that has come to its end is moved on by a message that comes late (E16)',
    patches: [
      {
        file: 'libs/storage/src/purchases/steps.ts',
        search: "`p.status = 'pending' AND p.step = $1 AND p.deadline_at > clock_timestamp()`",
        replace: '`p.step = $1`',
      },
    ],
    suite: { files: [DEADLINES], only: '(E16)' },
  },
  {
    name: 'timeout-keeps-stock',
    breaks: 'what a purchase held when its time was over is not given back (E15)',
    patches: [
      {
        file: 'libs/storage/src/purchases/sales.ts',
        search: 'if (held.length > 0) {',
        replace: 'if (held.length < 0) {',
      },
    ],
    suite: { files: [DEADLINES], only: 'ends with TIMEOUT' },
  },
  {
    name: 'wallets-uncounted-within-a-batch',
    breaks: 'purchases that come together do not see what those before them have for the same wallet (E14)',
    patches: [
      {
        file: 'libs/purchase/src/sale/allotment.ts',
        search: 'if (wallet !== null) byWallet.set(',
        replace: 'if (wallet === undefined) byWallet.set(',
      },
    ],
    suite: { files: ['libs/storage/src/purchases/flow.int.spec.ts'], only: 'of many at once' },
  },
  {
    name: 'buying-without-a-key',
    breaks: 'whoever reaches the API may buy, with any key or none',
    patches: [
      {
        file: 'apps/api/src/resources/purchases/registerPurchases.ts',
        search: '{ onRequest: authorize }',
        replace: '{}',
      },
    ],
    suite: {
      files: ['apps/api/src/resources/purchases/purchases.int.spec.ts'],
      only: 'refuses who has none',
    },
  },
];
