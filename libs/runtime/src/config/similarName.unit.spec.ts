import fc from 'fast-check';
import { editDistance, similarName } from './similarName';

describe('similarName', () => {
  it('finds the nearest candidate within two typing mistakes', () => {
    const names = ['RPC_URLS', 'REDIS_URL', 'START_BLOCK', 'END_BLOCK'];
    expect(similarName('RCP_URLS', names)).toBe('RPC_URLS');
    expect(similarName('STARTBLOCK', names)).toBe('START_BLOCK');
    expect(similarName('REDIS_URLS', names)).toBe('REDIS_URL');
    expect(similarName('HOSTNAME', names)).toBeUndefined();
    expect(similarName('PWD', ['END'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it('is symmetric, zero only for equal texts, and never above its limit by more than one', () => {
    const word = fc.string({ unit: fc.constantFrom('A', 'B', '_'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat(4), (a, b, limit) => {
        const distance = editDistance(a, b, limit);
        expect(distance).toBe(editDistance(b, a, limit));
        expect(distance).toBeLessThanOrEqual(limit + 1);
        expect(distance === 0).toBe(a === b);
      }),
    );
  });
});
