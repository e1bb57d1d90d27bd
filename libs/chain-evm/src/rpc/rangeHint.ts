import type { RangeHint } from './errors';

const NUMBER = String.raw`(\d[\d.,_]*\d|\d)(k)?`;

/** "10,000", "10.000", "2K": how providers write counts. */
function count(digits: string, kilo: string | undefined): number | null {
  const value = Number(digits.replace(/[.,_]/g, '')) * (kilo === undefined ? 1 : 1_000);
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}

const SUGGESTED = [
  /\[\s*(0x[0-9a-f]+|\d+)\s*,\s*(0x[0-9a-f]+|\d+)\s*\]/i,
  /range\s+(0x[0-9a-f]+|\d+)\s*-\s*(0x[0-9a-f]+|\d+)/i,
];

const BLOCKS_MAX = [
  `up to an? ${NUMBER} block range`,
  `limited to an? ${NUMBER} blocks? range`,
  `limited to(?: a)? ${NUMBER} blocks?`,
  `exceeds the range allowed for your plan \\(\\d+ > ${NUMBER}\\)`,
  `maximum block range[: ]+${NUMBER}`,
  `max(?:imum)? (?:block )?range(?: is)?[: ]+${NUMBER}`,
  `max block range ${NUMBER}`,
  `block range is too wide \\(maximum ${NUMBER}\\)`,
  `query must be smaller than size ${NUMBER}`,
  `maximum is set to ${NUMBER}`,
  `at most ${NUMBER} blocks?`,
  `requested blocks is ${NUMBER}`,
  `ranges over ${NUMBER} blocks`,
  `too large, max is ${NUMBER} blocks?`,
  `range \\d+ exceeds limit of ${NUMBER}`,
].map((source) => new RegExp(source, 'i'));

const LOGS_MAX = [
  `returned more than ${NUMBER} results`,
  `exceeds max results ${NUMBER}`,
  `more than ${NUMBER} (?:results|logs)`,
  `logs matched by query exceeds limit of ${NUMBER}`,
].map((source) => new RegExp(source, 'i'));

function firstCount(patterns: readonly RegExp[], message: string): number | null {
  for (const pattern of patterns) {
    const match = pattern.exec(message);
    if (match?.[1] !== undefined) return count(match[1], match[2]);
  }
  return null;
}

/** Reads from a provider's refusal what it would have answered. What cannot be read is `null`, never guessed. */
export function readRangeHint(message: string, data: unknown): RangeHint {
  let suggested: RangeHint['suggested'] = null;
  for (const pattern of SUGGESTED) {
    const match = pattern.exec(message);
    if (match === null) continue;
    suggested = { from: Number(match[1]), to: Number(match[2]) };
    break;
  }
  if (suggested === null && typeof data === 'object' && data !== null && 'from' in data && 'to' in data) {
    const [from, to] = [Number(data.from), Number(data.to)];
    if (Number.isSafeInteger(from) && Number.isSafeInteger(to)) suggested = { from, to };
  }
  return { suggested, blocksMax: firstCount(BLOCKS_MAX, message), logsMax: firstCount(LOGS_MAX, message) };
}

/**
 * Last block of the part to ask for first after a refusal of `[from, to]`: as suggested, when that is a real reduction
 * that starts where we start, else the middle. Always at least `from` and below `to`.
 */
export function reducedEnd(from: number, to: number, hint: RangeHint): number {
  const middle = from + Math.floor((to - from) / 2);
  const { suggested, blocksMax } = hint;
  if (suggested !== null) {
    const low = Math.min(suggested.from, suggested.to);
    const high = Math.max(suggested.from, suggested.to);
    if (low <= from && high >= from && high < to) return high;
  }
  if (blocksMax !== null && blocksMax < to - from + 1) return from + blocksMax - 1;
  return middle;
}
