import { AptosDecodeError } from './errors';

/** `0x` and 64 lower-case hex digits. */
const CANONICAL = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^(?:0x)?([0-9a-f]{1,64})$/i;

/** Addresses that are remembered. Above it the memory begins anew. */
const REMEMBERED_MAX = 20_000;
/**
 * By how they were written. The same few come in event after event, and several times in each: looking one up is faster than reading it, and
 * what keeps it keeps one text of it, not one for each event.
 */
let remembered = new Map<string, string>();

/**
 * The one form in which an address is compared, stored and shown: `0x` and 64 lower-case hex digits. The chain and its
 * nodes leave out leading zeros where they like.
 * @throws {AptosDecodeError} the text is no address.
 * @example canonicalAddress('0x3') // 0x0000000000000000000000000000000000000000000000000000000000000003
 */
export function canonicalAddress(text: string): string {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const address = readAddress(text);
  if (remembered.size >= REMEMBERED_MAX) remembered = new Map();
  remembered.set(text, address);
  return address;
}

/** As {@link canonicalAddress}, of a text that is part of a longer one: what is remembered of it would keep all of that in memory. */
export function readAddress(text: string): string {
  if (CANONICAL.test(text)) return text;
  const digits = ADDRESS.exec(text)?.[1];
  if (digits === undefined) throw new AptosDecodeError(`"${text.slice(0, 80)}" is no address`);
  return `0x${digits.toLowerCase().padStart(64, '0')}`;
}

/** Where minted tokens come from and burned ones go, and the currency of native coin (APT, as a coin and as an asset). */
export const ZERO_ADDRESS = canonicalAddress('0x0');

/** The account of a module event, which belongs to no account's handle. */
export const NO_ACCOUNT = ZERO_ADDRESS;
