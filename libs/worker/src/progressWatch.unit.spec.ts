import { createProgressWatch, type Places } from './progressWatch';
import { positionWords } from './words';

function watch(headStallMs = 1_000) {
  let now = 0;
  const watched = createProgressWatch({
    stallMs: 100,
    headStallMs,
    now: () => now,
    words: positionWords('block'),
  });
  const checks = () => ({
    ingested: watched.ingested().ok,
    executed: watched.executed().ok,
    head: watched.head().ok,
  });
  return {
    watched,
    checks,
    at: (ms: number, head: bigint | null, ingested: bigint, executed: bigint): ReturnType<typeof checks> => {
      now = ms;
      const places: Places = {
        headPosition: head,
        ingestedPosition: ingested,
        ingestedSeqNo: ingested,
        executedSeqNo: executed,
      };
      watched.see(places);
      return checks();
    },
    pass: (ms: number) => {
      now = ms;
      return checks();
    },
  };
}

const GREEN = { ingested: true, executed: true, head: true };

describe('progress', () => {
  it('is green before anything is known, and while everything moves', () => {
    const { at, pass } = watch();
    expect(pass(10_000)).toEqual(GREEN);
    for (let n = 0; n < 50; n++) {
      expect(at(10_000 + n * 90, BigInt(n + 5), BigInt(n + 3), BigInt(n))).toEqual(GREEN);
    }
  });

  it('turns red when the head moves and the log does not, and green when it moves again (P13)', () => {
    const { at, watched } = watch();
    expect(at(0, 10n, 9n, 9n)).toEqual(GREEN);
    expect(at(100, 11n, 9n, 9n)).toEqual(GREEN);
    expect(at(101, 12n, 9n, 9n)).toEqual({ ...GREEN, ingested: false });
    expect(watched.ingested().detail).toContain('block 9 for 0 s');
    expect(at(150, 12n, 10n, 10n)).toEqual(GREEN);
  });

  it('turns red when the log moves and a lane does not', () => {
    const { at, watched } = watch();
    at(0, 10n, 10n, 4n);
    expect(at(90, 11n, 11n, 4n)).toEqual(GREEN);
    expect(at(2_101, 12n, 12n, 4n)).toEqual({ ingested: true, executed: false, head: true });
    expect(watched.executed().detail).toBe(
      'events wait in the log, and the slowest lane stands at seq no 4 for 2 s',
    );
    expect(at(2_102, 12n, 12n, 5n).executed).toBe(true);
  });

  it('counts from when there was something to do, not from the last movement', () => {
    const { at } = watch();
    at(0, 10n, 10n, 10n);
    expect(at(900, 10n, 10n, 10n)).toEqual(GREEN);
    expect(at(901, 11n, 10n, 10n)).toEqual(GREEN);
    expect(at(1_001, 11n, 10n, 10n)).toEqual(GREEN);
    expect(at(1_002, 11n, 10n, 10n).ingested).toBe(false);
  });

  it('turns red when the head itself stands still for long, unless the chain may do so', () => {
    const { at } = watch();
    at(0, 10n, 10n, 10n);
    expect(at(1_000, 10n, 10n, 10n)).toEqual(GREEN);
    expect(at(1_001, 10n, 10n, 10n)).toEqual({ ...GREEN, head: false });
    expect(at(1_002, 11n, 10n, 10n)).toEqual(GREEN);
    const idle = watch(0);
    idle.at(0, 10n, 10n, 10n);
    expect(idle.at(1e9, 10n, 10n, 10n)).toEqual(GREEN);
  });

  it('turns red when nothing is heard any more while something was to do', () => {
    const { at, pass } = watch();
    at(0, 10n, 9n, 9n);
    expect(pass(101).ingested).toBe(false);
  });

  it('turns red when a transaction that writes the log does not end, whatever is known of the head', () => {
    const { at, watched, pass, checks } = watch();
    at(0, 10n, 10n, 10n);
    const [ended, hanging] = [watched.writing(), watched.writing()];
    ended();
    expect(pass(100)).toEqual(GREEN);
    expect(pass(1_101).ingested).toBe(false);
    expect(watched.ingested().detail).toBe('a transaction that writes the log has been open for 1 s');
    hanging();
    expect(checks()).toEqual({ ...GREEN, head: false });
  });

  it('expects nothing of the source of a process that does not read it', () => {
    const { at, watched, checks } = watch();
    at(0, 10n, 9n, 9n);
    watched.forgetSource();
    expect(at(5_000, null, 9n, 9n)).toEqual(GREEN);
    at(5_000, null, 9n, 8n);
    at(5_101, null, 10n, 8n);
    expect(checks()).toEqual({ ingested: true, executed: false, head: true });
  });
});
