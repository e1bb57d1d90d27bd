import fc from 'fast-check';
import { readRangeHint, reducedEnd } from './rangeHint';

describe('the range that a provider would have answered', () => {
  it.each([
    ['Try with this block range [0xBDE5F8, 0x102DBCC].', { from: 0xbde5f8, to: 0x102dbcc }],
    ['retry with the range 25766988-25775072', { from: 25766988, to: 25775072 }],
    ['this block range should work: [0x123c9b2, 0x123cba5]', { from: 0x123c9b2, to: 0x123cba5 }],
  ])('is read from "%s"', (message, suggested) => {
    expect(readRangeHint(message, undefined).suggested).toEqual(suggested);
  });

  it.each([
    ['eth_getLogs and eth_newFilter are limited to a 10,000 blocks range', 10_000],
    ['limited to a 10.000 blocks range', 10_000],
    ['up to a 2K block range', 2_000],
    ['Max range: 800', 800],
    ['exceed maximum block range: 5000', 5_000],
    ['exceeds the range allowed for your plan (5000 > 1000)', 1_000],
    ['range 1000000 exceeds limit of 10000', 10_000],
    ['requested too many blocks from 1 to 5000, maximum is set to 2048', 2_048],
    ['please limit the query to at most 1,000 blocks', 1_000],
    ['Maximum allowed number of requested blocks is 1000', 1_000],
    ['limited to 1024 block', 1_024],
    ['ranges over 10000 blocks are not supported on freetier', 10_000],
    ['eth_getLogs range is too large, max is 1k blocks', 1_000],
    ['query must be smaller than size 1024', 1_024],
    ['block range is too wide (maximum 1024)', 1_024],
    ['query exceeds max block range 10000', 10_000],
    ['block range is too wide', null],
  ])('is at most so many blocks in "%s"', (message, blocksMax) => {
    expect(readRangeHint(message, undefined).blocksMax).toBe(blocksMax);
  });

  it.each([
    ['query returned more than 10000 results', 10_000],
    ['query exceeds max results 20000, retry with the range 5-6', 20_000],
    ['logs matched by query exceeds limit of 10000', 10_000],
  ])('is at most so many logs in "%s"', (message, logsMax) => {
    expect(readRangeHint(message, undefined).logsMax).toBe(logsMax);
  });

  const none = { suggested: null, blocksMax: null, logsMax: null };

  it('is taken when it is smaller, also inverted, and halved when it is what was asked, or elsewhere (P9)', () => {
    expect(reducedEnd(100, 199, { ...none, suggested: { from: 100, to: 120 } })).toBe(120);
    expect(reducedEnd(100, 199, { ...none, suggested: { from: 120, to: 100 } })).toBe(120);
    expect(reducedEnd(100, 199, { ...none, suggested: { from: 100, to: 199 } })).toBe(149);
    expect(reducedEnd(100, 199, { ...none, suggested: { from: 100, to: 500 } })).toBe(149);
    expect(reducedEnd(100, 199, { ...none, suggested: { from: 5, to: 9 } })).toBe(149);
    expect(reducedEnd(100, 199, { ...none, blocksMax: 10 })).toBe(109);
    expect(reducedEnd(100, 199, { ...none, blocksMax: 1_000 })).toBe(149);
  });

  it('always leaves two parts that are not empty, whatever is said (P9)', () => {
    const hint = fc.record({
      suggested: fc.option(fc.record({ from: fc.nat(1_000), to: fc.nat(1_000) })),
      blocksMax: fc.option(fc.integer({ min: 1, max: 1_000 })),
      logsMax: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 500 }), hint, (from, more, said) => {
        const end = reducedEnd(from, from + more, said);
        return end >= from && end < from + more;
      }),
      { verbose: 1 },
    );
  });
});
