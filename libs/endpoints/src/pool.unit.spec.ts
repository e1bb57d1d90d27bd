import { retryDelayMs } from '@imart/pipeline';
import { silentLogger, type LogFields } from '@imart/runtime';
import {
  RpcAnswerRefusedError,
  RpcInconsistentError,
  RpcPrunedError,
  RpcRateLimitedError,
  RpcUnavailableError,
  WrongChainError,
} from './errors';
import {
  CHAIN_CHECK_VALID_MS,
  createEndpointPool,
  RETRY_AFTER_MAX_MS,
  RPC_POOL_DEFAULTS,
  RPC_RETRY,
  WRONG_CHAIN_RECHECK_MS,
  type EndpointPool,
  type PoolEndpoint,
} from './pool';

const { signal } = new AbortController();
const place = { endpoint: 'rpc#1', method: 'events' };
const down = () => new RpcUnavailableError(place, 'down');

/** A pool with a clock that only waiting moves. `chains` says whose chain each endpoint serves: it is `ours` that is followed. */
function setUp(count: number, options: { random?: () => number; chains?: string[] } = {}) {
  const clock = { ms: 1_000_000, waits: [] as number[] };
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const availability: boolean[] = [];
  const checks: string[] = [];
  const closed: string[] = [];
  const endpoints = Array.from({ length: count }, (_, i): PoolEndpoint => {
    const label = `rpc#${i + 1}`;
    return { label, stats: { requests: i }, close: () => void closed.push(label) };
  });
  const log = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  const pool = createEndpointPool({
    ...RPC_POOL_DEFAULTS,
    endpoints,
    verify: async (endpoint) => {
      checks.push(endpoint.label);
      const chain = options.chains?.[endpoints.indexOf(endpoint)] ?? 'ours';
      if (chain !== 'ours') throw new WrongChainError(endpoint.label, 'ours', chain);
    },
    logger: { ...silentLogger, info: log('info'), warn: log('warn'), error: log('error') },
    random: options.random ?? (() => 1),
    now: () => clock.ms,
    wait: (ms) => {
      clock.waits.push(ms);
      clock.ms += ms;
      return Promise.resolve();
    },
    onAvailability: (available) => availability.push(available),
  });
  return { pool, clock, lines, availability, checks, closed, options };
}

/** Asks so that the n-th attempt at each endpoint fails as scripted. Returns who was asked. */
async function ask(
  pool: EndpointPool<PoolEndpoint>,
  script: Record<string, (Error | null)[]>,
): Promise<string[]> {
  const asked: string[] = [];
  await pool.run({
    what: 'blocks 1..2',
    signal,
    work: ({ label }) => {
      asked.push(label);
      const error = script[label]?.shift() ?? null;
      return error === null ? Promise.resolve() : Promise.reject(error);
    },
  });
  return asked;
}

describe('the waits between attempts', () => {
  it('are bounded by 100 ms, doubled each time, at most 10 s, with full jitter (Q8)', () => {
    const bounds = Array.from({ length: 10 }, (_, i) => retryDelayMs(RPC_RETRY, i + 1, () => 1));
    expect(bounds).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    expect(retryDelayMs(RPC_RETRY, 3, () => 0.5)).toBe(200);
    expect(retryDelayMs(RPC_RETRY, 3, () => 0)).toBe(0);
  });

  it('are kept by the pool (Q8)', async () => {
    const { pool, clock } = setUp(1);
    await ask(pool, { 'rpc#1': [down(), down(), down(), down()] });
    expect(clock.waits).toEqual([100, 200, 400, 800]);
  });

  it('are as long as the provider asks, within a bound', async () => {
    const { pool, clock } = setUp(1);
    const limited = (ms: number | null) => new RpcRateLimitedError(place, 'slow down', ms);
    await ask(pool, { 'rpc#1': [limited(7_000), limited(null), limited(9_999_999)] });
    expect(clock.waits).toEqual([7_000, 200, RETRY_AFTER_MAX_MS]);
  });

  it('begin anew after a success', async () => {
    const { pool, clock } = setUp(1);
    await ask(pool, { 'rpc#1': [down(), down()] });
    await ask(pool, { 'rpc#1': [down()] });
    expect(clock.waits).toEqual([100, 200, 100]);
  });

  it('count requests that failed together as one failure', async () => {
    const { pool, clock } = setUp(1);
    let release: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (release = resolve));
    let first = 4;
    const work = async (): Promise<void> => {
      if (first-- > 0) {
        if (first === 0) release();
        await together;
        throw down();
      }
    };
    await Promise.all(Array.from({ length: 4 }, () => pool.run({ what: 'x', signal, work })));
    expect(Math.max(...clock.waits)).toBe(100);
  });
});

