/** One line of at most 300 characters; an answer may be a whole page, and may repeat the URL it was sent to. */
export function safeText(text: string): string {
  return text
    .replace(/\b(?:https?|wss?):\/\/[^\s"'<>]+/gi, '<url>')
    .replace(/\s+/g, ' ')
    .slice(0, 300)
    .trim();
}

/** `Retry-After` in seconds or as a date, as milliseconds from `nowMs`; `null` when there is none that can be read. */
export function readRetryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Math.ceil(Number(header) * 1_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
