import { join } from 'node:path';
import WebSocket from 'ws';
import type { Program, Programs } from '../../e2e/programs';
import { ROOT } from '../../e2e/bundles';
import type { Served } from './figures';

/** A head as the server tells of it: on which branch, and when it could first be had. */
export interface ServedHead extends Served {
  readonly branch: number;
}

export interface ChainServerOptions {
  /** Events of the history that is there from the start. */
  readonly historyEvents: number;
  readonly liveBlocks: number;
  /** Of each live block. */
  readonly liveEvents: number;
  /** Branches besides the main one, each above the block `offset` after the history's last, `branchBlocks` long. */
  readonly branches?: readonly { readonly offset: number; readonly seed: number }[];
  readonly branchBlocks?: number;
}

/** The synthetic chain behind its JSON-RPC server, a process of its own. */
export interface ChainServer {
  readonly program: Program;
  readonly rpcUrl: string;
  /** Where it announces heads. No client finds it from `rpcUrl` alone. */
  readonly headsUrl: string;
  /** The last block of the history: the head at first. */
  readonly historyEnd: number;
  /** The state that the main branch must lead to. */
  expected(): Promise<unknown>;
  /** Serves this block now; on another branch than before, this is a reorg. */
  head(branch: number, number: number): Promise<ServedHead>;
  /** Serves so many further blocks, one by one; their distances vary by up to `jitterMs` to both sides. */
  grow(blocks: number, intervalMs: number, jitterMs: number): Promise<void>;
  /** All heads that were served after the history, in order. */
  served(): Promise<readonly ServedHead[]>;
  /** Calls for each announced block until closed. Resolves when subscribed. */
  onHead(listener: (number: number) => void): Promise<{ close(): void }>;
}

interface ToldHead {
  readonly branch: number;
  readonly number: number;
  readonly atNs: string;
}

const readHead = (told: ToldHead): ServedHead => ({ ...told, atNs: BigInt(told.atNs) });

export async function startChainServer(
  programs: Programs,
  options: ChainServerOptions,
): Promise<ChainServer> {
  const { historyEvents, liveBlocks, liveEvents, branches = [], branchBlocks = 10 } = options;
  const program = programs.start({
    name: 'RPC server',
    args: [
      join(ROOT, 'tools/bench/rpcServer.mjs'),
      ...['--port', '0', '--events', String(historyEvents)],
      ...['--live-blocks', String(liveBlocks), '--live-events', String(liveEvents)],
      ...branches.flatMap(({ offset, seed }) => ['--branch', `${offset}:${seed}`]),
      ...['--branch-blocks', String(branchBlocks)],
    ],
    cwd: ROOT,
    patienceMs: 600_000,
  });
  const ready = await program.line((text) => text.startsWith('ready '), 'being ready');
  const said = (name: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(ready)?.[1]);
  const rpcUrl = `http://127.0.0.1:${said('port')}`;
  const headsUrl = `ws://127.0.0.1:${said('port')}/heads`;
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${rpcUrl}${path}`);
    if (!answer.ok) throw new Error(`the RPC server answered ${answer.status} to ${path}`);
    return (await answer.json()) as T;
  };
  return {
    program,
    rpcUrl,
    headsUrl,
    historyEnd: said('historyEnd'),
    expected: () => get('/expected'),
    head: async (branch, number) => readHead(await get(`/head?branch=${branch}&number=${number}`)),
    grow: async (blocks, intervalMs, jitterMs) => {
      await get(`/grow?blocks=${blocks}&interval=${intervalMs}&jitter=${jitterMs}`);
    },
    served: async () => (await get<readonly ToldHead[]>('/served')).map(readHead),
    onHead: (listener) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(headsUrl);
        socket.on('error', reject);
        socket.on('open', () => socket.send('{"id":1,"method":"eth_subscribe","params":["newHeads"]}'));
        socket.on('message', (data: Buffer) => {
          const message = JSON.parse(data.toString()) as { params?: { result: { number: string } } };
          if (message.params === undefined) resolve({ close: () => socket.close() });
          else listener(Number(message.params.result.number));
        });
      }),
  };
}
