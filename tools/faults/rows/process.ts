import { features, testsIn, type FaultRow } from '../faultRow';

const enumeration = testsIn('tools/simulation/enumeration.faults.spec.ts');
const seeds = testsIn('tools/simulation/seeds.faults.spec.ts');
const jobs = testsIn('tools/faults/jobs.int.spec.ts');
const guards = testsIn('tools/faults/processGuards.int.spec.ts');
const stream = testsIn('libs/stream/src/createWakeUpStream.int.spec.ts');
const store = testsIn('libs/storage/src/subject/storeFaults.int.spec.ts');
const values = testsIn('libs/storage/src/subject/values.int.spec.ts');
const failures = testsIn('libs/pipeline/src/failures.unit.spec.ts');
const lease = testsIn('libs/storage/src/subject/lease.int.spec.ts');
const shutdown = testsIn('libs/runtime/src/createShutdown.unit.spec.ts');
const rebuild = testsIn('tools/e2e/rebuild.e2e.spec.ts');
const outages = testsIn('tools/e2e/outages.e2e.spec.ts');
const wakeUps = testsIn('libs/pipeline/src/wakeUps.unit.spec.ts');
const takingBack = features('libs/testing/src/changes/takingBack.features.ts');
const parked = features('libs/testing/src/changes/parkedAggregates.features.ts');

