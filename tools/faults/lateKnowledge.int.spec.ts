import type { Event } from '@imart/core';
import { applyLateChange, snapshotEvery, type SubjectStore } from '@imart/pipeline';
import {
  ALICE,
  append,
  BOB,
  contentsOfStraightFold,
  createMarketScript,
  executeLanes,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../../libs/storage/src/testing/marketDatabase';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

/** What a second reading tells: the sale again, now with the Transfer that named its parties. */
const completed = (event: Event): Event => ({
  ...event,
  data: { ...(event.data as object), seller: ALICE, buyer: BOB },
});

describe('a late Transfer', () => {
  it.each([1, 2, 1_000])(
    'completes a sale that was stored without its parties, whether a snapshot lies above it or not (D14, P2)',
    async (every) => {
      const script = createMarketScript().filled('1', {
        price: 4n,
        buyer: null,
        seller: null,
        closes: false,
      });
      for (let i = 0; i < 5; i++) script.nextBlock().priceChanged('1', { price: BigInt(10 + i) });
      script.nextBlock().listed('1', { price: 20n }).nextBlock().cancelled('1');
      const store: SubjectStore = await market.open(SUBJECT, 2);
      await append(store, wholeRange(script.events));
      await executeLanes(store, snapshotEvery(every));
      expect((await market.kept(SUBJECT)).snapshots.length > 0).toBe(every < 1_000);
      const [sale, ...rest] = script.events as unknown as [Event, ...Event[]];
      const { epoch } = await store.progress();
      const change = {
        epoch,
        blocks: [],
        inserted: [],
        replaced: [completed(sale)],
        retracted: [],
        discovered: [],
      };
      const result = await applyLateChange(
        { store, observer: MARKET_OBSERVER, logger: silentLogger },
        change,
      );
      expect(result.kind).toBe('applied');
      const right = await contentsOfStraightFold([completed(sale), ...rest]);
      expect(await market.contents(SUBJECT)).toEqual(right);
      expect(right.activities[0]).toMatchObject({ kind: 'SALE', from: ALICE, to: BOB });
      // Snapshots from before would bring the old story back with the next event.
      await append(store, {
        ...wholeRange(createMarketScript().nextBlock(20n).listed('1', { price: 30n }).events),
        fromPosition: (await store.progress()).nextPosition,
      });
      await executeLanes(store, snapshotEvery(every));
      const later = createMarketScript().nextBlock(20n).listed('1', { price: 30n }).events;
      expect(await market.contents(SUBJECT)).toEqual(
        await contentsOfStraightFold([completed(sale), ...rest, ...later]),
      );
    },
  );
});
