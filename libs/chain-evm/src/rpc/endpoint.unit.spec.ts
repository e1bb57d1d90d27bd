import { setMaxListeners } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createFakeChain } from '../testing/fakeChain';
import { startFakeRpc, type FakeRpc, type FakeRpcRules } from '../testing/fakeRpc';
import {
  createRpcEndpoint,
  RPC_ENDPOINT_DEFAULTS,
  type RpcEndpoint,
  type RpcEndpointOptions,
} from './endpoint';

let node: FakeRpc;
let endpoint: RpcEndpoint;
const { signal } = new AbortController();
setMaxListeners(0, signal);

async function begin(rules: FakeRpcRules = {}, options: Partial<RpcEndpointOptions> = {}): Promise<void> {
  node = await startFakeRpc(createFakeChain(200), rules);
  endpoint = createRpcEndpoint({
    ...RPC_ENDPOINT_DEFAULTS,
    url: node.url,
    place: 1,
    now: Date.now,
    ...options,
  });
}

afterEach(async () => {
  endpoint.close();
  await node.close();
});

const blocks = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    method: 'eth_getBlockByNumber',
    params: [`0x${i.toString(16)}`, false],
  }));
const numbersOf = (results: unknown[]) =>
  results.map((block) => Number((block as { number: string }).number));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

