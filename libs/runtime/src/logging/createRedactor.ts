import { labelOfUrl, redactUrls } from './redactUrls';

/** Removes secrets from a text. */
export type Redactor = (text: string) => string;

const HIDDEN = '[secret]';
/** A shorter text is no secret, and hiding it everywhere would make lines unreadable. */
const secretLengthMin = 4;
/** A part of a URL, by itself, must look like a key: it is long, or letters and digits. */
const looksLikeKey = (part: string): boolean => /^.{12,}$|^(?=.*\d)(?=.*[a-z]).{8,}$/i.test(part);

/**
 * Hides, wherever it occurs: each of the given secrets, also where it was escaped for a URL or for JSON; passwords of secrets that
 * are URLs, and of their path parts, query values and names of users over HTTP what looks like a key; the path, query and credentials of
 * any other URL; and what is called a password or follows `Bearer`.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const replacements = new Map<string, string>();
  const add = (secret: string, shown: string): void => {
    if (secret.length < secretLengthMin) return;
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      if (!replacements.has(form)) replacements.set(form, shown);
    }
  };
  for (const secret of secrets) {
    for (const item of [secret, ...secret.split(',').map((part) => part.trim())]) {
      const label = labelOfUrl(item);
      // What a label shows whole holds no secret.
      if (label !== item) add(item, label ?? HIDDEN);
      for (const part of partsOfUrl(item)) add(part, HIDDEN);
    }
  }
  // The longest first, so that a secret that contains another one is hidden whole.
  const ordered = [...replacements].sort(([a], [b]) => b.length - a.length);
  return (text) => {
    let redacted = text;
    for (const [secret, shown] of ordered) {
      if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, () => shown);
    }
    return redactCredentials(redactUrls(redacted));
  };
}

function partsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const url = new URL(text);
  // Who logs in at a database is no secret; some providers take their key in that place.
  const user = /^(http|ws)s?:$/.test(url.protocol) ? [url.username] : [];
  const keys = [...user, ...url.pathname.split('/'), ...url.searchParams.values()].filter(looksLikeKey);
  return [url.password, ...keys].flatMap((part) => (part === '' ? [] : [part, decode(part)]));
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function redactCredentials(text: string): string {
  return text
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`)
    .replace(
      /\b(password|passwd|pwd|api[-_]?key|secret)(["']?\s*[=:]\s*["']?)[^\s"',;&}\\[]+/gi,
      `$1$2${HIDDEN}`,
    );
}
