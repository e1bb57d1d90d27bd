import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { FakeBlock, FakeChain } from './fakeChain';
import { answerMethod, headerOf, viewOf } from './fakeMethods';
import type { FakeRpcRules, Scripted } from './fakeRules';

export { receiptsOf } from './fakeBlock';
export type { FakeRpcRules, Scripted } from './fakeRules';

export interface FakeRpcOptions {
  /** On 127.0.0.1. @defaultValue a free one */
  readonly port?: number;
  /** Keeps every call, which takes memory. @defaultValue true */
  readonly recordCalls?: boolean;
  /** Also over WebSocket, where `newHeads` can be subscribed to. @defaultValue false */
  readonly webSocket?: boolean;
  /** Further methods, before the node's own; `undefined`: none of them. */
  readonly methods?: (
    method: string,
    params: readonly unknown[],
  ) => Promise<{ readonly result: unknown }> | undefined;
}

export interface FakeRpc {
  readonly url: string;
  readonly wsUrl: string;
  readonly rules: FakeRpcRules;
  /** Every call, in order. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[]; readonly batch: number }[];
  /** Requests on their way, now and at most. */
  readonly inFlight: { now: number; max: number };
  /** When a block was first told of, by its hash: milliseconds since 1970, with fractions. The newest 10,000. */
  readonly servedAt: ReadonlyMap<string, number>;
  /** Subscriptions that are open. */
  readonly subscriptions: number;
  count(method: string): number;
  /** Ends every WebSocket without a word. */
  dropWebSockets(): void;
  close(): Promise<void>;
}

interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

type Answer = Record<string, unknown>;

const SERVED_MAX = 10_000;
const PAGE = '<html><head><title>Bad Gateway</title></head><body>cloud-front</body></html>';
const RATE_ERRORS = {
  code: { code: -32005, message: 'daily request count exceeded, request rate limited' },
  credits: { code: -32012, message: 'credits limited to 6000/sec' },
} as const;

