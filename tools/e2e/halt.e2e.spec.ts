import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { dump, query } from '../realdata/tables';
import { startLiveChain, startSteppedChain, type LiveChain } from './atTheHead';
import { lock } from './lock';
import {
  createMarket,
  executedBlock,
  executedReaches,
  type Chain,
  type Market,
  type Settings,
} from './market';
import type { Program } from './programs';
import { until } from './until';
import { pagesOf } from './workerPages';

/* What an operator has to decide, and what an operator has to see: a chain that stands still, progress that has ended. */

const SEED = 51;
const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };

describe('a worker whose chain', () => {
  let market: Market;
  let server: TestServer;
  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
  });
  afterAll(async () => {
    await market?.close();
    await server?.stop();
  });

  const stop = async (...workers: Program[]): Promise<void> => {
    for (const worker of workers) worker.kill('SIGTERM');
    for (const worker of workers)
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
  };
  const ingested = async (url: string): Promise<number> =>
    Number((await query(url, 'SELECT next_position - 1 AS block FROM subjects'))[0]?.['block']);

  async function expectStraight(chain: Chain, url: string): Promise<void> {
    const last = await ingested(url);
    for (const one of [url, (await server.createDatabase()).url]) {
      const worker = market.startWorker(chain, one, { END_BLOCK: last });
      expect([await worker.ended, worker.said()]).toMatchObject([{ code: 0 }, {}]);
      if (one !== url) expect(await dump(url)).toEqual(await dump(one));
    }
  }

  describe('goes on by the clock', () => {
    let live: LiveChain;
    beforeAll(async () => {
      live = await startLiveChain(SEED, 20);
    });
    afterAll(() => live?.stop());

    it('stands still lives on, red, applies nothing in any process, over restarts too, and goes on by itself when it is cleared', async () => {
      const { url } = await server.createDatabase();
      const reader = market.startWorker(live.chain, url, { ROLE: 'ingest' });
      await until('there is enough to spoil', async () => {
        const rows = await query(url, 'SELECT DISTINCT aggregate_id FROM event_log LIMIT 40').catch(() => []);
        return rows.length === 40;
      });
      // Events of many aggregates that no version can read: more than may be parked.
      await query(
        url,
        `CREATE TABLE kept AS SELECT seq_no, data FROM event_log;
         UPDATE event_log SET data = '"spoiled"' WHERE seq_no IN (SELECT seq_no FROM kept ORDER BY seq_no LIMIT 30)`,
      );
      const settings = { ...APPLY, PARKED_AGGREGATES_MAX: 2 };
      let applier = market.startWorker(live.chain, url, settings);
      await applier
        .line((text) => text.includes('"standing still'), 'that it stands still')
        .catch(() => undefined);
      await until(
        'the halt is stored',
        async () =>
          (await query(url, 'SELECT halt_code FROM subjects'))[0]?.['halt_code'] === 'TOO_MANY_PARKED',
      );

      for (const round of ['as it happened', 'after a restart']) {
        for (const worker of [applier, reader]) {
          const pages = await pagesOf(worker);
          await until(
            `both are red, ${round}`,
            async () => (await pages.get('/readyz')).checks['halt']?.ok === false,
          );
          const red = {
            ok: false,
            detail: expect.stringMatching(/stands still \(TOO_MANY_PARKED\): .*PARKED/),
          };
          expect(await pages.get('/readyz')).toMatchObject({ status: 503, checks: { halt: red } });
          expect(await pages.get('/progress')).toMatchObject({ status: 503, checks: { halt: red } });
          expect((await pages.get('/healthz')).status).toBe(200);
          await until('the metric tells it', async () => (await pages.metric('halted')) === 1);
        }
        const [log, states] = [await ingested(url), await executedBlock(url)];
        const head = await headOf(live.chain);
        await until('the chain goes on', async () => (await headOf(live.chain)) > head + 2);
        expect([await ingested(url), await executedBlock(url)]).toEqual([log, states]);
        expect(await query(url, 'SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 0 }]);
        expect([reader.isRunning(), applier.isRunning()]).toEqual([true, true]);
        if (round === 'as it happened') {
          await stop(applier);
          applier = market.startWorker(live.chain, url, settings);
        }
      }

      const api = market.start('api', [], { DATABASE_URL: url, API_PORT: 0, LOG_DIR: market.directory });
      const line = await api.line((text) => text.includes('"listening"'), 'the line of where it listens');
      const { address } = JSON.parse(line) as { address: string };
      const answer = await fetch(`${address}/v1/orders`);
      expect([answer.status, answer.headers.get('x-imart-stale')]).toEqual([200, 'eip155:31337;halted']);
      api.kill('SIGTERM');
      await api.ended;

      await query(
        url,
        `UPDATE event_log e SET data = kept.data FROM kept WHERE kept.seq_no = e.seq_no;
         DROP TABLE kept;
         UPDATE subjects SET halt_code = NULL, halt_message = NULL, halted_at = NULL`,
      );
      const at = await ingested(url);
      await executedReaches(url, at + 2, applier);
      for (const worker of [applier, reader]) {
        const pages = await pagesOf(worker);
        await until('both are green again', async () => (await pages.get('/readyz')).status === 200);
        expect((await pages.get('/progress')).status).toBe(200);
        expect(worker.said()).toMatch(/"going on: the halt is cleared"/);
      }
      await stop(reader, applier);
      await expectStraight(live.chain, url);
    });

    it('moves while the log or a lane does not is told so on /progress, and ready all the same', async () => {
      const { url } = await server.createDatabase();
      const worker = market.startWorker(live.chain, url, { PROGRESS_STALL_MS: 1_000 });
      await executedReaches(url, live.chain.startBlock, worker);
      const pages = await pagesOf(worker);
      expect((await pages.get('/progress')).status).toBe(200);
      const locked = await lock(url, 'SELECT FROM checkpoints FOR UPDATE');
      await until('the lanes are missed', async () => {
        const { status, checks } = await pages.get('/progress');
        return status === 503 && checks['executed']?.ok === false && checks['ingested']?.ok === true;
      });
      expect(await pages.metric('progress_stalled', 'what="executed"')).toBe(1);
      expect((await pages.get('/readyz')).status).toBe(200);
      await locked.release();
      await until('all moves again', async () => (await pages.get('/progress')).status === 200);
      const log = await lock(url, 'LOCK TABLE blocks IN EXCLUSIVE MODE');
      await until('the log is missed', async () => {
        const { status, checks } = await pages.get('/progress');
        return status === 503 && checks['ingested']?.ok === false;
      });
      await log.release();
      await until('all moves again', async () => (await pages.get('/progress')).status === 200);
      await stop(worker);
      await expectStraight(live.chain, url);
    });
  });

  it('makes no block for long is told so on /progress (P13)', async () => {
    const stepped = await startSteppedChain({}, SEED);
    try {
      const { url } = await server.createDatabase();
      const worker = market.startWorker(stepped.chain, url, { HEAD_STALL_MS: 1_500 });
      await executedReaches(url, stepped.chain.startBlock, worker);
      const pages = await pagesOf(worker);
      await until('the head is missed', async () => (await pages.get('/progress')).status === 503);
      expect((await pages.get('/progress')).checks).toMatchObject({
        head: { ok: false, detail: expect.stringContaining('the source tells of no block beyond') },
        ingested: { ok: true },
        executed: { ok: true },
      });
      await stepped.trade(1, 1, worker, url);
      await until('it is there', async () => (await pages.get('/progress')).status === 200);
      await stop(worker);
    } finally {
      await stepped.stop();
    }
  });
});

async function headOf(chain: Chain): Promise<number> {
  const answer = await fetch(chain.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}',
  });
  return Number(((await answer.json()) as { result: string }).result);
}
