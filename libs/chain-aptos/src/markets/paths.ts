import { AptosDecodeError } from '../errors';
import { canonicalAddress } from '../address';
import type { AptosRecord, AptosValue } from '../transaction';

/**
 * Where a value is: fields joined by dots, places in lists as numbers (`token_metadata.token.vec.0.inner`). `a|b`: the first of
 * them that is there. A leading `?`: it may be missing.
 */
export type FieldPath = string;

const isRecord = (value: AptosValue | undefined): value is AptosRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One field of the way; `place` is what it is in a list. */
interface Step {
  readonly field: string;
  readonly place: number | null;
}

/** Paths are few, of the program's own and of declarations: each is taken apart once. */
const parsed = new Map<FieldPath, readonly (readonly Step[])[]>();

function alternativesOf(path: FieldPath): readonly (readonly Step[])[] {
  let alternatives = parsed.get(path);
  if (alternatives === undefined) {
    const stepOf = (field: string): Step => ({ field, place: /^\d+$/.test(field) ? Number(field) : null });
    alternatives = path
      .replace(/^\?/, '')
      .split('|')
      .map((one) => one.split('.').map(stepOf));
    parsed.set(path, alternatives);
  }
  return alternatives;
}

function follow(data: AptosValue, steps: readonly Step[]): AptosValue | undefined {
  let value: AptosValue | undefined = data;
  for (const { field, place } of steps) {
    if (Array.isArray(value)) {
      value = place === null ? undefined : (value as readonly AptosValue[])[place];
      // Names of fields come from the chain: only what a record has itself is there.
    } else value = isRecord(value) && Object.hasOwn(value, field) ? value[field] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** The value at a path; `undefined` when nothing is there. */
export function valueAt(data: AptosValue, path: FieldPath): AptosValue | undefined {
  for (const steps of alternativesOf(path)) {
    const value = follow(data, steps);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

export const mayBeMissing = (path: FieldPath): boolean => path.startsWith('?');

function shown(value: AptosValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
}

/** @throws {AptosDecodeError} it is not there, or no text. */
export function toText(value: AptosValue | undefined, path: FieldPath): string {
  if (typeof value !== 'string') throw new AptosDecodeError(`expected text, found ${shown(value)}`, path);
  return value;
}

/** @throws {AptosDecodeError} it is not there, or no address. */
export function toAddress(value: AptosValue | undefined, path: FieldPath): string {
  // An `Object<T>` holds an address.
  const address = isRecord(value) ? value['inner'] : value;
  try {
    return canonicalAddress(toText(address, path));
  } catch (error) {
    if (!(error instanceof AptosDecodeError) || error.path !== undefined) throw error;
    throw new AptosDecodeError(error.reason, path);
  }
}

/**
 * A number of the chain: decimal text, or a small number.
 * @throws {AptosDecodeError} it is not there, or no whole number from 0 to 2^256 - 1.
 */
export function toQuantity(value: AptosValue | undefined, path: FieldPath): bigint {
  const isWhole = typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : false;
  if (!isWhole && !(typeof value === 'string' && /^\d{1,78}$/.test(value))) {
    throw new AptosDecodeError(`expected a number, found ${shown(value)}`, path);
  }
  const quantity = BigInt(value as string | number);
  if (quantity >= 1n << 256n) throw new AptosDecodeError(`${quantity} has more than 256 bits`, path);
  return quantity;
}

/** @throws {AptosDecodeError} it is not there, or no list. */
function toList(value: AptosValue | undefined, path: FieldPath): readonly AptosValue[] {
  if (!Array.isArray(value)) throw new AptosDecodeError(`expected a list, found ${shown(value)}`, path);
  return value as readonly AptosValue[];
}

export const textAt = (data: AptosValue, path: FieldPath): string => toText(valueAt(data, path), path);
export const addressAt = (data: AptosValue, path: FieldPath): string => toAddress(valueAt(data, path), path);
export const quantityAt = (data: AptosValue, path: FieldPath): bigint =>
  toQuantity(valueAt(data, path), path);
export const listAt = (data: AptosValue, path: FieldPath): readonly AptosValue[] =>
  toList(valueAt(data, path), path);
