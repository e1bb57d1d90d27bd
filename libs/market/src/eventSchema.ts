import { WorkerError } from '@imart/core';

/** One field of an event's data: how it is written to the log's JSON and read back. */
export interface Field<T> {
  write(value: T): string;
  read(json: unknown): T;
}

class EventDataError extends WorkerError {
  constructor(expected: string, json: unknown) {
    super(`stored event data: expected ${expected}, found ${JSON.stringify(json)?.slice(0, 80)}`, {
      code: 'EVENT_DATA',
      disposition: 'park',
    });
  }
}

/** Any text. */
export const text: Field<string> = {
  write: (value) => JSON.stringify(value),
  read: (json) => {
    if (typeof json !== 'string') throw new EventDataError('text', json);
    return json;
  },
};

/** One of a few known words, or hex: text that needs no escaping, which is most of the data. */
export function word<T extends string = string>(): Field<T> {
  return { write: (value) => `"${value}"`, read: text.read as (json: unknown) => T };
}

/** A quantity of the chain: decimal text in JSON, because a JSON number loses digits above 2^53 (D4). */
export const quantity: Field<bigint> = {
  write: (value) => `"${value}"`,
  read: (json) => {
    if (typeof json !== 'string' || !/^-?\d+$/.test(json))
      throw new EventDataError('a decimal quantity', json);
    return BigInt(json);
  },
};

export const flag: Field<boolean> = {
  write: (value) => (value ? '1' : '0'),
  read: (json) => json === 1,
};

export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    write: (value) => (value === null ? 'null' : field.write(value)),
    read: (json) => (json === null || json === undefined ? null : field.read(json)),
  };
}

export function list<T>(field: Field<T>): Field<readonly T[]> {
  return {
    write: (values) => {
      let out = '[';
      for (let i = 0; i < values.length; i++) out += (i === 0 ? '' : ',') + field.write(values[i] as T);
      return `${out}]`;
    },
    read: (json) => {
      if (!Array.isArray(json)) throw new EventDataError('a list', json);
      return json.map((item) => field.read(item));
    },
  };
}

/** A field of a record that came later: absent where nothing is known. See {@link added}. */
export interface AddedField<T> extends Field<T | undefined> {
  readonly isAdded: true;
}

/**
 * A field that was added to a record of which events are stored already. Absent fields at a record's end are not written: what has
 * none of them keeps the text, and with it the content hash, that it had before.
 */
export function added<T>(field: Field<T>): AddedField<T> {
  return {
    isAdded: true,
    write: (value) => (value === undefined ? 'null' : field.write(value)),
    read: (json) => (json === null || json === undefined ? undefined : field.read(json)),
  };
}

type Fields = Readonly<Record<string, Field<never> | Field<unknown>>>;
type AddedKeys<F> = { [K in keyof F]: F[K] extends AddedField<unknown> ? K : never }[keyof F];
/** The data type that a record of fields describes. */
export type RecordOf<F> = {
  readonly [K in Exclude<keyof F, AddedKeys<F>>]: F[K] extends Field<infer T> ? T : never;
} & { readonly [K in AddedKeys<F>]?: F[K] extends Field<infer T> ? T : never };

/**
 * A record, written as a JSON array in the order of its fields: half the size of an object, and faster. Fields are only
 * ever appended; a field that an older record lacks reads as `null` and must be nullable.
 */
export function record<F extends object>(fields: F): Field<RecordOf<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields as Fields) as Field<unknown>[];
  const count = names.length;
  const isAdded = (i: number): boolean => 'isAdded' in (codecs[i] as Field<unknown>);
  const least = names.findIndex((_name, i) => isAdded(i));
  const first = least === -1 ? count : least;
  return {
    write: (value) => {
      const values = value as Record<string, unknown>;
      let end = count;
      while (end > first && values[names[end - 1] as string] === undefined) end--;
      let out = '[';
      for (let i = 0; i < end; i++) {
        out += (i === 0 ? '' : ',') + (codecs[i] as Field<unknown>).write(values[names[i] as string]);
      }
      return `${out}]`;
    },
    read: (json) => {
      if (!Array.isArray(json)) throw new EventDataError('a record', json);
      const out: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) {
        const field = (codecs[i] as Field<unknown>).read(json[i]);
        if (field !== undefined) out[names[i] as string] = field;
      }
      return out as RecordOf<F>;
    },
  };
}
