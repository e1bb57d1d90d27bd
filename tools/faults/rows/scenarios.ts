import { features, testsIn, type FaultRow } from '../faultRow';

const takingBack = features('libs/testing/src/changes/takingBack.features.ts');
const late = features('libs/testing/src/changes/lateKnowledge.features.ts');
const feed = features('libs/testing/src/feed.features.ts');

/** Where two things that are each right by themselves meet. */
export const SCENARIO_ROWS: readonly FaultRow[] = [
  {
    id: 'S1',
    fault: 'a lane that has read past a fork commits after the rollback',
    tests: [
      ...takingBack(
        'refuses the checkpoint of a lane that read beyond the fork under the epoch before, with all it wrote (R4)',
      ),
      ...takingBack('waits for a lane that has read beyond the fork, and takes back what it commits (R4)'),
    ],
  },
  {
    id: 'S2',
    fault: 'a late event with a snapshot above it',
    tests: [
      ...late('is inserted at its true place, and a snapshot above it goes: snapshots every %i events (P2)'),
    ],
  },
  {
    id: 'S3',
    fault: 'a late Transfer that completes a stored sale',
    tests: [
      testsIn('tools/faults/lateKnowledge.int.spec.ts')(
        'completes a sale that was stored without its parties, whether a snapshot lies above it or not (D14, P2)',
      ),
    ],
  },
  {
    id: 'S4',
    fault: 'a park marker on an orphaned branch',
    tests: [
      ...takingBack(
        'takes the marker of an aggregate with it that was parked on the branch, and keeps one from below',
      ),
    ],
  },
  {
    id: 'S5',
    fault: 'a reader that was away while its events were retracted',
    tests: [
      ...feed('tells what was taken back, to who was there and to who was away (R11)'),
      testsIn('tools/simulation/seeds.faults.spec.ts')(
        'brings every reader of the feed to the final log, also one that was away while its events were retracted (R11)',
      ),
    ],
  },
];
