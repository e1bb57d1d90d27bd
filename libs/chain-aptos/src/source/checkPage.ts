import { messageOf } from '@imart/core';
import { RpcInconsistentError, type RpcPlace } from '@imart/endpoints';
import type { ReadTransaction } from '../read/readEvent';

/**
 * The transactions of an answer, read and proven to be of successive versions from the one that was asked for.
 * @throws {RpcInconsistentError} they are not: nothing of the answer may be used.
 */
export function readSuccessive(
  place: RpcPlace,
  from: bigint,
  max: number,
  read: () => readonly ReadTransaction[],
): readonly ReadTransaction[] {
  let transactions: readonly ReadTransaction[];
  try {
    transactions = read();
  } catch (error) {
    throw new RpcInconsistentError(place, messageOf(error));
  }
  if (transactions.length > max)
    throw new RpcInconsistentError(place, `${transactions.length} transactions, but ${max} were asked for`);
  transactions.forEach(({ version }, i) => {
    const expected = from + BigInt(i);
    if (version !== expected)
      throw new RpcInconsistentError(place, `version ${version} stands where ${expected} should`, {
        expected,
        actual: version,
      });
  });
  return transactions;
}
