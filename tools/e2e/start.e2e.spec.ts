import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@imart/storage';
import { openTraffic, startDevnet } from '../devnet/src';
import { query } from '../realdata/tables';
import { chainOf, createMarket } from './market';
import { isListening, type FoundProcess } from './processesOf';
import { createNpmStart, type NpmStart, type Run } from './npmStart';
import type { Program } from './programs';
import { compareWithExpected, rowsOf } from './storedTables';
import { until } from './until';

interface ServedActivity {
  readonly blockNumber: string;
}

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('npm start', () => {
  let npmStart: NpmStart;
  let dataDir: string;
  let taken: Server;
  let takenPort: number;

  beforeAll(async () => {
    npmStart = createNpmStart();
    ({ dataDir } = npmStart);
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    takenPort = (taken.address() as AddressInfo).port;
  });
  afterAll(async () => {
    taken?.close();
    await npmStart?.close();
  });

  const leftBehind = (): readonly FoundProcess[] => npmStart.leftBehind();
  const get = async <T>(url: string): Promise<T> => {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    return (await response.json()) as T;
  };
  const newest = async ({ api }: Run, limit = 1): Promise<readonly ServedActivity[]> =>
    (await get<{ items: readonly ServedActivity[] }>(`${api}/v1/activities?limit=${limit}`)).items;
  /** What happens from now on is served, of two more blocks. */
  const trafficGoesOn = async (run: Run): Promise<void> => {
    for (let block = 0; block < 2; block++) {
      const seen = Number((await newest(run))[0]?.blockNumber ?? -1);
      await until('live traffic is served', async () => Number((await newest(run))[0]?.blockNumber) > seen);
    }
  };
  const launch = (port: number): Program => npmStart.launch(port);
  const start = (port: number): Promise<Run> => npmStart.start(port);
  const stopByHand = (run: Run): Promise<void> => npmStart.stopByHand(run);
  /** What stands in the database while nothing runs. */
  const stored = async (): Promise<{ genesis: string; events: number }> => {
    const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres') });
    try {
      const [row] = await query(
        server.url,
        'SELECT max(genesis_hash) AS genesis, (SELECT count(*) FROM event_log) AS events FROM subjects',
      );
      return { genesis: String(row?.['genesis']), events: Number(row?.['events']) };
    } finally {
      await server.stop();
    }
  };
  let first: { genesis: string; events: number };

  it('shows its steps, where everything is and how it goes on, beside a taken port; Ctrl-C leaves nothing', async () => {
    const run = await start(takenPort);
    const said = run.program.said();
    for (const step of [
      /PostgreSQL +embedded, port \d+/,
      /chain +anvil, chain id 31337/,
      /evm-worker +follows it/,
    ]) {
      expect(said).toMatch(step);
    }
    expect(said).toContain(`(port ${takenPort} is taken)`);
    expect(run.api).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(run.api).not.toContain(`:${takenPort}`);
    expect(run.ports.length).toBeGreaterThanOrEqual(4);
    for (const port of run.ports.filter((p) => p !== takenPort))
      expect([port, await isListening(port)]).toEqual([port, true]);
    for (const path of ['/docs', '/v1/activities', '/v1/orders', '/v1/status'])
      expect(said).toContain(`${run.api}${path}`);

    await trafficGoesOn(run);
    await until('fifty activities are served', async () => (await newest(run, 50)).length === 50);
    const status = await get<{ subjects: { executed: string }[] }>(`${run.api}/v1/status`);
    expect(Number(status.subjects[0]?.executed)).toBeGreaterThan(2);
    await run.program.line(
      (text) =>
        /head \d+ +ingested \d+ +executed \d+ +lag \d+ blocks? +[\d.]+ events\/s +[1-9]\d* events/.test(text),
      'the live line',
    );
    await stopByHand(run);
    first = await stored();
    expect(first.events).toBeGreaterThan(50);
  });

  it('leaves nothing when it is stopped before all is up', async () => {
    const program = launch(0);
    await program.line((text) => text.includes('PostgreSQL'), 'the first step');
    program.kill('SIGINT');
    expect([await program.ended, program.said()]).toEqual([
      { code: 0, signal: null },
      expect.not.stringContaining('npm start:'),
    ]);
    expect(leftBehind()).toEqual([]);
  });

  it('goes on with the same chain, and leaves nothing but the database when it is killed', async () => {
    const run = await start(0);
    await trafficGoesOn(run);
    run.program.kill('SIGKILL');
    await run.program.ended;
    const others = () => leftBehind().filter(({ command }) => !/^postgres:|[/]postgres /.test(command));
    await until('only the database is left', () => others().length === 0, 20_000).catch(() => undefined);
    expect(others()).toEqual([]);
    const second = await stored();
    expect(second.genesis).toBe(first.genesis);
    expect(second.events).toBeGreaterThan(first.events);
  });

  it('takes over what killed ones have left, at once too, and all they ever did is in the tables', async () => {
    for (let killed = 0; killed < 2; killed++) {
      const run = await start(0);
      run.program.kill('SIGKILL');
      await run.program.ended;
    }
    const run = await start(0);
    await trafficGoesOn(run);
    await stopByHand(run);

    // The chain and its traffic know what happened in all runs.
    const devnet = await startDevnet({ dataDir: join(dataDir, 'devnet'), blockTimeSec: 1 });
    const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres') });
    const market = createMarket();
    try {
      const expected = (await openTraffic(devnet, 1)).expected();
      await market.runWorker(chainOf(devnet), server.url, expected);
      const { differences, rows } = await compareWithExpected(server.url, expected);
      expect(differences).toEqual([]);
      expect(rows).toEqual(rowsOf(expected));
      expect(rows.activities).toBeGreaterThan(100);
    } finally {
      await market.close();
      await server.stop();
      await devnet.stop();
    }
    expect(leftBehind()).toEqual([]);
  });
});
