import { CursorError } from './errors';

/** Most rows of one page. */
export const PAGE_LIMIT_MAX = 500;
/** Rows of a page when nothing else is asked for. */
export const PAGE_LIMIT_DEFAULT = 50;

/** Which part of a list to read. */
export interface PageRequest {
  /** From 1 to {@link PAGE_LIMIT_MAX}. @defaultValue {@link PAGE_LIMIT_DEFAULT} */
  readonly limit?: number | undefined;
  /** `next` of the page before; absent for the first page. */
  readonly cursor?: string | undefined;
}

/** A part of a list. Following `next` until it is `null` gives every row that was there all the time exactly once. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** `null`: this is the last page. */
  readonly next: string | null;
}

/** What one part of a cursor may hold. */
export type CursorPart = 'subject' | 'seqNo' | 'item' | 'number' | 'text' | 'time';

const SEQ_NO_MAX = 2n ** 63n - 1n;

const accepts: Record<CursorPart, (part: string) => boolean> = {
  subject: (part) => /^\d{1,5}$/.test(part) && Number(part) <= 32767,
  seqNo: (part) => /^\d{1,19}$/.test(part) && BigInt(part) <= SEQ_NO_MAX,
  item: (part) => /^\d{1,5}$/.test(part) && Number(part) <= 32767,
  number: (part) => /^(\d{1,98}(\.\d{1,80})?|Infinity)$/.test(part),
  time: isMoment,
  text: (part) => part.length <= 200 && !part.includes('\0'),
};

/** ISO 8601 in UTC with microseconds, as `isoTime` gives it, of a day that exists; or `infinity`. */
function isMoment(part: string): boolean {
  if (part === 'infinity') return true;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/.test(part)) return false;
  const time = new Date(part);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === part.slice(0, 19);
}

/** Turns the sort key of a page's last row into opaque text and back. A list has a name, so that cursors are not mixed up. */
export interface CursorCodec {
  encode(key: readonly string[]): string;
  /** @throws {CursorError} the text is no cursor of this list. */
  decode(cursor: string): string[];
}

export function createCursorCodec(list: string, parts: readonly CursorPart[]): CursorCodec {
  return {
    encode: (key) => Buffer.from(JSON.stringify([list, ...key]), 'utf8').toString('base64url'),
    decode(cursor) {
      const [name, ...key] = parseTexts(cursor);
      if (name !== list || key.length !== parts.length) throw new CursorError();
      if (!parts.every((part, index) => accepts[part](key[index] ?? ''))) throw new CursorError();
      return key;
    },
  };
}

function parseTexts(cursor: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new CursorError();
  }
  if (!Array.isArray(parsed) || !parsed.every((part) => typeof part === 'string')) throw new CursorError();
  return parsed as string[];
}

export const limitOf = (page: PageRequest): number =>
  Math.min(Math.max(page.limit ?? PAGE_LIMIT_DEFAULT, 1), PAGE_LIMIT_MAX);

/** A page of `rows`, of which one more than the limit was read. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  codec: CursorCodec,
  keyOf: (row: Row) => readonly string[],
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    next: rows.length > limit && last !== undefined ? codec.encode(keyOf(last)) : null,
  };
}
