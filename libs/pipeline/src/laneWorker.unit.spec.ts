import type { SeqNo, SubjectId } from '@imart/core';
import {
  createLaneWorker,
  createPipelineStats,
  LedgerGapError,
  type LaneWorkerOptions,
  type SubjectStore,
  type WakeUp,
  type WakeUpFate,
} from './index';

const never = new AbortController().signal;
const SUBJECT = 'eip155:1' as SubjectId;
const wakeUp = (n: number): WakeUp => ({ id: `w${n}`, lane: 0, seqNo: BigInt(n) as SeqNo, epoch: 0n });
const quiet = { debug: () => 0, info: () => 0, warn: () => 0, error: () => 0 };

/** A lane whose log grows and whose worker is handed jobs, by hand. */
async function setUp(options: { readonly now?: () => number; readonly fails?: () => boolean } = {}) {
  const { fails = () => false } = options;
  const log = { ingested: 0, executed: 0, advances: 0 };
  const stops: unknown[] = [];
  let handler: (wakeUp: WakeUp) => Promise<WakeUpFate> = () => Promise.reject(new Error('not started'));
  const lane = {
    advance: async () => {
      if (fails()) throw new LedgerGapError(SUBJECT, 1n, 3n);
      log.advances++;
      log.executed = log.ingested;
      return BigInt(log.executed) as SeqNo;
    },
    expect: () => undefined,
    hasExecuted: () => false,
  };
  const store: Pick<SubjectStore, 'subjectId' | 'fateOf'> = {
    subjectId: SUBJECT,
    fateOf: async (_lane, seqNo) => (seqNo <= BigInt(log.executed) ? 'executed' : null),
  };
  const given: LaneWorkerOptions = {
    store: store as SubjectStore,
    lanes: new Map([[0, lane]]),
    receiver: { start: async (_lanes, handle) => void (handler = handle), stop: () => Promise.resolve() },
    stats: createPipelineStats(),
    logger: quiet,
    random: () => 0,
    ...(options.now === undefined ? {} : { now: options.now }),
    onExecuted: () => undefined,
    onStop: (error) => void stops.push(error),
  };
  await createLaneWorker(given).start(never);
  return { log, stops, handle: (n: number) => handler(wakeUp(n)) };
}

describe('jobs of one lane, in line', () => {
  it('do not hold up what was added to the log behind the events that they tell of', async () => {
    let time = 0;
    const { log, handle } = await setUp({ now: () => time });
    log.ingested = 300;
    expect(await handle(1)).toBe('executed');
    // The next block comes while 299 jobs of this one are still there, a millisecond each.
    log.ingested = 600;
    let behind = 0;
    for (let job = 2; job <= 300; job++) {
      time++;
      expect(await handle(job)).toBe('already-executed');
      if (log.executed < log.ingested) behind++;
    }
    expect(log.executed).toBe(600);
    expect(behind).toBeLessThan(20);
    expect(log.advances).toBeLessThan(20);
  });

  it('leave the lane alone while it has just reached the end of the log, and without a clock', async () => {
    for (const now of [() => 0, undefined]) {
      const { log, handle } = await setUp(now === undefined ? {} : { now });
      log.ingested = 300;
      for (let job = 1; job <= 300; job++) await handle(job);
      expect(log.advances).toBe(1);
    }
  });

  it('have the fate of their own event, whatever becomes of what they happened to wake', async () => {
    let time = 0;
    let failing = false;
    const { log, stops, handle } = await setUp({ now: () => (time += 100), fails: () => failing });
    log.ingested = 2;
    await handle(1);
    failing = true;
    expect(await handle(2)).toBe('already-executed');
    expect(stops).toHaveLength(1);
    await expect(handle(3)).rejects.toThrow(LedgerGapError);
  });
});