describe('an endpoint', () => {
  it('matches the answers of a batch by id when they come in another order (P15)', async () => {
    await begin({ reverseBatches: true });
    expect(numbersOf(await endpoint.together(blocks(5), signal))).toEqual([0, 1, 2, 3, 4]);
    expect(node.calls.map(({ batch }) => batch)).toEqual([1, 1, 1, 1, 1]);
  });

  const answer = (id: number) => `{"jsonrpc":"2.0","id":${id},"result":{"number":"0x${id}"}}`;
  it.each([
    ['a part of the batch', `[${answer(0)}]`],
    ['the same answer twice', `[${answer(0)},${answer(0)}]`],
    ['an id that was not asked', `[${answer(0)},${answer(7)}]`],
    ['HTML', '<html>hello</html>'],
    ['nothing', ''],
    ['neither result nor error', `[${answer(0)},{"id":1}]`],
    ['no object', '[1,2]'],
  ])('uses nothing of an answer that is %s (P15)', async (_, body) => {
    await begin({ onHttp: () => ({ body }) });
    expect(await codeOf(endpoint.together(blocks(2), signal))).toBe('RPC_UNAVAILABLE');
  });

  it('uses nothing of a batch of which one call failed (P15)', async () => {
    await begin({
      onCall: (_, [number]) =>
        number === '0x1' ? { error: { code: 429, message: 'too many requests' } } : undefined,
    });
    expect(await codeOf(endpoint.together(blocks(3), signal))).toBe('RPC_RATE_LIMITED');
    expect(endpoint.stats.errors).toEqual({ RPC_RATE_LIMITED: 1 });
  });

  it('reads compressed answers, and takes broken ones for a broken connection (P15)', async () => {
    let broken = false;
    await begin({
      onHttp: () => ({
        body: broken ? Buffer.from('not gzip') : gzipSync('{"jsonrpc":"2.0","id":0,"result":"0x1"}'),
        headers: { 'content-encoding': 'gzip' },
      }),
    });
    expect(await endpoint.call('eth_chainId', [], signal)).toBe('0x1');
    broken = true;
    expect(await codeOf(endpoint.call('eth_chainId', [], signal))).toBe('RPC_UNAVAILABLE');
  });

  it('gives up after its time limit', async () => {
    await begin({ onHttp: () => 'hang' }, { timeoutMs: 30 });
    expect(await codeOf(endpoint.call('eth_chainId', [], signal))).toBe('RPC_TIMEOUT');
    expect(endpoint.stats.inFlight).toBe(0);
  });

  it('gives up when it is told to', async () => {
    await begin({ onHttp: () => 'hang' });
    const abort = new AbortController();
    const call = endpoint.call('eth_chainId', [], abort.signal);
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(endpoint.call('eth_chainId', [], abort.signal)).rejects.toThrow('enough');
  });

  it('takes an answer beyond its bound for a reason to ask for less', async () => {
    await begin({}, { answerBytesMax: 1_000 });
    expect(await codeOf(endpoint.together(blocks(5), signal))).toBe('RPC_RANGE_LIMIT');
  });

  it('says when nobody listens', async () => {
    await begin();
    await node.close();
    expect(await codeOf(endpoint.call('eth_chainId', [], signal))).toBe('RPC_UNAVAILABLE');
  });

  it('takes a kept connection that was closed meanwhile for no failure', async () => {
    await begin();
    let requests = 0;
    const sockets = new Map<Socket, number>();
    const server = createServer((socket) => {
      sockets.set(socket, 0);
      socket.on('error', () => undefined);
      socket.on('data', () => {
        requests++;
        const served = (sockets.get(socket) ?? 0) + 1;
        sockets.set(socket, served);
        if (served > 1) return void socket.resetAndDestroy();
        const body = '{"jsonrpc":"2.0","id":0,"result":"0x1"}';
        socket.write(
          `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const fickle = createRpcEndpoint({
      ...RPC_ENDPOINT_DEFAULTS,
      url: `http://127.0.0.1:${port}`,
      place: 1,
      now: Date.now,
    });
    try {
      expect(await fickle.call('eth_chainId', [], signal)).toBe('0x1');
      expect(await fickle.call('eth_chainId', [], signal)).toBe('0x1');
      expect([requests, sockets.size]).toEqual([3, 2]);
      expect(fickle.stats.errors).toEqual({});
    } finally {
      fickle.close();
      server.close();
    }
  });

  it('asks in smaller batches, down to single calls, when batches are refused', async () => {
    const sizes: number[] = [];
    await begin({
      onHttp: (body) => {
        const calls = JSON.parse(body) as unknown;
        if (!Array.isArray(calls)) return undefined;
        sizes.push(calls.length);
        return calls.length > 2
          ? { body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch size too large"}}' }
          : undefined;
      },
    });
    expect(numbersOf(await endpoint.together(blocks(8), signal))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(sizes).toEqual([8, 4, 2, 2, 2, 2]);
  });

  it('has no more requests on their way than allowed, and serves all (P19)', async () => {
    await begin({}, { inFlightMax: 3, batchCallsMax: 10 });
    const results = await Promise.all(Array.from({ length: 10 }, () => endpoint.many(blocks(20), signal)));
    expect(results.flatMap(numbersOf)).toHaveLength(200);
    expect(node.inFlight.max).toBeLessThanOrEqual(3);
  });

  it('halves what is on its way after a rate limit', async () => {
    let limited = true;
    await begin(
      { onHttp: () => (limited ? { status: 429, body: 'slow down' } : undefined) },
      { inFlightMax: 4 },
    );
    await codeOf(endpoint.call('eth_chainId', [], signal));
    limited = false;
    node.inFlight.max = 0;
    await Promise.all(Array.from({ length: 3 }, () => endpoint.call('eth_chainId', [], signal)));
    expect(node.inFlight.max).toBeLessThanOrEqual(2);
  });

  it('is called by its host alone: path, query and credentials hold keys', async () => {
    await begin({ onHttp: () => ({ status: 500, body: `no luck with ${node.url}/v2/SECRET` }) });
    endpoint = createRpcEndpoint({
      ...RPC_ENDPOINT_DEFAULTS,
      url: `${node.url.replace('http://', 'http://user:pw@')}/v2/SECRET?key=SECRET`,
      place: 2,
      now: Date.now,
    });
    expect(endpoint.label).toBe(`rpc#2 (${new URL(node.url).host})`);
    const error = await endpoint.call('eth_chainId', [], signal).catch((e: Error) => e);
    expect(String(error) + JSON.stringify(error)).not.toMatch(/SECRET|user|pw/);
  });
});
