/** Text of a cell in COPY's text format. `\N` is NULL. */
const NEEDS_ESCAPE = /[\\\t\n\r\0]/;

/** Any text. A NUL, which Postgres cannot hold, becomes U+FFFD (D1). */
export function copyTextCell(value: string): string {
  if (!NEEDS_ESCAPE.test(value)) return value;
  return value.replace(/[\\\t\n\r\0]/g, (c) => {
    switch (c) {
      case '\\':
        return '\\\\';
      case '\t':
        return '\\t';
      case '\n':
        return '\\n';
      case '\r':
        return '\\r';
      default:
        return '�';
    }
  });
}

/** `0x` hex as a bytea cell. */
export function copyBytesCell(hex: string): string {
  return `\\\\x${hex.slice(2)}`;
}

/** Texts of recent timestamps: rows and activities of one block share theirs, and blocks come again when aggregates do. */
const TIMESTAMPS_MAX = 20_000;
let timestamps = new Map<number, string>();
let lastUs = -1n;
let lastText = '';

/** Microseconds since 1970 as a timestamp cell. */
export function timestampText(us: bigint): string {
  // In chain order the next cell is of the same block most of the time.
  if (us === lastUs) return lastText;
  // A number is found faster than a bigint, and holds microseconds up to the year 2255; beyond that nothing is remembered.
  const key = Number(us);
  const exact = Number.isSafeInteger(key);
  const known = exact ? timestamps.get(key) : undefined;
  if (known !== undefined) {
    lastUs = us;
    lastText = known;
    return known;
  }
  const iso = new Date(Number(us / 1000n)).toISOString();
  // 2023-11-14T22:13:20.000Z: the last digit before Z is a millisecond, three more make microseconds.
  // After the year 9999 it has a sign and six digits, +010000-01-01, which Postgres reads as a time zone.
  const date = iso.startsWith('+') ? iso.replace(/^\+0*/, '') : iso;
  const text = `${date.slice(0, -1)}${(us % 1000n).toString().padStart(3, '0')}+00`;
  if (timestamps.size >= TIMESTAMPS_MAX) timestamps = new Map();
  if (exact) timestamps.set(key, text);
  lastUs = us;
  lastText = text;
  return text;
}
