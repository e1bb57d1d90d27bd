import { enumerateFaults } from './enumerate';
import { describePoint } from './faultPoints';
import { describeMet, runHistory } from './history';
import { plainHistoryOf, randomHistoryOf } from './profiles';

/** Small: every change of the engine is tried with it. The whole enumeration is part of `npm run test:faults`. */
const SMALL = plainHistoryOf(11, 'engine', ['all'], 3);

describe('the simulation', () => {
  it('gives the same history for the same seed, point by point', async () => {
    const options = { ...randomHistoryOf(5), faultChance: 0.02 };
    const first = await runHistory(options);
    const second = await runHistory(options);
    expect(first.met.length).toBeGreaterThan(0);
    expect(second).toEqual(first);
    const other = await runHistory({ ...options, seed: 6 });
    expect(other.points.map(describePoint)).not.toEqual(first.points.map(describePoint));
  });

  it('goes by no real clock, whatever the worker measures', async () => {
    // Processes of the app decide by time when a lane looks at the log again: here, each time differently.
    for (const seed of [400, 411, 423, 431]) {
      const options = randomHistoryOf(seed);
      const [first, second] = [await runHistory(options), await runHistory(options)];
      expect([seed, second.points.map(describePoint)]).toEqual([seed, first.points.map(describePoint)]);
    }
  });

  it('passes the calls of ingest, of lanes and of catching up, before and after each', async () => {
    const seen = new Set<string>();
    for (const roles of [['all'], ['ingest', 'apply']] as const) {
      const { points } = await runHistory(plainHistoryOf(3, 'engine', roles, 20));
      for (const { call, moment } of points) seen.add(`${moment} ${call}`);
    }
    const calls = [
      'store.resumePoint',
      'store.progress',
      'store.parked',
      'store.loadStates',
      'store.prepareAppend',
      'store.prepareRun',
      'store.heartbeat',
      'store.fateOf',
      'transaction.lockIngest',
      'transaction.lockLanes',
      'transaction.append',
      'transaction.readRun',
      'transaction.writeRun',
      'transaction.setCheckpoints',
      'transaction.finalize',
      'transaction.commit',
      'queue.send',
      'leases.acquire',
      'subject.range',
    ];
    const missing = calls
      .flatMap((call) => [`before ${call}`, `after ${call}`])
      .filter((one) => !seen.has(one));
    expect(missing).toEqual([]);
  });

  it('ends with the tables of one clean pass after a crash before and after every port call of a small history (Q1)', async () => {
    const { points, histories, failed } = await enumerateFaults(SMALL, ['crash']);
    expect(failed.map(({ result }) => [describeMet(result), result.differences])).toEqual([]);
    expect(histories).toBe(points.length);
    expect(points.length).toBeGreaterThan(100);
  });
});
