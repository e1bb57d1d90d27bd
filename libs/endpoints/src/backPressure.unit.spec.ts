import { type SeqNo } from '@imart/core';
import { blockSeqNo } from '@imart/testing';
import { createBackPressure } from './backPressure';

const { signal } = new AbortController();
const at = (position: bigint): SeqNo => blockSeqNo.encode(position, 0, 0);

describe('events that were handed on', () => {
  it('count until they are executed: reading waits while there are more than may be (P19, Q17)', async () => {
    const pressure = createBackPressure(10);
    pressure.handedOn(at(1n), 6);
    pressure.handedOn(at(2n), 0);
    expect(pressure.full).toBe(false);
    pressure.handedOn(at(3n), 5);
    expect([pressure.full, pressure.waiting]).toEqual([true, 11]);
    let goesOn = false;
    const room = pressure.room(signal).then(() => (goesOn = true));
    pressure.executed(at(0n));
    await Promise.resolve();
    expect(goesOn).toBe(false);
    pressure.executed(at(2n));
    await room;
    expect([pressure.full, pressure.waiting]).toEqual([false, 5]);
  });

  it('count no more once they are taken back', async () => {
    const pressure = createBackPressure(1);
    for (const position of [1n, 2n, 3n]) pressure.handedOn(at(position), 1);
    const room = pressure.room(signal);
    pressure.invalidated(at(2n));
    await room;
    expect(pressure.waiting).toBe(1);
  });

  it('are waited for no longer than the signal lets', async () => {
    const pressure = createBackPressure(0);
    pressure.handedOn(at(1n), 1);
    const abort = new AbortController();
    const room = pressure.room(abort.signal);
    abort.abort();
    await room;
    await pressure.room(abort.signal);
    expect(pressure.full).toBe(true);
  });
});
