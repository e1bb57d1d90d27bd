import { features, testsIn, type FaultRow } from '../faultRow';

const chain = testsIn('libs/chain-evm/src/subject/reorg.unit.spec.ts');
const ingest = testsIn('libs/pipeline/src/ingest.unit.spec.ts');
const takingBack = features('libs/testing/src/changes/takingBack.features.ts');
const rewind = features('libs/testing/src/changes/rewind.features.ts');
const feed = features('libs/testing/src/feed.features.ts');
const enumeration = testsIn('tools/simulation/enumeration.faults.spec.ts');
const seeds = testsIn('tools/simulation/seeds.faults.spec.ts');
const rollback = testsIn('tools/faults/rollback.int.spec.ts');

export const REORG_ROWS: readonly FaultRow[] = [
  {
    id: 'R1',
    fault: 'across the border of catching up and following',
    tests: [
      chain(
        'up to the border of what was read as final: the border block is remembered, empty ones too (R1)',
      ),
      ingest('while catching up takes back what is on its way to the database as well (R1, R4)'),
      ...takingBack(
        'from any place leaves what one clean pass over the rest does, with snapshots every %i events (R1, R8)',
      ),
    ],
  },
  {
    id: 'R2',
    fault: 'while the process is down',
    tests: [chain('a branch that came meanwhile is found before anything is given: %s')],
  },
  {
    id: 'R3',
    fault: 'a second one during the rollback of the first',
    tests: [
      chain('and again while it is followed: what was read last is void too (R3)'),
      ...takingBack('twice is as once, and a second reorg may go deeper than the first (R3)'),
      enumeration(
        'ends with the tables of one clean pass after pairs of crashes, the second in the recovery from the first (Q1, R3)',
      ),
    ],
  },
  {
    id: 'R4',
    fault: 'with writes on their way',
    tests: [
      ...takingBack('waits for a lane that has read beyond the fork, and takes back what it commits (R4)'),
      ...takingBack(
        'refuses the checkpoint of a lane that read beyond the fork under the epoch before, with all it wrote (R4)',
      ),
    ],
  },
  {
    id: 'R5',
    fault: 'to a branch without events',
    tests: [
      chain('for a branch without events, is followed there, and knows its blocks (R5)'),
      ...takingBack('of blocks without events moves the end of the log back all the same (R5)'),
    ],
  },
  {
    id: 'R6',
    fault: 'the same log again at another place',
    tests: [
      chain(
        'with the same transaction at another place: the old one is void, the new one is there once (R6)',
      ),
      ...takingBack(
        'and reading the same log at another place of the new branch applies it once, there (R6)',
      ),
    ],
  },
  {
    id: 'R7',
    fault: 'deeper than finality',
    tests: [
      ingest('below what is final stops, and nothing is written (R7)'),
      ...rewind('goes below what is final, lowers that with it, and clears the halt (R7)'),
      testsIn('apps/api/src/flagStale.int.spec.ts')(
        'are served and flagged, each one, while a chain stands still (R7)',
      ),
    ],
  },
  {
    id: 'R8',
    fault: 'deleted rows and cascades come back wrong',
    tests: [...takingBack('restores the rows of an order that was sold, listed again and sold again (R8)')],
  },
  {
    id: 'R9',
    fault: 'a contract discovered on the orphaned branch',
    tests: [
      chain('forgets collections that only the old branch had, and their logs; new ones are followed (R9)'),
      ...takingBack('forgets the blocks of the branch, and the contracts that were discovered on it (R9)'),
    ],
  },
  {
    id: 'R10',
    fault: 'reading anew begins before the rollback is done',
    tests: [
      ingest('is one message: rolled back before the new branch is read on, in the same reading (R10)'),
    ],
  },
  {
    id: 'R11',
    fault: 'readers were told already',
    tests: [
      ...feed('tells what was taken back, to who was there and to who was away (R11)'),
      seeds(
        'brings every reader of the feed to the final log, also one that was away while its events were retracted (R11)',
      ),
    ],
  },
  {
    id: 'R12',
    fault: 'during a replay',
    tests: [rollback('during a replay, %s, leaves both where one clean pass does (R12)')],
  },
  {
    id: 'R13',
    fault: 'a rollback that is too slow on a large table',
    tests: [rollback('reads no large table whole: what is taken back is found by its place (R13)')],
  },
];
