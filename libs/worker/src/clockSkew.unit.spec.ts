import { fakeBlock } from '@imart/testing';
import { silentLogger } from '@imart/runtime';
import { createClockSkew } from './clockSkew';
import { positionWords } from './words';

const SECOND_US = 1_000_000n;

function watch(hostSeconds: () => number) {
  const said: string[] = [];
  const skew = createClockSkew({
    maxMs: 60_000,
    words: positionWords('block'),
    now: () => hostSeconds() * 1000,
    logger: {
      ...silentLogger,
      warn: (message, fields) => void said.push(`warn ${message} ${JSON.stringify(fields?.['skewSeconds'])}`),
      info: (message) => void said.push(`info ${message}`),
    },
  });
  const see = (block: number, seconds: number): void =>
    skew.see({ ...fakeBlock(BigInt(block)), timeUs: BigInt(seconds) * SECOND_US });
  return { skew, said, see };
}

describe('the clock of the host and the time of the chain (D11)', () => {
  it('agree within the bound, and the difference is shown', () => {
    const { skew, said, see } = watch(() => 1_000);
    see(1, 990);
    expect(skew.seconds).toBeNull();
    see(2, 998);
    expect(skew.seconds).toBe(2);
    expect([skew.isTooLarge, said]).toEqual([false, []]);
  });

  it('are told apart once when a new block comes from the past, and once when they agree again', () => {
    let host = 1_000;
    const { skew, said, see } = watch(() => host);
    see(1, 990);
    for (let block = 2; block < 5; block++) see(block, 900);
    expect(skew.isTooLarge).toBe(true);
    expect(said).toEqual([expect.stringMatching(/^warn .*clock.* 100$/)]);
    host = 910;
    see(5, 905);
    expect(skew.isTooLarge).toBe(false);
    expect(said[1]).toMatch(/^info .*agree again/);
  });

  it('are told apart at once by a block from the future: the clock of the host is slow', () => {
    const { skew, said, see } = watch(() => 1_000);
    see(1, 1_100);
    expect([skew.seconds, skew.isTooLarge]).toEqual([-100, true]);
    expect(said).toHaveLength(1);
  });

  it('are not compared by a head that was there before: a chain that stands still, a recording', () => {
    const { skew, said, see } = watch(() => 1e9);
    see(7, 1_000);
    see(7, 1_000);
    see(6, 900);
    expect([skew.seconds, skew.isTooLarge, said]).toEqual([null, false, []]);
  });
});
