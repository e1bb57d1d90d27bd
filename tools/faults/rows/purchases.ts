import { testsIn, type FaultRow } from '../faultRow';

export const purchaseFlow = testsIn('libs/storage/src/purchases/flow.int.spec.ts');
const deadlines = testsIn('libs/storage/src/purchases/deadlines.int.spec.ts');
const crashes = testsIn('libs/storage/src/purchases/crashes.int.spec.ts');
const processes = testsIn('tools/oversell/purchases.e2e.spec.ts');

export const KILLED_STEPS = processes(
  'each step is killed -9 in the middle of it, and the next process ends every purchase once (E15, E21)',
);
const OVERSELL = processes(
  'sell no more than there is, and end every purchase once, with %s deadlines (E14, E15, E16, E20)',
);
/** Of whatever works on purchases, as of the worker of commands. */
export const IN_HAND = processes(
  'one of two processes is killed -9 with a purchase in hand: the other one ends it within 10 seconds (E20, E21)',
);

/** What goes wrong with purchases: the requests of people, through several processes. */
export const PURCHASE_ROWS: readonly FaultRow[] = [
  {
    id: 'E14',
    fault: 'more is sold than there is',
    tests: [
      purchaseFlow(
        'of many at once takes one event of the sale for all of them, first come, first served (E14)',
      ),
      purchaseFlow(
        'whose stock goes between check and order is rejected by the order service, with every step told (E14)',
      ),
      OVERSELL,
    ],
  },
  {
    id: 'E15',
    fault: 'a purchase half done after a crash',
    tests: [
      crashes(
        'a process that dies between any two statements of the flow leaves each purchase to exactly one end (E15, E18)',
      ),
      crashes(
        'a process that dies between any two statements of a time-out gives back what was held once (E15, E16)',
      ),
      deadlines(
        'ends with TIMEOUT, whatever step it is at, and what it held is back, in the same transaction (E15)',
      ),
      KILLED_STEPS,
    ],
  },
  {
    id: 'E16',
    fault: 'a late answer after the time-out',
    tests: [
      deadlines('is not revived by an answer that comes late: %s (E16)'),
      deadlines('passes no step before it is ended: what is late is left to its deadline (E16)'),
      OVERSELL,
    ],
  },
  {
    id: 'E17',
    fault: 'a result is over before it is read',
    tests: [
      deadlines('is told from its end on, then it is expired, then unknown (E17)'),
      deadlines('is pushed with the state as it is now first: whoever comes late misses nothing (E17)'),
    ],
  },
  {
    id: 'E18',
    fault: 'a result at hand whose order is not committed',
    tests: [deadlines('is put at hand after the commit that made it final, and only then (E18)')],
  },
];
