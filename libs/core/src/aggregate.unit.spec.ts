import fc from 'fast-check';
import { aggregateHash, aggregateKeyText, laneOf } from './index';

/** Stored with every event, and the reason why an event is in its lane: a change of these numbers breaks every database. */
const vectors = [
  {
    type: 'order',
    id: '0x0000000000000000000000000000000000000001:1',
    hash: 5103407279993779559n,
    lanes: [0, 1, 2, 7, 7],
  },
  {
    type: 'token',
    id: '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb:9999',
    hash: 5664671486838424471n,
    lanes: [0, 1, 1, 7, 7],
  },
  { type: 'a', id: 'b', hash: 2665538975943466574n, lanes: [0, 0, 2, 6, 14] },
  { type: '', id: '', hash: -1699351034240002125n, lanes: [0, 1, 2, 3, 3] },
];

describe('the hash of an aggregate', () => {
  it.each(vectors)(
    'is $hash for "$type" "$id", in its lane of 1, 2, 3, 8 and 16',
    ({ type, id, hash, lanes }) => {
      expect(aggregateHash(type, id)).toBe(hash);
      expect([1, 2, 3, 8, 16].map((count) => laneOf(hash, count))).toEqual(lanes);
    },
  );

  it('fits a signed 64-bit column and tells where the type ends', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (type, id) => {
        const hash = aggregateHash(type, id);
        expect(BigInt.asIntN(64, hash)).toBe(hash);
      }),
    );
    expect(aggregateHash('ab', 'c')).not.toBe(aggregateHash('a', 'bc'));
  });

  it('spreads ids evenly over lanes', () => {
    const counts = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let id = 0; id < 8000; id++) {
      const lane = laneOf(aggregateHash('token', `0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb:${id}`), 8);
      counts[lane] = (counts[lane] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('has no collision among 200,000 ids that differ little', () => {
    const seen = new Set<bigint>();
    for (let id = 0; id < 200_000; id++)
      seen.add(aggregateHash('token', `0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb:${id}`));
    expect(seen.size).toBe(200_000);
  });
});

describe('the lane of an aggregate', () => {
  it('is one of the lanes, for every hash', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: 1, max: 1000 }),
        (hash, lanes) => {
          const lane = laneOf(hash, lanes);
          expect(Number.isInteger(lane) && lane >= 0 && lane < lanes).toBe(true);
        },
      ),
    );
  });
});

it('the text of an aggregate key is one text for one key', () => {
  expect(aggregateKeyText('token', '0xabc:1')).toBe('token/0xabc:1');
});