export const PROCESS_ROWS: readonly FaultRow[] = [
  {
    id: 'Q1',
    fault: 'kill -9 between any two statements',
    tests: [
      enumeration(
        'ends with the tables of one clean pass after a crash, an error or a stand-still before and after every port call: %s (Q1, Q12, Q13)',
      ),
      store('%s a commit while catching up leaves neither a hole nor anything twice (Q1)'),
    ],
  },
  {
    id: 'Q2',
    fault: 'a job runs twice',
    tests: [
      jobs(
        'is that of the log when two workers take jobs of one lane at the same time, without global concurrency (B3, B8, Q2)',
      ),
      stream('takes over the job of a killed worker within 10 seconds (Q2)'),
      outages(
        'is blocked for longer than its job is its own, inside the transaction, applies nothing twice (Q2, Q7, E20)',
      ),
    ],
  },
  {
    id: 'Q3',
    fault: 'a job late, out of order, after its successors',
    tests: [
      seeds(
        'does not mind wake-ups that are lost, doubled, late or in another order, nor a flushed queue (Q2, Q3, Q4, Q5)',
      ),
    ],
  },
  {
    id: 'Q4',
    fault: 'Redis flushed, evicting, restarted, full',
    tests: [
      stream('refuses a Redis that may evict jobs, naming the policy and what mends it (Q4)'),
      stream('loses nothing to FLUSHALL that the sweeper does not send again (Q4)'),
      stream(
        'comes back by itself after Redis was gone and lost everything; sending meanwhile fails at once (Q4)',
      ),
      outages('is full execute on without jobs, and drain it without a restart when there is room (Q4, E23)'),
      testsIn('libs/stream/src/eventQueue.int.spec.ts')(
        'is told again what was lost with its Redis, in order (Q4)',
      ),
    ],
  },
  {
    id: 'Q5',
    fault: 'the id of a finished job keeps a new one out',
    tests: [
      stream(
        'collapses wake-ups of one id, waiting or finished, and takes the same place under another epoch (Q5)',
      ),
      wakeUps('uses ids of its own, never twice, so that no finished job hides one (Q5)'),
    ],
  },
  {
    id: 'Q6',
    fault: 'a message acknowledged whose successor is not sent',
    tests: [
      guards(
        'is executed although its wake-up was taken and nothing came of it: nothing is sent on in its place (Q6)',
      ),
    ],
    reason: 'a wake-up is never sent on: what is to be done stands in the log',
  },
  {
    id: 'Q7',
    fault: 'a first run goes on after its time is up',
    tests: [
      lease(
        'is taken from a holder that is paused in the middle of a transaction: what it began is undone (Q15)',
      ),
      guards('that goes on after its time was up and another one has taken over writes nothing (Q7)'),
    ],
  },
  {
    id: 'Q8',
    fault: 'a back-off that does not grow',
    tests: [
      testsIn('libs/endpoints/src/pool.unit.spec.ts')(
        'are bounded by 100 ms, doubled each time, at most 10 s, with full jitter (Q8)',
      ),
      testsIn('libs/pipeline/src/retry.unit.spec.ts')('doubles its bound from the first wait to the longest'),
    ],
  },
  {
    id: 'Q9',
    fault: 'a split range loses its last block',
    tests: [
      testsIn('libs/chain-evm/src/fetch/fetchLogs.unit.spec.ts')(
        'asks for parts that are disjoint, in order, and together the range, whatever the node refuses (Q9, P9)',
      ),
    ],
  },
  {
    id: 'Q10',
    fault: 'a check that can never fire',
    tests: [testsIn('tools/mutants/mutants.unit.spec.ts')('finds its place in the code as it is: %s (Q10)')],
    reason: 'npm run test:mutants takes each guarantee out and fails when no test notices',
  },
  {
    id: 'Q11',
    fault: 'state of one job on an object that several share',
    tests: [guards('of several lanes at once in one process do not see each other’s runs (Q11)')],
  },
  {
    id: 'Q12',
    fault: 'PostgreSQL down, restarted, failed over',
    tests: [
      store('%s %j is a passing fault, and the next attempt gives the same tables (Q12, Q13)'),
      failures(
        'waits for the database also before its first read, and starts where the log ends, not anew (Q12)',
      ),
      outages(
        'loses connections, before and after what was said on them is done, do everything once (Q1, Q12)',
      ),
    ],
  },
  {
    id: 'Q13',
    fault: 'deadlocks, serialization failures',
    tests: [
      store('in a deadlock: one fails, passing, and the other goes on (Q13)'),
      store('one snapshot: the second fails, passing, and succeeds when it is tried again (Q13)'),
    ],
  },
  {
    id: 'Q14',
    fault: 'two upserts of one row race',
    tests: [guards('make one row of one order, whoever is first (Q14)')],
  },
  {
    id: 'Q15',
    fault: 'two workers on one chain',
    tests: [
      lease('fences whoever had it before: it appends, finalizes and tells of its head no more (Q15)'),
      lease('goes to one of many that ask at once; the others are told who has it and for how long (Q15)'),
      seeds('lets one of two ingesters work, and the other one take over, at any moment (Q15)'),
    ],
  },
  {
    id: 'Q16',
    fault: 'more than 65,535 parameters',
    tests: [values('fits into one transaction, %s (Q16, Q17)')],
  },
  {
    id: 'Q17',
    fault: 'a block of many thousand events',
    tests: [
      values('fits into one transaction, %s (Q16, Q17)'),
      guards('of 20,000 events is taken within a bound of memory (Q17)'),
    ],
  },
  {
    id: 'Q18',
    fault: 'a poison event',
    tests: [
      failures('is parked in a lane, and stays so in later runs and after a restart (Q18)'),
      ...parked('are folded on in order when they are retried after the program was mended (Q18)'),
      ...takingBack(
        'takes the marker of an aggregate with it that was parked on the branch, and keeps one from below',
      ),
    ],
  },
  {
    id: 'Q19',
    fault: 'counters drift',
    tests: [
      guards('are what the rows say, after reorgs and late events too: nothing is counted up and down (Q19)'),
    ],
  },
  {
    id: 'Q20',
    fault: 'SIGTERM in the middle of a batch',
    tests: [
      shutdown('closes what was opened last first, one after another, then flushes, then exits with 0 (Q20)'),
      stream('waits for the running handler when it is closed, and keeps its result (Q20)'),
      outages(
        'is asked to end in the middle of a batch drains it within the grace period, and ends with 0 (Q20)',
      ),
      rebuild('ends with 0 at %s, leaves states that are whole, and the next start completes them'),
    ],
  },
  {
    id: 'Q21',
    fault: 'an unhandled rejection hides its cause',
    tests: [shutdown('logs an %s with its context, closes, and exits with 1 (Q21)')],
  },
  {
    id: 'Q22',
    fault: 'what decides where to go on is not stored',
    tests: [
      testsIn('tools/faults/originalWorker.unit.spec.ts')(
        'the offset of empty ranges is kept in memory only: here they move the stored place like any other (O4, Q22)',
      ),
    ],
  },
];
