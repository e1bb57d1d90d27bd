import { createSeqNoCodec, WorkerError, type Event, type SubjectId } from '@imart/core';
import fc from 'fast-check';
import { canonicalAddress } from './address';
import { createEventFilter } from './eventFilter';
import type { AptosMarket } from './market';
import { readRestTransaction } from './read/restTransaction';
import { aptosSeqNo } from './seqNo';
import { burnMarket } from './testing/ledgerKit';
import { createTranslator } from './translate';

const seed = Date.now() % 2 ** 31;
const subjectId = 'aptos:4' as SubjectId;
const TYPE = '0xca11::market::Burn';

const restWith = (version: string, events: readonly object[]) =>
  readRestTransaction({
    version,
    hash: `0x${'1'.repeat(64)}`,
    accumulator_root_hash: `0x${'2'.repeat(64)}`,
    success: true,
    timestamp: '5',
    events: events.map((event) => ({
      guid: { creation_number: '0', account_address: '0xca11' },
      sequence_number: '0',
      type: TYPE,
      data: { id: '1' },
      ...event,
    })),
  });

function translate(
  markets: readonly AptosMarket[],
  events: readonly object[],
  seqNo = aptosSeqNo,
  version = '7',
): { events: Event[]; stats: object } {
  const translator = createTranslator({ subjectId, filter: createEventFilter(markets), seqNo });
  const into: Event[] = [];
  translator.translate(restWith(version, events), into);
  return { events: into, stats: translator.stats };
}

/** Says each event twice. */
const twice: AptosMarket = {
  ...burnMarket,
  name: 'twice',
  translate(event, transaction, emit) {
    burnMarket.translate(event, transaction, emit);
    burnMarket.translate(event, transaction, emit);
  },
};

describe('the SeqNo of Aptos', () => {
  const version = fc.bigInt({ min: 0n, max: 2n ** 36n - 1n });
  const place = fc.tuple(version, fc.nat(2 ** 14 - 1), fc.nat(2 ** 13 - 1));

  it(`has 36 bits of version, 14 of event index, 13 of part, in this order (seed ${seed})`, () => {
    const property = fc.property(place, place, (a, b) => {
      const [first, second] = [aptosSeqNo.encode(...a), aptosSeqNo.encode(...b)];
      expect(aptosSeqNo.decode(first)).toEqual({ position: a[0], index: a[1], part: a[2] });
      const order = a.map((part, i) =>
        part < (b[i] as bigint | number) ? -1 : part > (b[i] as bigint | number) ? 1 : 0,
      );
      const expected = order.find((sign) => sign !== 0) ?? 0;
      expect(first < second ? -1 : first > second ? 1 : 0).toBe(expected);
      expect(first).toBeLessThan(2n ** 63n);
      expect(aptosSeqNo.first(a[0]) <= first && first <= aptosSeqNo.last(a[0])).toBe(true);
    });
    fc.assert(property, { seed });
    expect(() => aptosSeqNo.encode(2n ** 36n, 0, 0)).toThrow();
  });
});

describe('translating a transaction', () => {
  it('shows an event to every market that knows its type, whatever its type arguments, in the order of their names', () => {
    const seen: string[] = [];
    const noting = (name: string): AptosMarket => ({
      ...burnMarket,
      name,
      translate: (event) => void seen.push(`${name} ${event.index}`),
    });
    translate(
      [noting('b'), noting('a')],
      [{}, { type: `${TYPE}<0x1::a::B, u8>` }, { type: '0x1::market::Burn' }],
    );
    expect(seen).toEqual(['a 0', 'b 0', 'a 1', 'b 1']);
  });

  it('gives what one event means successive parts', () => {
    const { events } = translate([twice], [{ type: '0x1::x::Y' }, {}, {}]);
    expect(events.map(({ seqNo }) => aptosSeqNo.decode(seqNo))).toEqual([
      { position: 7n, index: 1, part: 0 },
      { position: 7n, index: 1, part: 1 },
      { position: 7n, index: 2, part: 0 },
      { position: 7n, index: 2, part: 1 },
    ]);
  });

  const small = createSeqNoCodec({ positionBits: 36, indexBits: 2, partBits: 12 });

  it('keeps events whose index does not fit, undecodable, behind all others and in order (Q17)', () => {
    const { events } = translate([burnMarket], [{}, {}, {}, {}, {}, {}], small);
    expect(events.map(({ name }) => name)).toEqual([
      ...Array<string>(4).fill('TokenBurned'),
      'Undecodable',
      'Undecodable',
    ]);
    const seqNos = events.map(({ seqNo }) => seqNo);
    expect([...seqNos].sort((a, b) => (a < b ? -1 : 1))).toEqual(seqNos);
    expect(events.at(-1)?.data).toMatchObject({ reason: 'event 5 of version 7 is above 3' });
  });

  it('keeps what is left of one event that means more than fits', () => {
    const many: AptosMarket = {
      ...burnMarket,
      translate(event, transaction, emit) {
        for (let i = 0; i < 6; i++) burnMarket.translate(event, transaction, emit);
      },
    };
    const { events } = translate(
      [many],
      [{}],
      createSeqNoCodec({ positionBits: 36, indexBits: 2, partBits: 2 }),
    );
    expect(events.map(({ name }) => name)).toEqual([
      'TokenBurned',
      'TokenBurned',
      'TokenBurned',
      'Undecodable',
    ]);
  });

  it('keeps an event of nobody that can be named, and one without data (Q18)', () => {
    const { events, stats } = translate(
      [burnMarket],
      [{ guid: { creation_number: '0', account_address: 'me' }, data: { id: 'poison' } }, { data: null }, {}],
    );
    expect(events.map(({ name }) => name)).toEqual(['Undecodable', 'Undecodable', 'TokenBurned']);
    expect(events.map(({ source }) => source.address)).toEqual([
      canonicalAddress('0x0'),
      canonicalAddress('0xca11'),
      canonicalAddress('0xca11'),
    ]);
    expect(stats).toMatchObject({ undecodableEvents: 2, sourceEvents: 3 });
  });

  it('stops where a market says that an invariant is broken (Q10)', () => {
    const broken: AptosMarket = {
      ...burnMarket,
      translate() {
        throw new WorkerError('broken', { code: 'FENCED', disposition: 'stop' });
      },
    };
    expect(() => translate([broken], [{}])).toThrow('broken');
  });
});
