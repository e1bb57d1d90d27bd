import fc from 'fast-check';
import type { FoldState, SeqNo } from '@imart/core';
import { randomHistory, straightFold } from '@imart/testing';
import { decodeState, encodeState, noSnapshots, snapshotEvery } from './index';

describe('the rule of snapshots', () => {
  it.each([
    [100, 98, 99, false],
    [100, 99, 100, true],
    [100, 100, 101, false],
    [100, 199, 200, true],
    [1, 0, 1, true],
    [1, 6, 7, true],
    // An event that changes nothing.
    [1, 7, 7, false],
  ])('every %i: from version %i to %i is %s', (every, before, after, made) => {
    expect(snapshotEvery(every)(before, after)).toBe(made);
  });

  it('makes one for each full count', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 500 }), (every, versions) => {
        const rule = snapshotEvery(every);
        let made = 0;
        for (let version = 1; version <= versions; version++) if (rule(version - 1, version)) made++;
        expect(made).toBe(Math.floor(versions / every));
      }),
    );
    expect(noSnapshots(99, 100)).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a count of %d', (every) => {
    expect(() => snapshotEvery(every)).toThrow(RangeError);
  });
});

describe('the stored form of a state', () => {
  it('gives every state back', () => {
    fc.assert(
      fc.property(randomHistory, (events) => {
        for (const row of straightFold(events).rows) {
          const state = { seqNo: row.seqNo, version: row.version, row } as FoldState;
          expect(decodeState(encodeState(state))).toEqual(state);
        }
      }),
    );
    const large = { seqNo: (2n ** 63n - 1n) as SeqNo, version: 1, price: -(2n ** 256n) };
    expect(decodeState(encodeState(large))).toEqual(large);
  });
});
