import { concat, EventFragment, hexlify, Interface, type ParamType } from 'ethers';
import * as fc from 'fast-check';
import type { EncodedLog } from './reference.spec';

const hexOf = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => hexlify(b));

/** Any integer of the width, its ends and the ends of the narrower readers (32, 64, 128 bits) among them. */
function integer(bits: number, signed: boolean): fc.Arbitrary<bigint> {
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const edges = [
    min,
    max,
    0n,
    1n,
    -1n,
    ...[32n, 53n, 64n, 128n, 192n].flatMap((b) => [(1n << b) - 1n, 1n << b]),
  ];
  return fc.oneof(
    fc.bigInt({ min, max }),
    fc.bigInt({ min: min > -99n ? min : -99n, max: max < 99n ? max : 99n }),
    fc.constantFrom(...edges.filter((v) => v >= min && v <= max)),
  );
}

/** Any value of the type, in the form ethers encodes. */
export function valueOf(type: ParamType): fc.Arbitrary<unknown> {
  if (type.isArray()) {
    const k = type.arrayLength;
    return fc.array(
      valueOf(type.arrayChildren),
      k === -1 ? { maxLength: 4 } : { minLength: k, maxLength: k },
    );
  }
  if (type.isTuple()) return fc.tuple(...type.components.map(valueOf));
  if (type.type === 'address') return hexOf(20);
  if (type.type === 'bool') return fc.boolean();
  if (type.type === 'string') return fc.string({ unit: 'binary', maxLength: 70 });
  if (type.type === 'bytes') return fc.uint8Array({ maxLength: 70 }).map((b) => hexlify(b));
  const [, kind, width] = /^(uint|int|bytes)(\d+)$/.exec(type.type) ?? [];
  if (kind === 'bytes') return hexOf(Number(width));
  return integer(Number(width), kind === 'int');
}

/** The source of any type: every width, arrays of both kinds and tuples, nested. */
export const typeSource: fc.Arbitrary<string> = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constantFrom('address', 'bool', 'string', 'bytes', 'uint256', 'uint64', 'uint8'),
      fc.integer({ min: 1, max: 32 }).map((n) => `uint${n * 8}`),
      fc.integer({ min: 1, max: 32 }).map((n) => `int${n * 8}`),
      fc.integer({ min: 1, max: 32 }).map((n) => `bytes${n}`),
    ),
    tie('type').map((type) => `${type}[]`),
    fc.tuple(tie('type'), fc.integer({ min: 1, max: 3 })).map(([type, k]) => `${type}[${k}]`),
    fc.array(tie('type'), { minLength: 1, maxLength: 4 }).map((types) => `tuple(${named(types)})`),
  ),
})).type;

function named(types: readonly string[]): string {
  return types.map((type, i) => `${type} v${i}`).join(', ');
}

/** Any event: up to three indexed parameters among up to five. */
export const anyEvent: fc.Arbitrary<EventFragment> = fc
  .array(fc.tuple(typeSource, fc.boolean()), { maxLength: 5 })
  .map((params) => {
    let indexed = 0;
    const inputs = params.map(
      ([type, wanted], i) => `${type} ${wanted && indexed++ < 3 ? 'indexed ' : ''}p${i}`,
    );
    return EventFragment.from(`event Any(${inputs.join(', ')})`);
  });

export function encode(fragment: EventFragment, values: readonly unknown[]): EncodedLog {
  return new Interface([fragment]).encodeEventLog(fragment, values) as EncodedLog;
}

/** A valid log of the event. ethers cannot encode an indexed array or tuple; those get any hash. */
export function logOf(fragment: EventFragment): fc.Arbitrary<EncodedLog> {
  const hashed = (p: ParamType): boolean => p.indexed === true && (p.isArray() || p.isTuple());
  const encodable = EventFragment.from(
    `event ${fragment.name}(${fragment.inputs
      .map((p) => (hashed(p) ? `bytes32 indexed ${p.name}` : p.format('full')))
      .join(', ')})`,
  );
  return fc
    .tuple(...encodable.inputs.map(valueOf))
    .map((values) => encode(encodable, values))
    .map(({ topics, data }) => ({ topics: [fragment.topicHash, ...topics.slice(1)], data }));
}

/** What happens to a log on its way through broken or hostile software. */
export function damaged(log: EncodedLog): fc.Arbitrary<EncodedLog> {
  const bytes = (log.data.length - 2) / 2;
  const words = Math.ceil(bytes / 32);
  const word = fc.oneof(
    fc.integer({ min: 0, max: bytes + 64 }).map(BigInt),
    fc.integer({ min: 0, max: words + 2 }).map((n) => BigInt(n) * 32n),
    fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
    fc.constantFrom(
      (1n << 256n) - 1n,
      1n << 255n,
      1n << 63n,
      (1n << 53n) - 1n,
      1n << 32n,
      (1n << 32n) - 1n,
      1n << 31n,
    ),
  );
  const hex = (value: bigint): string => value.toString(16).padStart(64, '0');
  const replaceAt = (text: string, at: number, by: string): string =>
    text.slice(0, at) + by.slice(0, Math.max(0, text.length - at)) + text.slice(at + by.length);
  const data = fc.oneof(
    fc
      .array(fc.tuple(fc.nat(Math.max(0, words - 1)), word), { minLength: 1, maxLength: 3 })
      .map((changes) => changes.reduce((d, [i, value]) => replaceAt(d, 2 + i * 64, hex(value)), log.data)),
    fc
      .array(fc.tuple(fc.nat(Math.max(0, bytes - 1)), fc.nat(255)), { minLength: 1, maxLength: 3 })
      .map((changes) =>
        changes.reduce(
          (d, [i, byte]) => replaceAt(d, 2 + i * 2, byte.toString(16).padStart(2, '0')),
          log.data,
        ),
      ),
    fc.nat(bytes).map((kept) => log.data.slice(0, 2 + kept * 2)),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((extra) => concat([log.data, extra])),
  );
  const topics = fc.oneof(
    fc.constant(log.topics.slice(0, -1)),
    fc.constant([...log.topics, '0x' + '00'.repeat(32)]),
    fc
      .tuple(fc.nat(log.topics.length - 1), word)
      .map(([i, value]) => log.topics.map((topic, k) => (k === i ? '0x' + hex(value) : topic))),
    fc.nat(log.topics.length - 1).map((i) => log.topics.map((topic, k) => (k === i ? '' : topic))),
  );
  return fc.oneof(
    { weight: 4, arbitrary: data.map((d) => ({ topics: log.topics, data: d })) },
    { weight: 1, arbitrary: topics.map((t) => ({ topics: t, data: log.data })) },
  );
}
