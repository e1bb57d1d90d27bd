import { testsIn, type FaultRow } from '../faultRow';
import { IN_HAND, KILLED_STEPS, purchaseFlow } from './purchases';

const requests = testsIn('libs/storage/src/commands/requests.int.spec.ts');
const worker = testsIn('libs/storage/src/commands/worker.int.spec.ts');
const states = testsIn('libs/storage/src/commands/states.int.spec.ts');
const subscriptions = testsIn('libs/storage/src/commands/subscriptions.int.spec.ts');
const killed = testsIn('libs/storage/src/commands/killed.int.spec.ts');
const api = testsIn('apps/api/src/resources/aggregates/aggregates.int.spec.ts');

const CUT = worker('lose no accepted command and append none twice, seed %d (E1, E12, E24)');
const KILLED = killed(
  'processes that are killed, and started again, append every accepted command once; the others go on (E1, E20, E21)',
);
const READERS = testsIn('libs/storage/src/commands/readers.int.spec.ts')(
  'readers of the whole log miss nothing and see nothing twice, seed %i (E6, E7)',
);
const markers = testsIn('apps/api/src/commands/redisMarkers.int.spec.ts');
const markersLost = testsIn('apps/api/src/commands/redisMarkersLost.int.spec.ts');
const asProcess = testsIn('apps/api/src/commandProcess.e2e.spec.ts');
const FORGOTTEN = testsIn('libs/storage/src/commands/personalData.int.spec.ts')(
  'goes with the snapshots that held it, and comes back in none that was folded before (E8, E9)',
);
const MARKERS_CUT = markersLost(
  'flushed, killed and started again, beside processes that die between any two steps: nothing is lost, nothing is double, seed %d (E1, E22, E24)',
);
const MARKERS_OPTIONAL =
  'markers are in PostgreSQL unless COMMAND_MARKER=redis: then Redis plays no part; messages and answers always are';

