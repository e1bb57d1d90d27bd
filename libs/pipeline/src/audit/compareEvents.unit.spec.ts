import { type Event, type EventDataCodec, type SubjectId } from '@imart/core';
import { blockSeqNo } from '@imart/testing';
import fc from 'fast-check';
import { changedFields, compareEvents } from './compareEvents';

const codec: EventDataCodec = {
  encode: (_name, data) => JSON.stringify(data),
  decode: (_n, text) => JSON.parse(text),
};
const event = (place: number, changes: Partial<Event> = {}): Event => ({
  subjectId: 'eip155:1' as SubjectId,
  seqNo: blockSeqNo.encode(BigInt(place), 0, 0),
  aggregateType: 'order',
  aggregateId: String(place),
  name: 'Listed',
  data: { price: place },
  source: {
    position: BigInt(place),
    index: 0,
    txHash: '0x01',
    blockHash: '0x02',
    timeUs: BigInt(place),
    address: '0x03',
  },
  ...changes,
});

describe('comparing the log with the chain', () => {
  it('finds what is missing, what is different and what is extra, in order', () => {
    const stored = [event(1), event(2), event(4), event(5)];
    const read = [event(1), event(2, { data: { price: 7 } }), event(3), event(5)];
    expect(compareEvents(stored, read, codec)).toEqual([
      { kind: 'different', stored: stored[1], read: read[1] },
      { kind: 'missing', stored: null, read: read[2] },
      { kind: 'extra', stored: stored[2], read: null },
    ]);
  });

  it.each<[string, Partial<Event>]>([
    ['aggregate', { aggregateId: 'other' }],
    ['aggregate', { aggregateType: 'other' }],
    ['name', { name: 'Sold' }],
    ['data', { data: { price: 8 } }],
    ['transaction', { source: { ...event(1).source, txHash: '0xff' } }],
    ['block', { source: { ...event(1).source, blockHash: '0xff' } }],
    ['time', { source: { ...event(1).source, timeUs: 9n } }],
    ['address', { source: { ...event(1).source, address: '0xff' } }],
  ])('tells that an event has another %s', (field, changes) => {
    const other = event(1, changes);
    expect(compareEvents([event(1)], [other], codec)).toHaveLength(1);
    expect(changedFields(event(1), other, codec).map((one) => one.field)).toEqual([field]);
  });

  it('gives what makes one side of the other, whatever they hold', () => {
    const side = fc
      .uniqueArray(fc.tuple(fc.nat(30), fc.nat(2)), { selector: ([place]) => place })
      .map((list) =>
        list.sort(([a], [b]) => a - b).map(([place, price]) => event(place, { data: { price } })),
      );
    fc.assert(
      fc.property(side, side, (stored, read) => {
        const log = new Map(stored.map((one) => [one.seqNo, one]));
        for (const { kind, stored: ours, read: theirs } of compareEvents(stored, read, codec)) {
          if (kind === 'extra') log.delete(ours.seqNo);
          else log.set((theirs as Event).seqNo, theirs as Event);
        }
        expect([...log.values()].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1))).toEqual(read);
      }),
      { verbose: 1 },
    );
  });
});
