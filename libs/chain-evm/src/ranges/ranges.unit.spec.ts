import fc from 'fast-check';
import { ADAPTIVE_RANGE_DEFAULTS, createAdaptiveRange } from './adaptiveRange';
import { maybeCut } from './silentCap';

const none = { suggested: null, blocksMax: null, logsMax: null };

describe('the size of a query', () => {
  it('doubles until something is refused, then grows by a tenth now and then', () => {
    const size = createAdaptiveRange({ firstBlocks: 100, maxBlocks: 10_000, targetLogs: 5_000 });
    size.answered(100, 0);
    size.answered(200, 0);
    expect(size.blocks).toBe(400);
    size.refused(400, none);
    expect(size.blocks).toBe(200);
    for (let i = 0; i < 4; i++) size.answered(200, 0);
    expect(size.blocks).toBe(200);
    size.answered(200, 0);
    expect(size.blocks).toBe(220);
  });

  it('follows a suggestion that is smaller than what was asked, and halves otherwise (P9)', () => {
    const size = createAdaptiveRange({ firstBlocks: 1_000, maxBlocks: 10_000, targetLogs: 5_000 });
    size.refused(1_000, { ...none, suggested: { from: 5, to: 304 } });
    expect(size.blocks).toBe(300);
    size.refused(300, { ...none, suggested: { from: 5, to: 304 } });
    expect(size.blocks).toBe(150);
  });

  it('never again exceeds the bound on blocks that the provider named', () => {
    const size = createAdaptiveRange({ ...ADAPTIVE_RANGE_DEFAULTS, firstBlocks: 5_000 });
    size.refused(5_000, { ...none, blocksMax: 1_000 });
    expect(size.blocks).toBe(1_000);
    for (let i = 0; i < 100; i++) size.answered(size.blocks, 0);
    expect(size.blocks).toBe(1_000);
  });

  it('keeps clear of a bound on logs and aims at its target', () => {
    const size = createAdaptiveRange({ firstBlocks: 1_000, maxBlocks: 10_000, targetLogs: 5_000 });
    size.answered(1_000, 10_000);
    expect(size.blocks).toBe(500);
    size.refused(500, { ...none, logsMax: 1_000 });
    size.answered(250, 1_000);
    expect(size.blocks).toBe(200);
  });

  it('stays between one block and the most, whatever happens', () => {
    const step = fc.oneof(
      fc.tuple(fc.constant('answered' as const), fc.nat(50_000)),
      fc.tuple(fc.constant('refused' as const), fc.nat(50_000)),
      fc.tuple(fc.constant('tooSlow' as const), fc.constant(0)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const size = createAdaptiveRange({ firstBlocks: 500, maxBlocks: 5_000, targetLogs: 5_000 });
        for (const [what, number] of steps) {
          const before = size.blocks;
          if (what === 'answered') size.answered(before, number);
          else if (what === 'refused')
            size.refused(before, { ...none, blocksMax: number === 0 ? null : number });
          else size.tooSlow(before);
          expect(size.blocks).toBeGreaterThanOrEqual(1);
          expect(size.blocks).toBeLessThanOrEqual(5_000);
          if (what !== 'answered' && before > 1) expect(size.blocks).toBeLessThan(before);
        }
      }),
      { verbose: 1 },
    );
  });
});

it('suspects answers of a round size, and no others', () => {
  expect([100, 1_000, 5_000, 10_000].every(maybeCut)).toBe(true);
  expect([0, 1, 99, 101, 999, 10_001].some(maybeCut)).toBe(false);
});
