import type { AptosTransaction } from '../transaction';

/** Everything that a transaction says, as plain data to compare. */
export function plainTransaction(transaction: AptosTransaction): object {
  const { version, hash, accumulatorRootHash, timestampUs, success, sender } = transaction;
  return {
    version,
    hash,
    accumulatorRootHash,
    timestampUs,
    success,
    sender,
    events: transaction.events.map(({ index, type, account, creationNumber, sequenceNumber, data }) => ({
      index,
      type,
      account,
      creationNumber,
      sequenceNumber,
      data,
    })),
    changes: transaction.changes(),
  };
}
