import { describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST } from '@imart/core';
import { rewind, type SubjectStore } from '@imart/pipeline';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { createMarketScript } from '../marketEvents';
import { marketOfEverything } from '../marketOfEverything';
import { AN_OPERATOR, append, contentsOfStraightFold, executeLanes } from '../storeSteps';
import type { SubjectStoreFeatures } from '../storeFeatures';
import { at, blockByBlock, changing, filled, finalize, upTo } from './steps';

/** The contract of going back on purpose, also below what is final. */
export function describeRewind(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: a rewind`, () => {
    it('only tells what it would do, when that is asked', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 3n);
      const [before, progress] = [await contents(), await store.progress()];
      const plan = await rewind(changing(store), { toPosition: 1n, dryRun: true });
      const gone = events.filter(({ source }) => source.position > 1n);
      expect(plan).toEqual({
        toPosition: 1n,
        nextPosition: 2n,
        events: BigInt(gone.length),
        aggregates: BigInt(new Set(gone.map((e) => `${e.aggregateType}/${e.aggregateId}`)).size),
        discovered: 0n,
        belowFinality: true,
        halt: null,
      });
      expect(await contents()).toEqual(before);
      expect(await store.progress()).toEqual(progress);
    });

    it('goes below what is final, lowers that with it, and clears the halt (R7)', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 20n);
      await store.halt('REORG_TOO_DEEP', 'the chain is another one');
      expect(await rewind(changing(store), { toPosition: 2n, dryRun: false, ...AN_OPERATOR })).toMatchObject({
        toPosition: 2n,
        halt: { code: 'REORG_TOO_DEEP' },
      });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 2n)));
      expect(await store.progress()).toMatchObject({
        nextPosition: 3n,
        finalized: at(2n),
        finalizedPosition: 2n,
        halt: null,
      });
      await finalize(store, 5n);
      expect(await store.progress()).toMatchObject({ finalizedPosition: 5n });
    });

    it.each([1, 3, 7, 1000])(
      'takes back at most %i events at a time, and ends at the same place',
      async (max) => {
        const { events } = marketOfEverything();
        const { store, contents } = await filled(features, events, { lanes: 2, every: 1 });
        const { lastFeedNo } = await store.progress();
        await rewind(changing(store), { toPosition: 1n, dryRun: false, ...AN_OPERATOR }, max);
        expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 1n)));
        const progress = await store.progress();
        expect(progress).toMatchObject({ nextPosition: 2n, ingested: at(1n), halt: null });
        const perBlock = [2n, 3n, 4n, 5n, 6n, 7n, 8n].map(
          (position) => events.filter(({ source }) => source.position === position).length,
        );
        const taken = perBlock.filter((count) => count > 0);
        // A block is taken back whole, however many events it has.
        if (max === 1) expect(progress.lastFeedNo - lastFeedNo).toBeGreaterThanOrEqual(BigInt(taken.length));
        if (max === 1000) expect(progress.lastFeedNo - lastFeedNo).toBe(1n);
        for (const message of blockByBlock(events, 30n, 2n)) await append(store, message);
        await executeLanes(store);
        expect(await contents()).toEqual(await contentsOfStraightFold(events));
      },
    );

    it('goes back to a block that is known: where only the log knows, to that of an event', async () => {
      const { events } = createMarketScript().nextBlock(4n).listed('1').nextBlock(5n).filled('1');
      const { store, contents } = await open(1);
      await append(store, appendMessage(events, 0n, 20n));
      await append(store, appendMessage(events, 21n, 40n));
      await finalize(store, 40n);
      await append(store, appendMessage(events, 41n, 50n));
      await executeLanes(store);
      // Blocks 40 and 50 are remembered, 5 and 10 have events.
      const planned = async (toPosition: bigint) =>
        (await rewind(changing(store), { toPosition, dryRun: true })).toPosition;
      expect(await Promise.all([60n, 50n, 49n, 40n, 39n, 10n, 9n, 5n].map(planned))).toEqual([
        50n,
        50n,
        10n,
        40n,
        10n,
        10n,
        5n,
        5n,
      ]);
      await rewind(changing(store), { toPosition: 9n, dryRun: false, ...AN_OPERATOR });
      expect(await store.resumePoint()).toMatchObject({
        nextPosition: 6n,
        window: [{ position: 5n, hash: fakeBlock(5n).hash, parentHash: '' }],
        finalizedPosition: 5n,
      });
      expect(await store.progress()).toMatchObject({ chainTimeUs: fakeBlock(5n).timeUs });
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, 9n)));
    });

    it('before the first event begins anew', async () => {
      const { events } = marketOfEverything();
      const { store, contents } = await filled(features, events);
      await finalize(store, 20n);
      expect(await rewind(changing(store), { toPosition: -1n, dryRun: false, ...AN_OPERATOR })).toMatchObject(
        {
          toPosition: null,
          nextPosition: 0n,
        },
      );
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      expect(await store.progress()).toMatchObject({
        ingested: BEFORE_FIRST,
        executed: BEFORE_FIRST,
        finalized: BEFORE_FIRST,
        finalizedPosition: null,
        chainTimeUs: null,
      });
      expect(await store.resumePoint()).toMatchObject({
        nextPosition: 0n,
        window: [],
        finalizedPosition: null,
      });
      for (const message of blockByBlock(events, 30n)) await append(store, message);
      await executeLanes(store);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });

    it('is recorded with who, why and what came of it, together with what it does', async () => {
      const { events } = marketOfEverything();
      const { store, kept } = await filled(features, events);
      const halt = await store.halt('REORG_TOO_DEEP', 'the chain is another one');
      await rewind(changing(store), { toPosition: 2n, dryRun: true });
      expect((await kept()).operatorActions).toEqual([]);
      const decision = { actedBy: 'ada', reason: 'the chain\0 took it back' };
      await rewind(changing(store), { toPosition: 2n, dryRun: false, ...decision }, 3);
      const gone = events.filter(({ source }) => source.position > 2n).length;
      expect((await kept()).operatorActions).toMatchObject([
        {
          action: 'rewind',
          actedBy: 'ada',
          toPosition: 2n,
          halt,
          events: BigInt(gone),
          nextPosition: 3n,
          isFinished: true,
        },
      ]);
      // There was nothing to take back.
      await rewind(changing(store), { toPosition: 2n, dryRun: false, actedBy: 'bob', reason: null });
      expect((await kept()).operatorActions.slice(1)).toEqual([
        {
          action: 'rewind',
          actedBy: 'bob',
          reason: null,
          toPosition: 2n,
          halt: null,
          events: 0n,
          nextPosition: 3n,
          isFinished: true,
        },
      ]);
    });

    it('that stops half way leaves the halt, and can be asked for again', async () => {
      const { events } = marketOfEverything();
      const { store, contents, kept } = await filled(features, events);
      let cuts = 0;
      const failing: SubjectStore = {
        ...store,
        transaction: (work) =>
          store.transaction((tx) =>
            work({
              ...tx,
              cutLog: (...parameters) => {
                if (++cuts === 3) throw new RangeError('on purpose');
                return tx.cutLog(...parameters);
              },
            }),
          ),
      };
      await expect(
        rewind(changing(failing), { toPosition: 0n, dryRun: false, ...AN_OPERATOR }, 2),
      ).rejects.toThrow('on purpose');
      expect(await store.halted()).toMatchObject({ code: 'REWINDING' });
      const { nextPosition } = await store.progress();
      expect(await contents()).toEqual(await contentsOfStraightFold(upTo(events, nextPosition - 1n)));
      const taken = BigInt(events.length - upTo(events, nextPosition - 1n).length);
      const interrupted = { events: taken, nextPosition, isFinished: false, halt: null };
      expect((await kept()).operatorActions).toMatchObject([interrupted]);
      await rewind(changing(store), { toPosition: 0n, dryRun: false, ...AN_OPERATOR }, 2);
      expect(await store.halted()).toBeNull();
      expect(await contents()).toEqual({ rows: [], activities: [], parked: [] });
      expect((await kept()).operatorActions).toMatchObject([
        interrupted,
        { events: BigInt(events.length) - taken, isFinished: true, halt: { code: 'REWINDING' } },
      ]);
    });
  });
}
