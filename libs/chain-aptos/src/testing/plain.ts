import type { AptosChange, AptosTransaction } from '../transaction';

function plainChange(change: AptosChange): object {
  switch (change.kind) {
    case 'written-resource': {
      const { kind, address, type, data } = change;
      return { kind, address, type, data };
    }
    case 'written-table-item': {
      const { kind, handle, key, keyType, value, valueType } = change;
      return { kind, handle, key, keyType, value, valueType };
    }
    default:
      return change;
  }
}

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
    changes: transaction.changes().map(plainChange),
  };
}
