import { describe, expect, it } from '@jest/globals';
import { HaltedError } from '@imart/pipeline';
import { fakeBlock } from '../fakeSubject';
import { createMarketScript } from '../marketEvents';
import { append, contentsOfStraightFold, executeLanes, wholeRange } from '../storeSteps';
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
      await store.clearHalt();
      await store.clearHalt();
      expect(await store.halted()).toBeNull();
      expect((await store.progress()).halt).toBeNull();
      expect(await store.heartbeat(fakeBlock(3n))).toEqual({ epoch: 0n, halt: null });
    });

    it('keeps lanes from executing', async () => {
      const { events } = createMarketScript().listed('1');
      const { store, contents } = await open(1);
      await append(store, wholeRange(events));
      await store.halt('REORG_TOO_DEEP', 'a message');
      await expect(executeLanes(store)).rejects.toBeInstanceOf(HaltedError);
      expect((await contents()).rows).toEqual([]);
      await store.clearHalt();
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });
  });
}
