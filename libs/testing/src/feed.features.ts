import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AppendMessage, type Event, type SeqNo } from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import {
  applyLateChange,
  FeedGapError,
  invalidate,
  retryParked,
  skipParked,
  type FeedChange,
  type FeedLimits,
  type SubjectStore,
} from '@imart/pipeline';
import { liveThrough } from './anyHistory';
import { appendMessage, fakeBlock } from './fakeSubject';
import { createMarketScript, MARKET } from './marketEvents';
import { addPoison } from './randomMarket';
import { seededRandom } from './seededRandom';
import { silentLogger } from './silentLogger';
import { append, executeLanes } from './storeSteps';
import { MARKET_OBSERVER } from './straightFold';
import type { SubjectStoreFeatures } from './storeFeatures';

const changing = (store: SubjectStore) => ({ store, observer: MARKET_OBSERVER, logger: silentLogger });

/** A change without what no spec can foresee. */
const told = (changes: readonly FeedChange[]) =>
  changes.map(({ committedAtMs, ...change }) => {
    expect(typeof committedAtMs).toBe('number');
    return change;
  });

async function takeBackAfter(store: SubjectStore, position: bigint): Promise<void> {
  const { epoch } = await store.progress();
  const message = {
    kind: 'invalidate',
    fromSeqNo: blockSeqNo.first(position + 1n),
    ancestor: fakeBlock(position),
  } as const;
  expect(await invalidate(changing(store), message, epoch)).toMatchObject({ kind: 'invalidated' });
}

/** Events of blocks 1 to 5, one each. */
const events = createMarketScript()
  .listed('1')
  .nextBlock()
  .listed('2')
  .nextBlock()
  .listed('3')
  .nextBlock()
  .listed('4')
  .nextBlock()
  .listed('5').events;
const range = (from: bigint, to: bigint): AppendMessage => ({
  ...appendMessage(events, from, to),
  blocks: Array.from({ length: Number(to - from) + 1 }, (_, i) => fakeBlock(from + BigInt(i))),
});
const first = (position: bigint): SeqNo => blockSeqNo.first(position);
const last = (position: bigint): SeqNo => blockSeqNo.last(position);
const added = (event: Event | undefined, addedBy: bigint, retractedBy: bigint | null = null) => ({
  event,
  addedBy,
  retractedBy,
});

