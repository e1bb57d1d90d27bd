import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A log as a node gives it. */
export type WireLog = Readonly<Record<string, unknown>>;

interface WireCall {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** A provider in front of a node that leaves logs out of its answers to `eth_getLogs`, and says nothing of it (P2). */
export interface LyingProxy {
  readonly url: string;
  /** Which logs it leaves out. */
  omits: (log: WireLog) => boolean;
  /** How many it has left out. */
  readonly omitted: number;
  close(): Promise<void>;
}

export async function startLyingProxy(target: string, omits: LyingProxy['omits']): Promise<LyingProxy> {
  let omitted = 0;
  const proxy = { omits };
  const honest = (call: WireCall | undefined, answer: Record<string, unknown>): Record<string, unknown> => {
    const { result } = answer;
    if (call?.method !== 'eth_getLogs' || !Array.isArray(result)) return answer;
    const kept = (result as WireLog[]).filter((log) => !proxy.omits(log));
    omitted += result.length - kept.length;
    return { ...answer, result: kept };
  };
  const forward = async (body: string): Promise<string> => {
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const asked = JSON.parse(body) as WireCall | WireCall[];
    const answers = (await response.json()) as Record<string, unknown> | Record<string, unknown>[];
    if (!Array.isArray(asked)) return JSON.stringify(honest(asked, answers as Record<string, unknown>));
    const byId = new Map(asked.map((call) => [call.id, call]));
    return JSON.stringify(
      (answers as Record<string, unknown>[]).map((answer) => honest(byId.get(answer['id']), answer)),
    );
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      forward(Buffer.concat(chunks).toString('utf8')).then(
        (text) => response.writeHead(200, { 'content-type': 'application/json' }).end(text),
        () => response.writeHead(502).end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get omits() {
      return proxy.omits;
    },
    set omits(changed) {
      proxy.omits = changed;
    },
    get omitted() {
      return omitted;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
