import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { dump, query } from '../realdata/tables';
import { startLiveChain, type LiveChain } from './atTheHead';
import { createMarket, executedBlock, executedReaches, type Market, type Settings } from './market';
import type { Program } from './programs';
import { until } from './until';
import { pagesOf } from './workerPages';

/*
 * A chain that goes on by the clock, and processes that die, are stopped or stand still while they follow it. In the end the rows must
 * be those of one process that nothing has happened to.
 */

const SEED = 41;
/** Short, so that the test is; longer than this machine is busy. */
const LEASE_MS = 3_000;
/** What is promised, with the lease as it is by default. */
const TAKEOVER_MAX_MS = 10_000;

const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };

describe('processes that follow one chain', () => {
  let market: Market;
  let server: TestServer;
  let live: LiveChain;

  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
    live = await startLiveChain(SEED, 20);
  });
  afterAll(async () => {
    await live?.stop();
    await market?.close();
    await server?.stop();
  });

  const start = (url: string, settings: Settings = {}): Program =>
    market.startWorker(live.chain, url, settings);
  const ingested = async (url: string): Promise<number> => {
    const [row] = await query(url, 'SELECT next_position - 1 AS block FROM subjects');
    return Number(row?.['block']);
  };
  /** Who holds the lease, under which number. */
  const lease = async (url: string): Promise<{ fencing: number; isOver: boolean } | null> => {
    const [row] = await query(
      url,
      'SELECT fencing::int AS fencing, expires_at <= clock_timestamp() AS "isOver" FROM ingest_leases',
    );
    return (row as { fencing: number; isOver: boolean } | undefined) ?? null;
  };
  const isStandby = async (worker: Program): Promise<boolean> => {
    const { checks, status } = await (await pagesOf(worker)).get('/readyz');
    return status === 200 && String(checks['lease']?.detail).startsWith('standby');
  };
  const movesOn = async (url: string, worker: Program): Promise<number> => {
    const before = await executedBlock(url);
    const began = performance.now();
    await executedReaches(url, before + 1, worker);
    return performance.now() - began;
  };
  const stop = async (...workers: Program[]): Promise<void> => {
    for (const worker of workers) worker.kill('SIGTERM');
    for (const worker of workers)
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
  };

  /** When all have ended: the rows up to the last block that is in the log are those of an undisturbed process. */
  async function expectStraight(url: string, lanes = 1): Promise<void> {
    const last = await ingested(url);
    const settings = { END_BLOCK: last, LANES: lanes };
    for (const one of [url, (await server.createDatabase()).url]) {
      const worker = start(one, settings);
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
      if (one !== url) expect(await dump(url)).toEqual(await dump(one));
    }
    expect(Number((await query(url, 'SELECT count(*) AS n FROM activities'))[0]?.['n'])).toBeGreaterThan(50);
  }

  it('stand by while one reads, and take over within 10 s after its kill -9, with the settings as they are (Q15)', async () => {
    const { url } = await server.createDatabase();
    const first = start(url);
    await executedReaches(url, live.chain.startBlock, first);
    const second = start(url);
    await until('the second one stands by', () => isStandby(second));
    const pages = await pagesOf(second);
    expect(await pages.metric('standby')).toBe(1);
    expect(await pages.metric('lease_held')).toBe(0);
    expect(second.said()).toMatch(/"standing by: another process holds the lease"/);
    expect(await lease(url)).toEqual({ fencing: 1, isOver: false });

    first.kill('SIGKILL');
    await first.ended;
    const killed = performance.now();
    const at = await ingested(url);
    await until('the second one reads on', async () => (await ingested(url)) > at);
    const taken = performance.now() - killed;
    console.log(`taken over after ${Math.round(taken)} ms`);
    expect(taken).toBeLessThan(TAKEOVER_MAX_MS);
    expect(await lease(url)).toEqual({ fencing: 2, isOver: false });
    expect(await pages.metric('lease_fencing')).toBe(2);
    expect((await pages.get('/readyz')).checks['lease']?.detail).toBe(
      'reading the chain, under fencing number 2',
    );
    await movesOn(url, second);
    await stop(second);
    expect(await lease(url)).toEqual({ fencing: 2, isOver: true });
    await expectStraight(url);
  });

  it('give the lease back when they are asked to end: the next one reads on at once', async () => {
    const { url } = await server.createDatabase();
    // So long that only giving it back makes anybody read on within the test.
    const settings = { LEASE_MS: 600_000 };
    const first = start(url, { ...settings, ROLE: 'ingest' });
    const second = start(url, settings);
    await executedReaches(url, live.chain.startBlock, second);
    await until('one stands by', async () => (await isStandby(first)) || (await isStandby(second)));
    const [reader, other] = (await isStandby(first)) ? [second, first] : [first, second];
    const at = await ingested(url);
    await stop(reader);
    await until('the other one reads on', async () => (await ingested(url)) > at + 1);
    expect(await lease(url)).toEqual({ fencing: 2, isOver: false });
    await stop(other);
    await expectStraight(url);
  });

  it('find themselves fenced when they stood still for longer than the lease: they write nothing more, and stand by (Q15)', async () => {
    const { url } = await server.createDatabase();
    const settings = { LEASE_MS };
    const paused = start(url, settings);
    await executedReaches(url, live.chain.startBlock, paused);
    const second = start(url, settings);
    await until('the second one stands by', () => isStandby(second));
    for (let fencing = 2; fencing <= 3; fencing++) {
      // Each in turn: whoever reads is stopped in the middle of it, and goes on when the other one has taken over.
      const [reader, other] = fencing === 2 ? [paused, second] : [second, paused];
      const at = await ingested(url);
      reader.kill('SIGSTOP');
      await until('the other one has taken over', async () => (await lease(url))?.fencing === fencing);
      await until('the other one reads on', async () => (await ingested(url)) > at + 1);
      reader.kill('SIGCONT');
      await until('the one that stood still stands by', () => isStandby(reader));
      expect(reader.said()).toMatch(/"another process has taken over; standing by"/);
      expect(await (await pagesOf(reader)).metric('session_restarts_total', 'code="FENCED"')).toBe(1);
      await movesOn(url, other);
    }
    await stop(paused, second);
    await expectStraight(url);
  });

  it('are waited for no longer than the lease when they stand still in the middle of a transaction', async () => {
    const { url } = await server.createDatabase();
    const settings = { LEASE_MS };
    const paused = start(url, settings);
    await executedReaches(url, live.chain.startBlock, paused);
    const second = start(url, settings);
    await until('the second one stands by', () => isStandby(second));
    // Stopped at random moments, until one is inside a transaction that has the subject's row: nobody else gets the row then.
    const { holder } = (await query(url, 'SELECT holder FROM ingest_leases'))[0] as { holder: string };
    await pausedInside(url, holder, paused);
    const at = await ingested(url);
    await until('the second one reads on', async () => (await ingested(url)) > at);
    paused.kill('SIGCONT');
    await until('the one that stood still stands by', () => isStandby(paused));
    await movesOn(url, second);
    await stop(paused, second);
    await expectStraight(url);
  });

  it('execute on within 10 s after the kill -9 of one that executes, whatever jobs it had (Q2, E21)', async () => {
    const { url } = await server.createDatabase();
    const LANES = 3;
    const reader = start(url, { ROLE: 'ingest', LANES });
    let appliers = [0, 1].map(() => start(url, { ...APPLY, LANES }));
    await executedReaches(url, live.chain.startBlock, reader);
    for (let round = 0; round < 3; round++) {
      const [victim, survivor] = appliers as [Program, Program];
      await movesOn(url, reader);
      victim.kill('SIGKILL');
      await victim.ended;
      const at = await ingested(url);
      const killed = performance.now();
      await executedReaches(url, at + 1, reader);
      expect(performance.now() - killed).toBeLessThan(TAKEOVER_MAX_MS);
      appliers = [survivor, start(url, { ...APPLY, LANES })];
    }
    // All of them at once: what was appended meanwhile waits in the log.
    for (const applier of appliers) applier.kill('SIGKILL');
    await Promise.all(appliers.map((applier) => applier.ended));
    const waiting = await ingested(url);
    await until('the log goes on', async () => (await ingested(url)) > waiting + 1);
    const last = start(url, { ...APPLY, LANES });
    const began = performance.now();
    await executedReaches(url, waiting + 1, last);
    expect(performance.now() - began).toBeLessThan(TAKEOVER_MAX_MS);
    await stop(reader, last);
    await expectStraight(url, LANES);
  });
});

/** Stops a process while its transaction has the subject's row locked. */
async function pausedInside(url: string, holder: string, worker: Program): Promise<void> {
  await until('it is stopped inside a transaction that holds the lock', async () => {
    worker.kill('SIGSTOP');
    const rows = await query(
      url,
      `SELECT FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
       WHERE a.application_name = '${holder}' AND a.xact_start IS NOT NULL AND l.relation = 'subjects'::regclass
         AND l.mode = 'RowShareLock'`,
    );
    if (rows.length > 0) return true;
    worker.kill('SIGCONT');
    return false;
  });
}