/** Event sourcing. */
export const COMMAND_ROWS: readonly FaultRow[] = [
  {
    id: 'E1',
    fault: 'a marker without its message, or a message without its marker',
    tests: [
      requests('marks and produces in one statement: neither exists without the other (E1)'),
      CUT,
      KILLED,
      markers(
        'whose process died before the message hold the whole command: whoever asks next writes it first (E1)',
      ),
      markers('whose process died are mended by the sweep, though nobody asks again (E1)'),
      markers('whose process died after the message lead to no second one (E1)'),
      markers('are undone by whoever set them when the message cannot be written: nothing is marked (E1)'),
      MARKERS_CUT,
    ],
  },
  {
    id: 'E2',
    fault: 'validated against an event that was overtaken before the mark',
    tests: [
      requests('lets one of many win each version: no decision is made on an event that was overtaken (E2)'),
      requests('does not believe a marker that is behind the log or the outbox (E2)'),
      requests(
        'marks nothing when another was marked while it waited, though that one is out of the outbox already (E2)',
      ),
      requests('gives up after a bound of attempts (E2)'),
      markers('let one of many win each version: no decision is made on an event that was overtaken (E2)'),
    ],
  },
  {
    id: 'E3',
    fault: 'a marker expires while its event is still on its way',
    tests: [
      requests('stay while their message waits, however old (E3)'),
      requests('are over some time after: then the log tells the latest event (E3)'),
      requests('take no new commands while the stream is behind (E3)'),
      api('is answered with 503 while the stream is unavailable, and nothing is marked (E3)'),
      markers('that are over while their message waits are found in the outbox, later in the log (E3)'),
    ],
  },
  {
    id: 'E4',
    fault: 'an accepted command that is refused later',
    tests: [
      requests(
        'are validated anew and keep their order; what a rule refuses then is told under its position (E4)',
      ),
      requests('are rejected when they demanded another version (E4)'),
      markers(
        'and markers in the database, of processes side by side: every accepted command is in the log, or rejected under its position (E4)',
      ),
    ],
  },
  {
    id: 'E5',
    fault: 'the same request twice',
    tests: [
      requests('give the first answer again (E5)'),
      requests('are refused with another body, and are each asker’s own (E5)'),
      requests('lead to one event, whoever asks at the same moment (E5)'),
      api('again with its idempotency key gives the first answer; another body is a conflict (E5)'),
    ],
  },
  {
    id: 'E6',
    fault: 'commits out of order, seen by readers',
    tests: [
      READERS,
      testsIn('libs/storage/src/commands/restored.int.spec.ts')(
        'a database whose rows were copied into a fresh cluster goes on: readers miss nothing and see nothing twice (E6)',
      ),
      // By pg_dump too, where it reads the server: in the suites on running servers.
    ],
  },
  { id: 'E7', fault: 'gaps looked for with several statements', tests: [READERS] },
  {
    id: 'E8',
    fault: 'a snapshot of another version of the reducer',
    tests: [
      states('of another reducer version are not used; both versions’ stand side by side (E8)'),
      states('tell that a reducer was changed and its version was not (E8)'),
      FORGOTTEN,
    ],
  },
  {
    id: 'E9',
    fault: 'a snapshot that differs from the events',
    tests: [
      states('are made beside the lanes, and save folding; without them the answers are the same (E9)'),
      FORGOTTEN,
    ],
  },
  {
    id: 'E10',
    fault: 'snapshot and events of different moments',
    tests: [states('and the events after them are of one moment (E10)')],
  },
  {
    id: 'E11',
    fault: 'effects happen again when events are replayed',
    tests: [subscriptions('hear nothing again when states are folded again (E11)')],
  },
  {
    id: 'E12',
    fault: 'a crash between appending and telling',
    tests: [
      CUT,
      testsIn('apps/api/src/resources/streams/streams.int.spec.ts')(
        'goes on after Last-Event-ID, wherever in a change it was cut: every event once (E12)',
      ),
      testsIn('apps/api/src/webhooks/webhooks.int.spec.ts')(
        'goes on at its cursor in another process: what was taken before it ended comes at most again (E12)',
      ),
      asProcess(
        'the API tells the queues that EVENT_QUEUES names, in PostgreSQL, and goes on at their cursor when it was killed (E12)',
      ),
      asProcess(
        'the API tells its queues there, and keeps its markers there where COMMAND_MARKER says so (E12)',
      ),
    ],
  },
  {
    id: 'E13',
    fault: 'a poison event',
    tests: [
      worker(
        'sets its aggregate aside; its later events wait in order, all others flow, and a mended program folds them (E13)',
      ),
      worker('that no program knows any more sets its aggregate aside, too (E13)'),
      requests('do not hold up those of other aggregates (E13)'),
    ],
  },
  {
    id: 'E19',
    fault: 'a retry breaks the order',
    tests: [
      worker('keep the order of each aggregate, any number of them side by side (E19)'),
      purchaseFlow(
        'that fails and is tried again takes first what came first, also beside another process (E19)',
      ),
    ],
  },
  {
    id: 'E20',
    fault: 'work that stalled is done twice',
    tests: [
      worker('finish what a paused one has begun, or wait for it: nothing is appended twice (E1, E20)'),
      KILLED,
      purchaseFlow('is done once, also when its message comes again (E15, E20)'),
      IN_HAND,
    ],
  },
  { id: 'E21', fault: 'a lane stands still after a crash', tests: [KILLED, IN_HAND, KILLED_STEPS] },
  {
    id: 'E22',
    fault: 'Redis evicts markers',
    tests: [
      markersLost('that may evict is refused at the start, by name of the setting (E22)'),
      markers('that are evicted at any moment cost a look into the database, and nothing else (E22)'),
      MARKERS_CUT,
    ],
    reason: MARKERS_OPTIONAL,
  },
  {
    id: 'E23',
    fault: 'Redis is full',
    tests: [
      markersLost(
        'that is nearly full takes no markers before it is full, and takes them again without a restart (E23)',
      ),
      markersLost('that is full outright refuses the marker, and nothing is marked (E23)'),
    ],
    reason: MARKERS_OPTIONAL,
  },
  {
    id: 'E24',
    fault: 'what was on its way is lost with its Redis',
    tests: [
      CUT,
      MARKERS_CUT,
      markersLost(
        'that is away: no command is taken, and nothing is marked; when it is back, commands are taken again (E24)',
      ),
      markers('that come back old, with their Redis, neither refuse nor accept anything (E24)'),
      markers(
        'that come back as they were while their message was written write it no second time (E1, E24)',
      ),
    ],
    reason: 'what is on its way is in PostgreSQL',
  },
  {
    id: 'E25',
    fault: 'nobody sees that the stream is behind',
    tests: [
      requests('tells what waits, and who is in the way (E25)'),
      testsIn('apps/api/src/commands/commandMetrics.int.spec.ts')(
        'tell how old the oldest unprocessed event of each lane is, who is in the way, and what is set aside (E25)',
      ),
    ],
  },
  {
    id: 'E26',
    fault: 'a process’s clock decides about order or expiry',
    tests: [requests('let time rise with the version, by the database alone (E26)')],
  },
];
