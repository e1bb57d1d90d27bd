import { WorkerError } from '@imart/core';
import { AbiCoder, EventFragment } from 'ethers';
import { EventDecodeError, EventSignatureError } from './errors';
import { compileEventDecoder, type EventDecoder } from './eventDecoder';
import type { SanitisedText } from './tail';

const word = (value: bigint | number): string => BigInt(value).toString(16).padStart(64, '0');
const ALICE = '0x00000000000000000000000000000000000a11ce';
const listed = compileEventDecoder<{ orderId: bigint; collection: string; seller: string; price: bigint }>(
  'Listed(uint256 indexed orderId, address indexed collection, uint256 indexed tokenId, address seller, uint256 price, uint64 expiresAt)',
);
const listedTopics = [
  listed.topic0,
  '0x' + word(7),
  '0x' + word(BigInt(ALICE)),
  '0x' + word((1n << 256n) - 1n),
];
const listedData = '0x' + word(0xb0b) + word(10n ** 30n) + word((1n << 64n) - 1n);

function refusal(decoder: EventDecoder, topics: readonly string[], data: string): EventDecodeError {
  try {
    decoder.decode(topics, data);
  } catch (error) {
    if (error instanceof EventDecodeError) return error;
    throw error;
  }
  throw new Error('the log was accepted');
}

/** Decodes the data of an event with the one unindexed parameter `p` of this type. */
function only(type: string): {
  decode: (data: string, sanitised?: SanitisedText[]) => unknown;
  refuses: (data: string) => string;
} {
  const decoder = compileEventDecoder(`Only(${type} p)`);
  return {
    decode: (data, sanitised) => decoder.decode([decoder.topic0], data, sanitised)['p'],
    refuses: (data) => {
      const { path, reason } = refusal(decoder, [decoder.topic0], data);
      return path === undefined ? reason : `${path}: ${reason}`;
    },
  };
}

describe('compileEventDecoder', () => {
  it('describes the event', () => {
    expect(listed).toMatchObject({
      name: 'Listed',
      topicCount: 4,
      signature: 'Listed(uint256,address,uint256,address,uint256,uint64)',
      topic0: EventFragment.from('event Listed(uint256,address,uint256,address,uint256,uint64)').topicHash,
    });
  });

  it('gives addresses in lower case, every integer as bigint, and the rest of the types by name', () => {
    expect(listed.decode(listedTopics, listedData)).toStrictEqual({
      orderId: 7n,
      collection: ALICE,
      tokenId: (1n << 256n) - 1n,
      seller: '0x0000000000000000000000000000000000000b0b',
      price: 10n ** 30n,
      expiresAt: (1n << 64n) - 1n,
    });
    const all = compileEventDecoder(
      'All(bytes4 indexed id, string indexed hashed, (int8 a, (bool b, string c) d)[] list, bytes raw, uint16[2] pair, address)',
    );
    const data = AbiCoder.defaultAbiCoder().encode(
      ['tuple(int8, tuple(bool, string))[]', 'bytes', 'uint16[2]', 'address'],
      [[[-1, [true, 'hé']]], '0xABCD', [1, 65535], ALICE],
    );
    expect(
      all.decode(
        [all.topic0, '0xDEADBEEF' + '00'.repeat(28), '0x' + 'Ab'.repeat(32)],
        data.toUpperCase().replace('0X', '0x'),
      ),
    ).toStrictEqual({
      id: '0xdeadbeef',
      hashed: '0x' + 'ab'.repeat(32),
      list: [{ a: -1n, d: { b: true, c: 'hé' } }],
      raw: '0xabcd',
      pair: [1n, 65535n],
      '5': ALICE,
    });
  });

  it('takes an event with nothing in it, and data that goes on after the last value', () => {
    const bare = compileEventDecoder('event SwapNFTInPair()');
    expect(bare.decode([bare.topic0], '0x')).toEqual({});
    expect(bare.decode([bare.topic0], '0x01')).toEqual({});
    expect(listed.decode(listedTopics, listedData + 'ff').price).toBe(10n ** 30n);
  });

  it('takes bytes whose emitter left out the padding', () => {
    expect(only('bytes').decode('0x' + word(32) + word(3) + 'aabbcc')).toBe('0xaabbcc');
  });

  it('keeps names that mean something to JavaScript as plain keys', () => {
    const inputs = ['__proto__', 'constructor', 'data'].map((name) => ({ type: 'uint256', name }));
    const odd = compileEventDecoder(EventFragment.from({ type: 'event', name: 'Odd', inputs }));
    const values = odd.decode([odd.topic0], '0x' + word(1) + word(2) + word(3));
    expect(Object.entries(values)).toEqual([
      ['__proto__', 1n],
      ['constructor', 2n],
      ['data', 3n],
    ]);
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
  });

  it.each([
    ['Broken(', /does not parse/],
    ['Named(uint256 a, address a)', /two parameters are named a/],
    ['Deep((uint256 a, uint256 a)[] list)', /two parameters are named list\[\]\.a/],
    ['Hidden(uint256 a) anonymous', /anonymous/],
    ['Fraction(fixed128x18 a)', /not parse|not supported/],
    ['None(uint256[0] a)', /length 0|not parse/],
  ])('refuses at compile time: %s', (signature, problem) => {
    expect(() => compileEventDecoder(signature)).toThrow(EventSignatureError);
    expect(() => compileEventDecoder(signature)).toThrow(problem);
  });
});

