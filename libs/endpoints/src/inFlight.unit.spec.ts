import { createInFlight } from './inFlight';

const { signal } = new AbortController();

/** Whether a promise is settled once all that is due now has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('requests on their way', () => {
  it('are at most so many, the next one is let in when one has left, first come first served (P19)', async () => {
    const inFlight = createInFlight(2);
    await Promise.all([inFlight.enter(signal), inFlight.enter(signal)]);
    const [third, fourth] = [inFlight.enter(signal), inFlight.enter(signal)];
    expect([await isSettled(third), inFlight.count]).toEqual([false, 2]);
    inFlight.leave();
    expect([await isSettled(third), await isSettled(fourth), inFlight.count]).toEqual([true, false, 2]);
    inFlight.leave();
    expect(await isSettled(fourth)).toBe(true);
  });

  it('are half as many after a complaint, never less than one, and one more after each run of answers', () => {
    const inFlight = createInFlight(8);
    const limits = [1, 2, 3, 4].map(() => {
      inFlight.tooMany();
      return inFlight.limit;
    });
    expect(limits).toEqual([4, 2, 1, 1]);
    // One answer makes two, two more make three, three more make four.
    const grown = Array.from({ length: 6 }, () => {
      inFlight.succeeded();
      return inFlight.limit;
    });
    expect(grown).toEqual([2, 2, 3, 3, 3, 4]);
    for (let i = 0; i < 100; i++) inFlight.succeeded();
    expect(inFlight.limit).toBe(8);
  });

  it('wait no longer than their signal lets them, and leave their place in the queue to the next', async () => {
    const inFlight = createInFlight(1);
    await inFlight.enter(signal);
    const abort = new AbortController();
    const given = inFlight.enter(abort.signal);
    const next = inFlight.enter(signal);
    abort.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await expect(inFlight.enter(abort.signal)).rejects.toThrow('enough');
    inFlight.leave();
    expect([await isSettled(next), inFlight.count]).toEqual([true, 1]);
  });
});
