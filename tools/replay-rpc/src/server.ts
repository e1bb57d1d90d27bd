import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { RecordedChain } from './chain';
import { answerText } from './jsonRpc';
import type { Method } from './methods';
import { RpcError } from './rpcError';

const BODY_BYTES_MAX = 10_000_000;

/** A server that is listening. */
export interface RpcServer {
  readonly url: string;
  readonly wsUrl: string;
  /** Sends the header of a block to every newHeads subscription. */
  announce(number: number): void;
  /** Ends all connections; resolves when the port is free. */
  stop(): Promise<void>;
}

/** Serves JSON-RPC by HTTP POST on any path, and by WebSocket with eth_subscribe('newHeads'), on one port. */
export async function startRpcServer(
  chain: RecordedChain,
  methods: ReadonlyMap<string, Method>,
  options: { readonly host: string; readonly port: number; readonly latencyMs: number },
): Promise<RpcServer> {
  const timers = new Set<NodeJS.Timeout>();
  const later = (act: () => void): void => {
    if (options.latencyMs === 0) return act();
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, options.latencyMs);
    timers.add(timer);
  };

  const http = createServer((request, response) => {
    readBody(request, response, (text) => {
      later(() => {
        const answer = answerText(text, methods);
        response
          .writeHead(answer === undefined ? 204 : 200, { 'content-type': 'application/json' })
          .end(answer);
      });
    });
  });

  const subscriptions = new Map<string, WebSocket>();
  let nextId = 1;
  const sockets = new WebSocketServer({ server: http, maxPayload: BODY_BYTES_MAX });
  // It repeats the errors of the http server, which reach the caller from `listen` below.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket) => {
    const also = new Map<string, Method>([
      [
        'eth_subscribe',
        ([kind]) => {
          if (kind !== 'newHeads') {
            throw new RpcError(
              -32601,
              `no "${String(kind)}" subscription in eth namespace; there is newHeads`,
            );
          }
          const id = `0x${(nextId++).toString(16).padStart(32, '0')}`;
          subscriptions.set(id, socket);
          return id;
        },
      ],
      [
        'eth_unsubscribe',
        ([id]) => subscriptions.get(String(id)) === socket && subscriptions.delete(String(id)),
      ],
    ]);
    socket.on('message', (message: Buffer) => {
      const text = message.toString('utf8');
      later(() => {
        const answer = answerText(text, methods, also);
        if (answer !== undefined) socket.send(answer);
      });
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      for (const [id, owner] of subscriptions) if (owner === socket) subscriptions.delete(id);
    });
  });

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port, options.host, () => resolve());
  });
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    wsUrl: `ws://${options.host}:${port}`,
    announce(number) {
      const result = chain.byNumber(number)?.header;
      for (const [subscription, socket] of subscriptions) {
        socket.send(
          JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } }),
        );
      }
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}

function readBody(request: IncomingMessage, response: ServerResponse, done: (text: string) => void): void {
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end();
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('error', () => response.destroy());
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  });
  request.on('end', () => {
    if (bytes > BODY_BYTES_MAX) response.writeHead(413).end();
    else done(Buffer.concat(chunks).toString('utf8'));
  });
}
