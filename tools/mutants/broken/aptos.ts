import type { Mutant, Suite } from '../mutants';
import type { Patch } from '../patch';

const inHandles = (search: string, replace: string): Patch => ({
  file: 'libs/chain-aptos/src/source/handleEvents.ts',
  search,
  replace,
});
const handles = (only: string): Suite => ({
  files: ['libs/chain-aptos/src/source/handleSource.unit.spec.ts'],
  only,
});

/** What is read from an Aptos ledger. */
export const APTOS_MUTANTS: readonly Mutant[] = [
  {
    name: 'newest-event-of-a-lagging-node',
    breaks:
      'reading begins by the newest event of a node that does not have everything before the start (P6, P18)',
    patches: [inHandles('if (version < from - 1n)', 'if (false)')],
    suite: handles('waits where every look'),
  },
  {
    name: 'event-not-there-yet-taken-for-pruned',
    breaks: 'an event that a node does not have yet is taken for one before the start (P4, P18)',
    patches: [
      inHandles(
        'if (answer.version < newest.version)',
        'if (answer.version < newest.version) return true; if (false)',
      ),
    ],
    suite: handles('finds where to go on'),
  },
  {
    name: 'pruned-taken-for-older',
    breaks: 'what a node has pruned is taken for older than the start, whatever it has pruned (P18)',
    patches: [
      inHandles(
        'return error.oldestVersion !== null && error.oldestVersion <= version;',
        'return version >= 0n;',
      ),
    ],
    suite: handles('takes what is pruned for older'),
  },
  {
    name: 'short-answer-believed-whole',
    breaks: 'an answer with fewer events than were asked for is taken for all there are (P18)',
    patches: [
      inHandles(
        'const known = last === undefined ? version : last.version - 1n;',
        'const known = events.length < EVENTS_MAX || last === undefined ? version : last.version - 1n;',
      ),
    ],
    suite: handles('misses nothing of nodes'),
  },
  {
    name: 'handles-read-ahead-without-bound',
    breaks: 'a handle is read on while another one holds its events back',
    patches: [
      {
        file: 'libs/chain-aptos/src/source/handleSource.ts',
        search: 'provenTo < head && (isEmpty || provenTo < next)',
        replace: 'provenTo < head && (isEmpty || provenTo < head)',
      },
    ],
    suite: handles('keeps no more than some pages'),
  },
];
