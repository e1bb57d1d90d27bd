import { readAddress } from './address';
import { AptosDecodeError } from './errors';

/** An address as it begins a module's name; an identifier that contains `0x` has no word boundary before it. */
const ADDRESS_OF_MODULE = /\b0x[0-9a-f]+(?=::)/gi;
const LONGEST = 16_384;

/**
 * A type's name with every address in it, those of its type arguments too, in canonical form, and without spaces.
 * @throws {AptosDecodeError} an address in it is none.
 * @example canonicalStructTag('0x1::coin::Coin<0x1::aptos_coin::AptosCoin>')
 */
export function canonicalStructTag(text: string): string {
  if (text.length > LONGEST) throw new AptosDecodeError(`a type's name has ${text.length} characters`);
  const tag = text.replace(ADDRESS_OF_MODULE, readAddress);
  return tag.includes(' ') ? tag.replaceAll(' ', '') : tag;
}

/**
 * A type's name without its type arguments: `0x..::FixedPriceMarket::ListTokenEvent<0x..::aptos_coin::AptosCoin>` is an event
 * of `0x..::FixedPriceMarket::ListTokenEvent`.
 */
export function withoutTypeArguments(tag: string): string {
  const at = tag.indexOf('<');
  return at === -1 ? tag : tag.slice(0, at);
}
