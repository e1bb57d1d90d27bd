import { silentLogger, until } from '@imart/testing';
import {
  FencedError,
  StorageUnavailableError,
  withLease,
  type IngestLeases,
  type LeaseState,
  type WithLeaseOptions,
} from './index';

/** Leases on a clock that the spec moves. */
function createLeases() {
  let now = 0;
  let row: { holder: string; fencing: bigint; expiresAt: number } | null = null;
  let failing: Error | null = null;
  const asked: string[] = [];
  const guard = (what: string): void => {
    asked.push(what);
    if (failing !== null) throw failing;
  };
  const leases: IngestLeases = {
    async acquire(holder, durationMs) {
      guard('acquire');
      if (row !== null && row.expiresAt > now)
        return { kind: 'held', holder: row.holder, expiresInMs: row.expiresAt - now };
      row = { holder, fencing: (row?.fencing ?? 0n) + 1n, expiresAt: now + durationMs };
      return { kind: 'acquired', fencing: row.fencing };
    },
    async renew(fencing, durationMs) {
      guard('renew');
      if (row?.fencing !== fencing) return false;
      row = { ...row, expiresAt: now + durationMs };
      return true;
    },
    async release(fencing) {
      guard('release');
      if (row?.fencing === fencing) row = { ...row, expiresAt: now };
    },
  };
  return {
    leases,
    asked,
    get row() {
      return row;
    },
    pass: (ms: number) => void (now += ms),
    fail: (error: Error | null) => void (failing = error),
  };
}

const DURATION_MS = 30;

function holder(name: string, leases: IngestLeases, states: LeaseState[] = []): WithLeaseOptions {
  return {
    subjectId: 'eip155:1',
    leases,
    holder: name,
    durationMs: DURATION_MS,
    logger: silentLogger,
    random: () => 0.5,
    onChange: (state) => void states.push(state),
  };
}

/** Work that goes on until it is told to end. */
function untilAborted() {
  let begun: (fencing: bigint) => void = () => undefined;
  const started = new Promise<bigint>((resolve) => (begun = resolve));
  return {
    started,
    work: (fencing: bigint, signal: AbortSignal): Promise<string> => {
      begun(fencing);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve('ended')));
    },
  };
}

const never = new AbortController().signal;
const away = new StorageUnavailableError('away', null);

describe('the lease of a subject', () => {
  it('is one process’s at a time; the next one waits until it is given back, and gets a greater number (Q15)', async () => {
    const { leases } = createLeases();
    const [one, other] = [untilAborted(), untilAborted()];
    const states: LeaseState[] = [];
    const stopping = new AbortController();
    const first = withLease(holder('one', leases), stopping.signal, one.work);
    expect(await one.started).toBe(1n);
    const ending = new AbortController();
    const second = withLease(holder('other', leases, states), ending.signal, other.work);
    await until(() => states.length > 0);
    expect(states).toEqual([{ kind: 'standby', holder: 'one' }]);
    stopping.abort();
    expect(await first).toBe('ended');
    expect(await other.started).toBe(2n);
    ending.abort();
    await second;
    expect(states.slice(1)).toEqual([{ kind: 'held', fencing: 2n }, { kind: 'none' }]);
  });

  it('passes to another process when its holder is silent for its duration, and the holder’s work ends (Q15)', async () => {
    const { leases, fail, pass, asked } = createLeases();
    const silent = untilAborted();
    const stopping = new AbortController();
    const first = withLease(holder('silent', leases), stopping.signal, silent.work);
    let hasEnded = false;
    first.catch(() => (hasEnded = true));
    await silent.started;
    fail(away);
    const before = asked.length;
    await until(() => asked.length > before);
    pass(DURATION_MS);
    fail(null);
    expect(await leases.acquire('other', DURATION_MS)).toEqual({ kind: 'acquired', fencing: 2n });
    const asking = asked.length;
    await until(() => hasEnded || asked.length > asking + 3);
    stopping.abort();
    await expect(first).rejects.toThrow(FencedError);
    expect(asked).not.toContain('release');
  });

  it('is renewed for as long as the work lasts, and given back when it ends, also with an error', async () => {
    const state = createLeases();
    const working = untilAborted();
    const stopping = new AbortController();
    const done = withLease(holder('one', state.leases), stopping.signal, async (fencing, signal) => {
      await working.work(fencing, signal);
      throw new Error('the work failed');
    });
    await working.started;
    state.pass(DURATION_MS - 1);
    const before = state.asked.filter((what) => what === 'renew').length;
    await until(() => state.asked.filter((what) => what === 'renew').length > before + 1);
    expect(state.row?.expiresAt).toBe(2 * DURATION_MS - 1);
    stopping.abort();
    await expect(done).rejects.toThrow('the work failed');
    expect(state.row?.expiresAt).toBe(DURATION_MS - 1);
  });

  it('outlives a database that is away: nobody could take it, and it is ours again (Q12)', async () => {
    const { leases, fail, pass, asked } = createLeases();
    const working = untilAborted();
    const stopping = new AbortController();
    let ended = false;
    const done = withLease(holder('one', leases), stopping.signal, working.work).finally(
      () => (ended = true),
    );
    await working.started;
    fail(away);
    pass(10 * DURATION_MS);
    const before = asked.length;
    await until(() => asked.length > before + 3);
    fail(null);
    const after = asked.length;
    await until(() => asked.length > after + 1);
    expect(ended).toBe(false);
    expect((await leases.acquire('other', DURATION_MS)).kind).toBe('held');
    stopping.abort();
    expect(await done).toBe('ended');
  });

  it('is asked for again while the database is away, and not at all after the shutdown has begun', async () => {
    const { leases, fail, asked } = createLeases();
    fail(away);
    const working = untilAborted();
    const stopping = new AbortController();
    const done = withLease(holder('one', leases), stopping.signal, working.work);
    await until(() => asked.length > 2);
    fail(null);
    expect(await working.started).toBe(1n);
    stopping.abort();
    await done;
    asked.length = 0;
    expect(await withLease(holder('one', leases), stopping.signal, working.work)).toBeNull();
    expect(asked).toEqual([]);
  });

  it('tells a fault that does not pass', async () => {
    const { leases, fail } = createLeases();
    fail(new FencedError('eip155:1', 1n, 2n));
    await expect(withLease(holder('one', leases), never, untilAborted().work)).rejects.toThrow(FencedError);
  });
});
