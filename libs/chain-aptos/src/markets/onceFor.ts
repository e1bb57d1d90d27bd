import type { AptosTransaction } from '../transaction';

/**
 * What is worked out of a transaction once, though every event of it asks. Transactions are translated one after the other: only the last
 * one's is kept. (A weak map of all of them makes every collection of garbage look at each.)
 */
export function onceFor<T>(work: (transaction: AptosTransaction) => T): (transaction: AptosTransaction) => T {
  let last: { readonly transaction: AptosTransaction; readonly result: T } | null = null;
  return (transaction) => {
    if (last?.transaction !== transaction) last = { transaction, result: work(transaction) };
    return last.result;
  };
}
