import { createHash } from 'node:crypto';
import type { TradeItem } from '@imart/market';
import { canonicalAddress } from '../address';
import { addressAt, quantityAt, textAt } from './paths';
import type { AptosValue } from '../transaction';

/** A token as market events name it. */
export interface AptosToken {
  /** `null`: the transaction does not tell which collection the token is of. */
  readonly collection: string | null;
  readonly tokenId: bigint;
  readonly standard: 'aptos-v1' | 'aptos-v2';
}

/** The names of a token of the first standard (`0x3`). */
export interface V1Names {
  readonly creator: string;
  readonly collection: string;
  readonly name: string;
  /** Which edition: 0 until its properties are changed, or one is taken out of several. */
  readonly version: bigint;
}

const sha256 = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;

/** The collection of a creator: `0x` and the sha256 of `{creator}::{collection}`, the creator in canonical form. */
export function v1CollectionId(creator: string, collection: string): string {
  return sha256(`${canonicalAddress(creator)}::${collection}`);
}

/**
 * The id of a token of the first standard: the sha256 of `{creator}::{collection}::{name}`, and above its 256 bits the property
 * version. So every edition is a token, and the token of version 0 has the id that others call `token_data_id`.
 */
export function v1Token({ creator, collection, name, version }: V1Names): AptosToken {
  const hash = BigInt(sha256(`${canonicalAddress(creator)}::${collection}::${name}`));
  return {
    collection: v1CollectionId(creator, collection),
    tokenId: (version << 256n) | hash,
    standard: 'aptos-v1',
  };
}

/** The two parts of the id of a token of the first standard. */
export function splitV1TokenId(tokenId: bigint): { tokenDataId: string; version: bigint } {
  const hash = BigInt.asUintN(256, tokenId);
  return { tokenDataId: `0x${hash.toString(16).padStart(64, '0')}`, version: tokenId >> 256n };
}

/**
 * A token as text that every event about it gives alike, whether it tells the collection or not: the object, or the token data id with
 * the property version when there is one.
 */
export function tokenKey(tokenId: bigint): string {
  const { tokenDataId, version } = splitV1TokenId(tokenId);
  return version === 0n ? tokenDataId : `${tokenDataId}/${version}`;
}

/** A token of the second standard: an object, whose address is the id. */
export function v2Token(object: string, collection: string | null): AptosToken {
  return { collection, tokenId: BigInt(object), standard: 'aptos-v2' };
}

/** The object that a token of the second standard is. */
export function objectOf(tokenId: bigint): string {
  return `0x${tokenId.toString(16).padStart(64, '0')}`;
}

/** The names in a `0x3::token::TokenDataId`. */
export function namesOfTokenDataId(data: AptosValue, path: string): Omit<V1Names, 'version'> {
  return {
    creator: addressAt(data, `${path}.creator`),
    collection: textAt(data, `${path}.collection`),
    name: textAt(data, `${path}.name`),
  };
}

/** The names in a `0x3::token::TokenId`. */
export function namesOfTokenId(data: AptosValue, path: string): V1Names {
  return {
    ...namesOfTokenDataId(data, `${path}.token_data_id`),
    version: quantityAt(data, `${path}.property_version`),
  };
}

export function itemOf(token: AptosToken, quantity: bigint): TradeItem {
  return { ...token, quantity };
}
