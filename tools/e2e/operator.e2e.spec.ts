import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { openTraffic, runTraffic, startDevnet, type Devnet, type Expected } from '../devnet/src';
import { dump, query } from '../realdata/tables';
import { ROOT } from './bundles';
import { chainOf, createMarket, executedReaches, type Chain, type Market } from './market';
import { runStraight, type StraightRun } from './straightRun';
import { until } from './until';
import { pagesOf } from './workerPages';

/* What an operator does by hand: aggregates that were set aside, a chain that has to go back, a chain that stands still. */

interface Said {
  readonly code: number | null;
  readonly said: string;
}

describe('imart', () => {
  let market: Market;
  let server: TestServer;
  let devnet: Devnet;
  let chain: Chain;
  let expected: Expected;
  let straight: StraightRun;

  beforeAll(async () => {
    market = createMarket();
    server = await startTestServer();
    devnet = await startDevnet();
    expected = await runTraffic(devnet, { seed: 12, actions: 240, perBlock: 6 });
    chain = chainOf(devnet);
    straight = await runStraight(market, server, chain, expected);
  });
  afterAll(async () => {
    await market?.close();
    await devnet?.stop();
    await server?.stop();
  });

  /** Commands know of no chain but the database's: no endpoint is given to them. */
  const imart = async (url: string, ...args: string[]): Promise<Said> => {
    const program = market.start('imart', args, { DATABASE_URL: url });
    const { code } = await program.ended;
    return { code, said: program.said() };
  };
  const jsonOf = async <T>(url: string, ...args: string[]): Promise<T> => {
    const { said } = await imart(url, ...args, '--json');
    return JSON.parse(said) as T;
  };

  describe('rewind', () => {
    interface Plan {
      readonly done: boolean;
      readonly nextBlock: string;
      readonly blocks: string;
      readonly events: string;
      readonly belowFinality: boolean;
      readonly activities: Readonly<Record<string, string>>;
      readonly halt: { readonly code: string } | null;
    }

    it('tells what it would remove, whether it goes below finality, and changes nothing without --yes', async () => {
      const url = await straight.copy();
      const before = await query(url, 'SELECT * FROM subjects');
      const [stored] = await query(
        url,
        `SELECT (SELECT count(*) FROM event_log WHERE seq_no >> 31 > ${chain.startBlock + 9})::text AS events,
           (SELECT count(*) FROM activities WHERE block_number > ${chain.startBlock + 9})::text AS activities`,
      );
      const to = String(chain.startBlock + 9);
      const { code, said } = await imart(url, 'rewind', '--to-block', to);
      expect(code).toBe(0);
      expect(said).toContain(`eip155:${chain.chainId} goes back from block ${expected.lastBlock} to block `);
      expect(said).toContain('BELOW FINALITY');
      expect(said).toMatch(/events +\d+ \(.*\d+ order/);
      expect(said).toMatch(/nothing was changed; --yes does it\n$/);
      const plan = await jsonOf<Plan>(url, 'rewind', '--to-block', to);
      expect(plan).toMatchObject({
        done: false,
        belowFinality: true,
        halt: null,
        events: stored?.['events'],
      });
      const activities = Object.values(plan.activities).reduce((sum, count) => sum + Number(count), 0);
      expect(String(activities)).toBe(stored?.['activities']);
      expect(Number(plan.blocks)).toBe(expected.lastBlock - Number(plan.nextBlock) + 1);
      expect(await query(url, 'SELECT * FROM subjects')).toEqual(before);
      expect(await dump(url)).toEqual(straight.tables);
    });

    it('takes a chain back, and a worker reads it again: the tables are those of an undisturbed run', async () => {
      const url = await straight.copy();
      const why = ['--reason', 'the chain took it back', '--by', 'ada'];
      const done = await imart(url, 'rewind', '--to-block', String(chain.startBlock + 9), '--yes', ...why);
      expect(done).toMatchObject({ code: 0, said: expect.stringContaining('done: ') });
      expect(done.said).toMatch(
        /an operator took the log back.*"actedBy":"ada","reason":"the chain took it back"/,
      );
      const history = await imart(url, 'history');
      expect(history).toMatchObject({
        code: 0,
        said: expect.stringMatching(
          /^when .*\n-.*\n\S+Z +eip155:31337 +ada +rewind to \d+ +[1-9]\d* events taken back, read again from \d+ on +the chain took it back\n$/,
        ),
      });
      const [left] = await query(url, 'SELECT max(seq_no >> 31)::text AS block FROM event_log');
      expect(Number(left?.['block'])).toBeLessThanOrEqual(chain.startBlock + 9);
      expect(await dump(url)).not.toEqual(straight.tables);
      await market.runWorker(chain, url, expected);
      expect(await dump(url)).toEqual(straight.tables);
    });

    it('works beside a worker, which reads on from there by itself', async () => {
      const url = await straight.copy();
      const worker = market.startWorker(chain, url);
      const pages = await pagesOf(worker);
      await until('it follows', async () => (await pages.get('/readyz')).status === 200);
      for (const back of [3, 25]) {
        const to = String(expected.lastBlock - back);
        const { code, said } = await imart(url, 'rewind', '--to-block', to, '--yes');
        expect([code, said]).toEqual([0, expect.stringContaining('done: ')]);
        await executedReaches(url, expected.lastBlock, worker);
        await until(
          'everything is as it was',
          async () => JSON.stringify(await dump(url)) === JSON.stringify(straight.tables),
        );
      }
      expect(worker.isRunning()).toBe(true);
      worker.kill('SIGTERM');
      expect((await worker.ended).code).toBe(0);
    });

    const hasTerminals = spawnSync('script', ['--version']).status === 0;
    (hasTerminals ? it : it.skip).each([
      ['no', 'no', /nothing was changed/, true],
      ['Ctrl-C', '\u0003', /nothing was changed/, true],
      ['yes', 'yes', /done: \d+ events/, false],
    ] as const)('asks on a terminal, and takes %s for an answer', async (_name, answer, says, isKept) => {
      const url = await straight.copy();
      const command = `${process.execPath} --import tsx apps/imart/src/main.ts rewind --to-block ${chain.startBlock + 9}`;
      const terminal = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: ROOT,
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: url,
          TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.base.json'),
        },
        stdio: ['pipe', 'pipe', 'inherit'],
        // At its end it signals its whole process group.
        detached: true,
      });
      const late = setTimeout(() => terminal.kill('SIGKILL'), 60_000);
      let said = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        const asked = said.includes('Type yes: ');
        said += chunk.toString();
        if (!asked && said.includes('Type yes: ')) terminal.stdin.write(`${answer}\n`);
      });
      const [code] = (await once(terminal, 'close')) as [number | null];
      clearTimeout(late);
      expect([code, said]).toEqual([0, expect.stringMatching(says)]);
      const same = JSON.stringify(await dump(url)) === JSON.stringify(straight.tables);
      expect(same).toBe(isKept);
    });

    it.each<[string[], RegExp]>([
      [[], /--to-block is missing/],
      [['--to-block', 'ten'], /must be a block number, got 'ten'/],
      [['--to-block', '99999999'], /the log of eip155:31337 ends at block \d+/],
      [
        ['--to-block', '3', '--subject', 'eip155:5'],
        /there is no chain eip155:5 in the database; it has eip155:31337/,
      ],
      [['--to-block', '3', '--really'], /--really/],
    ])('refuses what it cannot do, and says why: %j', async (args, problem) => {
      const { code, said } = await imart(straight.url, 'rewind', ...args);
      expect([code, said]).toEqual([2, expect.stringMatching(problem)]);
      expect(said).toContain('imart rewind --subject ID --to-block N');
    });

    it('mends a chain that took back what was final: the worker stands still, and goes on by itself (R7)', async () => {
      const own = await startDevnet();
      try {
        const traffic = await openTraffic(own, 77);
        const trade = async (blocks: number): Promise<void> => {
          for (let block = 0; block < blocks; block++) {
            await traffic.submit(4, false);
            await own.mine();
            while (traffic.pending > 0) await traffic.confirm();
          }
        };
        await trade(30);
        const { url } = await server.createDatabase();
        const worker = market.startWorker(chainOf(own), url);
        const head = Number(await own.rpc.call<string>('eth_blockNumber'));
        await executedReaches(url, head, worker);
        // Finality lags eight blocks on this chain.
        await own.rpc.call('anvil_reorg', 16, []);
        await own.mine();
        await until(
          'it stands still',
          async () =>
            (await query(url, 'SELECT halt_code FROM subjects'))[0]?.['halt_code'] === 'REORG_TOO_DEEP',
        );
        const pages = await pagesOf(worker);
        await until('it is red', async () => (await pages.get('/readyz')).checks['halt']?.ok === false);
        const tables = await dump(url);

        const to = String(head - 17);
        const plan = await jsonOf<Plan>(url, 'rewind', '--to-block', to);
        expect(plan).toMatchObject({ done: false, belowFinality: true, halt: { code: 'REORG_TOO_DEEP' } });
        const told = await imart(url, 'rewind', '--to-block', to);
        expect(told.said).toContain('The chain stands still (REORG_TOO_DEEP: ');
        expect(await dump(url)).toEqual(tables);

        expect((await imart(url, 'rewind', '--to-block', to, '--yes')).code).toBe(0);
        const now = Number(await own.rpc.call<string>('eth_blockNumber'));
        await until('it is green again', async () => (await pages.get('/readyz')).status === 200);
        await executedReaches(url, now, worker);
        worker.kill('SIGTERM');
        expect((await worker.ended).code).toBe(0);

        const clean = (await server.createDatabase()).url;
        for (const one of [url, clean]) {
          const run = market.startWorker(chainOf(own), one, { END_BLOCK: now });
          expect([(await run.ended).code, run.said()]).toEqual([0, expect.any(String)]);
        }
        expect(await dump(url)).toEqual(await dump(clean));
      } finally {
        await own.stop();
      }
    });
  });

  describe('resume', () => {
    it('lets a chain that stands still go on, and says what had stopped it; not in the middle of a rewind', async () => {
      const url = await straight.copy();
      const halt = (code: string): Promise<unknown> =>
        query(
          url,
          `UPDATE subjects SET halt_code = '${code}', halt_message = 'of a test', halted_at = now()`,
        );
      expect(await imart(url, 'resume')).toEqual({ code: 0, said: 'eip155:31337 does not stand still\n' });
      await halt('REWINDING');
      expect(await imart(url, 'resume')).toMatchObject({
        code: 1,
        said: expect.stringContaining('of a test'),
      });
      await query(url, 'UPDATE subjects SET halt_code = NULL, halt_message = NULL, halted_at = NULL');
      await halt('TOO_MANY_PARKED');
      const why = ['--reason', 'mended', '--by', 'ada'];
      const { code, said } = await imart(url, 'resume', '--subject', 'eip155:31337', ...why);
      expect(said).toMatch(/an operator let the chain go on.*"actedBy":"ada","reason":"mended"/);
      expect([code, said]).toEqual([
        0,
        expect.stringMatching(/goes on; it stood still since .*\(TOO_MANY_PARKED: of a test\)/),
      ]);
      expect(await query(url, 'SELECT halt_code FROM subjects')).toEqual([{ halt_code: null }]);
      expect((await imart(url, 'resume', '--all')).code).toBe(2);
      expect(await jsonOf(url, 'history', '--subject', 'eip155:31337')).toMatchObject([
        {
          action: 'resume',
          actedBy: 'ada',
          reason: 'mended',
          halt: { code: 'TOO_MANY_PARKED', message: 'of a test' },
        },
      ]);
      expect(await imart(url, 'history', '--last', '0')).toMatchObject({
        code: 2,
        said: expect.stringContaining("--last must be a whole number from 1 to 10000, got '0'"),
      });
    });
  });

  describe('parked', () => {
    interface Listed {
      readonly subject: string;
      readonly key: string;
      readonly fromSeqNo: string;
      readonly code: string;
      readonly waitingEvents: number;
    }

    /** A database in which the second events of these aggregates could not be read when they were folded. */
    async function spoiled(count: number): Promise<{ url: string; mend(): Promise<void> }> {
      const { url } = await server.createDatabase();
      const reader = market.startWorker(chain, url, { ROLE: 'ingest' });
      const pages = await pagesOf(reader);
      await until(
        'everything is read',
        async () => (await pages.metric('ingested_block')) === expected.lastBlock,
      );
      reader.kill('SIGTERM');
      expect((await reader.ended).code).toBe(0);
      await query(
        url,
        `CREATE TABLE kept AS SELECT seq_no, data FROM (
           SELECT seq_no, data, row_number() OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY seq_no) AS n,
             count(*) OVER (PARTITION BY aggregate_type, aggregate_id) AS events FROM event_log) one
         WHERE n = 2 AND events > 2 ORDER BY seq_no LIMIT ${count};
         UPDATE event_log SET data = '"spoiled"' WHERE seq_no IN (SELECT seq_no FROM kept)`,
      );
      await market.runWorker(chain, url, expected);
      return {
        url,
        mend: async () =>
          void (await query(
            url,
            'UPDATE event_log e SET data = kept.data FROM kept WHERE kept.seq_no = e.seq_no',
          )),
      };
    }

    it('lists, shows and retries what was set aside: the tables are those of an undisturbed run, and who did what is kept (Q18)', async () => {
      const { url, mend } = await spoiled(3);
      const listed = await jsonOf<Listed[]>(url, 'parked', 'list');
      expect(listed.map(({ code, subject }) => [code, subject])).toEqual(
        Array.from({ length: 3 }, () => ['UNDECODABLE', `eip155:${chain.chainId}`]),
      );
      expect(listed.every(({ waitingEvents }) => waitingEvents >= 2)).toBe(true);
      const [first] = listed as [Listed];
      const table = await imart(url, 'parked', 'list');
      expect([table.code, table.said.split('\n')[0]]).toEqual([
        0,
        expect.stringMatching(/^chain +key +parked at +code +since +events waiting$/),
      ]);
      expect(table.said).toContain(first.key);

      // Before the cause is mended it fails at the same place.
      const early = await imart(url, 'parked', 'retry', first.key, '--by', 'ann', '--reason', 'too early');
      expect([early.code, early.said]).toEqual([
        1,
        expect.stringMatching(/fails as before at block \d+, log \d+: UNDECODABLE/),
      ]);
      expect(await dump(url)).not.toEqual(straight.tables);

      await mend();
      const retried = await imart(url, 'parked', 'retry', first.key, '--by', 'ann');
      expect([retried.code, retried.said]).toEqual([
        0,
        expect.stringMatching(/released, folded from block \d+, log \d+ on/),
      ]);
      const shown = await imart(url, 'parked', 'show', first.key);
      expect(shown.code).toBe(0);
      expect(shown.said).toMatch(
        /not parked\n[\s\S]*what was done:\n[\s\S]* ann +retry +unchanged .*too early\n.* ann +retry +released /,
      );

      const all = await imart(url, 'parked', 'retry', '--all');
      expect([all.code, all.said.match(/: released/g)?.length]).toEqual([0, 2]);
      expect((await imart(url, 'parked', 'list')).said).toBe('nothing is parked\n');
      expect(await imart(url, 'parked', 'retry', '--all')).toEqual({ code: 0, said: 'nothing is parked\n' });
      expect(await dump(url)).toEqual(straight.tables);
    });

    it('skips the event that was looked at and no other, for good: a replay finds the same', async () => {
      const { url, mend } = await spoiled(1);
      const [one] = await jsonOf<[Listed]>(url, 'parked', 'list');
      const missing = await imart(url, 'parked', 'skip', one.key);
      expect([missing.code, missing.said]).toEqual([2, expect.stringContaining('skip needs --reason')]);
      const other = String(BigInt(one.fromSeqNo) + 1n);
      const elsewhere = await imart(url, 'parked', 'skip', one.key, '--reason', 'x', '--seq-no', other);
      expect([elsewhere.code, elsewhere.said]).toEqual([
        1,
        expect.stringContaining('is parked at another event by now'),
      ]);
      expect(await jsonOf<Listed[]>(url, 'parked', 'list')).toEqual([one]);

      const args = ['--reason', 'made on purpose', '--by', 'bob', '--seq-no', one.fromSeqNo];
      const skipped = await imart(url, 'parked', 'skip', one.key, ...args);
      expect(skipped.code).toBe(skipped.said.includes('released') ? 0 : 1);
      const shown = await jsonOf<{
        skipped: { seqNo: string; skippedBy: string; reason: string }[];
        actions: { action: string; actedBy: string }[];
      }>(url, 'parked', 'show', one.key);
      expect(shown.skipped).toMatchObject([
        { seqNo: one.fromSeqNo, skippedBy: 'bob', reason: 'made on purpose' },
      ]);
      expect(shown.actions).toMatchObject([{ action: 'skip', actedBy: 'bob' }]);
      const { said: history } = await imart(url, 'history');
      expect(history).toContain(`skip ${one.key}  `);
      expect(history).toMatch(/Z +eip155:31337 +bob .* made on purpose\n$/);
      expect(
        await query(url, `SELECT count(*)::int AS n FROM event_log WHERE seq_no = ${one.fromSeqNo}`),
      ).toEqual([{ n: 1 }]);
      // Mended since, it still does not count.
      await mend();
      const tables = await dump(url);
      const replay = await imart(url, 'replay');
      expect([replay.code, replay.said]).toEqual([0, expect.stringContaining('verified and switched')]);
      expect(await dump(url)).toEqual(tables);
    });

    it.each<[string[], RegExp]>([
      [[], /say what to do: list, show, retry or skip/],
      [['mend'], /there is no 'mend'/],
      [['list', 'order/1'], /list takes no key/],
      [['list', '--all'], /list takes no --all/],
      [['show'], /show needs the key/],
      [['show', 'order'], /'order' names no aggregate/],
      [['retry'], /retry needs the key/],
      [['retry', 'order/1', '--all'], /either a key or --all/],
      [['retry', 'order/1', '--seq-no', '1'], /retry takes no --seq-no/],
      [['skip', 'order/1', '--reason', ' '], /skip needs --reason/],
      [['skip', 'order/1', '--reason', 'x', '--seq-no', 'one'], /--seq-no must be a seq no/],
      [['skip', '--all', '--reason', 'x'], /skip takes no --all/],
      [['show', 'a/b', 'c'], /'c' is too much/],
    ])('refuses what it cannot do, and says why: %j', async (args, problem) => {
      const { code, said } = await imart(straight.url, 'parked', ...args);
      expect([code, said]).toEqual([2, expect.stringMatching(problem)]);
    });

    it('says that something is not parked, and never was', async () => {
      const retry = await imart(straight.url, 'parked', 'retry', 'order/0x00:1');
      expect(retry).toEqual({ code: 1, said: 'order/0x00:1: is not parked; nothing was done\n' });
      const show = await imart(straight.url, 'parked', 'show', 'order/0x00:1');
      expect(show).toEqual({
        code: 1,
        said: 'imart parked: order/0x00:1 is not parked on eip155:31337, and never was\n',
      });
      expect(await dump(straight.url)).toEqual(straight.tables);
    });
  });
});
