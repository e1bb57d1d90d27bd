import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../e2e/bundles';
import type { Program, Programs } from '../../e2e/programs';
import { COLLECTION, MARKETPLACE } from '../chain.mjs';
import type { ChainServer } from './chainServer';
import type { Place } from './place';

export interface WorkerOptions {
  readonly place: Place;
  readonly chain: ChainServer;
  /** `false`: new blocks are found by polling alone. */
  readonly hints: boolean;
  readonly pollIntervalMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts evm-worker as it is shipped. */
export function startWorker(programs: Programs, options: WorkerOptions): Program {
  const { place, chain, hints, pollIntervalMs, env = {} } = options;
  return programs.start({
    name: 'evm-worker',
    // The flags with which the project starts its processes.
    args: ['--max-semi-space-size=32', '--min-semi-space-size=32', join(ROOT, 'dist/evm-worker/main.cjs')],
    env: {
      ...place.env,
      RPC_URLS: chain.rpcUrl,
      ...(hints ? { RPC_WS_URL: chain.headsUrl } : {}),
      MARKETS: `imart:${MARKETPLACE}`,
      COLLECTIONS: COLLECTION,
      POLL_INTERVAL_MS: String(pollIntervalMs),
      ...env,
    },
    cwd: ROOT,
    patienceMs: 600_000,
  });
}

/** Resolves when the worker has opened its database and its chain, and begins to read. */
export const untilFollowing = (worker: Program): Promise<string> =>
  worker.line((text) => text.includes('"following"') || / following /.test(text), 'following the chain');

/** User and system seconds of a process so far (Linux). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
