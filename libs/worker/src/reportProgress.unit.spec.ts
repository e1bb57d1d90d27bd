import { silentLogger, type LogFields } from '@imart/runtime';
import { reportProgress } from './reportProgress';
import { positionWords } from './words';

const CLEAR = '\r\u001b[2K';
const BLOCKS_PER_SECOND = 10;
const EVENTS_PER_SECOND = 500;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A worker that reads evenly from block 1 on, and what it shows of that. */
function setUp(
  output: { readonly isTTY: boolean; readonly columns?: number },
  target: bigint | null = 1_000n,
) {
  const startedAt = Date.now();
  const worker = { catchingUp: true, target, standsStillAtMs: Infinity };
  const written: string[] = [];
  const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const reporter = reportProgress({
    sample: () => {
      const atMs = Date.now() - startedAt;
      const movedMs = Math.min(atMs, worker.standsStillAtMs);
      return {
        atMs,
        startPosition: 1n,
        position: BigInt(Math.floor((movedMs / 1_000) * BLOCKS_PER_SECOND)),
        target: worker.target,
        events: Math.floor((movedMs / 1_000) * EVENTS_PER_SECOND),
      };
    },
    logger: { ...silentLogger, info: (message, fields) => void lines.push({ message, fields }) },
    output: { ...output, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream,
    catchingUp: () => worker.catchingUp,
    words: positionWords('block'),
  });
  return { worker, written, lines, reporter, pass: (ms: number) => jest.advanceTimersByTime(ms) };
}

describe('the progress of catching up', () => {
  it('is a bar in a terminal: how far, how fast, how long still; drawn anew four times a second', () => {
    const { written, lines, pass } = setUp({ isTTY: true, columns: 200 });
    pass(10_000);
    expect(written).toHaveLength(40);
    expect(written.at(-1)).toBe(
      `${CLEAR}███${'░'.repeat(25)}  10.0 %  block 100  500 events/s  10 blocks/s  1 min 30 s left\r`,
    );
    expect(lines).toEqual([]);
  });

  it('tells the rates of the last seconds, not of all the time', () => {
    const { worker, written, pass } = setUp({ isTTY: true, columns: 200 });
    pass(10_000);
    worker.standsStillAtMs = 10_000;
    // Longer than rates are averaged over.
    pass(5_000);
    expect(written.at(-1)).toMatch(/block 100 {2}0 events\/s {2}0 blocks\/s {2}\? left/);
  });

  it.each([
    ['of 40 columns', 40, 39],
    ['that does not tell its width', undefined, 79],
  ])('is no wider than a terminal %s', (_terminal, columns, widest) => {
    const { written, pass } = setUp({ isTTY: true, ...(columns === undefined ? {} : { columns }) });
    pass(1_000);
    const bar = written.at(-1) ?? '';
    expect(bar.startsWith(CLEAR) && bar.endsWith('\r')).toBe(true);
    expect(bar.slice(CLEAR.length, -1).length).toBeLessThanOrEqual(widest);
    expect(bar).toContain('1.0 %');
  });

  it('is cleared once at the head, and comes again when the worker falls behind', () => {
    const { worker, written, pass } = setUp({ isTTY: true, columns: 200 });
    pass(500);
    worker.catchingUp = false;
    written.length = 0;
    pass(10_000);
    expect(written).toEqual([CLEAR]);
    worker.catchingUp = true;
    pass(250);
    expect(written.at(-1)).toContain('events/s');
  });

  it('leaves the line empty when it is stopped, and writes no more', () => {
    const { written, reporter, pass } = setUp({ isTTY: true, columns: 200 });
    pass(500);
    written.length = 0;
    reporter.stop();
    pass(10_000);
    expect(written).toEqual([CLEAR]);
  });

  it('is a log line every five seconds elsewhere, and nothing is drawn', () => {
    const { written, lines, pass } = setUp({ isTTY: false });
    pass(4_999);
    expect(lines).toEqual([]);
    pass(5_001);
    expect(lines).toHaveLength(2);
    expect(lines.at(-1)).toEqual({
      message: 'catching up',
      fields: {
        block: 100n,
        targetBlock: 1_000n,
        percent: 10,
        eventsPerSecond: EVENTS_PER_SECOND,
        secondsLeft: 90,
      },
    });
    expect(written).toEqual([]);
  });

  it('is not told elsewhere at the head, before the head is known, or once stopped', () => {
    const { worker, written, lines, reporter, pass } = setUp({ isTTY: false }, null);
    pass(10_000);
    expect(lines).toEqual([]);
    worker.target = 1_000n;
    worker.catchingUp = false;
    pass(10_000);
    expect(lines).toEqual([]);
    worker.catchingUp = true;
    pass(5_000);
    expect(lines).toHaveLength(1);
    reporter.stop();
    pass(10_000);
    expect(lines).toHaveLength(1);
    expect(written).toEqual([]);
  });
});
