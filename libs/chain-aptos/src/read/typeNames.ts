import { canonicalStructTag } from '../structTag';

/** Types of one chain's events that are remembered. Above it the memory begins anew. */
const REMEMBERED_MAX = 20_000;
let remembered = new Map<string, string>();

/**
 * As {@link canonicalStructTag}, remembering what it gave: the same few types come in every transaction. A name with an address
 * that is none is left as it is; no market has it.
 */
export function canonicalTypeName(text: string): string {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  let name: string;
  try {
    name = canonicalStructTag(text);
  } catch {
    return text;
  }
  if (remembered.size >= REMEMBERED_MAX) remembered = new Map();
  remembered.set(text, name);
  return name;
}