describe('a compiled decoder on malformed logs', () => {
  it('parks, and names the event, the parameter and what is wrong', () => {
    const error = refusal(
      listed,
      listedTopics,
      listedData.slice(0, -128) + 'ff'.repeat(32) + 'ff'.repeat(32),
    );
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({
      code: 'EVENT_DECODE',
      disposition: 'park',
      event: 'Listed',
      path: 'expiresAt',
    });
    expect(error.message).toBe(
      'the log is not a valid Listed event at expiresAt: more than 64 bits of a uint64 are set',
    );
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['too few topics (D6)', listedTopics.slice(0, 3), listedData, /it has 3 topics, not 4/],
    ['too many topics (D7)', [...listedTopics, '0x' + word(0)], listedData, /it has 5 topics, not 4/],
    ['no topics', [], listedData, /it has 0 topics/],
    ['another topic0', ['0x' + word(1), ...listedTopics.slice(1)], listedData, /topic0 is 0x0+1, not/],
    [
      'an empty topic',
      [listed.topic0, '', ...listedTopics.slice(2)],
      listedData,
      /orderId: a topic is not 32 bytes/,
    ],
    [
      'a topic without 0x',
      [listed.topic0, '00' + word(1), ...listedTopics.slice(2)],
      listedData,
      /a topic is not/,
    ],
    [
      'a topic that is no hex',
      [listed.topic0, '0x' + 'zz'.repeat(32), ...listedTopics.slice(2)],
      listedData,
      /hex digit/,
    ],
    [
      'an address topic over 20 bytes',
      [...listedTopics.slice(0, 2), '0x01' + '00'.repeat(31), listedTopics[3]!],
      listedData,
      /wider than 20/,
    ],
    ['data cut short', listedTopics, listedData.slice(0, -2), /data is 95 bytes long, at least 96/],
    ['half a byte', listedTopics, listedData + '0', /whole bytes/],
    ['empty data without 0x', listedTopics, '', /whole bytes/],
    ['data that is no hex', listedTopics, listedData.replace('b0b', 'bxb'), /seller: not a hex digit/],
    ['a digit beyond ASCII', listedTopics, listedData.replace('b0b', 'b\u0130b'), /seller: not a hex digit/],
  ])('refuses %s', (_what, topics, data, reason) => {
    const error = refusal(listed, topics, data);
    expect(`${error.path ?? ''}: ${error.reason}`).toMatch(reason);
  });

  it('refuses what is not text at all', () => {
    expect(
      refusal(listed, [listed.topic0, null, null, null] as unknown as string[], listedData).reason,
    ).toMatch(/topic/);
    expect(refusal(listed, listedTopics, null as unknown as string).reason).toMatch(/hex/);
  });

  it('refuses dirty padding of every kind of word', () => {
    expect(only('bool').refuses('0x' + word(2))).toMatch(/neither 0 nor 1/);
    expect(only('bool').refuses('0x' + word((1n << 200n) + 1n))).toMatch(/neither 0 nor 1/);
    expect(only('uint8').refuses('0x' + word(256))).toMatch(/uint8/);
    expect(only('uint128').refuses('0x' + word(1n << 128n))).toMatch(/uint128/);
    expect(only('int16').refuses('0x' + word(0xffff))).toMatch(/int16/);
    expect(only('bytes4').refuses('0x' + 'ab'.repeat(5) + '00'.repeat(27))).toMatch(/bytes4/);
    expect(only('uint8').decode('0x' + word(255))).toBe(255n);
    expect(only('int16').decode('0x' + 'f'.repeat(64))).toBe(-1n);
  });

  it('refuses offsets and lengths out of bounds, however large, without allocating for them', () => {
    const far = [96n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 64n, (1n << 256n) - 1n];
    for (const value of far) {
      expect(only('bytes').refuses('0x' + word(value) + word(0))).toMatch(
        /p: an offset or length is beyond the data/,
      );
      expect(only('string').refuses('0x' + word(32) + word(value))).toMatch(/beyond the data/);
      expect(only('uint256[]').refuses('0x' + word(32) + word(value))).toMatch(/beyond the data/);
      expect(only('(uint256 a, uint256 b)[]').refuses('0x' + word(32) + word(value) + word(1))).toMatch(
        /beyond/,
      );
      expect(only('bytes[2]').refuses('0x' + word(value) + word(0))).toMatch(/beyond the data/);
    }
    expect(only('uint256[4294967295]').refuses('0x' + word(1))).toMatch(/at least 137438953440 are needed/);
  });

  it('refuses arrays of arrays that all point at the same data, quickly', () => {
    // 3,000 outer elements all pointing at one inner array of 3,000: nine million elements out of 192 kB.
    const n = 3_000;
    const data = '0x' + word(32) + word(n) + word(n * 32).repeat(n) + word(n) + word(1).repeat(n);
    const start = performance.now();
    expect(only('uint256[][]').refuses(data)).toMatch(/overlap more than 16 times/);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('takes tails that a few offsets share', () => {
    const data = '0x' + word(32) + word(2) + word(64) + word(64) + word(1) + word(9);
    expect(only('uint256[][]').decode(data)).toEqual([[9n], [9n]]);
  });
});

describe('strings PostgreSQL cannot hold (D1)', () => {
  const bytes = (hex: string): string =>
    word(hex.length / 2) + hex.padEnd(Math.ceil(hex.length / 64) * 64, '0');

  it.each([
    ['NUL', '610062', 'a\uFFFDb'],
    ['a byte that begins nothing', '61ff62', 'a\uFFFDb'],
    ['a sequence cut short', 'e282', '\uFFFD'],
    ['an encoded surrogate', 'eda080', '\uFFFD\uFFFD\uFFFD'],
  ])('become U+FFFD, with the bytes on offer: %s', (_what, hex, text) => {
    const sanitised: SanitisedText[] = [];
    expect(only('string').decode('0x' + word(32) + bytes(hex), sanitised)).toBe(text);
    expect(sanitised).toEqual([{ path: 'p', rawHex: '0x' + hex }]);
    expect(only('string').decode('0x' + word(32) + bytes(hex))).toBe(text);
  });

  it('are not reported when the emitter wrote U+FFFD itself', () => {
    const sanitised: SanitisedText[] = [];
    expect(only('string').decode('0x' + word(32) + bytes('efbfbd'), sanitised)).toBe('\uFFFD');
    expect(sanitised).toEqual([]);
  });

  it('are named by their place in arrays of tuples of arrays', () => {
    const sanitised: SanitisedText[] = [];
    const data = AbiCoder.defaultAbiCoder().encode(
      ['tuple(bytes, bytes[2])[]'],
      [
        [
          ['0x61', ['0x62', '0x63']],
          ['0xff', ['0x64', '0x6500']],
        ],
      ],
    );
    expect(only('(string name, string[2] tags)[]').decode(data, sanitised)).toEqual([
      { name: 'a', tags: ['b', 'c'] },
      { name: '\uFFFD', tags: ['d', 'e\uFFFD'] },
    ]);
    expect(sanitised).toEqual([
      { path: 'p[1].name', rawHex: '0xff' },
      { path: 'p[1].tags[1]', rawHex: '0x6500' },
    ]);
  });
});
