import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anyAggregate } from '@imart/event-service';
import type { Logger } from '@imart/runtime';
import { createWebhooks } from '@imart/storage';
import { stockItem, until } from '@imart/testing';
import { startCommandApi, type CommandApi } from '../testing/commandApi';
import type { AddressRules } from './addresses';
import { signatureOf } from './sendSigned';
import { createWebhookRunner, type WebhookRunner } from './webhookRunner';

/** What an address was told. */
interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly data: { readonly aggregateId: string; readonly version: number; readonly eventId: string };
}

let api: CommandApi;
let key: string;
let receiver: Server;
let origin: string;
let received: Received[];
/** The status that a request is answered with. */
let answer: (one: Received) => number;
let rules: AddressRules;
let runner: WebhookRunner;
let over: AbortController;
let running: Promise<void>;
const logged: string[] = [];

/** What is told at all, as it would be written. */
const logger: Logger = (() => {
  const keep = (message: string, fields?: unknown): void => {
    const text = JSON.stringify(fields, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    logged.push(`${message} ${text}`);
  };
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return log;
})();

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body,
        data: JSON.parse(body) as Received['data'],
      };
      const status = answer(one);
      if (status < 300) received.push(one);
      response.writeHead(status, status === 302 ? { location: `${origin}/elsewhere` } : {}).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  rules = { resolve: async () => [{ address: '127.0.0.1', family: 4 }], allowPrivate: true };
  api = await startCommandApi([anyAggregate(stockItem)], {
    logger,
    more: ({ types }, pool, access) => ({
      webhooks: {
        webhooks: createWebhooks(pool),
        types,
        access,
        rules: {
          resolve: (host) => rules.resolve(host),
          get allowPrivate() {
            return rules.allowPrivate;
          },
        },
        onChanged: () => runner?.changed(),
      },
    }),
  });
  api.work();
  key = await api.key(['webhooks']);
});
afterAll(async () => {
  await api?.stop();
  receiver?.close();
});

function start(failingMaxMs = 60_000): void {
  over = new AbortController();
  runner = createWebhookRunner({
    pool: api.pool,
    webhooks: createWebhooks(api.pool),
    types: api.side.types,
    rules: {
      resolve: (host) => rules.resolve(host),
      get allowPrivate() {
        return rules.allowPrivate;
      },
    },
    logger,
    random: () => 0.5,
    holder: `spec-${Math.random()}`,
    nowSeconds: () => 1_700_000_000,
    retry: { firstMs: 2, maxMs: 10 },
    pollMs: 10,
    failingMaxMs,
  });
  running = runner.run(over.signal);
}

async function stop(): Promise<void> {
  over.abort();
  await running;
}

beforeEach(async () => {
  await api.pool.query('DELETE FROM webhooks');
  received = [];
  answer = () => 200;
  rules = { resolve: async () => [{ address: '127.0.0.1', family: 4 }], allowPrivate: true };
  start();
});
afterEach(stop);

const add = async (id: string, times = 1): Promise<void> => {
  for (let i = 0; i < times; i++)
    await api.side.service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 } });
};

const register = async (path = '/hook', more = {}): Promise<{ id: string; secret: string }> => {
  const { status, body } = await api.send('POST', '/v1/webhooks', key, {
    topic: 'stock-item',
    url: `${origin}${path}`,
    ...more,
  });
  expect([status, body.error]).toEqual([201, undefined]);
  return body as { id: string; secret: string };
};

const places = (): string[] => received.map(({ data }) => `${data.aggregateId} ${data.version}`);
const stateOf = async (id: string): Promise<{ state: string; lastError: string; changesBehind: string }> =>
  (await api.get('/v1/webhooks', { authorization: `Bearer ${key}` })).body.items.find(
    (one: { id: string }) => one.id === id,
  );

