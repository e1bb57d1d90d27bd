import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeLedger, ProtoJson } from './fakeLedger';
import { protoJsonToRest } from './protoJsonToRest';

/** What is asked of a node. */
export interface FullnodeQuestion {
  readonly path: string;
  /** How many questions of this kind the node was asked before, each kind by itself. */
  readonly kind: 'info' | 'page' | 'version' | 'events' | 'other';
  readonly count: number;
  /** Of a page or a version. */
  readonly start: bigint | null;
  readonly limit: number | null;
  readonly headers: IncomingMessage['headers'];
}

/** How a node answers otherwise than a good one would. */
export interface FullnodeFault {
  /** Answers this instead. */
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection without an answer, or in the middle of it. */
  readonly breakOff?: 'before' | 'within';
  /** Gives no answer until the node is stopped. */
  readonly hang?: boolean;
  /** Waited for before the answer. */
  readonly until?: Promise<unknown>;
  /** The node behind the address is another one: with another ledger, as far as this version, without those below another. */
  readonly ledger?: FakeLedger;
  readonly head?: bigint;
  readonly oldest?: bigint;
  /** Gives no more than so many transactions. */
  readonly pageMax?: number;
  /** Changes the page. */
  readonly page?: (transactions: Record<string, unknown>[]) => unknown;
}

export type FullnodeRule = (question: FullnodeQuestion) => FullnodeFault | undefined;

/** A fullnode's REST API over a ledger, on a real socket. */
export interface FakeFullnode {
  readonly url: string;
  /** Answered and unanswered ones. */
  readonly questions: readonly FullnodeQuestion[];
  /** Questions that are being answered, and the most at once. */
  readonly open: { now: number; most: number };
  /** Rules that are asked for a fault, newest first; the first that gives one decides. */
  readonly rules: FullnodeRule[];
  close(): Promise<void>;
}

export interface FakeFullnodeOptions {
  readonly port?: number;
  /** Transactions of a page at most. @defaultValue 100 */
  readonly pageMax?: number;
  readonly host?: string;
  /** Creation numbers of event handles, by `struct/field`. */
  readonly handles?: Readonly<Record<string, string>>;
}

interface View {
  readonly ledger: FakeLedger;
  readonly head: bigint;
  readonly oldest: bigint;
}

const asRest = new WeakMap<ProtoJson, Record<string, unknown>>();
function restOf(json: ProtoJson): Record<string, unknown> {
  const rest = asRest.get(json) ?? protoJsonToRest(json);
  asRest.set(json, rest);
  return rest;
}

const errorBody = (message: string, code: string): string =>
  JSON.stringify({ message, error_code: code, vm_error_code: null });