/** A JSON-RPC node on this machine, over HTTP and, if asked for, WebSocket. */
export async function startFakeRpc(
  chain: FakeChain,
  rules: FakeRpcRules = {},
  options: FakeRpcOptions = {},
): Promise<FakeRpc> {
  const { port = 0, recordCalls = true, webSocket = false } = options;
  const calls: FakeRpc['calls'] = [];
  const inFlight = { now: 0, max: 0 };
  const servedAt = new Map<string, number>();
  let batches = 0;

  const serve = (hash: string): void => {
    if (servedAt.has(hash)) return;
    servedAt.set(hash, performance.timeOrigin + performance.now());
    if (servedAt.size > SERVED_MAX) servedAt.delete(servedAt.keys().next().value as string);
  };

  const rulesNow = (): FakeRpcRules => {
    const { nodes, chance } = rules;
    const node = nodes === undefined ? {} : nodes[batches % nodes.length];
    return { ...rules, ...node, ...chance?.() };
  };

  const healthy = (now: FakeRpcRules, method: string, params: readonly unknown[]): Scripted => {
    if (now.rateLimited === 'code' || now.rateLimited === 'credits')
      return { error: RATE_ERRORS[now.rateLimited] };
    const scripted = now.onCall?.(method, params) ?? answerMethod(chain, now, method, params);
    if (scripted === undefined || !('result' in scripted)) return scripted;
    const { changeResult } = now;
    const result: unknown =
      changeResult === undefined ? scripted.result : changeResult(method, params, scripted.result);
    if (method === 'eth_getBlockByNumber' && typeof result === 'object' && result !== null)
      serve((result as { hash: string }).hash);
    return { result };
  };

  /** Without a wait, unless the method is one of the further ones: a batch is answered from one moment of the chain. */
  const answer = (now: FakeRpcRules, { id, method, params = [] }: RpcRequest): Answer | Promise<Answer> => {
    if (recordCalls) calls.push({ method, params, batch: batches });
    const own = options.methods?.(method, params);
    if (own === undefined) return { jsonrpc: '2.0', id, ...healthy(now, method, params) };
    return own.then((answered) => ({ jsonrpc: '2.0', id, ...answered }));
  };

  const answersTo = async (now: FakeRpcRules, body: string): Promise<Answer | Answer[]> => {
    const request = JSON.parse(body) as RpcRequest | RpcRequest[];
    if (!Array.isArray(request)) return answer(now, request);
    const answers = await Promise.all(request.map((one) => answer(now, one)));
    if (now.reverseBatches === true) answers.reverse();
    if (now.partialBatches === true) answers.pop();
    return answers;
  };

  const respond = async (body: string, response: ServerResponse): Promise<void> => {
    batches++;
    const now = rulesNow();
    const special = now.onHttp?.(body);
    if (special === 'hang') return;
    if (special !== undefined) {
      response.writeHead(special.status ?? 200, special.headers).end(special.body);
      return;
    }
    if (now.down === true) return void response.socket?.destroy();
    if (now.html !== undefined)
      return void response.writeHead(now.html, { 'content-type': 'text/html' }).end(PAGE);
    if (now.rateLimited === 'http') {
      const headers = now.retryAfter === undefined ? {} : { 'retry-after': String(now.retryAfter) };
      return void response
        .writeHead(429, headers)
        .end('{"error":{"code":429,"message":"Too Many Requests"}}');
    }
    const text = JSON.stringify(await answersTo(now, body));
    const send = (): void => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      if (now.cutAnswers !== true) return void response.end(text);
      response.write(text.slice(0, Math.floor(text.length / 2)), () => response.socket?.destroy());
    };
    if (now.delayMs === undefined) send();
    else setTimeout(send, now.delayMs);
  };

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    inFlight.now++;
    inFlight.max = Math.max(inFlight.max, inFlight.now);
    response.on('close', () => inFlight.now--);
    if (request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      respond(body, response).catch(() => {
        response.writeHead(400).end('{"error":{"code":-32700,"message":"parse error"}}');
      });
    });
  });

  const sockets = new Map<WebSocket, Set<string>>();
  const wsServer = webSocket ? new WebSocketServer({ noServer: true }) : null;
  let subscribed = 0;
  const overSocket = async (socket: WebSocket, body: string): Promise<void> => {
    const request = JSON.parse(body) as RpcRequest | RpcRequest[];
    if (Array.isArray(request) || request.method !== 'eth_subscribe') {
      socket.send(JSON.stringify(await answersTo(rulesNow(), body)));
      return;
    }
    const id = `0x${(++subscribed).toString(16)}`;
    sockets.get(socket)?.add(id);
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: request.id, result: id }));
  };
  wsServer?.on('connection', (socket) => {
    sockets.set(socket, new Set());
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data: Buffer) => {
      overSocket(socket, data.toString('utf8')).catch(() => socket.terminate());
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (wsServer === null || rules.down === true) return void socket.destroy();
    wsServer.handleUpgrade(request, socket, head, (client) => wsServer.emit('connection', client, request));
  });
  const announce = (block: FakeBlock): void => {
    const now = rulesNow();
    if (sockets.size === 0 || viewOf(chain, now).at(block.number)?.hash !== block.hash) return;
    serve(block.hash);
    for (const [socket, ids] of sockets) {
      for (const subscription of ids) {
        const params = { subscription, result: headerOf(block, now) };
        socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }));
      }
    }
  };
  const stopListening = chain.onBlock(announce);
  const dropWebSockets = (): void => {
    for (const socket of sockets.keys()) socket.terminate();
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${place}`,
    wsUrl: `ws://${place}`,
    rules,
    calls,
    inFlight,
    servedAt,
    get subscriptions() {
      return [...sockets.values()].reduce((sum, ids) => sum + ids.size, 0);
    },
    count: (method) => calls.filter((call) => call.method === method).length,
    dropWebSockets,
    close: () =>
      new Promise((resolve) => {
        stopListening();
        dropWebSockets();
        wsServer?.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
