import { silentLogger } from '@imart/runtime';
import type { RpcEndpoint } from './endpoint';
import { WrongChainError } from './errors';
import { createRpcPool, RPC_POOL_DEFAULTS } from './pool';

const { signal } = new AbortController();

/** A pool of chain 1: what each endpoint answers to `eth_chainId`. Its clock stands still. */
function setUp(...chainIds: unknown[]): { calls: string[]; asked: () => Promise<string> } {
  const calls: string[] = [];
  const endpoints = chainIds.map((chainId, i): RpcEndpoint => {
    const label = `rpc#${i + 1}`;
    return {
      label,
      stats: { endpoint: label, requests: 0, calls: 0, receivedChars: 0, errors: {}, inFlight: 0 },
      call: (method) => {
        calls.push(`${label} ${method}`);
        return Promise.resolve(chainId);
      },
      together: () => Promise.reject(new Error('unused')),
      many: () => Promise.reject(new Error('unused')),
      close: () => undefined,
    };
  });
  const pool = createRpcPool({
    ...RPC_POOL_DEFAULTS,
    endpoints,
    chainId: 1,
    logger: silentLogger,
    random: () => 1,
    now: () => 1_000_000,
    wait: () => Promise.resolve(),
  });
  const asked = (): Promise<string> =>
    pool.run({ what: 'the head', signal, work: ({ label }) => Promise.resolve(label) });
  return { calls, asked };
}

describe('an endpoint of an EVM chain', () => {
  it('is asked for its chain id before anything else, and once', async () => {
    const { calls, asked } = setUp('0x1');
    expect([await asked(), await asked()]).toEqual(['rpc#1', 'rpc#1']);
    expect(calls).toEqual(['rpc#1 eth_chainId']);
  });

  it('of another chain is not used, and the error names both (P14)', async () => {
    expect(await setUp('0x38', '0x1').asked()).toBe('rpc#2');
    const { asked } = setUp('0x38');
    await expect(asked()).rejects.toThrow(WrongChainError);
    await expect(asked()).rejects.toThrow(/serves chain 56, but the worker follows 1/);
  });

  it.each([[null], ['one'], [{}], ['0x']])(
    'that gives %p for a chain id is left for another one',
    async (no) => {
      const { calls, asked } = setUp(no, '0x1');
      expect(await asked()).toBe('rpc#2');
      expect(calls).toEqual(['rpc#1 eth_chainId', 'rpc#2 eth_chainId']);
    },
  );
});
