import fc from 'fast-check';
import { z } from 'zod';
import type { EventId } from '@imart/core';
import { stockItem } from '@imart/testing';
import { anyAggregate, defineAggregate, type AggregateDefinition } from './aggregate';
import { canonicalJson } from './canonicalJson';
import { createCommandCodec, eventIdHex, eventIdOf } from './codec';
import { parseProposed } from './decide';
import { CommandEventDataError, CommandInvalidError, UnknownCommandEventError } from './errors';

const plain = anyAggregate(stockItem);
const codec = createCommandCodec(plain);

describe('defineAggregate', () => {
  const base = { ...plain, events: {}, rules: [] };
  it.each([
    ['a type that is no word', { ...base, type: 'Stock Item' }, /lower-case words/],
    ['an event that is no word', { ...base, events: { 'a/b': { schema: z.any() } } }, /an event's name/],
    [
      'an older version without its upcast',
      { ...base, events: { A: { schema: z.any(), version: 2 } } },
      /no upcast from version 1/,
    ],
    ['two rules of one name', { ...base, rules: [...plain.rules, ...plain.rules] }, /same name/],
    [
      'a reducer without a version',
      { ...base, reducer: { ...plain.reducer, version: 0 } },
      /versions are 1, 2, 3/,
    ],
  ])('refuses %s', (_what, definition, message) => {
    expect(() => defineAggregate(definition as AggregateDefinition)).toThrow(message);
  });
});

describe('the codec', () => {
  const data = {
    version: 3,
    schemaVersion: 1,
    correlationId: 'c',
    causationId: null,
    payload: { quantity: 1 },
  };

  it('gives back what it was given', () => {
    expect(codec.decode('Added', codec.encode('Added', data))).toEqual(data);
  });

  it.each([['no json'], ['{}'], ['[1,2,3]'], ['[1.5,1,"",null,{}]'], ['[1,0,"",null,{}]']])(
    'parks what is no event of ours: %s',
    (text) => {
      expect(() => codec.decode('Added', text)).toThrow(CommandEventDataError);
    },
  );

  it('parks names and versions that this program does not know', () => {
    expect(() => codec.decode('toString', codec.encode('', data))).toThrow(UnknownCommandEventError);
    expect(() => codec.decode('Added', codec.encode('', { ...data, schemaVersion: 2 }))).toThrow(
      UnknownCommandEventError,
    );
  });

  it('parks data that an upcast cannot read', () => {
    const upcasting = defineAggregate({
      ...plain,
      events: {
        Added: {
          schema: z.any(),
          version: 2,
          upcasts: {
            1: () => {
              throw new Error('no such field');
            },
          },
        },
      },
    } as AggregateDefinition);
    expect(() => createCommandCodec(upcasting).decode('Added', codec.encode('', data))).toThrow(
      /no such field/,
    );
  });

  it('turns event ids into bytes and back', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(eventIdOf(eventIdHex(id as EventId))).toBe(id);
      }),
    );
  });
});

describe('what is asked for', () => {
  it('is what the schema gives, as JSON gives it back', () => {
    const definition = defineAggregate({
      ...plain,
      events: { At: { schema: z.object({ at: z.coerce.date(), none: z.any() }) } },
      rules: [],
    } as AggregateDefinition);
    expect(parseProposed(definition, 'At', { at: 0, more: 1, none: undefined })).toEqual({
      name: 'At',
      data: { at: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('is refused with every problem, and where there is no JSON for it', () => {
    try {
      parseProposed(plain, 'Taken', { quantity: 'x', by: '' });
      throw new Error('not refused');
    } catch (error) {
      expect(error).toBeInstanceOf(CommandInvalidError);
      expect((error as CommandInvalidError).problems).toHaveLength(2);
    }
    const big = defineAggregate({
      ...plain,
      events: { Big: { schema: z.bigint() } },
      rules: [],
    } as AggregateDefinition);
    expect(() => parseProposed(big, 'Big', 1n)).toThrow(/it is no JSON/);
    expect(() => parseProposed(plain, 'hasOwnProperty', {})).toThrow(/there is no event/);
  });
});

it('canonicalJson gives equal text for equal values, however their keys are ordered', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: 0 })).toBe('{"a":0,"b":[{"c":2,"d":1}]}');
});
