import { describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST } from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import { noSnapshots, type SubjectStore, type SubjectTransaction } from '@imart/pipeline';
import { marketOfEverything } from '../marketOfEverything';
import type { SubjectStoreFeatures } from '../storeFeatures';
import { append, contentsOfStraightFold, executeLanes, wholeRange } from '../storeSteps';

/** Something that is waited for. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** What locks are for. */
export function describeTwoWriters({ open }: SubjectStoreFeatures): void {
  describe('two writers', () => {
    /** One that has its locks and keeps them until it may go on, and one that begins meanwhile. */
    const inTurns = async <T>(
      store: SubjectStore,
      first: (tx: SubjectTransaction, holds: () => Promise<void>) => Promise<T>,
      second: (tx: SubjectTransaction) => Promise<T>,
    ): Promise<{ readonly waited: boolean; readonly results: readonly [T, T] }> => {
      const [locked, begun, mayLeave] = [gate(), gate(), gate()];
      const one = store.transaction((tx) =>
        first(tx, () => {
          locked.open();
          return mayLeave.opened;
        }),
      );
      await locked.opened;
      let isThrough = false;
      const two = store.transaction(async (tx) => {
        begun.open();
        const result = await second(tx);
        isThrough = true;
        return result;
      });
      await begun.opened;
      // What does not wait for a lock is through by now.
      for (let looks = 0; looks < 30; looks++) await store.progress();
      const waited = !isThrough;
      mayLeave.open();
      return { waited, results: await Promise.all([one, two]) };
    };

    it('of one lane take turns: the second sees what the first has committed', async () => {
      const { store } = await open(2);
      const { waited, results } = await inTurns(
        store,
        async (tx, holds) => {
          const { lanes } = await tx.lockLanes([0, 1]);
          await holds();
          await tx.setCheckpoints([0, 1], blockSeqNo.last(1n), 0n);
          return lanes;
        },
        async (tx) => (await tx.lockLanes([1])).lanes,
      );
      expect(waited).toBe(true);
      expect(results).toEqual([
        [BEFORE_FIRST, BEFORE_FIRST],
        [blockSeqNo.last(1n), blockSeqNo.last(1n)],
      ]);
    });

    it('of the log take turns: one range is appended once', async () => {
      const { store } = await open(1);
      const message = wholeRange(marketOfEverything().events);
      const appended = async (
        tx: SubjectTransaction,
        holds = async (): Promise<void> => undefined,
      ): Promise<string> => {
        const { lastFeedNo } = await tx.lockIngest();
        await holds();
        return (await tx.append(await store.prepareAppend(message, lastFeedNo + 1n))).kind;
      };
      const { waited, results } = await inTurns(store, appended, (tx) => appended(tx));
      expect(waited).toBe(true);
      expect(results).toEqual(['appended', 'already-there']);
      expect((await store.progress()).lastFeedNo).toBe(1n);
    });

    it('that execute the same lane write every row and activity once', async () => {
      const { store, contents } = await open(1);
      const { events } = marketOfEverything();
      await append(store, wholeRange(events));
      await Promise.all([executeLanes(store, noSnapshots, 3), executeLanes(store, noSnapshots, 5)]);
      expect(await contents()).toEqual(await contentsOfStraightFold(events));
    });
  });
}
