import { describeMet, runHistory, type HistoryOptions } from './history';
import { randomHistoryOf } from './profiles';
import type { Role } from './world';

const tell = (text: string): void => void process.stdout.write(`${text}\n`);

describe('histories of many seeds', () => {
  /** Histories of consecutive seeds, changed; what they were, in sums. */
  async function runSeeds(
    from: number,
    count: number,
    change: (options: HistoryOptions) => HistoryOptions,
  ): Promise<{
    met: number;
    forks: number;
    told: number;
    events: number;
    sent: number;
    lost: number;
    delivered: number;
    starts: number;
  }> {
    const sums = { met: 0, forks: 0, told: 0, events: 0, sent: 0, lost: 0, delivered: 0, starts: 0 };
    for (let seed = from; seed < from + count; seed++) {
      const result = await runHistory(change(randomHistoryOf(seed)));
      expect([seed, describeMet(result), result.differences]).toEqual([seed, describeMet(result), []]);
      sums.met += result.met.length;
      sums.forks += result.forks;
      sums.told += result.told;
      sums.events += result.events;
      sums.starts += result.starts;
      sums.sent += result.queue.sent;
      sums.lost += result.queue.lost + result.queue.flushed;
      sums.delivered += result.queue.delivered;
    }
    tell(`seeds ${from} to ${from + count - 1}: ${JSON.stringify(sums)}`);
    return sums;
  }

  /** With these processes only, and nothing that only others would find. */
  const withRoles = (options: HistoryOptions, roles: readonly Role[]): HistoryOptions => ({
    ...options,
    roles,
    chain: { ...options.chain, omitted: 0 },
  });

  it('does not mind wake-ups that are lost, doubled, late or in another order, nor a flushed queue (Q2, Q3, Q4, Q5)', async () => {
    const worst = { lost: 0.3, duplicated: 0.6, delayTurnsMax: 120, flushed: 0.2, redelivered: 1 };
    const roles: Role[] = ['ingest', 'apply', 'apply'];
    const { sent, lost, delivered } = await runSeeds(100, 40, (options) => ({
      ...withRoles(options, roles),
      queue: worst,
    }));
    expect(lost).toBeGreaterThan(sent / 10);
    expect(delivered).toBeGreaterThan(0);
    const none = await runSeeds(200, 20, (options) => ({ ...options, queue: { ...worst, lost: 1 } }));
    expect(none.delivered).toBe(0);
  }, 300_000);

  it('lets one of two ingesters work, and the other one take over, at any moment (Q15)', async () => {
    const roles: Role[] = ['ingest', 'ingest', 'apply'];
    const { starts, met } = await runSeeds(300, 60, (options) => ({
      ...withRoles(options, roles),
      faultChance: 0.03,
    }));
    expect(met).toBeGreaterThan(100);
    expect(starts).toBeGreaterThan(60 * 3);
  }, 300_000);

  it('brings every reader of the feed to the final log, also one that was away while its events were retracted (R11)', async () => {
    const { told, events, forks } = await runSeeds(400, 60, (options) => ({
      ...options,
      chain: { ...options.chain, forkChance: 0.5 },
    }));
    expect(forks).toBeGreaterThan(100);
    // Both readers were told of events that are in the log no more.
    expect(told).toBeGreaterThan(2 * events);
  }, 300_000);
});