export async function startFakeFullnode(
  ledger: FakeLedger,
  options: FakeFullnodeOptions = {},
): Promise<FakeFullnode> {
  const rules: FullnodeRule[] = [];
  const questions: FullnodeQuestion[] = [];
  const counts = { info: 0, page: 0, version: 0, events: 0, other: 0 };
  const open = { now: 0, most: 0 };

  const questionOf = (request: IncomingMessage): FullnodeQuestion => {
    const url = new URL(request.url ?? '/', 'http://node');
    const path = url.pathname;
    const byVersion = /\/v1\/transactions\/by_version\/(\d+)$/.exec(path)?.[1];
    const isPage = path.endsWith('/v1/transactions');
    const kind = isPage
      ? 'page'
      : byVersion !== undefined
        ? 'version'
        : /\/v1\/?$/.test(path)
          ? 'info'
          : /\/events\//.test(path)
            ? 'events'
            : 'other';
    const start = byVersion ?? url.searchParams.get('start');
    return {
      path: `${path}${url.search}`,
      kind,
      count: counts[kind]++,
      start: start === null ? null : BigInt(start),
      limit: isPage || kind === 'events' ? Number(url.searchParams.get('limit') ?? 25) : null,
      headers: request.headers,
    };
  };

  const answerOf = (
    { path, kind, start, limit }: FullnodeQuestion,
    { ledger: chain, head, oldest }: View,
    fault: FullnodeFault,
  ): { status: number; body: string } => {
    const rest = (version: bigint): Record<string, unknown> => restOf(chain.at(version) as ProtoJson);
    const pruned = (version: bigint): string =>
      errorBody(
        `Transaction at version ${version} is pruned, min available version is ${oldest}.`,
        kind === 'page' ? 'internal_error' : 'version_pruned',
      );
    if (kind === 'info') {
      return {
        status: 200,
        body: JSON.stringify({
          chain_id: chain.chainId,
          epoch: '1',
          ledger_version: String(head),
          oldest_ledger_version: String(oldest),
          ledger_timestamp: String(chain.timestampUs(head)),
          node_role: 'full_node',
          oldest_block_height: '0',
          block_height: String(head),
          git_hash: '',
        }),
      };
    }
    if (kind === 'version' && start !== null) {
      if (start > head)
        return {
          status: 404,
          body: errorBody(`Transaction not found by Ledger version(${start})`, 'transaction_not_found'),
        };
      if (start < oldest) return { status: 410, body: pruned(start) };
      return { status: 200, body: JSON.stringify(rest(start)) };
    }
    if (kind === 'events') {
      const [, account = '', struct = '', field = ''] =
        /accounts\/([^/]+)\/events\/([^/]+)\/([^/?]+)/.exec(path) ?? [];
      const creation = options.handles?.[`${decodeURIComponent(struct)}/${field}`];
      const all: Record<string, unknown>[] = [];
      for (let version = chain.first; version <= head; version++) {
        const { success, events = [] } = rest(version) as {
          success: boolean;
          events?: Record<string, unknown>[];
        };
        if (!success) continue;
        for (const event of events) {
          const guid = event['guid'] as { creation_number: string; account_address: string };
          if (guid.creation_number === creation && BigInt(guid.account_address) === BigInt(account))
            all.push({ version: String(version), ...event });
        }
      }
      const count = Math.min(limit ?? 25, fault.pageMax ?? 100);
      // As a real one looks them up: where all are pruned, there are none.
      const prunedCount = all.filter((event) => BigInt(event['version'] as string) < oldest).length;
      if (prunedCount === all.length) return { status: 200, body: '[]' };
      const from = start === null ? Math.max(0, all.length - count) : Number(start);
      if (from < prunedCount)
        return {
          status: 500,
          body: errorBody('First requested event is probably pruned.', 'internal_error'),
        };
      const events = all.slice(from, from + count);
      return { status: 200, body: JSON.stringify(fault.page?.(events) ?? events) };
    }
    if (kind === 'page') {
      if (limit === 0)
        return { status: 400, body: errorBody('Given limit value (0) must not be zero', 'invalid_input') };
      const count = Math.min(limit ?? 25, fault.pageMax ?? options.pageMax ?? 100);
      const from = start ?? (head - BigInt(count) + 1n > 0n ? head - BigInt(count) + 1n : 0n);
      if (from > head) {
        const message = `Given start value (${from}) is higher than the current ledger version, it must be < ${head}`;
        return { status: 400, body: errorBody(message, 'invalid_input') };
      }
      if (from < oldest) return { status: 500, body: pruned(from) };
      const page: Record<string, unknown>[] = [];
      for (let version = from; version <= head && page.length < count; version++) page.push(rest(version));
      return { status: 200, body: JSON.stringify(fault.page?.(page) ?? page) };
    }
    return { status: 404, body: errorBody('Not found', 'web_framework_error') };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const question = questionOf(request);
    questions.push(question);
    let fault: FullnodeFault = {};
    for (const rule of [...rules].reverse()) {
      const found = rule(question);
      if (found !== undefined) {
        fault = found;
        break;
      }
    }
    if (fault.until !== undefined) await fault.until;
    if (fault.hang === true) return;
    if (fault.breakOff === 'before') {
      request.socket.destroy();
      return;
    }
    const chain = fault.ledger ?? ledger;
    const view: View = { ledger: chain, head: fault.head ?? chain.head, oldest: fault.oldest ?? chain.first };
    const answer = answerOf(question, view, fault);
    const body = fault.body ?? answer.body;
    response.writeHead(fault.status ?? answer.status, {
      'content-type': 'application/json',
      'x-aptos-chain-id': String(view.ledger.chainId),
      'x-aptos-ledger-version': String(view.head),
      'x-aptos-ledger-oldest-version': String(view.oldest),
      'x-aptos-ledger-timestampusec': String(view.ledger.timestampUs(view.head)),
      ...fault.headers,
      'content-length': Buffer.byteLength(body),
    });
    if (fault.breakOff === 'within') {
      response.write(body.slice(0, Math.floor(body.length / 2)), () => request.socket.destroy());
      return;
    }
    response.end(body);
  };

  const server = createServer((request, response) => {
    open.now++;
    open.most = Math.max(open.most, open.now);
    response.on('close', () => open.now--);
    void handle(request, response);
  });
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/v1`,
    questions,
    open,
    rules,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