/** The contract of the feed, and of any history that it, log and states may have. */
export function describeFeed(name: string, { open, runs }: SubjectStoreFeatures): void {
  describe(`${name}: the feed`, () => {
    it('tells each change in the order of commits, with its events', async () => {
      const { store } = await open(1);
      await append(store, range(0n, 2n));
      await append(store, range(3n, 3n));
      await executeLanes(store);
      const changes = told(await store.readFeed(0n));
      expect(changes).toEqual([
        {
          feedNo: 1n,
          kind: 'appended',
          epoch: 0n,
          fromSeqNo: first(0n),
          toSeqNo: last(2n),
          aggregate: null,
          added: [added(events[0], 1n), added(events[1], 1n)],
          retracted: [],
        },
        {
          feedNo: 2n,
          kind: 'appended',
          epoch: 0n,
          fromSeqNo: first(3n),
          toSeqNo: last(3n),
          aggregate: null,
          added: [added(events[2], 2n)],
          retracted: [],
        },
      ]);
      expect(told(await store.readFeed(1n))).toEqual(changes.slice(1));
      expect(await store.readFeed(2n)).toEqual([]);
    });

    it('shows a range when all lanes have executed it, not before', async () => {
      const { store } = await open(2);
      await append(store, range(0n, 2n));
      await append(store, range(3n, 3n));
      const move = (lane: number, position: bigint) =>
        store.transaction(async (tx) => {
          await tx.lockLanes([lane]);
          await tx.setCheckpoints([lane], last(position), 0n);
        });
      const shown = async () => (await store.readFeed(0n)).map(({ feedNo }) => feedNo);
      expect(await shown()).toEqual([]);
      await move(0, 3n);
      expect(await shown()).toEqual([]);
      await move(1, 1n);
      expect(await shown()).toEqual([]);
      await move(1, 2n);
      expect(await shown()).toEqual([1n]);
      await move(1, 3n);
      expect(await shown()).toEqual([1n, 2n]);
    });

    it('tells what was taken back, to who was there and to who was away (R11)', async () => {
      const { store } = await open(1);
      await append(store, range(0n, 2n));
      await append(store, range(3n, 4n));
      await executeLanes(store);
      expect(await store.readFeed(0n)).toHaveLength(2);
      await takeBackAfter(store, 3n);
      const changes = told(await store.readFeed(0n));
      expect(changes[1]?.added).toEqual([added(events[2], 2n), added(events[3], 2n, 3n)]);
      expect(changes[2]).toEqual({
        feedNo: 3n,
        kind: 'invalidated',
        epoch: 1n,
        fromSeqNo: first(4n),
        toSeqNo: last(4n),
        aggregate: null,
        added: [],
        retracted: [added(events[3], 2n, 3n)],
      });
    });

    it('shows a range that was taken back before it was executed, as soon as what is left of it is executed', async () => {
      const { store } = await open(1);
      await append(store, range(0n, 2n));
      await append(store, range(3n, 5n));
      await takeBackAfter(store, 3n);
      // Of the second range block 3 is left, and waits for its lane.
      expect(await store.readFeed(0n)).toEqual([]);
      await executeLanes(store);
      expect((await store.readFeed(0n)).map(({ feedNo, added: own }) => [feedNo, own.length])).toEqual([
        [1n, 2],
        [2n, 3],
        [3n, 0],
      ]);
      await append(store, range(4n, 5n));
      await takeBackAfter(store, 2n);
      // Nothing is left of the third range: nobody waits for it.
      expect((await store.readFeed(3n)).map(({ feedNo, kind }) => [feedNo, kind])).toEqual([
        [4n, 'appended'],
        [5n, 'invalidated'],
      ]);
    });

    it('tells late events with the ones they replace, released and skipped aggregates with their names', async () => {
      const { store } = await open(1);
      const script = addPoison(createMarketScript().listed('1').nextBlock(), '1').filled('1');
      const [listed, poison, filled] = script.events as readonly Event[] as [Event, Event, Event];
      await append(store, appendMessage(script.events, 0n, 5n));
      await executeLanes(store);
      const key = { aggregateType: 'order', aggregateId: `${MARKET}:1` };
      const request = { ...key, actedBy: 'me', reason: 'because' };
      await retryParked(changing(store), request);
      await skipParked(changing(store), request);
      const other = { ...filled, data: { ...(filled.data as object), price: 77n } };
      const change = { epoch: 1n, blocks: [], inserted: [], discovered: [] };
      await applyLateChange(changing(store), { ...change, replaced: [other], retracted: [listed.seqNo] });
      // A retry that changed nothing is no change.
      const [appended, skipped, late] = told(await store.readFeed(0n));
      expect(appended?.added).toEqual([added(listed, 1n, 3n), added(poison, 1n), added(filled, 1n, 3n)]);
      expect(skipped).toMatchObject({
        feedNo: 2n,
        kind: 'skipped',
        aggregate: key,
        fromSeqNo: poison.seqNo,
        added: [],
        retracted: [],
      });
      expect(late).toMatchObject({
        feedNo: 3n,
        kind: 'late',
        epoch: 2n,
        fromSeqNo: listed.seqNo,
        toSeqNo: filled.seqNo,
        added: [added(other, 3n)],
        retracted: [added(listed, 1n, 3n), added(filled, 1n, 3n)],
      });
    });

    it('gives no more than is asked for, and one change at least', async () => {
      const { store } = await open(1);
      await append(store, range(0n, 2n));
      await append(store, range(3n, 4n));
      await append(store, range(5n, 5n));
      await executeLanes(store);
      const numbers = async (limits: FeedLimits) =>
        (await store.readFeed(0n, limits)).map(({ feedNo }) => feedNo);
      expect(await numbers({ changesMax: 2 })).toEqual([1n, 2n]);
      expect(await numbers({ eventsMax: 1 })).toEqual([1n]);
      expect(await numbers({ eventsMax: 2 })).toEqual([1n]);
      expect(await numbers({ eventsMax: 3 })).toEqual([1n, 2n]);
      expect(await numbers({ eventsMax: 5 })).toEqual([1n, 2n, 3n]);
    });

    it('refuses a cursor that is beyond its end: it is of another database', async () => {
      const { store } = await open(1);
      await append(store, range(0n, 2n));
      await expect(store.readFeed(2n)).rejects.toBeInstanceOf(FeedGapError);
      expect(await store.readFeed(1n)).toEqual([]);
    });

    it('has no gap and no order but that of commits, whoever writes at once, and whoever fails (E6)', async () => {
      const { store } = await open(2);
      const random = seededRandom(16);
      const commits: bigint[] = [];
      const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
      /** Appends the next position, or says that an aggregate was released; gives up at random. */
      const writeOnce = async (): Promise<void> => {
        const failing = random.chance(0.1);
        const changes = random.chance(0.3);
        await store.transaction(async (tx) => {
          const { nextPosition, lastFeedNo } = await tx.lockIngest();
          if (random.chance(0.5)) await turn();
          if (changes) {
            await tx.lockLanes([0, 1]);
            const nothing = { fromSeqNo: first(0n), toSeqNo: first(0n), aggregate: null };
            commits.push((await tx.recordChange({ kind: 'released', ...nothing })).feedNo);
          } else {
            await tx.append(
              await store.prepareAppend(appendMessage([], nextPosition, nextPosition), lastFeedNo + 1n),
            );
            commits.push(lastFeedNo + 1n);
          }
          if (failing) {
            commits.pop();
            throw new RangeError('on purpose');
          }
        });
      };
      const writers = Array.from({ length: 16 }, async () => {
        for (let i = 0; i < 8; i++)
          await writeOnce().catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
      });
      // Needs no second connection: sixteen writers may have them all.
      const execute = (): Promise<void> =>
        store.transaction(async (tx) => {
          const { ingested, epoch } = await tx.lockLanes([0, 1]);
          await tx.setCheckpoints([0, 1], ingested, epoch);
        });
      let cursor = 0n;
      const read = async (): Promise<void> => {
        for (const { feedNo } of await store.readFeed(cursor, { changesMax: 7 })) {
          expect(feedNo).toBe(cursor + 1n);
          cursor = feedNo;
        }
      };
      let writing = true;
      const reading = (async () => {
        while (writing) {
          await execute();
          await read();
          await turn();
        }
      })();
      await Promise.all(writers);
      writing = false;
      await reading;
      await execute();
      for (let before = -1n; cursor !== before;) {
        before = cursor;
        await read();
      }
      expect(commits).toEqual(commits.map((_feedNo, i) => BigInt(i + 1)));
      expect(cursor).toBe((await store.progress()).lastFeedNo);
      expect(cursor).toBe(BigInt(commits.length));
    });
  });

  describe(`${name}: any history of forks, late knowledge, releases, rewinds and failures`, () => {
    it('ends with the log, the tables and the readers of one clean pass over the last chain', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            seed: fc.nat(),
            lanes: fc.integer({ min: 1, max: 4 }),
            rounds: fc.integer({ min: 2, max: 20 }),
            faults: fc.constantFrom(0, 0.02, 0.06),
          }),
          async ({ lanes, ...options }) => {
            const { actual, expected } = await liveThrough(await open(lanes), options);
            expect(actual).toEqual(expected);
          },
        ),
        { numRuns: runs },
      );
    }, 300_000);
  });
}
