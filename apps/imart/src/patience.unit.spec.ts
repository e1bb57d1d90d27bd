import { createPatience, EndpointsAwayError, type Patience } from './patience';

/** Patience with a clock that the spec moves. */
function setUp(): { patience: Patience; waits: number[]; pass: () => Promise<void>; ends: unknown[] } {
  const waits: number[] = [];
  const ends: unknown[] = [];
  let pass = (): void => undefined;
  const patience = createPatience({
    patienceMs: 60_000,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        waits.push(ms);
        pass = resolve;
        signal.addEventListener('abort', () => resolve());
      }),
    onEnd: (error) => ends.push(error),
  });
  return {
    patience,
    waits,
    ends,
    pass: async () => {
      pass();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('patience with endpoints', () => {
  it('ends once when none has answered for so long, with what was told last', async () => {
    const { patience, waits, ends, pass } = setUp();
    patience.told(false, 'connection refused');
    patience.told(false, 'timed out');
    expect([waits, ends]).toEqual([[60_000], []]);
    await pass();
    expect(ends).toEqual([new EndpointsAwayError(60_000, 'timed out')]);
    expect(String(ends[0])).toContain('for 60 s, the last one: timed out');
  });

  it('is whole again when one has answered', async () => {
    const { patience, waits, ends, pass } = setUp();
    patience.told(false, 'timed out');
    patience.told(true, 'rpc#1');
    await pass();
    patience.told(false, 'timed out');
    expect([waits, ends]).toEqual([[60_000, 60_000], []]);
    await pass();
    expect(ends).toHaveLength(1);
  });

  it('ends nothing that is over', async () => {
    const { patience, ends, pass } = setUp();
    patience.told(false, 'timed out');
    patience.close();
    await pass();
    expect(ends).toEqual([]);
  });
});
