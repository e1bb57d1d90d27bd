import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../libs/storage/src/embedded/port';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { until } from '../e2e/until';
import { startReplayRpc, type ReplayRpc, type ReplayRpcOptions } from '../replay-rpc/src';
import { startAlteredRpc } from './alteredRpc';
import { nextBlock, nextBlockReaches } from './progress';
import { describeRecorded, MAINNET_MARKETS, recorded } from './recordings';
import { query } from './tables';
import { createWorkerProcesses, type WorkerProcess, type WorkerProcesses } from './workerProcess';

const FIRST = 14_000_000;
const LAST = 14_000_005;

describeRecorded('bad input of the worker', () => {
  let workers: WorkerProcesses;
  let server: TestServer;
  let directory: string;
  const open: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    workers = createWorkerProcesses();
    server = await startTestServer();
    directory = mkdtempSync(join(tmpdir(), 'imart-test-input-'));
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.stop();
  });
  afterAll(async () => {
    await workers?.close();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const replay = async (options: Partial<ReplayRpcOptions> = {}): Promise<ReplayRpc> => {
    const rpc = await startReplayRpc({ files: [recorded('mainnet-14000000')], ...options });
    open.push(rpc);
    return rpc;
  };
  const settings = (rpcUrl: string, databaseUrl: string) => ({
    RPC_URLS: rpcUrl,
    MARKETS: MAINNET_MARKETS,
    COLLECTIONS: 'all',
    START_BLOCK: FIRST,
    END_BLOCK: LAST,
    POLL_INTERVAL_MS: 20,
    DATABASE_URL: databaseUrl,
  });
  const page = async (worker: WorkerProcess, path: string): Promise<{ status: number; text: string }> => {
    const { healthPort } = await worker.line(({ healthPort: port }) => port !== undefined, 'the health port');
    const answer = await fetch(`http://127.0.0.1:${String(healthPort)}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const readinessBecomes = async (worker: WorkerProcess, status: number): Promise<string> => {
    let answer = await page(worker, '/readyz');
    await until(`/readyz answers ${status}`, async () => {
      answer = await page(worker, '/readyz');
      return answer.status === status;
    });
    return answer.text;
  };

  it('settings that are missing or malformed: all are told in one message, exit code 2, nothing is connected to', async () => {
    const asked: string[] = [];
    const trap = createServer((socket) => {
      asked.push('a connection');
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const { port } = trap.address() as AddressInfo;
    const worker = workers.start({
      RPC_URLS: `http://127.0.0.1:${port}/v2/secret-path-key,ftp://127.0.0.1:${port}/secret-ftp-key`,
      DATABASE_URL: `postgresql://user:secret-word@127.0.0.1:${port}/imart`,
      START_BLOCK: '0x10',
      END_BLOCK: '-1',
      POLL_INTERVAL_MS: 'often',
      COLLECTIONS: 'some',
      LANES: 0,
      LOG_LEVEL: 'loud',
    });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    const said = worker.said();
    for (const name of [
      'RPC_URLS',
      'MARKETS',
      'START_BLOCK',
      'END_BLOCK',
      'POLL_INTERVAL_MS',
      'COLLECTIONS',
      'LANES',
      'LOG_LEVEL',
    ]) {
      expect(said).toContain(`${name}: `);
    }
    expect(worker.lines).toEqual([]);
    expect(said).not.toMatch(/secret-(path|word|ftp|query)/);
    expect(asked).toEqual([]);
    trap.close();
  });

  it('a marketplace that nobody knows: exit code 2, with those that there are', async () => {
    const worker = workers.start({
      ...settings('http://127.0.0.1:1', 'postgresql://127.0.0.1:1/x'),
      MARKETS: 'seaport-1.5,opensea',
    });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.said()).toMatch(/MARKETS: there is no marketplace 'opensea'; there are .*seaport-1\.5/);
  });

  it('END_BLOCK before START_BLOCK: exit code 2', async () => {
    const worker = workers.start({
      ...settings('http://127.0.0.1:1', 'postgresql://127.0.0.1:1/x'),
      END_BLOCK: FIRST - 1,
    });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.said()).toContain(`END_BLOCK: ${FIRST - 1} lies before START_BLOCK ${FIRST}`);
  });

  it('marketplaces without a known address and files that cannot be used: all are told, exit code 2, nothing is connected to', async () => {
    const worker = workers.start({
      ...settings('http://127.0.0.1:1', 'postgresql://127.0.0.1:1/x'),
      MARKETS: 'imart,./no-such-market.js',
    });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.said()).toContain('where imart is deployed is not known; write imart:0x...');
    expect(worker.said()).toContain('no-such-market.js is not usable');
    expect(worker.lines).toEqual([]);
  });

  it('a marketplace without a known address on the chain that the endpoints serve: exit code 2, saying how to give one', async () => {
    const rpc = await replay();
    const { url } = await server.createDatabase();
    const file = join(directory, 'nowhere.cjs');
    writeFileSync(
      file,
      `exports.marketplace = { name: 'nowhere', topics: ['0x${'11'.repeat(32)}'], contracts: () => [], needsReceipt: () => false, translate() {} };`,
    );
    const worker = workers.start({ ...settings(rpc.url, url), MARKETS: file });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.said()).toContain(`where nowhere is on chain 1 is not known; write ${file}:0x...`);
  });

  it('another chain than CHAIN_ID says: exit code 1, naming both, and nothing is stored', async () => {
    const rpc = await replay();
    const { url } = await server.createDatabase();
    const worker = workers.start({
      ...settings(`${rpc.url}/v2/secret-path-key`, url),
      MARKETS: 'seaport-1.5',
      CHAIN_ID: 137,
    });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    const { message } = await worker.line(
      ({ level, code }) => level === 'error' && code === 'WRONG_CHAIN',
      'WRONG_CHAIN',
    );
    expect(message).toMatch(/\b137\b/);
    expect(message).toMatch(/\b1\b/);
    expect(await query(url, 'SELECT * FROM subjects')).toEqual([]);
    expect(worker.said()).not.toMatch(/secret-(path|word|ftp|query)/);
  });

  it('a database that holds another chain of that id: exit code 1, OTHER_CHAIN, and what is there stays', async () => {
    const { url } = await server.createDatabase();
    const mainnet = await replay();
    await workers.run(settings(mainnet.url, url));
    const other = await replay({ genesisHash: `0x${'07'.repeat(32)}` });
    const worker = workers.start({ ...settings(other.url, url), END_BLOCK: LAST + 1 });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    const { message } = await worker.line(
      ({ level, code }) => level === 'error' && code === 'OTHER_CHAIN',
      'OTHER_CHAIN',
    );
    expect(message).toContain(`0x${'07'.repeat(32)}`);
    expect(await nextBlock(url)).toBe(LAST + 1);
  });

  it('another number of lanes than the database was filled with: exit code 1, LANES_CHANGED', async () => {
    const { url } = await server.createDatabase();
    const rpc = await replay();
    await workers.run(settings(rpc.url, url));
    const worker = workers.start({ ...settings(rpc.url, url), LANES: 2 });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    await worker.line(({ level, code }) => level === 'error' && code === 'LANES_CHANGED', 'LANES_CHANGED');
  });

  it('END_BLOCK beyond the head: it waits, says so once, is ready, and SIGTERM ends it with 0', async () => {
    const rpc = await replay();
    const counting = await startAlteredRpc(rpc.url, null);
    open.push(counting);
    const { url } = await server.createDatabase();
    const worker = workers.start({ ...settings(counting.url, url), END_BLOCK: LAST + 5 });
    await nextBlockReaches(url, LAST + 1, worker);
    const polls = (): number => counting.calls.get('eth_getBlockByNumber') ?? 0;
    const before = polls();
    await until('it looks at the head again', () => polls() >= before + 10);
    expect(
      worker.lines.filter(({ message }) => message.startsWith('END_BLOCK lies beyond the head')),
    ).toEqual([expect.objectContaining({ head: LAST, block: LAST + 5 })]);
    expect((await page(worker, '/readyz')).status).toBe(200);
    const executed = `imart_executed_block{subject="eip155:1"} ${LAST}\n`;
    await until('the metrics tell of the last block', async () =>
      (await page(worker, '/metrics')).text.includes(executed),
    );
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(await nextBlock(url)).toBe(LAST + 1);
  });

  it.each([
    ['with CHAIN_ID', { CHAIN_ID: 1 }],
    ['without CHAIN_ID', {}],
  ])(
    'an RPC that cannot be reached at the start, %s: it tries again, says so, is alive and not ready, and goes on when it is there',
    async (_, more) => {
      const port = await findFreePort();
      const { url } = await server.createDatabase();
      const worker = workers.start({
        ...settings(`http://me:secret-word@127.0.0.1:${port}/v2/secret-path-key?key=secret-query-key`, url),
        LOG_DIR: join(directory, `logs${port}`),
        ...more,
      });
      await worker.line(
        ({ level, message }) => level === 'warn' && message.includes('trying again'),
        'a warning',
      );
      expect((await page(worker, '/healthz')).status).toBe(200);
      const ready = await page(worker, '/readyz');
      expect(ready.status).toBe(503);
      expect(JSON.parse(ready.text)).toMatchObject({
        checks: { database: { ok: true }, chain: { ok: false } },
      });
      await replay({ port });
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(await nextBlock(url)).toBe(LAST + 1);
      expect(worker.said() + ready.text).not.toMatch(/secret-(path|word|ftp|query)/);
      const logs = join(directory, `logs${port}`);
      if (existsSync(logs))
        for (const file of readdirSync(logs))
          expect(readFileSync(join(logs, file), 'utf8')).not.toMatch(/secret-(path|word|ftp|query)/);
    },
  );

  it('an RPC that is lost on the way: not ready until it is there again; SIGTERM ends it with 0 meanwhile too', async () => {
    const port = await findFreePort();
    const { url } = await server.createDatabase();
    const first = await startReplayRpc({ files: [recorded('mainnet-14000000')], port });
    const worker = workers.start({ ...settings(`http://127.0.0.1:${port}`, url), END_BLOCK: LAST + 5 });
    await nextBlockReaches(url, LAST + 1, worker);
    await readinessBecomes(worker, 200);
    await first.stop();
    const failing = await readinessBecomes(worker, 503);
    expect(JSON.parse(failing)).toMatchObject({ checks: { database: { ok: true }, chain: { ok: false } } });
    expect((await page(worker, '/healthz')).status).toBe(200);
    const second = await startReplayRpc({ files: [recorded('mainnet-14000000')], port });
    await readinessBecomes(worker, 200);
    await second.stop();
    await readinessBecomes(worker, 503);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  });

  it('a database that cannot be reached: it tries again, says so, is alive and not ready, and SIGTERM ends it with 0', async () => {
    const rpc = await replay();
    const port = await findFreePort();
    const worker = workers.start(settings(rpc.url, `postgresql://me:secret-word@127.0.0.1:${port}/x`));
    await worker.line(({ message }) => message === 'the database is not there, trying again', 'a warning');
    expect((await page(worker, '/healthz')).status).toBe(200);
    expect((await page(worker, '/readyz')).status).toBe(503);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(worker.said()).not.toMatch(/secret-(path|word|ftp|query)/);
  });

  it('SIGTERM while nobody answers at the start ends it with 0', async () => {
    const { url } = await server.createDatabase();
    for (const more of [{ CHAIN_ID: 1 }, {}]) {
      const worker = workers.start({ ...settings(`http://127.0.0.1:${await findFreePort()}`, url), ...more });
      await worker.line(({ level }) => level === 'warn', 'a warning');
      worker.kill('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
    }
  });
});
