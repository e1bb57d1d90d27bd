import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Event } from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { snapshotEvery } from '@imart/pipeline';
import { appendMessages } from '../fakeSubject';
import { histories } from '../histories';
import { marketOfEverything } from '../marketOfEverything';
import type { SubjectStoreFeatures } from '../storeFeatures';
import {
  append,
  catchUpWith,
  contentsOfStraightFold,
  executeLanes,
  refoldOne,
  wholeRange,
} from '../storeSteps';
import { foldedStates, keysOf } from '../straightFold';

/** Any history, by any way. */
export function describeAnyHistory({ open, runs }: SubjectStoreFeatures): void {
  describe('any history', () => {
    it('gives the tables of one clean pass, by catching up in any ranges and with any cache', async () => {
      await fc.assert(
        fc.asyncProperty(
          histories,
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 20 }),
          async ({ events, ends }, lanes, cachedStatesMax) => {
            const { store, contents } = await open(lanes);
            await catchUpWith(store, appendMessages(events, ends, true), cachedStatesMax);
            expect(await contents()).toEqual(await contentsOfStraightFold(events));
            const end = blockSeqNo.last(ends.at(-1) as bigint);
            expect(await store.progress()).toMatchObject({ executed: end, ingested: end });
            expect(await store.loadStates(keysOf(events))).toEqual(foldedStates(events));
          },
        ),
        { numRuns: runs },
      );
    }, 300_000);

    it('gives them by any lanes and runs, and refolding any aggregate from any event changes nothing', async () => {
      await fc.assert(
        fc.asyncProperty(
          histories,
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 10 }),
          fc.integer({ min: 1, max: 4 }),
          fc.nat(),
          async ({ events, ends }, lanes, runEventsMax, every, from) => {
            const { store, contents } = await open(lanes);
            for (const message of appendMessages(events, ends)) await append(store, message);
            await executeLanes(store, snapshotEvery(every), runEventsMax);
            const expected = await contentsOfStraightFold(events);
            expect(await contents()).toEqual(expected);
            for (const key of keysOf(events)) {
              const fromSeqNo = (events[from % events.length] as Event).seqNo;
              await refoldOne(store, { ...key, fromSeqNo });
            }
            expect(await contents()).toEqual(expected);
          },
        ),
        { numRuns: runs },
      );
    }, 300_000);
  });

  it('refolding every aggregate from every event leaves all tables as they were', async () => {
    for (const every of [1, 3]) {
      const { store, contents } = await open(2);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      await executeLanes(store, snapshotEvery(every));
      const before = await contents();
      expect(before).toEqual(await contentsOfStraightFold(events));
      for (const key of keysOf(events)) {
        const own = events.filter(
          (e) => e.aggregateType === key.aggregateType && e.aggregateId === key.aggregateId,
        );
        for (const { seqNo: fromSeqNo } of own) {
          await refoldOne(store, { ...key, fromSeqNo });
        }
        expect(await contents()).toEqual(before);
      }
    }
  });
}
