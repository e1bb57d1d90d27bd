import type { Mutant } from '../mutants';

/** Numbers, texts and waits. */
export const VALUE_MUTANTS: readonly Mutant[] = [
  {
    name: 'quantities-as-numbers',
    breaks: 'quantities beyond 2^53 lose digits in the log (D2, D4)',
    patches: [
      {
        file: 'libs/market/src/eventSchema.ts',
        search: 'return BigInt(json);',
        replace: 'return BigInt(Number(json));',
      },
    ],
    suite: { files: ['libs/market/src/events.unit.spec.ts'], only: '(D2' },
  },
  {
    name: 'back-off-by-xor',
    breaks: 'the waits between retries do not double: 2 ^ n is an exclusive or (Q8)',
    patches: [
      {
        file: 'libs/pipeline/src/retry.ts',
        search: 'schedule.firstMs * 2 ** Math.min(attempt - 1, 30)',
        replace: 'schedule.firstMs * (2 ^ Math.min(attempt - 1, 30))',
      },
    ],
    suite: { files: ['libs/pipeline/src/retry.unit.spec.ts'] },
  },
];
