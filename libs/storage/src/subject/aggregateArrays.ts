import { aggregateHash, type AggregateKey } from '@imart/core';

/** Many aggregates as parameters: hashes, types and ids. */
export function aggregateArrays(keys: readonly AggregateKey[]): [string[], string[], string[]] {
  return [
    keys.map((key) => aggregateHash(key.aggregateType, key.aggregateId).toString()),
    keys.map((key) => key.aggregateType),
    keys.map((key) => key.aggregateId),
  ];
}