describe('a webhook', () => {
  it('is told of events, signed with a secret that is shown once', async () => {
    const { id, secret } = await register();
    await add('signed');
    await until(() => received.length === 1);
    const [{ headers, body, data } = {} as Received] = received;
    expect(headers['imart-signature']).toBe(signatureOf(secret, 1_700_000_000, body));
    expect([headers['imart-timestamp'], headers['imart-event-id']]).toEqual(['1700000000', data.eventId]);
    expect(data).toMatchObject({ topic: 'stock-item', aggregateId: 'signed', version: 1, name: 'Added' });
    expect(JSON.stringify(await stateOf(id))).not.toContain(secret);
  });

  it('is told in order per aggregate, at least once, whatever fails; one that takes nothing holds up itself alone', async () => {
    await register('/good');
    await register('/bad');
    let failures = 0;
    answer = ({ path, data }) => (path === '/bad' && data.version === 2 && failures++ < 5 ? 500 : 200);
    await add('a', 4);
    await add('b', 2);
    await until(() => received.length === 12);
    for (const path of ['/good', '/bad']) {
      const versions = received.filter((one) => one.path === path && one.data.aggregateId === 'a');
      expect(versions.map(({ data }) => data.version)).toEqual([1, 2, 3, 4]);
    }
    expect(failures).toBeGreaterThan(5);
  });

  it('goes on at its cursor in another process: what was taken before it ended comes at most again (E12)', async () => {
    await register();
    await add('away', 2);
    await until(() => received.length === 2);
    await stop();
    await add('away', 2);
    start();
    await until(() => new Set(places()).size === 4);
    expect([...new Set(places())]).toEqual(['away 1', 'away 2', 'away 3', 'away 4']);
  });

  it('that takes nothing for too long is disabled, visibly, and is told the rest when it is enabled', async () => {
    await stop();
    start(50);
    answer = () => 503;
    const { id } = await register();
    await add('dead', 2);
    await until(async () => (await stateOf(id)).state === 'disabled');
    expect(await stateOf(id)).toMatchObject({ lastError: 'it answered 503' });
    expect(logged.some((line) => line.includes('is disabled'))).toBe(true);
    answer = () => 200;
    expect((await api.send('POST', `/v1/webhooks/${id}/enable`, key)).body.state).toBe('active');
    await until(() => received.length === 2);
    expect(places()).toEqual(['dead 1', 'dead 2']);
    await until(async () => (await stateOf(id)).changesBehind === '0');
  });

  it('is asked nowhere else than where it was registered: redirects are not followed', async () => {
    answer = ({ path }) => (path === '/elsewhere' ? 200 : 302);
    const { id } = await register();
    await add('moved');
    await until(async () => (await stateOf(id)).state === 'failing');
    expect((await stateOf(id)).lastError).toBe('it answered 302: redirects are not followed');
    expect(received).toEqual([]);
  });

  it('is refused within the own network: when it is registered, and again at each delivery by what its name says then', async () => {
    const { id } = await register('/name');
    await api.pool.query('UPDATE webhooks SET url = $1', [
      origin.replace('127.0.0.1', 'hook.example').replace('http:', 'https:'),
    ]);
    await stop();
    rules = { resolve: async () => [{ address: '10.0.0.1', family: 4 }], allowPrivate: false };
    for (const url of [
      'https://hook.example/',
      'https://10.0.0.1/',
      'https://[::ffff:10.0.0.1]/',
      `${origin}/`,
    ]) {
      const { status, body } = await api.send('POST', '/v1/webhooks', key, { topic: 'stock-item', url });
      expect([status, body.error.problems[0].field]).toEqual([400, 'url']);
    }
    start();
    await add('inside');
    await until(async () => (await stateOf(id)).state === 'failing');
    expect((await stateOf(id)).lastError).toBe('hook.example is not, or not only, on the public internet');
    expect(received).toEqual([]);
  });

  it('belongs to its key: needs the scope, is nobody else’s, ends with it, and there is a bound', async () => {
    const { id } = await register();
    const other = await api.key(['webhooks']);
    expect((await api.get('/v1/webhooks', { authorization: `Bearer ${other}` })).body).toEqual({ items: [] });
    expect((await api.send('DELETE', `/v1/webhooks/${id}`, other)).status).toBe(404);
    expect((await api.send('DELETE', `/v1/webhooks/${id}`, await api.key(['events:write']))).status).toBe(
      403,
    );
    expect((await api.send('DELETE', `/v1/webhooks/${id}`, null)).status).toBe(401);
    const mine = { topic: 'stock-item', url: `${origin}/others` };
    for (let i = 0; i < 20; i++)
      expect((await api.send('POST', '/v1/webhooks', other, mine)).status).toBe(201);
    expect((await api.send('POST', '/v1/webhooks', other, mine)).body.error.problems[0].problem).toContain(
      '20 webhooks',
    );
    await api.pool.query(`UPDATE api_keys SET revoked_at = now() WHERE id = $1`, [other.split('_')[1]]);
    expect(
      await createWebhooks(api.pool).active([...api.side.types.values()].map(({ subject }) => subject)),
    ).toHaveLength(1);
    expect((await api.send('DELETE', `/v1/webhooks/${id}`, key)).status).toBe(204);
    const { rows } = await api.pool.query(`SELECT FROM subscriptions WHERE name = $1`, [`webhook:${id}`]);
    expect(rows).toEqual([]);
  });

  it('never has its secret in a log, nor its URL', async () => {
    const { secret } = await register('/hook?token=in-the-url');
    answer = () => 500;
    await add('logged');
    await until(() => logged.some((line) => line.includes('could not be told')));
    expect(logged.join('\n')).not.toContain(secret);
    expect(logged.join('\n')).not.toContain('in-the-url');
  });
});
