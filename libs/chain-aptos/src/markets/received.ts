import { canonicalStructTag } from '../structTag';
import type { AptosEvent, AptosTransaction } from '../transaction';
import { addressAt } from './paths';
import { namesOfTokenId, v1Token, type AptosToken } from './tokenIds';

const HANDLE_DEPOSIT = canonicalStructTag('0x3::token::DepositEvent');
const MODULE_DEPOSIT = canonicalStructTag('0x3::token::TokenDeposit');

function receiverOf(event: AptosEvent): string | null {
  if (event.type === HANDLE_DEPOSIT) return event.account;
  return event.type === MODULE_DEPOSIT ? addressAt(event.data, 'account') : null;
}

/** The token of the first standard that reached an account last before an event; `null`: none did. */
export function lastReceived(
  transaction: AptosTransaction,
  account: string,
  index: number,
): AptosToken | null {
  const deposit = transaction.events.findLast(
    (event) => event.index < index && receiverOf(event) === account,
  );
  return deposit === undefined ? null : v1Token(namesOfTokenId(deposit.data, 'id'));
}