describe('several endpoints', () => {
  it('fail over at once, and back when the wait is over', async () => {
    const { pool, clock } = setUp(2);
    expect(await ask(pool, { 'rpc#1': [down()] })).toEqual(['rpc#1', 'rpc#2']);
    expect(clock.waits).toEqual([]);
    expect(await ask(pool, {})).toEqual(['rpc#2']);
    clock.ms += 100;
    expect(await ask(pool, {})).toEqual(['rpc#1']);
  });

  it('avoid one only while another answers', async () => {
    const { pool } = setUp(2);
    const asked: string[] = [];
    const work =
      (fails: boolean) =>
      ({ label }: PoolEndpoint) => {
        asked.push(label);
        return fails && label === 'rpc#2' ? Promise.reject(down()) : Promise.resolve();
      };
    await pool.run({ what: 'x', signal, avoid: pool.endpoints[0], work: work(false) });
    await pool.run({ what: 'x', signal, avoid: pool.endpoints[0], work: work(true) });
    expect(asked[0]).toBe('rpc#2');
    expect(asked.at(-1)).toBe('rpc#1');
  });

  it('refuse the one of another chain and go on with the other (P14)', async () => {
    const { pool, lines, checks } = setUp(2, { chains: ['another', 'ours'] });
    expect(await ask(pool, {})).toEqual(['rpc#2']);
    expect(await ask(pool, {})).toEqual(['rpc#2']);
    expect(lines.filter(({ fields }) => fields?.['code'] === 'WRONG_CHAIN')).toHaveLength(1);
    expect(checks).toEqual(['rpc#1', 'rpc#2']);
  });

  it('are all checked at the start when that is asked for (P14)', async () => {
    const { pool, lines, checks } = setUp(2, { chains: ['ours', 'another'] });
    await pool.checkAll(signal);
    expect(checks).toEqual(['rpc#1', 'rpc#2']);
    expect(lines.map(({ level, fields }) => [level, fields?.['code']])).toEqual([['warn', 'WRONG_CHAIN']]);
    expect(await ask(pool, { 'rpc#1': [down()] })).toEqual(['rpc#1', 'rpc#1']);
    expect(checks).toHaveLength(2);
  });

  it('look at it again after a while (P3, P14)', async () => {
    const { pool, clock, options } = setUp(2, { chains: ['another', 'ours'] });
    await ask(pool, {});
    clock.ms += WRONG_CHAIN_RECHECK_MS;
    (options.chains as string[])[0] = 'ours';
    expect(await ask(pool, {})).toEqual(['rpc#1']);
  });

  it('stop when all of them serve another chain (P14)', async () => {
    const { pool } = setUp(2, { chains: ['another', 'a third'] });
    await expect(ask(pool, {})).rejects.toThrow(WrongChainError);
    await expect(ask(pool, {})).rejects.toThrow(WrongChainError);
  });

  it('are asked for their chain again after a lost connection (P14)', async () => {
    const { pool, clock, checks, options } = setUp(2, { chains: ['ours', 'ours'] });
    await ask(pool, {});
    clock.ms += CHAIN_CHECK_VALID_MS + 1;
    (options.chains as string[])[0] = 'another';
    expect(await ask(pool, { 'rpc#1': [down()], 'rpc#2': [down()] })).toEqual(['rpc#1', 'rpc#2', 'rpc#2']);
    expect(checks.filter((check) => check === 'rpc#1')).toHaveLength(2);
  });

  it('stop when each of them has thrown the blocks away, and go on where one has not', async () => {
    const pruned = () => new RpcPrunedError(place, 'pruned history unavailable');
    const { pool } = setUp(2);
    expect(await ask(pool, { 'rpc#1': [pruned()] })).toEqual(['rpc#1', 'rpc#2']);
    await expect(ask(pool, { 'rpc#1': [pruned()], 'rpc#2': [pruned()] })).rejects.toThrow(/archive node/);
  });

  it('are retried for ever while they are only unavailable, and it is said once in a while (P3)', async () => {
    const { pool, clock, lines, availability } = setUp(2);
    const failures = () => Array.from({ length: 40 }, down);
    await ask(pool, { 'rpc#1': failures(), 'rpc#2': failures() });
    const waited = clock.waits.reduce((a, b) => a + b, 0);
    const warnings = lines.filter(({ message }) => message.startsWith('no RPC endpoint'));
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings.length).toBeLessThanOrEqual(waited / 10_000 + 1);
    expect(availability[0]).toBe(false);
    expect(availability.at(-1)).toBe(true);
  });

  it('stop when they contradict themselves again and again', async () => {
    const { pool } = setUp(1);
    const torn = Array.from({ length: 20 }, () => new RpcInconsistentError(place, 'block 5 has two hashes'));
    await expect(ask(pool, { 'rpc#1': torn })).rejects.toThrow(RpcAnswerRefusedError);
    const fewer = Array.from({ length: 19 }, () => new RpcInconsistentError(place, 'block 5 has two hashes'));
    expect(await ask(pool, { 'rpc#1': fewer })).toHaveLength(20);
  });

  it('stop asking when they are told to', async () => {
    const { pool } = setUp(1);
    const abort = new AbortController();
    const work = () => {
      abort.abort(new Error('enough'));
      return Promise.reject(down());
    };
    await expect(pool.run({ what: 'x', signal: abort.signal, work })).rejects.toThrow('down');
    await expect(pool.run({ what: 'x', signal: abort.signal, work })).rejects.toThrow('enough');
  });

  it('are asked last while one is distrusted, but are asked (P6)', async () => {
    const { pool } = setUp(2);
    const [first] = pool.endpoints as [PoolEndpoint, PoolEndpoint];
    pool.distrust(first, true);
    expect(pool.preferred().label).toBe('rpc#2');
    expect(await ask(pool, {})).toEqual(['rpc#2']);
    expect(await ask(pool, { 'rpc#2': [down()] })).toEqual(['rpc#2', 'rpc#1']);
    pool.distrust(first, false);
    expect(await ask(pool, {})).toEqual(['rpc#1']);
  });
});

