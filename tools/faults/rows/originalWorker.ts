import { features, testsIn, type FaultRow } from '../faultRow';

const original = testsIn('tools/faults/originalWorker.unit.spec.ts');
const provider = testsIn('tools/faults/provider.unit.spec.ts');
const takingBack = features('libs/testing/src/changes/takingBack.features.ts');

/** The faults of the worker that this one takes the place of. */
export const ORIGINAL_WORKER_ROWS: readonly FaultRow[] = [
  {
    id: 'O1',
    fault: 'a handler that throws: its event lost, or for ever the same',
    tests: [
      original(
        'a handler that throws loses its event, or is called with it for ever: here its aggregate waits, with its events, and the others go on (O1, Q18)',
      ),
    ],
  },
  {
    id: 'O2',
    fault: 'a crash between two events of one block',
    tests: [
      original(
        'a crash between two events of one block loses the second: here the place is an event’s, not a block’s (O2, Q1)',
      ),
    ],
  },
  {
    id: 'O3',
    fault: 'activities with random ids, twice after a second run',
    tests: [
      original(
        'a range that is handled again makes its activities again, under new ids: here the log has it once, and the activities (O3)',
      ),
    ],
  },
  {
    id: 'O4',
    fault: 'the offset of empty ranges is not stored',
    tests: [
      original(
        'the offset of empty ranges is kept in memory only: here they move the stored place like any other (O4, Q22)',
      ),
    ],
  },
  {
    id: 'O5',
    fault: 'a buy before its list',
    tests: [
      original(
        'a buy is handled before its list, by a stream for each event name: here one order holds for all names (O5)',
      ),
    ],
  },
  {
    id: 'O6',
    fault: 'an update of no row passes unnoticed',
    tests: [
      original(
        'an update that finds no row passes unnoticed: here a sale of an order that was never seen makes its row (O6, D14)',
      ),
    ],
  },
  {
    id: 'O7',
    fault: 'a buy marks every listing of its token',
    tests: [
      original(
        'a buy marks every listing of its token as sold: here it ends the one order that it names (O7, D13)',
      ),
    ],
  },
  {
    id: 'O8',
    fault: 'effects inside the transaction',
    tests: [
      original(
        'notifications are sent from inside a transaction that is then rolled back: here readers are told of what is committed and executed, and of nothing else (O8)',
      ),
    ],
  },
  {
    id: 'O9',
    fault: 'a fixed range, not split when it has too many results',
    tests: [
      provider('of a fixed size is not insisted on: what the node refuses is asked for in parts (O9, P9)'),
    ],
  },
  {
    id: 'O10',
    fault: 'reorgs are not handled',
    tests: [
      original(
        'blocks that the chain takes back stay: here their events go, and what they had changed is as before (O10)',
      ),
      ...takingBack(
        'from any place leaves what one clean pass over the rest does, with snapshots every %i events (R1, R8)',
      ),
    ],
  },
  {
    id: 'O11',
    fault: 'microseconds through floating point',
    tests: [
      original(
        'microseconds go through floating point: here they are whole numbers from the log to the row (O11, D10)',
      ),
      testsIn('libs/storage/src/subject/values.int.spec.ts')('of %s are exact (D10)'),
    ],
  },
];
