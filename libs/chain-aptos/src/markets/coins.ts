import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { canonicalStructTag, withoutTypeArguments } from '../structTag';
import type { AptosEvent, AptosTransaction, AptosValue } from '../transaction';
import { addressAt, quantityAt, textAt, toAddress, toText, valueAt } from './paths';
import { ownerOf } from './writeSet';

const APTOS_COIN = canonicalStructTag('0x1::aptos_coin::AptosCoin');
/** APT as a fungible asset. */
const APTOS_ASSET = canonicalAddress('0xa');
const STRUCT_TAG = /^0x[0-9a-f]{64}::\w+::\w+(?:<[\w:<>,]+>)?$/;

/** How market events name a currency: native coin has the market's own name for it, a coin its type, an asset its address. */
export function currencyOf(type: string, path: string): string {
  const tag = canonicalStructTag(type);
  if (tag === APTOS_COIN) return ZERO_ADDRESS;
  if (STRUCT_TAG.test(tag)) return tag;
  const asset = toAddress(tag, path);
  return asset === APTOS_ASSET ? ZERO_ADDRESS : asset;
}

/** Text of hex bytes, as `0x1::type_info::TypeInfo` has its names. */
function nameOf(hex: string): string {
  return /^0x(?:[0-9a-f]{2})*$/i.test(hex) ? Buffer.from(hex.slice(2), 'hex').toString('latin1') : hex;
}

/**
 * The currency that a field names: the type of a coin as text, or as a `0x1::type_info::TypeInfo` whose names are hex of ASCII; an asset by its
 * address or its `Object`.
 * @throws {AptosDecodeError} it is none of these.
 */
export function currencyAt(value: AptosValue | undefined, path: string): string {
  if (typeof value !== 'object' || value === null) return currencyOf(toText(value, path), path);
  if (valueAt(value, 'inner') !== undefined) return currencyOf(addressAt(value, 'inner'), path);
  const names = [textAt(value, 'module_name'), textAt(value, 'struct_name')].map(nameOf);
  return currencyOf([addressAt(value, 'account_address'), ...names].join('::'), path);
}

const HANDLE_DEPOSIT = canonicalStructTag('0x1::coin::DepositEvent');
const MODULE_DEPOSIT = canonicalStructTag('0x1::coin::CoinDeposit');
const ASSET_DEPOSIT = canonicalStructTag('0x1::fungible_asset::Deposit');

/** Money that reached an account. */
export interface Deposit {
  readonly account: string;
  readonly amount: bigint;
}

/** What this event says of money; `null` when it says nothing, or not to whom. */
export function depositOf(event: AptosEvent, transaction: AptosTransaction): Deposit | null {
  switch (withoutTypeArguments(event.type)) {
    case HANDLE_DEPOSIT:
      return { account: event.account, amount: quantityAt(event.data, 'amount') };
    case MODULE_DEPOSIT:
      return { account: addressAt(event.data, 'account'), amount: quantityAt(event.data, 'amount') };
    case ASSET_DEPOSIT: {
      const account = ownerOf(transaction, addressAt(event.data, 'store'));
      return account === null ? null : { account, amount: quantityAt(event.data, 'amount') };
    }
    default:
      return null;
  }
}
