import { describe, expect, it } from '@jest/globals';
import { HaltedError } from '@imart/pipeline';
import { fakeBlock } from '../fakeSubject';
import { createMarketScript } from '../marketEvents';
import { AN_OPERATOR, append, contentsOfStraightFold, executeLanes, wholeRange } from '../storeSteps';
import type { SubjectStoreFeatures } from '../storeFeatures';

/** The contract of a chain that stands still until somebody decides. */
export function describeHalt(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: a halt`, () => {
    it('is told by everything that reads, until it is cleared; its first reason stays', async () => {
      const { store } = await open(1);
      expect(await store.halted()).toBeNull();
      const first = await store.halt('TOO_MANY_PARKED', 'a message');
      expect(first).toMatchObject({ code: 'TOO_MANY_PARKED', message: 'a message' });
      expect(await store.halt('REORG_TOO_DEEP', 'another')).toEqual(first);
      expect(await store.halted()).toEqual(first);
      expect((await store.progress()).halt).toEqual(first);
      expect(await store.heartbeat(fakeBlock(3n))).toEqual({ epoch: 0n, halt: first });
      expect(await store.clearHalt('TOO_MANY_PARKED', AN_OPERATOR)).toBe(true);
      expect(await store.clearHalt('TOO_MANY_PARKED', AN_OPERATOR)).toBe(false);
      expect(await store.halted()).toBeNull();
      expect((await store.progress()).halt).toBeNull();
      expect(await store.heartbeat(fakeBlock(3n))).toEqual({ epoch: 0n, halt: null });
    });

    it('is cleared by whoever looked at it, and recorded with who and why; another one meanwhile stays', async () => {
      const { store, kept } = await open(1);
      const halt = await store.halt('EVENT_CONFLICT', 'a message');
      expect(await store.clearHalt('TOO_MANY_PARKED', AN_OPERATOR)).toBe(false);
      expect(await store.halted()).toEqual(halt);
      expect((await kept()).operatorActions).toEqual([]);
      expect(await store.clearHalt('EVENT_CONFLICT', { actedBy: 'ada', reason: 'mended' })).toBe(true);
      expect(await store.halted()).toBeNull();
      expect((await kept()).operatorActions).toEqual([
        {
          action: 'resume',
          actedBy: 'ada',
          reason: 'mended',
          toPosition: null,
          halt,
          events: 0n,
          nextPosition: null,
          isFinished: true,
        },
      ]);
    });

    it('keeps lanes from executing', async () => {
      const { events } = createMarketScript().listed('1');
      const { store, contents } = await open(1);
      await append(store, wholeRange(events));
      await store.halt('REORG_TOO_DEEP', 'a message');
      await expect(executeLanes(store)).rejects.toBeInstanceOf(HaltedError);
      expect((await contents()).rows).toEqual([]);
      await store.clearHalt('REORG_TOO_DEEP', AN_OPERATOR);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });
  });
}
