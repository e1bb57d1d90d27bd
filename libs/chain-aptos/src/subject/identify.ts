import type { SubjectId, SubjectIdentity } from '@imart/core';
import { WrongChainError } from '@imart/endpoints';
import { GenesisUnavailableError, WrongGenesisError } from '../errors';
import type { LedgerSource } from '../source/ledgerSource';

/**
 * Networks whose chain id belongs to them alone: it names the ledger, also where its beginning is pruned. Every other network may be
 * started anew under the id it had.
 */
const PUBLIC_NETWORKS: Readonly<Record<number, string>> = { 1: 'mainnet', 2: 'testnet' };

/**
 * Who the ledger is: its chain id, and the accumulator root of its first transaction where the id alone does not say it.
 * @throws {WrongChainError} the source serves another chain.
 * @throws {GenesisUnavailableError} nobody serves version 0, and no hash was stated.
 * @throws {WrongGenesisError} version 0 is not what was stated.
 */
export async function identify(
  source: LedgerSource,
  subjectId: SubjectId,
  chainId: number,
  stated: string | null,
  signal: AbortSignal,
): Promise<SubjectIdentity> {
  const actual = await source.chainId(signal);
  if (actual !== chainId)
    throw new WrongChainError('the source', String(chainId), String(actual), 'chain id');
  const network = PUBLIC_NETWORKS[chainId];
  if (network !== undefined) return { subjectId, genesisHash: network };
  const first = await source.transaction(0n, signal);
  const expected = stated?.toLowerCase() ?? null;
  if (first === null) {
    if (expected === null) throw new GenesisUnavailableError(subjectId);
    return { subjectId, genesisHash: expected };
  }
  const genesisHash = first.accumulatorRootHash;
  if (expected !== null && expected !== genesisHash)
    throw new WrongGenesisError(subjectId, expected, genesisHash);
  return { subjectId, genesisHash };
}
