import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { anyAggregate } from '@imart/event-service';
import { stockItem, until } from '@imart/testing';
import { startCommandApi, type CommandApi } from '../../testing/commandApi';

let api: CommandApi;

beforeAll(async () => {
  api = await startCommandApi([anyAggregate(stockItem)], {
    more: () => ({ streams: { heartbeatMs: 20, pollMs: 20, stalledMs: 300, streamsMax: 4 } }),
  });
  api.work();
});
afterAll(() => api?.stop());

const opened: ClientRequest[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.destroy();
});

const add = async (id: string, times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) {
    const answer = await api.side.service.request({
      type: 'stock-item',
      id,
      name: 'Added',
      data: { quantity: 1 },
    });
    if (i === times - 1 && answer.kind === 'accepted')
      await api.side.service.waitFor('stock-item', id, answer.version, { timeoutMs: 60_000 });
  }
};

interface Told {
  readonly id: string;
  readonly name: string;
  readonly data: { readonly aggregateId: string; readonly version: number; readonly eventId: string };
}

/** A reader of a stream, as a browser is one. */
interface Reader {
  readonly status: number;
  readonly response: IncomingMessage;
  readonly told: Told[];
  raw(): string;
  readonly ended: Promise<unknown>;
  close(): void;
}

async function read(path: string, lastEventId?: string): Promise<Reader> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const asked = httpRequest(`${api.origin}/v1/streams/${path}`, { headers });
  opened.push(asked);
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let raw = '';
  let rest = '';
  const told: Told[] = [];
  response.on('error', () => undefined);
  const ended = once(response, 'close').catch(() => undefined);
  response.on('data', (chunk: Buffer) => {
    raw += chunk.toString();
    rest += chunk.toString();
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id = '', name = '', data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (data !== undefined) told.push({ id, name, data: JSON.parse(data) as Told['data'] });
    }
  });
  return {
    status: response.statusCode ?? 0,
    response,
    told,
    raw: () => raw,
    ended,
    close: () => asked.destroy(),
  };
}

const places = (reader: Reader): string[] =>
  reader.told.map(({ data }) => `${data.aggregateId} ${data.version}`);

describe('a stream', () => {
  it('tells events as they are executed, and nothing of before when it begins now', async () => {
    await add('before');
    const reader = await read('stock-item');
    expect(reader.response.headers['content-type']).toContain('text/event-stream');
    await add('a', 2);
    await until(() => reader.told.length === 2);
    expect(places(reader)).toEqual(['a 1', 'a 2']);
    expect(reader.told[0]).toMatchObject({
      name: 'Added',
      data: { data: { quantity: 1, left: 1 }, eventId: expect.any(String) },
    });
  });

  it('goes on after Last-Event-ID, wherever in a change it was cut: every event once (E12)', async () => {
    // One change with several events: nothing is appended while they are asked for.
    const client = await api.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT id FROM subjects FOR UPDATE');
    for (let i = 0; i < 5; i++)
      await api.side.service.request({
        type: 'stock-item',
        id: `cut-${i % 2}`,
        name: 'Added',
        data: { quantity: 1 },
      });
    await client.query('COMMIT');
    client.release();
    const whole = await read('stock-item?from=beginning');
    await until(() => places(whole).filter((place) => place.startsWith('cut-')).length === 5);
    const all = places(whole);
    for (const [i, { id }] of whole.told.entries()) {
      const rest = await read('stock-item', id);
      await until(() => rest.told.length === all.length - i - 1);
      expect(places(rest)).toEqual(all.slice(i + 1));
      rest.close();
      await rest.ended;
    }
  });

  it('may be of one aggregate only', async () => {
    const reader = await read('stock-item?aggregate=mine');
    await add('other');
    await add('mine');
    await until(() => reader.told.length === 1);
    expect(places(reader)).toEqual(['mine 1']);
  });

  it('breaks silence with heartbeats', async () => {
    const reader = await read('stock-item');
    await until(() => reader.raw().split(': still here').length > 3);
    expect(reader.told).toEqual([]);
  });

  it('reads no further than its reader takes, cuts off one that takes nothing, who then goes on where it was', async () => {
    const filler = 'x'.repeat(60_000);
    const slow = await read('stock-item?aggregate=big');
    slow.response.pause();
    for (let i = 0; i < 150; i++) {
      await api.side.service.request({
        type: 'stock-item',
        id: 'big',
        name: i === 0 ? 'Added' : 'Taken',
        data: i === 0 ? { quantity: 1_000 } : { quantity: 1, by: filler },
      });
    }
    await api.side.service.waitFor('stock-item', 'big', 150, { timeoutMs: 60_000 });
    await until(async () => (await connections()) === 0);
    slow.response.resume();
    await slow.ended;
    expect(slow.told.length).toBeLessThan(150);
    const again = await read('stock-item?aggregate=big', slow.told.at(-1)?.id ?? '0');
    await until(() => slow.told.length + again.told.length === 150);
    expect([...places(slow), ...places(again)]).toEqual(
      Array.from({ length: 150 }, (_, i) => `big ${i + 1}`),
    );
  });

  it('is refused for a topic that is not known, a cursor that is none or of another history, and beyond a bound', async () => {
    const get = async (path: string, id?: string): Promise<[number, string]> => {
      const { status, body } = await api.get(
        `/v1/streams/${path}`,
        id === undefined ? {} : { 'last-event-id': id },
      );
      return [status, body.error.code];
    };
    expect(await get('raffle')).toEqual([404, 'UNKNOWN_AGGREGATE_TYPE']);
    expect(await get('stock-item', 'yesterday')).toEqual([400, 'BAD_PARAMETER']);
    expect(await get('stock-item', '0-1')).toEqual([400, 'BAD_PARAMETER']);
    expect(await get('stock-item', '99999999')).toEqual([410, 'FEED_GAP']);
    for (let i = 0; i < 4; i++) expect((await read('stock-item')).status).toBe(200);
    expect(await get('stock-item')).toEqual([503, 'STREAMS_FULL']);
  });

  it('ends when the process is asked to: shutting down does not wait for readers', async () => {
    const reader = await read('stock-item');
    await api.app.close();
    await reader.ended;
    expect(reader.response.complete).toBe(true);
  });
});

/** Streams that the server has open. */
async function connections(): Promise<number> {
  return new Promise((resolve, reject) =>
    api.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}
