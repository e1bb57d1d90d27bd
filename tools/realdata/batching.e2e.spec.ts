import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { startReplayRpc, type ReplayRpc } from '../replay-rpc/src';
import { describeRecorded, MAINNET_MARKETS, recorded } from './recordings';
import { nextBlock, nextBlockReaches } from './progress';
import { dump } from './tables';
import { createWorkerProcesses, type WorkerProcesses } from './workerProcess';

const FIRST = 15_000_000;
const LAST = 15_000_004;

describeRecorded('the rows of recorded blocks', () => {
  let workers: WorkerProcesses;
  let server: TestServer;
  let rpc: ReplayRpc;
  /** What one undisturbed run leaves. */
  let straight: Readonly<Record<string, string>>;

  const settings = (url: string, more: Readonly<Record<string, string | number>> = {}) => ({
    RPC_URLS: rpc.url,
    MARKETS: MAINNET_MARKETS,
    COLLECTIONS: 'all',
    START_BLOCK: FIRST,
    END_BLOCK: LAST,
    DATABASE_URL: url,
    ...more,
  });

  beforeAll(async () => {
    workers = createWorkerProcesses();
    server = await startTestServer();
    rpc = await startReplayRpc({ files: [recorded('mainnet-15000000')] });
    const { url } = await server.createDatabase();
    await workers.run(settings(url));
    straight = await dump(url);
    expect(straight['activities']?.split('\n').length).toBeGreaterThan(500);
  });
  afterAll(async () => {
    await workers?.close();
    await rpc?.stop();
    await server?.stop();
  });

  it.each([
    ['one block at a time', { RANGE_BLOCKS_MAX: 1 }],
    ['two blocks at a time', { RANGE_BLOCKS_MAX: 2 }],
    ['six blocks at a time', { RANGE_BLOCKS_MAX: 6 }],
    ['in three lanes, two blocks at a time', { RANGE_BLOCKS_MAX: 2, LANES: 3 }],
    ['with a snapshot at every event', { SNAPSHOT_EVERY: 1 }],
  ])('are the same %s', async (_, more) => {
    const { url } = await server.createDatabase();
    await workers.run(settings(url, more));
    expect(await dump(url)).toEqual(straight);
  });

  it('are the same in pieces above finality, as the head moves on block by block', async () => {
    const moving = await startReplayRpc({
      files: [recorded('mainnet-15000000')],
      head: FIRST,
      finalityDepth: 1_000,
    });
    try {
      const { url } = await server.createDatabase();
      const worker = workers.start(settings(url, { RPC_URLS: moving.url, POLL_INTERVAL_MS: 20 }));
      for (let head = FIRST; head <= LAST; head++) {
        moving.setHead(head);
        await nextBlockReaches(url, head + 1, worker);
      }
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(await dump(url)).toEqual(straight);
    } finally {
      await moving.stop();
    }
  });

  it('are the same when the provider gives only so many blocks or logs at once', async () => {
    const narrow = await startReplayRpc({
      files: [recorded('mainnet-15000000')],
      maxResults: 300,
      maxRange: 3,
    });
    try {
      const { url } = await server.createDatabase();
      await workers.run(settings(url, { RPC_URLS: narrow.url }));
      expect(await dump(url)).toEqual(straight);
    } finally {
      await narrow.stop();
    }
  });

  it('do not change when the worker is started again at the end of what it has read, and go on from there', async () => {
    const { url } = await server.createDatabase();
    await workers.run(settings(url, { END_BLOCK: FIRST + 1 }));
    const half = await dump(url);
    await workers.run(settings(url, { END_BLOCK: FIRST + 1 }));
    expect(await dump(url)).toEqual(half);
    expect(half).not.toEqual(straight);
    await workers.run(settings(url));
    expect(await dump(url)).toEqual(straight);
    await workers.run(settings(url, { START_BLOCK: FIRST + 2 }));
    expect(await dump(url)).toEqual(straight);
  });

  it('are the same after kills -9 in the middle (Q1)', async () => {
    // Slow answers, one block each: the kills fall between the commits.
    const slow = await startReplayRpc({ files: [recorded('mainnet-15000000')], latencyMs: 40 });
    try {
      const { url } = await server.createDatabase();
      const slowly = settings(url, { RPC_URLS: slow.url, RANGE_BLOCKS_MAX: 1 });
      const killedAt: number[] = [];
      for (const target of [FIRST, FIRST + 2, FIRST + 4]) {
        const worker = workers.start(slowly);
        await nextBlockReaches(url, target, worker);
        worker.kill('SIGKILL');
        expect((await worker.ended).signal).toBe('SIGKILL');
        killedAt.push(await nextBlock(url));
      }
      // In the middle indeed: the first kill before the end, and progress between the kills.
      expect(killedAt[0]).toBeLessThan(LAST + 1);
      await workers.run(slowly);
      expect(await dump(url)).toEqual(straight);
    } finally {
      await slow.stop();
    }
  });
});
