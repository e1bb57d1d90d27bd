import type { SubjectId, SubjectIdentity } from '@imart/core';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import { GenesisUnavailableError, WrongGenesisError } from '../errors';
import { BlockNotServedError, RpcInconsistentError, RpcPrunedError } from '../rpc/errors';
import type { RpcPool } from '../rpc/pool';

/** Endpoints without block 0 are asked so often before that is taken for a fact. */
const ATTEMPTS = 3;

/**
 * Who the chain is: its id, which the pool checks at each endpoint, and the hash of its first block.
 * @throws {WrongChainError} every endpoint serves another chain.
 * @throws {GenesisUnavailableError} no endpoint serves block 0, and no hash was stated.
 */
export async function identify(
  pool: RpcPool,
  subjectId: SubjectId,
  stated: string | null,
  signal: AbortSignal,
): Promise<SubjectIdentity> {
  let genesisHash: string;
  try {
    genesisHash = await pool.run({
      what: 'block 0',
      signal,
      giveUp: (error, attempt) =>
        error instanceof BlockNotServedError && attempt >= Math.max(ATTEMPTS, pool.endpoints.length),
      work: async (endpoint) => {
        const { method, params } = getBlock(0);
        const answer = await endpoint.call(method, params, signal);
        const place = { endpoint: endpoint.label, method };
        if (answer === null) throw new BlockNotServedError(place, 'block 0 is not served', 0);
        const block = readBlock(answer, 0);
        if (block === null) throw new RpcInconsistentError(place, 'the answer for block 0 is not its header');
        return block.hash;
      },
    });
  } catch (error) {
    if (!(error instanceof BlockNotServedError || error instanceof RpcPrunedError)) throw error;
    if (stated === null) throw new GenesisUnavailableError(subjectId, error);
    return { subjectId, genesisHash: stated.toLowerCase() };
  }
  if (stated !== null && stated.toLowerCase() !== genesisHash) {
    throw new WrongGenesisError(subjectId, stated.toLowerCase(), genesisHash);
  }
  return { subjectId, genesisHash };
}
