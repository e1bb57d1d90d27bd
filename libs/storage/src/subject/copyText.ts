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

let lastUs = -1n;
let lastText = '';

/** Microseconds since 1970 as a timestamp cell. Consecutive cells of one block share the text. */
export function timestampText(us: bigint): string {
  if (us === lastUs) return lastText;
  const ms = us / 1000n;
  const micros = us % 1000n;
  const iso = new Date(Number(ms)).toISOString();
  lastUs = us;
  // 2023-11-14T22:13:20.000Z: the last digit before Z is a millisecond, three more make microseconds.
  lastText = `${iso.slice(0, -1)}${micros.toString().padStart(3, '0')}+00`;
  return lastText;
}
