import fc from 'fast-check';
import { canonicalAddress, NO_ACCOUNT } from './address';
import { AptosDecodeError } from './errors';
import { canonicalStructTag, withoutTypeArguments } from './structTag';

const padded = (digits: string): string => `0x${digits.padStart(64, '0')}`;
const seed = Date.now() % 2 ** 31;
const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 1, maxLength: 64 });

describe('canonicalAddress', () => {
  it('has 0x and 64 digits, whichever leading zeros were left out (D5)', () => {
    expect(canonicalAddress('0x3')).toBe(padded('3'));
    expect(canonicalAddress('0x092D')).toBe(padded('92d'));
    expect(canonicalAddress('B9C0')).toBe(padded('b9c0'));
    expect(NO_ACCOUNT).toBe(padded(''));
  });

  it(`gives equal addresses one form, and that form again (D5, seed ${seed})`, () => {
    const property = fc.property(hex, fc.boolean(), (digits, prefixed) => {
      const canonical = canonicalAddress(prefixed ? `0x${digits}` : digits);
      expect(canonical).toMatch(/^0x[0-9a-f]{64}$/);
      expect(BigInt(canonical)).toBe(BigInt(`0x${digits}`));
      expect(canonicalAddress(canonical)).toBe(canonical);
    });
    fc.assert(property, { seed });
  });

  it('is the same for more addresses than it remembers', () => {
    const short = Array.from({ length: 20_500 }, (_, i) => `0xA${i.toString(16)}`);
    const canonical = short.map((text) => padded(text.slice(2).toLowerCase()));
    expect(short.map(canonicalAddress)).toEqual(canonical);
    expect(short.toReversed().map(canonicalAddress)).toEqual(canonical.toReversed());
  });

  it.each(['', '0x', '0xg', `0x1${'0'.repeat(64)}`, ' 0x1', '0x1::a', '-1'])('refuses %p', (text) => {
    expect(() => canonicalAddress(text)).toThrow(AptosDecodeError);
  });
});

describe('canonicalStructTag', () => {
  it('has every address in canonical form, those of type arguments too', () => {
    expect(canonicalStructTag('0x1::coin::Pair<0x2::a::B, vector<0x00C::d::E>>')).toBe(
      `${padded('1')}::coin::Pair<${padded('2')}::a::B,vector<${padded('c')}::d::E>>`,
    );
  });

  it('leaves identifiers alone that look like addresses', () => {
    expect(canonicalStructTag('0x1::a_0x2::f0x3')).toBe(`${padded('1')}::a_0x2::f0x3`);
    expect(canonicalStructTag('u64')).toBe('u64');
  });

  it('refuses what is too long to be one', () => {
    expect(() => canonicalStructTag(`0x1::a::${'b'.repeat(20_000)}`)).toThrow(AptosDecodeError);
    expect(() => canonicalStructTag(`0x${'1'.repeat(65)}::a::B`)).toThrow(AptosDecodeError);
  });
});

describe('withoutTypeArguments', () => {
  it('names the type itself', () => {
    expect(withoutTypeArguments('0x1::a::B<0x2::c::D<u8>>')).toBe('0x1::a::B');
    expect(withoutTypeArguments('0x1::a::B')).toBe('0x1::a::B');
  });
});
