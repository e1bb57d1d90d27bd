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

/** Texts of hours, up to the minute, 2023-11-14T22: as every row of the same hour begins. */
const HOURS_MAX = 50_000;
let hours = new Map<number, string>();
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const US_PER_HOUR = 3_600_000_000;

function hourText(hour: number): string {
  let text = hours.get(hour);
  if (text === undefined) {
    const iso = new Date(hour * 3_600_000).toISOString();
    // After the year 9999 it has a sign and six digits, +010000-01-01, which Postgres reads as a time zone.
    const date = iso.startsWith('+') ? iso.replace(/^\+0*/, '') : iso;
    text = date.slice(0, -10); // 2023-11-14T22:00:00.000Z without its last ten
    if (hours.size >= HOURS_MAX) hours = new Map();
    hours.set(hour, text);
  }
  return text;
}

let lastUs = -1n;
let lastText = '';

/** Microseconds since 1970 as a timestamp cell. */
export function timestampText(us: bigint): string {
  // In chain order the next cell is of the same block most of the time.
  if (us === lastUs) return lastText;
  // Arithmetic on numbers is much faster than on bigints; it is exact up to the year 2255.
  const exact = us <= Number.MAX_SAFE_INTEGER;
  const hour = exact ? Math.floor(Number(us) / US_PER_HOUR) : Number(us / BigInt(US_PER_HOUR));
  const rest = exact ? Number(us) - hour * US_PER_HOUR : Number(us % BigInt(US_PER_HOUR));
  const minute = Math.floor(rest / 60_000_000);
  const second = Math.floor(rest / 1_000_000) % 60;
  const fraction = rest % 1_000_000;
  const decimals = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0')}`;
  lastText = `${hourText(hour)}${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}${decimals}+00`;
  lastUs = us;
  return lastText;
}
