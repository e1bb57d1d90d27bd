import { silentLogger } from '@imart/runtime';
import type { EvmBlock } from '../log';
import { createFinality, type Finality, type ToldHead } from './finality';

const block = (number: number): EvmBlock => ({
  number,
  hash: `0x${String(number).padStart(64, '0')}`,
  parentHash: `0x${String(number - 1).padStart(64, '0')}`,
  timestamp: number,
  logsBloom: null,
});
const head = (number: number, isServed = true): ToldHead => ({ block: block(number), isServed });

function setUp(initial: number | null = null): { finality: Finality; refused: () => number } {
  let refused = 0;
  const finality = createFinality({
    depthBlocks: 10,
    initial,
    logger: silentLogger,
    refused: () => refused++,
  });
  return { finality, refused: () => refused };
}

describe('finality', () => {
  it('moves on with what nodes call finalized, and never back, whatever they call so later (P7)', () => {
    const { finality } = setUp();
    const told = [50, 40, 60, 59].map((number) => {
      finality.update(head(100), block(number));
      return [finality.position, finality.named?.number];
    });
    expect(told).toEqual([
      [50, 50],
      [50, 50],
      [60, 60],
      [60, 60],
    ]);
  });

  it('does not move back by depth either: not for a chain that is shorter, nor behind what was stored (P7)', () => {
    const { finality } = setUp(70);
    finality.update(head(75), 'unsupported');
    expect(finality.position).toBe(70);
    finality.update(head(100), 'unsupported');
    expect(finality.position).toBe(90);
    finality.update(head(95), 'unsupported');
    finality.read(60);
    expect(finality.position).toBe(90);
  });

  it('is not moved by a node that has no finalized block any more, nor by one that fails (P7)', () => {
    const { finality } = setUp();
    finality.update(head(100), block(50));
    for (const answer of ['unsupported', 'failed', null] as const) finality.update(head(200), answer);
    finality.read(200);
    expect(finality.position).toBe(50);
  });

  it('is not believed above the head, and an invented head makes nothing final (P5, P8)', () => {
    const { finality, refused } = setUp();
    finality.update(head(100), block(101));
    finality.update(head(1_000, false), 'unsupported');
    expect([finality.position, finality.named, refused()]).toEqual([null, null, 1]);
  });
});
