import { FencedError, runPasses, type PassesOptions } from '@imart/pipeline';
import { silentLogger, type FakeRangeSource } from '@imart/testing';
import {
  createPassKit,
  fill,
  runToEnd,
  sourceOf,
  stepsOf,
  type OpenedPasses,
  type PassKit,
} from '../testing/passKit.spec';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let kit: PassKit;
beforeAll(async () => {
  server = await startTestServer();
  kit = await createPassKit(server);
});
afterAll(async () => {
  await kit?.market.close();
  await server?.stop();
});

describe('passes beside other work', () => {
  const quiet = (
    opened: OpenedPasses,
    source: FakeRangeSource,
    more: Partial<PassesOptions>,
  ): PassesOptions => ({
    ...stepsOf(opened, source),
    positionsPerSecond: 10,
    mayRead: () => true,
    random: () => 0.5,
    now: () => 0,
    ...more,
  });

  it('read nothing while the worker catches up', async () => {
    const opened = await kit.open();
    await fill(opened.store, [], 5n);
    const source = sourceOf([]);
    const done = new AbortController();
    let looks = 0;
    await runPasses(
      quiet(opened, source, {
        mayRead: () => false,
        wait: async () => {
          if (++looks === 5) done.abort();
        },
      }),
      done.signal,
    );
    expect(source.requests).toEqual([]);
  });

  it('read so many positions a second, five seconds of them at once, and slower for a provider that is asked too often', async () => {
    const opened = await kit.open();
    await fill(opened.store, [], 1_000n);
    const pauses: number[] = [];
    const source = sourceOf([], {
      onRead: () => {
        if (source.requests.length === 2) source.rateLimited++;
      },
    });
    const done = new AbortController();
    await runPasses(
      quiet(opened, source, {
        wait: async (ms) => {
          if (pauses.push(ms) === 4) done.abort();
        },
      }),
      done.signal,
    );
    expect(source.requests.map((one) => one.toPosition - one.fromPosition + 1n)).toEqual([
      50n,
      50n,
      50n,
      50n,
    ]);
    expect(source.requests.every(({ depth }) => depth === 'thorough')).toBe(true);
    expect(pauses).toEqual([5_000, 10_000, 9_000, 8_100]);
  });

  it('are off at a rate of 0, backfills are not', async () => {
    const opened = await kit.open();
    await opened.passes.registerFollowed('a', () => []);
    await fill(opened.store, [], 5n);
    await opened.passes.registerFollowed('b', () => ['b']);
    const source = sourceOf([]);
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    expect(await kit.passRows()).toMatchObject([{ kind: 'backfill', finished: true }]);
    expect(source.requests).toHaveLength(1);
  });

  it('go on after a failure, more and more slowly, and say it once', async () => {
    const opened = await kit.open();
    await fill(opened.store, [], 5n);
    const said: string[] = [];
    const waits: number[] = [];
    const done = new AbortController();
    let failures = 0;
    const source = sourceOf([], {
      onRead: () => {
        if (++failures <= 4) throw new Error('the provider has thrown these blocks away');
      },
    });
    const options = quiet(opened, source, {
      wait: async (ms) => {
        waits.push(ms);
        if (waits.length === 5) done.abort();
      },
    });
    await runPasses(
      {
        ...options,
        changes: { ...options.changes, logger: { ...silentLogger, warn: (text) => void said.push(text) } },
      },
      done.signal,
    );
    expect(waits.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
    expect(said).toHaveLength(1);
    expect(options.stats.failures).toBe(4);
    expect(options.stats.blocked).toBeNull();
    expect(await kit.passRows()).toMatchObject([{ next: 6 }]);
  });

  it('are not held up any more when there is nothing to read', async () => {
    const opened = await kit.open();
    await fill(opened.store, [], 5n);
    const done = new AbortController();
    let mayRead = true;
    const source = sourceOf([], {
      onRead: () => {
        throw new Error('the provider has thrown these blocks away');
      },
    });
    const held: boolean[] = [];
    const options = quiet(opened, source, {
      mayRead: () => mayRead,
      wait: async () => {
        held.push(options.stats.blocked !== null);
        mayRead = options.stats.blocked === null;
        if (held.length === 10 || (held.includes(true) && held.at(-1) === false)) done.abort();
      },
    });
    await runPasses(options, done.signal);
    expect(held.slice(-2)).toEqual([true, false]);
  });

  it('end when another process has taken over', async () => {
    const opened = await kit.open();
    await fill(opened.store, [], 5n);
    await kit.market.pool.query(
      `INSERT INTO ingest_leases (subject, fencing, holder, expires_at) VALUES (1, 7, 'another', now() + interval '1 minute')`,
    );
    await expect(runToEnd({ ...opened, store: opened.store.fenced(6n) }, sourceOf([]))).rejects.toThrow(
      FencedError,
    );
    expect(await kit.passRows()).toMatchObject([{ next: 0 }]);
  });
});
