import {
  startFakeFullnode,
  type FakeFullnode,
  type FullnodeFault,
} from '../../../libs/chain-aptos/src/testing/fakeFullnode';
import type { ScriptedFault, ServedLedger } from './commandLine';
import { EVERY_SCRIPTED_HANDLE } from './scriptedHandles';

/** Faults by name, of pages and of handles' events: each of the two is counted by itself. */
export const FULLNODE_FAULTS: Readonly<Record<string, (value: string | null) => FullnodeFault>> = {
  status: (value) => ({
    status: Number(value ?? 503),
    body: '{"message":"scripted","error_code":"internal_error"}',
  }),
  'rate-limit': (value) => ({ status: 429, body: '{}', headers: { 'retry-after': value ?? '1' } }),
  'break-off': () => ({ breakOff: 'within' }),
  refuse: () => ({ breakOff: 'before' }),
  hang: () => ({ hang: true }),
  short: (value) => ({ pageMax: Number(value ?? 1) }),
  empty: () => ({ body: '[]' }),
  gap: (value) => ({ page: (page) => page.filter((_, i) => i !== Number(value ?? 0)) }),
  repeat: () => ({ page: (page) => [...page.slice(0, 1), ...page] }),
  reorder: () => ({ page: (page) => [...page].reverse() }),
  html: () => ({ body: '<html>busy</html>' }),
  lag: (value) => ({ head: BigInt(value ?? 0) }),
  pruned: (value) => ({ oldest: BigInt(value ?? 1) }),
  chain: (value) => ({ headers: { 'x-aptos-chain-id': value ?? '99' } }),
};

/** Serves the ledger as a fullnode's REST API, with the faults of the script. */
export async function startReplayFullnode(served: ServedLedger): Promise<FakeFullnode> {
  const node = await startFakeFullnode(served.ledger, { port: served.port, handles: EVERY_SCRIPTED_HANDLE });
  const scripted = served.faults.map((fault: ScriptedFault) => ({
    ...fault,
    made: FULLNODE_FAULTS[fault.kind]?.(fault.value) ?? {},
  }));
  node.rules.push(({ kind, count }) => {
    const head = served.head();
    const isFaulty = kind === 'page' || kind === 'events';
    const fault = isFaulty ? scripted.find(({ from, to }) => count >= from && count <= to) : undefined;
    return { head, ...fault?.made };
  });
  return node;
}
