import { addressAt, quantityAt, valueAt } from './paths';

describe('a path', () => {
  const data = { a: { vec: [{ inner: '0x1' }] }, b: '5', empty: { vec: [] }, none: null };

  it.each([
    ['a.vec.0.inner', '0x1'],
    ['missing|b', '5'],
    ['?b', '5'],
    ['none|b', '5'],
    ['a.vec.1.inner', undefined],
    ['empty.vec.0', undefined],
    ['a.vec.length', undefined],
    ['b.length', undefined],
    ['none', undefined],
  ])('%s leads to %p', (path, expected) => expect(valueAt(data, path)).toBe(expected));

  it.each(['constructor', 'toString', '__proto__', 'a.__proto__'])(
    'leads to nothing that the chain has not said: %s',
    (path) => expect(valueAt(data, path)).toBeUndefined(),
  );

  it('reads an object’s address, and numbers however they are written', () => {
    expect(addressAt(data, 'a.vec.0')).toBe(`0x${'1'.padStart(64, '0')}`);
    expect(quantityAt({ n: 7 }, 'n')).toBe(7n);
    expect(quantityAt({ n: '7' }, 'n')).toBe(7n);
  });

  it.each([
    ['9007199254740993', 2n ** 53n + 1n],
    ['9223372036854775808', 2n ** 63n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ])('reads the u64 %s exactly (D3, D4)', (text, expected) => {
    expect(quantityAt({ n: text }, 'n')).toBe(expected);
  });

  it.each([[-1], [1.5], ['-1'], ['0x5'], ['5e3'], [''], [true], [null]])('takes no number from %p', (n) => {
    expect(() => quantityAt({ n }, 'n')).toThrow(expect.objectContaining({ code: 'EVENT_DECODE' }));
  });
});
