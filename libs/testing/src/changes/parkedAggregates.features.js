'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.describeParkedAggregates = describeParkedAggregates;
const globals_1 = require('@jest/globals');
const core_1 = require('@imart/core');
const market_1 = require('@imart/market');
const pipeline_1 = require('@imart/pipeline');
const marketEvents_1 = require('../marketEvents');
const randomMarket_1 = require('../randomMarket');
const storeSteps_1 = require('../storeSteps');
const steps_1 = require('./steps');
/** The contract of retrying and skipping what was set aside. */
function describeParkedAggregates(name, features) {
  const { open } = features;
  (0, globals_1.describe)(`${name}: parked aggregates`, () => {
    const by = { actedBy: 'an operator', reason: 'because' };
    /** Order 1 is listed, poisoned, sold, poisoned again and cancelled; order 2 lives on. */
    const poisoned = () => {
      const script = (0, randomMarket_1.addPoison)(
        (0, marketEvents_1.createMarketScript)().listed('1').listed('2').nextBlock(),
        '1',
      ).filled('1');
      return (0, randomMarket_1.addPoison)(script.nextBlock().filled('2'), '1').nextBlock().cancelled('1');
    };
    const poisonOf = (events) =>
      events.filter(
        ({ name, aggregateType }) => name === 'TokenMinted' && aggregateType === market_1.AGGREGATE.order,
      );
    (0, globals_1.it)(
      'are folded on in order when they are retried after the program was mended (Q18)',
      async () => {
        const { events } = poisoned();
        const { store, contents, kept } = await (0, steps_1.filled)(features, events, { lanes: 3 });
        const [first, second] = poisonOf(events);
        (0, globals_1.expect)(
          await (0, pipeline_1.retryParked)((0, steps_1.changing)(store, steps_1.MENDED), {
            ...(0, steps_1.orderKey)('1'),
            ...by,
          }),
        ).toEqual({
          kind: 'released',
          fromSeqNo: first.seqNo,
          parked: null,
        });
        const rest = events.filter((event) => event !== first && event !== second);
        (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(rest));
        (0, globals_1.expect)((await kept()).parkActions).toEqual([
          {
            ...(0, steps_1.orderKey)('1'),
            fromSeqNo: first.seqNo,
            action: 'retry',
            outcome: 'released',
            ...by,
          },
        ]);
        (0, globals_1.expect)((await store.progress()).epoch).toBe(1n);
      },
    );
    (0, globals_1.it)(
      'that fail at the same event again stay as they are; that it was tried is kept',
      async () => {
        const { events } = poisoned();
        const { store, contents, kept } = await (0, steps_1.filled)(features, events);
        const [before, progress, since] = [await contents(), await store.progress(), (await kept()).parkedAt];
        const [first] = poisonOf(events);
        const again = { ...(0, steps_1.orderKey)('1'), actedBy: 'an operator', reason: null };
        (0, globals_1.expect)(
          await (0, pipeline_1.retryParked)((0, steps_1.changing)(store), again),
        ).toMatchObject({
          kind: 'unchanged',
          parked: { fromSeqNo: first?.seqNo, code: 'UNEXPECTED_EVENT' },
        });
        (0, globals_1.expect)(await contents()).toEqual(before);
        (0, globals_1.expect)(await store.progress()).toEqual(progress);
        (0, globals_1.expect)((await kept()).parkedAt).toEqual(since);
        (0, globals_1.expect)((await kept()).parkActions).toMatchObject([
          { action: 'retry', outcome: 'unchanged' },
        ]);
      },
    );
    (0, globals_1.it)(
      'go on without an event that is skipped, to the next one that fails (Q18)',
      async () => {
        const { events } = poisoned();
        const { store, contents, kept } = await (0, steps_1.filled)(features, events);
        const [first, second] = poisonOf(events);
        (0, globals_1.expect)(
          await (0, pipeline_1.skipParked)((0, steps_1.changing)(store), {
            ...(0, steps_1.orderKey)('1'),
            ...by,
          }),
        ).toMatchObject({
          kind: 'parked-again',
          fromSeqNo: first.seqNo,
          parked: { fromSeqNo: second.seqNo },
        });
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(events.filter((event) => event !== first)),
        );
        (0, globals_1.expect)(
          await (0, pipeline_1.skipParked)((0, steps_1.changing)(store), {
            ...(0, steps_1.orderKey)('1'),
            ...by,
          }),
        ).toMatchObject({
          kind: 'released',
          fromSeqNo: second.seqNo,
          parked: null,
        });
        const rest = events.filter((event) => event !== first && event !== second);
        (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(rest));
        (0, globals_1.expect)((await kept()).skipped).toEqual([first.seqNo, second.seqNo]);
        (0, globals_1.expect)((await kept()).parkActions).toMatchObject([
          { action: 'skip', outcome: 'parked-again', ...by },
          { action: 'skip', outcome: 'released', ...by },
        ]);
        // They stay in the log; no fold takes them up again.
        (0, globals_1.expect)((await store.rangeEvents(0n, 30n)).events).toEqual(events);
        (0, globals_1.expect)(
          await store.transaction((tx) => tx.readRun(0, core_1.BEFORE_FIRST, (0, steps_1.at)(30n), 100)),
        ).toEqual(rest);
        const missed = (0, steps_1.movedTo)(
          (0, marketEvents_1.createMarketScript)().priceChanged('1').events[0],
          1n,
          9,
        );
        await (0, steps_1.applyLate)(store, { inserted: [missed] });
        const whole = [...rest, missed].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
        (0, globals_1.expect)(await contents()).toEqual(
          await (0, storeSteps_1.contentsOfStraightFold)(whole),
        );
      },
    );
    (0, globals_1.it)('whose event could not be decoded are released by skipping it', async () => {
      const script = (0, marketEvents_1.createMarketScript)().listed('1');
      const undecodable = {
        ...(0, steps_1.movedTo)(script.events[0], 2n, 0),
        aggregateType: core_1.UNDECODABLE_AGGREGATE,
        aggregateId: '5',
        name: core_1.UNDECODABLE,
        data: { reason: 'truncated data', raw: '{}' },
      };
      const events = [...script.events, undecodable];
      const { store, contents } = await (0, steps_1.filled)(features, events);
      const key = { aggregateType: core_1.UNDECODABLE_AGGREGATE, aggregateId: '5' };
      (0, globals_1.expect)(
        await (0, pipeline_1.retryParked)((0, steps_1.changing)(store), { ...key, ...by }),
      ).toMatchObject({ kind: 'unchanged' });
      (0, globals_1.expect)(
        await (0, pipeline_1.skipParked)((0, steps_1.changing)(store), { ...key, ...by }),
      ).toMatchObject({ kind: 'released' });
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)(script.events),
      );
    });
    (0, globals_1.it)('are folded no further than their lane has come', async () => {
      const { events } = poisoned();
      const { store, contents } = await open(1);
      for (const message of (0, steps_1.blockByBlock)(events, 9n))
        await (0, storeSteps_1.append)(store, message);
      await (0, steps_1.executeUpTo)(store, [(0, steps_1.at)(2n)]);
      (0, globals_1.expect)(
        await (0, pipeline_1.skipParked)((0, steps_1.changing)(store), {
          ...(0, steps_1.orderKey)('1'),
          ...by,
        }),
      ).toMatchObject({
        kind: 'released',
      });
      const [first] = poisonOf(events);
      const rest = events.filter((event) => event !== first);
      (0, globals_1.expect)(await contents()).toEqual(
        await (0, storeSteps_1.contentsOfStraightFold)((0, steps_1.upTo)(rest, 2n)),
      );
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(rest));
    });
    (0, globals_1.it)('that nobody has parked are not there to be released', async () => {
      const { store } = await (0, steps_1.filled)(features, poisoned().events);
      const before = await store.progress();
      for (const release of [pipeline_1.retryParked, pipeline_1.skipParked])
        (0, globals_1.expect)(
          await release((0, steps_1.changing)(store), { ...(0, steps_1.orderKey)('2'), ...by }),
        ).toEqual({ kind: 'not-parked' });
      (0, globals_1.expect)(await store.progress()).toEqual(before);
    });
    (0, globals_1.it)('forget a skip whose event is taken back: what comes at its place counts', async () => {
      const { events } = poisoned();
      const { store, contents, kept } = await (0, steps_1.filled)(features, events, { toPosition: 4n });
      await (0, pipeline_1.skipParked)((0, steps_1.changing)(store), {
        ...(0, steps_1.orderKey)('1'),
        ...by,
      });
      await (0, steps_1.takeBack)(store, 1n);
      (0, globals_1.expect)((await kept()).skipped).toEqual([]);
      for (const message of (0, steps_1.blockByBlock)(events, 4n, 2n))
        await (0, storeSteps_1.append)(store, message);
      await (0, storeSteps_1.executeLanes)(store);
      (0, globals_1.expect)(await contents()).toEqual(await (0, storeSteps_1.contentsOfStraightFold)(events));
    });
  });
}
