import { ConfigError } from '@imart/core';
import { createHealthServer, type Check, type Checks, type HealthServer } from './createHealthServer';
import { toConfigError } from './listen';
import { silentLogger } from './logging/logger';
import { createMetrics } from './metrics';

let servers: HealthServer[] = [];
afterEach(async () => {
  for (const server of servers) await server.close();
  servers = [];
});

async function serve(readiness: Record<string, Check> = {}, port = 0, progress?: Checks) {
  const metrics = createMetrics({ processMetrics: false, labels: { chain: 'eip155:1' } });
  const server = await createHealthServer({
    host: '127.0.0.1',
    port,
    portSetting: 'HEALTH_PORT',
    liveness: {},
    readiness,
    ...(progress === undefined ? {} : { progress }),
    metrics,
    logger: silentLogger,
    checkTimeoutMs: 50,
  });
  servers.push(server);
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    };
  };
  return { server, metrics, get };
}

describe('createHealthServer', () => {
  it('is ready while all checks are ok, and says what fails when they are not', async () => {
    let behind = false;
    const { get } = await serve({
      database: () => ({ ok: true }),
      lag: async () => ({ ok: !behind, detail: behind ? '900 blocks behind' : 'at the head' }),
    });
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('"status":"ok"'),
    });
    behind = true;
    const failing = await get('/readyz?verbose=1');
    expect(failing.status).toBe(503);
    expect(JSON.parse(failing.text)).toEqual({
      status: 'failing',
      checks: { database: { ok: true }, lag: { ok: false, detail: '900 blocks behind' } },
    });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('has a page of its own for progress, with the checks that there are at that moment', async () => {
    let moves = true;
    const { get } = await serve({}, 0, () =>
      moves ? {} : { ingested: () => ({ ok: false, detail: 'nothing for 60 s' }) },
    );
    expect((await get('/progress')).status).toBe(200);
    moves = false;
    const red = await get('/progress');
    expect(red.status).toBe(503);
    expect(JSON.parse(red.text).checks).toEqual({ ingested: { ok: false, detail: 'nothing for 60 s' } });
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/healthz')).status).toBe(200);
    const without = await serve();
    expect((await without.get('/progress')).status).toBe(404);
  });

  it('counts a check that throws or never answers as failing', async () => {
    const { get } = await serve({
      throws: () => {
        throw new Error('no connection');
      },
      hangs: () => new Promise(() => undefined),
    });
    expect(JSON.parse((await get('/readyz')).text).checks).toEqual({
      throws: { ok: false, detail: 'no connection' },
      hangs: { ok: false, detail: 'no answer within 50 ms' },
    });
  });

  it('serves the metrics', async () => {
    const { get, metrics } = await serve();
    metrics.counter('events_total', 'Events.', ['kind']).add(3n, { kind: 'Listed' });
    metrics.counter('events_total', 'Events.', ['kind']).add(undefined, { kind: 'Listed' });
    let elsewhere = 5;
    metrics.counter('logs_total', 'Logs.', [], (counter) => counter.add(elsewhere++));
    metrics.gauge('head_block', 'Head.', [], (gauge) => gauge.set(2n ** 40n));
    metrics.histogram('batch_seconds', 'Batch.', [0.1, 1]).observe(0.5);
    const page = await get('/metrics');
    expect(page.type).toContain('text/plain');
    expect(page.text).toContain('imart_events_total{kind="Listed",chain="eip155:1"} 4');
    expect(page.text).toContain('# TYPE imart_logs_total counter\nimart_logs_total{chain="eip155:1"} 5\n');
    expect((await get('/metrics')).text).toContain('imart_logs_total{chain="eip155:1"} 6\n');
    expect(page.text).toContain('imart_head_block{chain="eip155:1"} 1099511627776');
    expect(page.text).toContain('imart_batch_seconds_bucket{le="1",chain="eip155:1"} 1');
  });

  it('knows no other page and no other method', async () => {
    const { get } = await serve();
    expect((await get('/')).status).toBe(404);
    expect((await get('/constructor')).status).toBe(404);
    expect((await get('/healthz', 'POST')).status).toBe(405);
    expect(await get('/healthz', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  it('names port and setting when the port is taken', async () => {
    const { server } = await serve();
    const second = serve({}, server.port);
    await expect(second).rejects.toBeInstanceOf(ConfigError);
    await expect(second).rejects.toThrow(`HEALTH_PORT: port ${server.port} on 127.0.0.1 is taken`);
  });

  it('explains ports and addresses that may not be used, and leaves other errors alone', () => {
    const options = { host: '192.0.2.1', port: 80, portSetting: 'API_PORT' };
    const failed = (code: string): Error => Object.assign(new Error('listen'), { code });
    expect(toConfigError(failed('EACCES'), options).message).toContain('API_PORT: port 80');
    expect(toConfigError(failed('EADDRNOTAVAIL'), options).message).toContain('192.0.2.1 is not an address');
    const other = failed('EMFILE');
    expect(toConfigError(other, options)).toBe(other);
  });
});
