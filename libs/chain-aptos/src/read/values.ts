import { AptosDecodeError } from '../errors';
import type { AptosRecord, AptosValue } from '../transaction';

const DEPTH_MAX = 128;

/**
 * Parsed JSON as a value of the chain. Nodes write every integer above 32 bits as text: a number that JSON could not hold exactly
 * has lost digits, and is refused.
 * @throws {AptosDecodeError}
 */
export function readValue(value: unknown, path: string, depth = 0): AptosValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isSafeInteger(value)) throw new AptosDecodeError(`the number ${value} is not exact`, path);
      return value;
    case 'object': {
      if (value === null) return null;
      if (depth >= DEPTH_MAX) throw new AptosDecodeError(`nested more than ${DEPTH_MAX} deep`, path);
      if (Array.isArray(value)) for (const item of value) readValue(item, path, depth + 1);
      else for (const name in value) readValue((value as Record<string, unknown>)[name], path, depth + 1);
      return value as AptosValue;
    }
    default:
      throw new AptosDecodeError('there is no value', path);
  }
}

/** @throws {AptosDecodeError} it is no struct. */
export function readRecord(value: unknown, path: string): AptosRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AptosDecodeError('no fields', path);
  return readValue(value, path) as AptosRecord;
}

/** @throws {AptosDecodeError} the text is no JSON. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AptosDecodeError('is no JSON', path);
  }
}

/** JSON text with fields in one order, so that what several sources give of one thing is the same text. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}

/** An unsigned integer in decimal text, at most 64 bits. @throws {AptosDecodeError} */
export function readU64(value: unknown, path: string): bigint {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) {
    const number = BigInt(value);
    if (number < 2n ** 64n) return number;
  }
  throw new AptosDecodeError('is no unsigned 64-bit integer in decimal text', path);
}
