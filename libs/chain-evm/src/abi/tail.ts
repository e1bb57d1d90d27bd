/**
 * Readers of what has no fixed place: `bytes`, `string`, arrays, and tuples that hold them. Every offset and length is
 * compared with the end of the data before it is used, and all that is read in the tails together is bounded by
 * {@link INFLATION_MAX} times the data, so that offsets pointing at each other's data cost neither time nor memory.
 */
import { malformed } from './errors';
import { hexText, readIndex } from './word';

/** A string that is not as the chain has it: NUL or invalid UTF-8 in it was replaced. */
export interface SanitisedText {
  /** The parameter, with array positions: `tags[2]`, `orders[0].memo`. */
  readonly path: string;
  /** The bytes as emitted, lower-case 0x hex. */
  readonly rawHex: string;
}

/** Where the tails of one log are read from. */
export interface TailContext {
  readonly data: string;
  /** Hex digits of tails that may still be read. */
  budget: number;
  readonly sanitised: SanitisedText[] | undefined;
}

/** Reads one element: `at` its head, `base` what its offsets are relative to. */
export type ElementReader = (context: TailContext, at: number, base: number) => unknown;

/**
 * How many times the same data may be read. Solidity and Vyper read once; contracts that let several offsets share a
 * tail read it a few times. ethers allows 1024.
 */
const INFLATION_MAX = 16;

export function createTailContext(data: string, sanitised: SanitisedText[] | undefined): TailContext {
  return { data, budget: data.length * INFLATION_MAX, sanitised };
}

function claim(context: TailContext, at: number, digits: number, path: string): void {
  if (at + digits > context.data.length) malformed('an offset or length is beyond the data', path);
  context.budget -= digits;
  if (context.budget < 0) malformed(`its parts overlap more than ${INFLATION_MAX} times`, path);
}

/** Follows the offset at `at`, and checks that `digits` hex digits are there. */
export function followOffset(
  context: TailContext,
  at: number,
  base: number,
  digits: number,
  path: string,
): number {
  const target = base + readIndex(context.data, at, path) * 2;
  claim(context, target, digits, path);
  return target;
}

/** `bytes`: any length, padding not looked at and, as from contracts that do not pad, possibly absent. */
export function readBytes(context: TailContext, at: number, path: string): string {
  const digits = readIndex(context.data, at, path) * 2;
  claim(context, at + 64, digits, path);
  return hexText(context.data, at + 64, digits, path);
}

/** `string`: as {@link readBytes}, then UTF-8 with NUL and invalid sequences as U+FFFD, which PostgreSQL can hold. */
export function readString(context: TailContext, at: number, path: string): string {
  const rawHex = readBytes(context, at, path);
  const bytes = Buffer.from(rawHex.slice(2), 'hex');
  const text = bytes.toString('utf8');
  const clean = text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
  // A U+FFFD that the emitter wrote itself is no change: only then do the bytes come out the same.
  if (
    context.sanitised !== undefined &&
    clean.includes('\uFFFD') &&
    !Buffer.from(clean, 'utf8').equals(bytes)
  ) {
    context.sanitised.push({ path, rawHex });
  }
  return clean;
}

/** `count` elements whose heads lie `stride` digits apart from `at` on; the caller has checked that they are there. */
export function readElements(
  context: TailContext,
  at: number,
  count: number,
  stride: number,
  read: ElementReader,
): unknown[] {
  const elements = new Array<unknown>(count);
  for (let i = 0; i < count; i++) {
    const before = context.sanitised === undefined ? 0 : context.sanitised.length;
    elements[i] = read(context, at + i * stride, at);
    if (context.sanitised !== undefined && context.sanitised.length > before) {
      numberPaths(context.sanitised, before, i);
    }
  }
  return elements;
}

/** `T[]`. */
export function readArray(
  context: TailContext,
  at: number,
  stride: number,
  read: ElementReader,
  path: string,
): unknown[] {
  const count = readIndex(context.data, at, path);
  claim(context, at + 64, count * stride, path);
  return readElements(context, at + 64, count, stride, read);
}

/** Inner arrays end first, so the last `[]` without a number is always this array's. */
function numberPaths(sanitised: SanitisedText[], from: number, index: number): void {
  for (let i = from; i < sanitised.length; i++) {
    const { path, rawHex } = sanitised[i]!;
    const brackets = path.lastIndexOf('[]');
    sanitised[i] = { path: `${path.slice(0, brackets)}[${index}]${path.slice(brackets + 2)}`, rawHex };
  }
}
