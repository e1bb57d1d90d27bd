import fc from 'fast-check';
import {
  BEFORE_FIRST,
  COMMAND_SEQ_NO_LAYOUT,
  createSeqNoCodec,
  parseSeqNo,
  SeqNoRangeError,
  type Place,
  type SeqNoCodec,
} from './index';

const blocks = { positionBits: 32, indexBits: 17, partBits: 14 };
const versions = { positionBits: 36, indexBits: 14, partBits: 13 };
const layouts = { blocks, versions, commands: COMMAND_SEQ_NO_LAYOUT };

const placeOf = ({ max }: SeqNoCodec): fc.Arbitrary<Place> =>
  fc.record({
    // Ends of the range are met often: fast-check prefers them.
    position: fc.bigInt({ min: 0n, max: max.position }),
    index: fc.integer({ min: 0, max: max.index }),
    part: fc.integer({ min: 0, max: max.part }),
  });
const compare = (a: Place, b: Place): number =>
  Number(a.position - b.position > 0n) - Number(a.position - b.position < 0n) ||
  a.index - b.index ||
  a.part - b.part;
const sign = (n: bigint | number): number => Number(n > 0) - Number(n < 0);

describe.each(Object.entries(layouts))('the SeqNo codec of %s', (_name, layout) => {
  const codec = createSeqNoCodec(layout);
  const encode = ({ position, index, part }: Place): bigint => codec.encode(position, index, part);

  it('gives every place back, within a signed 64-bit column', () => {
    fc.assert(
      fc.property(placeOf(codec), (place) => {
        const seqNo = codec.encode(place.position, place.index, place.part);
        expect(codec.decode(seqNo)).toEqual(place);
        expect(seqNo).toBeGreaterThan(BEFORE_FIRST);
        expect(seqNo).toBeLessThan(2n ** 63n);
      }),
    );
  });

  it('orders SeqNos as (position, index, part) are ordered', () => {
    fc.assert(
      fc.property(placeOf(codec), placeOf(codec), (a, b) => {
        expect(sign(encode(a) - encode(b))).toBe(sign(compare(a, b)));
      }),
    );
  });

  it('puts every event of a position between its first and its last SeqNo, and before the next position', () => {
    fc.assert(
      fc.property(placeOf(codec), (place) => {
        expect(encode(place) >= codec.first(place.position)).toBe(true);
        expect(encode(place) <= codec.last(place.position)).toBe(true);
        expect(codec.last(place.position) + 1n).toBe(codec.first(place.position + 1n));
      }),
    );
  });

  it('accepts the greatest place and refuses what is beyond it, negative or broken', () => {
    const { position, index, part } = codec.max;
    expect(codec.decode(codec.encode(position, index, part))).toEqual(codec.max);
    const beyond: readonly [bigint, number, number][] = [
      [position + 1n, 0, 0],
      [0n, index + 1, 0],
      [0n, 0, part + 1],
      [-1n, 0, 0],
      [0n, -1, 0],
      [0n, 0, -1],
      [0n, 0.5, 0],
      [0n, Number.NaN, 0],
    ];
    for (const place of beyond) {
      expect(codec.fits(...place)).toBe(false);
      expect(() => codec.encode(...place)).toThrow(SeqNoRangeError);
    }
  });
});

describe('the SeqNo of an event of a block', () => {
  it('keeps its stored form', () => {
    const codec = createSeqNoCodec(blocks);
    expect(codec.encode(1n, 2, 3)).toBe(2147516419n);
    expect(codec.encode(17_000_000n, 345, 1)).toBe(36507222021652481n);
    expect(codec.max).toEqual({ position: 4294967295n, index: 131071, part: 16383 });
  });

  it('says which place did not fit, and parks it', () => {
    const codec = createSeqNoCodec(blocks);
    const failure = ((): unknown => {
      try {
        return codec.encode(5n, 131072, 0);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({
      code: 'SEQ_NO_RANGE',
      disposition: 'park',
      fields: { position: 5n, index: 131072 },
    });
  });

  it('refuses layouts of more than 63 bits', () => {
    expect(() => createSeqNoCodec({ positionBits: 40, indexBits: 20, partBits: 4 })).toThrow(
      'at most 63 bits, got 64',
    );
  });

  it('is read from decimal text only', () => {
    expect(parseSeqNo('9223372036854775807')).toBe(9223372036854775807n);
    for (const text of ['', '-1', '1.5', '0x1', ' 1', '1e3', '12345678901234567890']) {
      expect(parseSeqNo(text)).toBeUndefined();
    }
  });
});
