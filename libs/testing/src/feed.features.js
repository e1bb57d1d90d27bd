'use strict';
var __importDefault =
  (this && this.__importDefault) ||
  function (mod) {
    return mod && mod.__esModule ? mod : { default: mod };
  };
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeFeed = describeFeed;
const globals_1 = require('@jest/globals');
const fast_check_1 = __importDefault(require('fast-check'));
const blockSeqNo_1 = require('./blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const anyHistory_1 = require('./anyHistory');
const fakeSubject_1 = require('./fakeSubject');
const marketEvents_1 = require('./marketEvents');
const randomMarket_1 = require('./randomMarket');
const seededRandom_1 = require('./seededRandom');
const silentLogger_1 = require('./silentLogger');
const storeSteps_1 = require('./storeSteps');
const straightFold_1 = require('./straightFold');
const changing = (store) => ({
  store,
  observer: straightFold_1.MARKET_OBSERVER,
  logger: silentLogger_1.silentLogger,
});
/** A change without what no spec can foresee. */
const told = (changes) =>
  changes.map(({ committedAtMs, ...change }) => {
    (0, globals_1.expect)(typeof committedAtMs).toBe('number');
    return change;
  });
async function takeBackAfter(store, position) {
  const { epoch } = await store.progress();
  const message = {
    kind: 'invalidate',
    fromSeqNo: blockSeqNo_1.blockSeqNo.first(position + 1n),
    ancestor: (0, fakeSubject_1.fakeBlock)(position),
  };
  (0, globals_1.expect)(await (0, pipeline_1.invalidate)(changing(store), message, epoch)).toMatchObject({
    kind: 'invalidated',
  });
}
/** Events of blocks 1 to 5, one each. */
const events = (0, marketEvents_1.createMarketScript)()
  .listed('1')
  .nextBlock()
  .listed('2')
  .nextBlock()
  .listed('3')
  .nextBlock()
  .listed('4')
  .nextBlock()
  .listed('5').events;
const range = (from, to) => ({
  ...(0, fakeSubject_1.appendMessage)(events, from, to),
  blocks: Array.from({ length: Number(to - from) + 1 }, (_, i) =>
    (0, fakeSubject_1.fakeBlock)(from + BigInt(i)),
  ),
});
const first = (position) => blockSeqNo_1.blockSeqNo.first(position);
const last = (position) => blockSeqNo_1.blockSeqNo.last(position);
const added = (event, addedBy, retractedBy = null) => ({
  event,
  addedBy,
  retractedBy,
});
/** The contract of the feed, and of any history that it, log and states may have. */
function describeFeed(name, { open, runs }) {
  (0, globals_1.describe)(`${name}: the feed`, () => {
    (0, globals_1.it)('tells each change in the order of commits, with its events', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(store, range(0n, 2n));
      await (0, storeSteps_1.append)(store, range(3n, 3n));
      await (0, storeSteps_1.executeLanes)(store);
      const changes = told(await store.readFeed(0n));
      (0, globals_1.expect)(changes).toEqual([
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
      (0, globals_1.expect)(told(await store.readFeed(1n))).toEqual(changes.slice(1));
      (0, globals_1.expect)(await store.readFeed(2n)).toEqual([]);
    });
    (0, globals_1.it)('shows a range when all lanes have executed it, not before', async () => {
      const { store } = await open(2);
      await (0, storeSteps_1.append)(store, range(0n, 2n));
      await (0, storeSteps_1.append)(store, range(3n, 3n));
      const move = (lane, position) =>
        store.transaction(async (tx) => {
          await tx.lockLanes([lane]);
          await tx.setCheckpoints([lane], last(position), 0n);
        });
      const shown = async () => (await store.readFeed(0n)).map(({ feedNo }) => feedNo);
      (0, globals_1.expect)(await shown()).toEqual([]);
      await move(0, 3n);
      (0, globals_1.expect)(await shown()).toEqual([]);
      await move(1, 1n);
      (0, globals_1.expect)(await shown()).toEqual([]);
      await move(1, 2n);
      (0, globals_1.expect)(await shown()).toEqual([1n]);
      await move(1, 3n);
      (0, globals_1.expect)(await shown()).toEqual([1n, 2n]);
    });
    (0, globals_1.it)('tells what was taken back, to who was there and to who was away (R11)', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(store, range(0n, 2n));
      await (0, storeSteps_1.append)(store, range(3n, 4n));
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await store.readFeed(0n)).toHaveLength(2);
      await takeBackAfter(store, 3n);
      const changes = told(await store.readFeed(0n));
      (0, globals_1.expect)(changes[1]?.added).toEqual([added(events[2], 2n), added(events[3], 2n, 3n)]);
      (0, globals_1.expect)(changes[2]).toEqual({
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
    (0, globals_1.it)(
      'shows a range that was taken back before it was executed, as soon as what is left of it is executed',
      async () => {
        const { store } = await open(1);
        await (0, storeSteps_1.append)(store, range(0n, 2n));
        await (0, storeSteps_1.append)(store, range(3n, 5n));
        await takeBackAfter(store, 3n);
        // Of the second range block 3 is left, and waits for its lane.
        (0, globals_1.expect)(await store.readFeed(0n)).toEqual([]);
        await (0, storeSteps_1.executeLanes)(store);
        (0, globals_1.expect)(
          (await store.readFeed(0n)).map(({ feedNo, added: own }) => [feedNo, own.length]),
        ).toEqual([
          [1n, 2],
          [2n, 3],
          [3n, 0],
        ]);
        await (0, storeSteps_1.append)(store, range(4n, 5n));
        await takeBackAfter(store, 2n);
        // Nothing is left of the third range: nobody waits for it.
        (0, globals_1.expect)((await store.readFeed(3n)).map(({ feedNo, kind }) => [feedNo, kind])).toEqual([
          [4n, 'appended'],
          [5n, 'invalidated'],
        ]);
      },
    );
    (0, globals_1.it)(
      'tells late events with the ones they replace, released and skipped aggregates with their names',
      async () => {
        const { store } = await open(1);
        const script = (0, randomMarket_1.addPoison)(
          (0, marketEvents_1.createMarketScript)().listed('1').nextBlock(),
          '1',
        ).filled('1');
        const [listed, poison, filled] = script.events;
        await (0, storeSteps_1.append)(store, (0, fakeSubject_1.appendMessage)(script.events, 0n, 5n));
        await (0, storeSteps_1.executeLanes)(store);
        const key = { aggregateType: 'order', aggregateId: `${marketEvents_1.MARKET}:1` };
        const request = { ...key, actedBy: 'me', reason: 'because' };
        await (0, pipeline_1.retryParked)(changing(store), request);
        await (0, pipeline_1.skipParked)(changing(store), request);
        const other = { ...filled, data: { ...filled.data, price: 77n } };
        const change = { epoch: 1n, blocks: [], inserted: [], discovered: [] };
        await (0, pipeline_1.applyLateChange)(changing(store), {
          ...change,
          replaced: [other],
          retracted: [listed.seqNo],
        });
        // A retry that changed nothing is no change.
        const [appended, skipped, late] = told(await store.readFeed(0n));
        (0, globals_1.expect)(appended?.added).toEqual([
          added(listed, 1n, 3n),
          added(poison, 1n),
          added(filled, 1n, 3n),
        ]);
        (0, globals_1.expect)(skipped).toMatchObject({
          feedNo: 2n,
          kind: 'skipped',
          aggregate: key,
          fromSeqNo: poison.seqNo,
          added: [],
          retracted: [],
        });
        (0, globals_1.expect)(late).toMatchObject({
          feedNo: 3n,
          kind: 'late',
          epoch: 2n,
          fromSeqNo: listed.seqNo,
          toSeqNo: filled.seqNo,
          added: [added(other, 3n)],
          retracted: [added(listed, 1n, 3n), added(filled, 1n, 3n)],
        });
      },
    );
    (0, globals_1.it)('gives no more than is asked for, and one change at least', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(store, range(0n, 2n));
      await (0, storeSteps_1.append)(store, range(3n, 4n));
      await (0, storeSteps_1.append)(store, range(5n, 5n));
      await (0, storeSteps_1.executeLanes)(store);
      const numbers = async (limits) => (await store.readFeed(0n, limits)).map(({ feedNo }) => feedNo);
      (0, globals_1.expect)(await numbers({ changesMax: 2 })).toEqual([1n, 2n]);
      (0, globals_1.expect)(await numbers({ eventsMax: 1 })).toEqual([1n]);
      (0, globals_1.expect)(await numbers({ eventsMax: 2 })).toEqual([1n]);
      (0, globals_1.expect)(await numbers({ eventsMax: 3 })).toEqual([1n, 2n]);
      (0, globals_1.expect)(await numbers({ eventsMax: 5 })).toEqual([1n, 2n, 3n]);
    });
    (0, globals_1.it)('refuses a cursor that is beyond its end: it is of another database', async () => {
      const { store } = await open(1);
      await (0, storeSteps_1.append)(store, range(0n, 2n));
      await (0, globals_1.expect)(store.readFeed(2n)).rejects.toBeInstanceOf(pipeline_1.FeedGapError);
      (0, globals_1.expect)(await store.readFeed(1n)).toEqual([]);
    });
    (0, globals_1.it)(
      'has no gap and no order but that of commits, whoever writes at once, and whoever fails (E6)',
      async () => {
        const { store } = await open(2);
        const random = (0, seededRandom_1.seededRandom)(16);
        const commits = [];
        const turn = () => new Promise((resolve) => setImmediate(resolve));
        /** Appends the next position, or says that an aggregate was released; gives up at random. */
        const writeOnce = async () => {
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
                await store.prepareAppend(
                  (0, fakeSubject_1.appendMessage)([], nextPosition, nextPosition),
                  lastFeedNo + 1n,
                ),
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
            await writeOnce().catch((error) => (0, globals_1.expect)(error).toBeInstanceOf(RangeError));
        });
        // Needs no second connection: sixteen writers may have them all.
        const execute = () =>
          store.transaction(async (tx) => {
            const { ingested, epoch } = await tx.lockLanes([0, 1]);
            await tx.setCheckpoints([0, 1], ingested, epoch);
          });
        let cursor = 0n;
        const read = async () => {
          for (const { feedNo } of await store.readFeed(cursor, { changesMax: 7 })) {
            (0, globals_1.expect)(feedNo).toBe(cursor + 1n);
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
        (0, globals_1.expect)(commits).toEqual(commits.map((_feedNo, i) => BigInt(i + 1)));
        (0, globals_1.expect)(cursor).toBe((await store.progress()).lastFeedNo);
        (0, globals_1.expect)(cursor).toBe(BigInt(commits.length));
      },
    );
  });
  (0, globals_1.describe)(
    `${name}: any history of forks, late knowledge, releases, rewinds and failures`,
    () => {
      (0, globals_1.it)(
        'ends with the log, the tables and the readers of one clean pass over the last chain',
        async () => {
          await fast_check_1.default.assert(
            fast_check_1.default.asyncProperty(
              fast_check_1.default.record({
                seed: fast_check_1.default.nat(),
                lanes: fast_check_1.default.integer({ min: 1, max: 4 }),
                rounds: fast_check_1.default.integer({ min: 2, max: 20 }),
                faults: fast_check_1.default.constantFrom(0, 0.02, 0.06),
              }),
              async ({ lanes, ...options }) => {
                const { actual, expected } = await (0, anyHistory_1.liveThrough)(await open(lanes), options);
                (0, globals_1.expect)(actual).toEqual(expected);
              },
            ),
            { numRuns: runs },
          );
        },
        300_000,
      );
    },
  );
}
