import fc from 'fast-check';
import { aggregateKeyText, type Event, type FoldState, type SeqNo } from '@imart/core';
import { createStateCache } from './index';

const event = (id: number): Event => ({ aggregateType: 'token', aggregateId: `${id}` }) as Event;
const key = (id: number): string => aggregateKeyText('token', `${id}`);
const state = (seqNo: bigint): FoldState => ({ seqNo: seqNo as SeqNo, version: 1 });

describe('the cache of states', () => {
  it('forgets the least recently changed first, down to its bound', () => {
    const cache = createStateCache(2, true);
    for (const [id, seqNo] of [
      [1, 1n],
      [2, 2n],
      [3, 3n],
      [1, 4n],
    ] as const)
      cache.set(key(id), state(seqNo));
    cache.trim(10n as SeqNo);
    expect(cache.size).toBe(2);
    expect([1, 2, 3].filter((id) => cache.get(key(id)) !== undefined)).toEqual([1, 3]);
    expect(
      cache.missing([event(1), event(2), event(2), event(3)]).map(({ aggregateId }) => aggregateId),
    ).toEqual(['2']);
  });

  it('never forgets a state that the database does not have yet (Q1)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 3 })), { maxLength: 60 }),
        fc.integer({ min: 0, max: 5 }),
        fc.array(fc.nat({ max: 60 }), { maxLength: 10 }),
        (changes, max, trims) => {
          const cache = createStateCache(max, true);
          const latest = new Map<number, bigint>();
          let seqNo = 0n;
          let committed = 0n;
          changes.forEach(([id, step], i) => {
            seqNo += BigInt(step);
            cache.set(key(id), state(seqNo));
            latest.set(id, seqNo);
            if (!trims.includes(i)) return;
            // The run before the last change is committed; the last one is on its way.
            committed = seqNo - BigInt(step);
            cache.trim(committed as SeqNo);
            for (const [known, at] of latest) {
              if (at > committed) expect(cache.get(key(known))?.seqNo).toBe(at);
              const cached = cache.get(key(known));
              // What is cached is the latest; what is not is said to be missing, and no other.
              if (cached !== undefined) expect(cached.seqNo).toBe(at);
              expect(cache.missing([event(known)]).length).toBe(cached === undefined ? 1 : 0);
            }
            expect(cache.missing([event(100)])).toEqual([]);
          });
        },
      ),
    );
  });

  it('that was not complete from the start reads every aggregate that it does not have', () => {
    const cache = createStateCache(10, false);
    expect(cache.missing([event(1), event(1), event(2)])).toHaveLength(2);
    cache.set(key(1), state(1n));
    expect(cache.missing([event(1), event(2)])).toHaveLength(1);
  });

  it('knows nothing any more once it is cleared', () => {
    const cache = createStateCache(10, true);
    cache.set(key(1), state(1n));
    cache.clear();
    expect(cache.size).toBe(0);
    expect(cache.missing([event(1), event(2)])).toHaveLength(2);
  });
});
