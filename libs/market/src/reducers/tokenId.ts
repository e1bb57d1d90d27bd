import { splitContractId } from '../aggregates';

export interface TokenId {
  readonly collection: string;
  readonly tokenId: bigint;
}

/** Which token an aggregate's id names. */
export function tokenIdOf(aggregateId: string): TokenId {
  const { contract, id } = splitContractId(aggregateId);
  return { collection: contract, tokenId: BigInt(id) };
}