describe('one endpoint', () => {
  it('is asked once, after the wait that it is due, and nobody else instead', async () => {
    const { pool, clock } = setUp(2);
    const [, second] = pool.endpoints as [PoolEndpoint, PoolEndpoint];
    const asked: string[] = [];
    const question = (error: Error | null) => ({
      what: 'x',
      signal,
      work: ({ label }: PoolEndpoint) => {
        asked.push(label);
        return error === null ? Promise.resolve('well') : Promise.reject(error);
      },
    });
    await expect(pool.ask(second, question(down()))).rejects.toThrow('down');
    expect(await pool.ask(second, question(null))).toBe('well');
    expect(asked).toEqual(['rpc#2', 'rpc#2']);
    expect(clock.waits).toEqual([100]);
  });

  it('of another chain has no say (P14)', async () => {
    const { pool } = setUp(2, { chains: ['another', 'ours'] });
    const [first] = pool.endpoints as [PoolEndpoint, PoolEndpoint];
    const question = { what: 'x', signal, work: () => Promise.resolve('well') };
    await expect(pool.ask(first, question)).rejects.toThrow(WrongChainError);
    await expect(pool.ask(first, question)).rejects.toThrow(WrongChainError);
  });
});

it('tells what each endpoint has done, and closes all of them', () => {
  const { pool, closed } = setUp(2);
  expect(pool.stats()).toEqual([{ requests: 0 }, { requests: 1 }]);
  pool.close();
  expect(closed).toEqual(['rpc#1', 'rpc#2']);
});
