import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { CommandEventData } from '@imart/core';
import { anyAggregate, defineAggregate } from './aggregate';
import { createCommandCodec } from './codec';
import { createPersonalData, PersonalDataKeyError, UNREADABLE } from './personalData';
import { personOf } from './personOf';
import { withKey, withoutKey } from './sealedData';
import { testAggregate } from './testKit';

type Events = { readonly Named: { readonly name: string; readonly size: number } };
const definition = defineAggregate<string, Events>({
  type: 'thing',
  events: {
    Named: {
      schema: z.object({ name: z.string(), size: z.number() }),
      personal: { person: (_data, id) => id, fields: ['name'] },
      version: 2,
      upcasts: { 1: (data) => ({ size: 0, ...(data as object) }) },
    },
  },
  rules: [
    {
      name: 'other-name',
      refuses: ({ data }, marked) => (marked?.data.name === data.name ? 'the same' : null),
    },
  ],
  reducer: { version: 1, initial: () => '', fold: (_state, { data }) => `${data.name} ${data.size}` },
});
const plain = anyAggregate(definition);
const personalData = createPersonalData(randomBytes(32));
const personKey = { id: '7', sealedKey: personalData.newKey() };
const codec = createCommandCodec(plain, personalData);
const event = (payload: unknown, schemaVersion = 2): CommandEventData => ({
  version: 1,
  schemaVersion,
  correlationId: 'c',
  causationId: null,
  payload,
  personKey,
});

describe('sealed data', () => {
  it('is read as it was with its key, and as unreadable without; older forms become the present one either way', () => {
    const text = codec.encode('Named', event({ name: 'Zelda' }, 1));
    expect(text).toMatch(/^sealed:7:\[/);
    expect(text).not.toContain('Zelda');
    expect(codec.decode('Named', withKey(text, personKey))).toEqual({
      ...event({ name: 'Zelda', size: 0 }, 1),
    });
    expect(codec.decode('Named', text)).toMatchObject({ payload: { name: UNREADABLE, size: 0 } });
    expect(withoutKey(withKey(text, personKey))).toBe(text);
    expect(withoutKey('[1,1,"key:00:",null,{}]')).toBe('[1,1,"key:00:",null,{}]');
  });

  it('stays as it is when it cannot be read any more: it is stored again without a key', () => {
    const { personKey: _gone, ...rest } = event({ name: UNREADABLE, size: 1 });
    expect(codec.encode('Named', rest)).toMatch(/^\[/);
    expect(() => codec.encode('Named', { ...rest, payload: { name: 'Zelda', size: 1 } })).toThrow(
      PersonalDataKeyError,
    );
  });

  it('opens nowhere else, and not when it was changed: that event is set aside; with another master key nothing goes on', () => {
    const text = withKey(codec.encode('Named', event({ name: 'Zelda', size: 1 })), personKey);
    const changed = text.replace(/"([^"]{8})([^"]*)"\]$/, (_all, _start, rest) => `"AAAAAAAA${rest}"]`);
    expect(() => codec.decode('Named', changed)).toThrow('its personal fields do not open');
    const other = createCommandCodec(plain, createPersonalData(randomBytes(32)));
    expect(() => other.decode('Named', text)).toThrow(PersonalDataKeyError);
    expect(() => createCommandCodec(plain).decode('Named', text)).toThrow(PersonalDataKeyError);
    expect(() => createPersonalData(randomBytes(16))).toThrow('32 bytes, not 16');
  });

  it('needs a person with a name, and texts', () => {
    const of = (id: string, data: unknown): string | null => personOf(plain, { name: 'Named', id }, data);
    expect([of('p', { name: 'Zelda' }), of('p', { size: 1 }), of('p', { name: UNREADABLE })]).toEqual([
      'p',
      null,
      null,
    ]);
    expect(() => of('p', { name: 5 })).toThrow('data.name: what is about a person must be a text');
    expect(() => of('p'.repeat(257), { name: 'Zelda' })).toThrow('must be named by 1 to 256 characters');
  });

  it('is seen as it is by the rules and reducers of a test', () => {
    const named = { name: 'Named', data: { name: 'Zelda', size: 1 } } as const;
    testAggregate(definition).given([]).when(named).then([named]).thenState('Zelda 1');
    testAggregate(definition).given([named]).when(named).then({ refusedBy: 'other-name' });
  });
});
