import { WorkerError } from '@imart/core';
import { StorageUnavailableError, type Halt } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import { SUBJECT } from '@imart/testing';
import { createHaltGate, isHalting } from './haltGate';

const stop = (code: string): WorkerError => new WorkerError(`why ${code}`, { code, disposition: 'stop' });
const never = new AbortController().signal;

function setUp() {
  let stored: Halt | null = null;
  let failures = 0;
  const said: string[] = [];
  const look = async (): Promise<Halt | null> => {
    if (failures-- > 0) throw new StorageUnavailableError('away', null);
    return stored;
  };
  const gate = createHaltGate({
    store: {
      subjectId: SUBJECT,
      halted: look,
      async halt(code, message) {
        await look();
        stored ??= { code, message, haltedAtMs: 0 };
        return stored;
      },
    },
    logger: {
      ...silentLogger,
      error: (message) => void said.push(`error ${message}`),
      info: (message) => void said.push(`info ${message}`),
    },
    random: () => 0,
  });
  return {
    gate,
    said,
    stored: () => stored,
    clear: () => void (stored = null),
    fail: (times: number) => void (failures = times),
  };
}

afterEach(() => void jest.useRealTimers());

describe('a chain that stands still', () => {
  it.each(['REORG_TOO_DEEP', 'EVENT_CONFLICT', 'TOO_MANY_PARKED', 'HALTED'])('does so after %s', (code) => {
    expect(isHalting(stop(code))).toBe(true);
  });

  it.each([
    'CONFIG',
    'WRONG_CHAIN',
    'OTHER_CHAIN',
    'RPC_PRUNED',
    'RPC_ANSWER_REFUSED',
    'VERSION_GAP',
    'LEDGER_REPLACED',
    'FENCED',
    'LEDGER_GAP',
  ])('does not do so after %s: other settings, or another process, may go on', (code) => {
    expect(isHalting(stop(code))).toBe(false);
  });

  it('says why, once, keeps it in the database, and goes on by itself when it is cleared', async () => {
    const { gate, said, stored, clear } = setUp();
    await gate.raise(stop('REORG_TOO_DEEP'), never);
    expect(stored()).toMatchObject({ code: 'REORG_TOO_DEEP', message: 'why REORG_TOO_DEEP' });
    expect(gate.halt).toEqual(stored());
    gate.see(stored());
    expect(said).toEqual(['error standing still: why REORG_TOO_DEEP']);
    jest.useFakeTimers();
    let cleared = false;
    void gate.cleared(never).then(() => (cleared = true));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(cleared).toBe(false);
    clear();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(cleared).toBe(true);
    expect(gate.halt).toBeNull();
    expect(said[1]).toBe('info going on: the halt is cleared');
  });

  it('keeps the first reason', async () => {
    const { gate } = setUp();
    await gate.raise(stop('REORG_TOO_DEEP'), never);
    await gate.raise(stop('TOO_MANY_PARKED'), never);
    expect(gate.halt?.code).toBe('REORG_TOO_DEEP');
  });

  it('is learnt from a process that was stopped by it', async () => {
    const { gate, stored } = setUp();
    await gate.raise(stop('EVENT_CONFLICT'), never);
    const reason = stored();
    gate.see(null);
    await gate.raise(stop('HALTED'), never);
    expect(gate.halt).toEqual(reason);
    expect(stored()).toEqual(reason);
  });

  it('is stored also when the database is away at that moment (Q12)', async () => {
    const { gate, stored, fail } = setUp();
    fail(3);
    await gate.raise(stop('EVENT_CONFLICT'), never);
    expect(stored()?.code).toBe('EVENT_CONFLICT');
  });

  it('is not waited for any longer when the process is to end', async () => {
    const { gate } = setUp();
    await gate.raise(stop('REORG_TOO_DEEP'), never);
    const stopping = new AbortController();
    const waiting = gate.cleared(stopping.signal);
    stopping.abort();
    await waiting;
    expect(gate.halt).not.toBeNull();
  });
});
