import { describe, expect, it } from '@jest/globals';
import { blockSeqNo } from '../blockSeqNo';
import { appendMessage, fakeBlock } from '../fakeSubject';
import { address, createMarketScript, MARKET } from '../marketEvents';
import { append } from '../storeSteps';
import type { SubjectStoreFeatures } from '../storeFeatures';

/** The contract of reading a part of the log again. */
export function describePartOfTheLog(name: string, features: SubjectStoreFeatures): void {
  const { open } = features;

  describe(`${name}: a part of the log`, () => {
    it('is told with the blocks that are known, and what it discovered', async () => {
      const { events } = createMarketScript().listed('1').nextBlock(2n).filled('1').nextBlock(9n).listed('1');
      const { store } = await open(1);
      const discovered = [2n, 7n].map((position) => ({
        address: address(`at${position}`),
        kind: 'erc721',
        discoveredAt: blockSeqNo.encode(position, 1, 0),
      }));
      await append(store, { ...appendMessage(events, 0n, 5n), discovered: discovered.slice(0, 1) });
      await append(store, { ...appendMessage(events, 6n, 15n), discovered: discovered.slice(1) });
      const known = (position: bigint) => ({ position, hash: fakeBlock(position).hash });
      expect(await store.rangeEvents(2n, 12n)).toEqual({
        epoch: 0n,
        nextPosition: 16n,
        events: events.slice(1),
        blocks: [known(3n), known(5n), known(12n)],
        discovered,
      });
      expect(await store.rangeEvents(4n, 4n)).toMatchObject({ events: [], blocks: [], discovered: [] });
      expect(await store.tamperedEvents({ fromPosition: 0n, toPosition: 15n })).toEqual([]);
      expect(await store.eventsAt([MARKET, address('nobody')])).toEqual(events.map(({ seqNo }) => seqNo));
      expect(await store.eventsAt([address('nobody')])).toEqual([]);
    });
  });
}
