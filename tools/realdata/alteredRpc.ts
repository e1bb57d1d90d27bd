import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of a batch. */
export interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What is told in the place of a result. */
export type Alter = (call: Call, result: unknown) => unknown;

/** A provider that lies. */
export interface AlteredRpc {
  readonly url: string;
  /** Calls so far, by method. */
  readonly calls: ReadonlyMap<string, number>;
  /** From now on results are altered like this; `null`: not at all. */
  alter(alter: Alter | null): void;
  stop(): Promise<void>;
}

/** Passes JSON-RPC on to a node, and its results back, altered. */
export async function startAlteredRpc(nodeUrl: string, first: Alter | null): Promise<AlteredRpc> {
  let alter = first;
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const asked = [JSON.parse(body) as Call | Call[]].flat();
      for (const { method } of asked) calls.set(method, (calls.get(method) ?? 0) + 1);
      const answer = await fetch(nodeUrl, { method: 'POST', body });
      const answers = (await answer.json()) as
        { id: unknown; result?: unknown } | { id: unknown; result?: unknown }[];
      for (const one of [answers].flat()) {
        const call = asked.find(({ id }) => id === one.id);
        if (call !== undefined && 'result' in one && alter !== null) one.result = alter(call, one.result);
      }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answers));
    })().catch(() => response.writeHead(502).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    alter(next) {
      alter = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
