import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPTED_ADDRESS } from '../replay-fullnode/src/scriptedMarket';

/** Market actions of the script: at two a second they last nearly three hours. After that, the ledger stands still. */
const ACTIONS = 20_000;
/** Versions for each action: those of blocks are among them. */
const VERSIONS_PER_ACTION = 1.8;
/** What is there from the start, to be caught up with. */
const FIRST_HEAD = 200;

/** How the scripted ledger is served, growing on from where it was, and what to follow on it. */
export function aptosLedger(
  dataDir: string,
  actionsPerSecond: number,
): { readonly args: readonly string[]; readonly markets: string } {
  const directory = join(dataDir, 'aptos');
  mkdirSync(directory, { recursive: true });
  const growMs = Math.max(1, Math.round(1_000 / (actionsPerSecond * VERSIONS_PER_ACTION)));
  return {
    args: [
      'tools/replay-fullnode/src/main.ts',
      ...['--script', String(ACTIONS), '--seed', '7'],
      ...['--head', String(FIRST_HEAD), '--grow', String(growMs), '--state', join(directory, 'head')],
    ],
    markets: `imart:${SCRIPTED_ADDRESS}`,
  };
}
