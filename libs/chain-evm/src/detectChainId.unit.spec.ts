import { silentLogger } from '@imart/runtime';
import { detectChainId } from './detectChainId';
import { createFakeChain } from './testing/fakeChain';
import { startFakeRpc } from './testing/fakeRpc';

describe('the chain id that endpoints serve', () => {
  it('is that of the first one that tells it, by the clock that is given', async () => {
    const chain = createFakeChain(1, 56);
    const mute = await startFakeRpc(chain, { onCall: () => ({ result: 'none' }) });
    const later = new Date(61_000).toUTCString();
    const busy = await startFakeRpc(chain, {
      onHttp: () => ({ status: 429, body: '', headers: { 'retry-after': later } }),
    });
    const good = await startFakeRpc(chain);
    const now = jest.fn(() => 1_000);
    try {
      const chainId = await detectChainId({
        rpcUrls: [mute.url, busy.url, good.url],
        logger: silentLogger,
        random: () => 0.5,
        now,
        signal: AbortSignal.timeout(10_000),
      });
      expect(chainId).toBe(56);
      expect(now).toHaveBeenCalled();
    } finally {
      await Promise.all([mute.close(), busy.close(), good.close()]);
    }
  });
});
