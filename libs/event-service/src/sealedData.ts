import { messageOf } from '@imart/core';
import { CommandEventDataError } from './errors';
import { PersonalDataKeyError, UNREADABLE, type PersonalData, type PersonKey } from './personalData';

/*
 * The stored form of data with personal fields: `sealed:<key id>:<JSON>`. No JSON begins so, and so no other data of the log. What reads
 * it from a table puts `key:<sealed key>:` before it, in the same statement, while that key is there.
 */
const SEALED = /^(?:key:([0-9a-f]+):)?sealed:([0-9]+):/;

/** An event's payload: what anybody may read, and what only the person's key opens. */
export interface SealedPayload {
  readonly payload: unknown;
  /** Names of fields, and the sealed JSON of their values; `null`: nothing is sealed. */
  readonly sealed: { readonly fields: readonly string[]; readonly text: string } | null;
}

/** Splits the stored text: the JSON, and the key that it names. `key` is `null` when it is gone. */
export function splitSealed(text: string): { json: string; isSealed: boolean; key: PersonKey | null } {
  if (text.startsWith('[')) return { json: text, isSealed: false, key: null };
  const found = SEALED.exec(text);
  if (found === null) return { json: text, isSealed: false, key: null };
  const [prefix, sealedKey, id] = found;
  const json = text.slice(prefix.length);
  return {
    json,
    isSealed: true,
    key: sealedKey === undefined || id === undefined ? null : { id, sealedKey },
  };
}

/** Whether an event's stored text holds what only a person's key opens. */
export const isSealed = (text: string): boolean => splitSealed(text).isSealed;

/** The text as it is stored: without the key that was put before it for reading. */
export function withoutKey(text: string): string {
  return text.replace(/^key:[0-9a-f]+:/, '');
}

/** The stored text of a sealed event, with its key before it, as a reading statement gives it. */
export function withKey(text: string, { sealedKey }: PersonKey): string {
  return `key:${sealedKey}:${text}`;
}

/** What stands before the JSON of an event that is sealed with this key. */
export const sealedPrefix = ({ id }: PersonKey): string => `sealed:${id}:`;

/**
 * Takes the personal fields out of a payload and seals them. A field that cannot be read any more stays as it is: there is nothing in it.
 * @throws {PersonalDataKeyError} there is something to seal, and nothing to seal it with.
 */
export function sealPayload(
  personalData: PersonalData | null,
  fields: readonly string[],
  payload: unknown,
  key: PersonKey | undefined,
  name: string,
): SealedPayload {
  const values = personalValues(fields, payload);
  const names = Object.keys(values);
  if (names.length === 0) return { payload, sealed: null };
  if (personalData === null || key === undefined)
    throw new PersonalDataKeyError(`there is no key to seal the personal data of event ${name} with`);
  const open = Object.fromEntries(
    Object.entries(payload as object).filter(([field]) => !Object.hasOwn(values, field)),
  );
  const text = personalData.seal(key.sealedKey, JSON.stringify(values), placeOf(name, names));
  return { payload: open, sealed: { fields: names, text } };
}

/** The payload with its personal fields: as they were, or, when their key is gone, as {@link UNREADABLE}. */
export function openPayload(
  personalData: PersonalData | null,
  { payload, sealed }: SealedPayload,
  key: PersonKey | null,
  { type, name }: { readonly type: string; readonly name: string },
): unknown {
  if (sealed === null) return payload;
  const { fields, text } = sealed;
  if (key === null)
    return { ...(payload as object), ...Object.fromEntries(fields.map((field) => [field, UNREADABLE])) };
  if (personalData === null)
    throw new PersonalDataKeyError(
      `there is no key to read the personal data of ${type}'s event ${name} with`,
    );
  try {
    const values = JSON.parse(personalData.open(key.sealedKey, text, placeOf(name, fields))) as object;
    return { ...(payload as object), ...values };
  } catch (error) {
    if (error instanceof PersonalDataKeyError) throw error;
    throw new CommandEventDataError(
      type,
      name,
      `its personal fields do not open: ${messageOf(error)}`,
      error,
    );
  }
}

/** The personal fields that a payload has, and that are texts still. */
export function personalValues(
  fields: readonly string[],
  payload: unknown,
): Readonly<Record<string, string>> {
  if (typeof payload !== 'object' || payload === null) return {};
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value: unknown = Object.hasOwn(payload, field)
        ? (payload as Record<string, unknown>)[field]
        : null;
      return typeof value === 'string' && value !== UNREADABLE ? [[field, value]] : [];
    }),
  );
}

const placeOf = (name: string, fields: readonly string[]): string => JSON.stringify([name, ...fields]);
