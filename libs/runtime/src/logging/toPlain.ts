import type { Redactor } from './createRedactor';

/** Bounds of one log line, so that a giant payload does not become a giant line. */
const depthMax = 8;
const itemsMax = 100;
const textLengthMax = 16_384;

/** Field names whose values are hidden whatever they are. "token" alone is a word of the market, not a secret. */
const SECRET_NAME =
  /password|passwd|secret|api[-_]?key|private[-_]?key|mnemonic|authorization|(access|auth|bearer)[-_]?token/i;

/**
 * A value as plain JSON data without secrets: `bigint` as decimal text, errors with code, fields, stack and causes, bytes as
 * hex, what refers to itself or is too deep cut off. Never throws.
 */
export function toPlain(value: unknown, redact: Redactor): unknown {
  return plain(value, redact, [], undefined);
}

function plain(value: unknown, redact: Redactor, path: readonly object[], name: string | undefined): unknown {
  const isData = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
  if (isData && name !== undefined && SECRET_NAME.test(name)) return '[secret]';
  switch (typeof value) {
    case 'string':
      return shorten(value, redact);
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'undefined':
      return undefined;
    case 'symbol':
    case 'function':
      return redact(String(value)).slice(0, 100);
    case 'object':
      if (value === null) return null;
      if (path.includes(value)) return '[circular]';
      if (path.length >= depthMax) return '[too deep]';
      try {
        return plainObject(value, redact, [...path, value], name);
      } catch {
        return '[unreadable]';
      }
  }
}

function plainObject(
  value: object,
  redact: Redactor,
  path: readonly object[],
  name: string | undefined,
): unknown {
  const inner = (item: unknown, key?: string): unknown => plain(item, redact, path, key);
  if (value instanceof Error) return plainError(value, inner);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value.subarray(0, 256)).toString('hex')}`;
  if (value instanceof URL) return inner(value.href, name);
  if (value instanceof Map)
    return plainEntries(
      [...value].map(([k, v]) => [String(k), v]),
      inner,
      redact,
    );
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...(value as Iterable<unknown>)];
    const shown = items.slice(0, itemsMax).map((item) => inner(item, name) ?? null);
    return items.length > itemsMax ? [...shown, `[${items.length - itemsMax} more]`] : shown;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return inner(value.toJSON(), name);
  return plainEntries(Object.entries(value), inner, redact);
}

function plainEntries(
  entries: readonly (readonly [string, unknown])[],
  inner: (item: unknown, key: string) => unknown,
  redact: Redactor,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, item] of entries.slice(0, itemsMax)) result[shorten(key, redact)] = inner(item, key);
  if (entries.length > itemsMax) result['…'] = `${entries.length - itemsMax} more`;
  return result;
}

function plainError(error: Error, inner: (item: unknown, key?: string) => unknown): Record<string, unknown> {
  // The own properties first: code, disposition and fields of our errors, and what drivers add to theirs.
  const own = Object.fromEntries(Object.entries(error).filter(([, item]) => typeof item !== 'function'));
  const rest = error instanceof AggregateError ? { errors: error.errors as unknown[] } : {};
  const all = {
    name: error.name,
    message: error.message,
    ...own,
    ...rest,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    stack: error.stack,
  };
  return Object.fromEntries(Object.entries(all).map(([key, item]) => [key, inner(item, key)]));
}

function shorten(text: string, redact: Redactor): string {
  // Redacted before it is cut, so that no secret is cut in two and half of it shown; a margin bounds the work.
  const redacted = redact(text.slice(0, 4 * textLengthMax));
  if (redacted.length <= textLengthMax && text.length <= 4 * textLengthMax) return redacted;
  return `${redacted.slice(0, textLengthMax)}… (${text.length} characters)`;
}
