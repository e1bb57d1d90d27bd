import { testsIn, type FaultRow } from '../faultRow';

const jobs = testsIn('tools/faults/jobs.int.spec.ts');
const stream = testsIn('libs/stream/src/createWakeUpStream.int.spec.ts');
const wakeUps = testsIn('libs/pipeline/src/wakeUps.unit.spec.ts');

const RATE = 'no queue is limited in rate: a lane waits inside its job';
const MOVED =
  'no job is moved back to its queue: a lane waits inside its job, and whatever order jobs have, the log’s counts';

/** What BullMQ does by itself to the order of jobs, path by path, and what else its source shows. */
export const BULLMQ_ROWS: readonly FaultRow[] = [
  {
    id: 'B1',
    fault: 'attempts without backoff: to the tail',
    tests: [
      jobs('is that of the log when a job that fails %s'),
      jobs(
        'never depends on a second attempt of a job: jobs are sent without any, and one that failed is not repeated (B1, B2)',
      ),
    ],
  },
  {
    id: 'B2',
    fault: 'attempts with backoff: behind its successors',
    tests: [jobs('is that of the log when a job that fails %s')],
  },
  {
    id: 'B3',
    fault: 'a stalled job runs twice at once',
    tests: [
      jobs(
        'is that of the log when two workers take jobs of one lane at the same time, without global concurrency (B3, B8, Q2)',
      ),
    ],
  },
  { id: 'B4', fault: 'RateLimitError: kept with one worker only', tests: [], reason: RATE },
  { id: 'B5', fault: 'moveToWait: kept', tests: [], reason: MOVED },
  {
    id: 'B6',
    fault: 'a loop in the processor: kept until the process dies',
    tests: [jobs('is that of the log when a worker waits inside its job until what failed has passed (B6)')],
  },
  {
    id: 'B7',
    fault: 'priorities',
    tests: [jobs('is that of the log when jobs have priorities against it (B7)')],
  },
  {
    id: 'B8',
    fault: 'two workers without global concurrency',
    tests: [
      jobs(
        'is that of the log when two workers take jobs of one lane at the same time, without global concurrency (B3, B8, Q2)',
      ),
    ],
  },
  { id: 'B9', fault: 'a rate limit that is only looked at with a maximum', tests: [], reason: RATE },
  {
    id: 'B10',
    fault: 'errors that do not count as attempts: retried without an end',
    tests: [
      jobs(
        'has attempts of its own, counted and bounded: a job whose failures BullMQ would not count ends (B10)',
      ),
    ],
  },
  {
    id: 'B11',
    fault: 'deduplication collapses jobs',
    tests: [
      jobs('does not suffer when wake-ups are collapsed: an event is executed without one of its own (B11)'),
      stream(
        'collapses wake-ups of one id, waiting or finished, and takes the same place under another epoch (Q5)',
      ),
    ],
    reason: 'what is collapsed is a wake-up, never an event',
  },
  { id: 'B12', fault: 'flows hang on a failed child', tests: [], reason: 'flows are not used' },
  {
    id: 'B13',
    fault: 'a dead worker’s job keeps its lane closed',
    tests: [
      jobs(
        'needs no job at all: what a job of a dead worker holds back, the lane’s own process executes (B13)',
      ),
      stream('takes over the job of a killed worker within 10 seconds (Q2)'),
    ],
  },
  {
    id: 'B14',
    fault: 'colons in queue names and job ids',
    tests: [
      jobs(
        'has queues and jobs without colons in their names, which BullMQ refuses, though its subject has one (B14)',
      ),
      wakeUps(
        'have ids without colons that hold place, epoch and lane: the same for the same, no other twice (Q5)',
      ),
    ],
  },
  {
    id: 'B15',
    fault: 'another number of lanes than before',
    tests: [
      testsIn('libs/storage/src/subject/openSubject.int.spec.ts')(
        'refuses another number of lanes, fewer and more',
      ),
      jobs('holds for each aggregate over several lanes, and a lane’s jobs touch no other lane (B15)'),
    ],
  },
];
