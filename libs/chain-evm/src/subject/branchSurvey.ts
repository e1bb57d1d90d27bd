import type { BlockRef } from '@imart/core';
import { readBlock } from '../fetch/canonicalBlock';
import { getBlock } from '../fetch/readAnswers';
import type { EvmBlock } from '../log';
import type { RpcEndpoint } from '../rpc/endpoint';
import { RpcInconsistentError } from '../rpc/errors';

/** A place where a branch has another block than the one that was read. */
export interface Fork {
  readonly position: bigint;
  readonly storedHash: string;
  readonly seenHash: string;
}

/** What one endpoint has of the blocks that were read. */
export interface BranchView {
  readonly endpoint: RpcEndpoint;
  /** The newest of them that it has; `null`: none. */
  readonly shared: BlockRef | null;
  /** The lowest place above `shared` where it has another one; `null`: what it has is ours, as far as it goes. */
  readonly fork: Fork | null;
  /** It also has the block behind the last one that was read. */
  readonly goesOn: boolean;
}

/** Headers of the first batch; most forks are no deeper. */
const FIRST_HEADERS = 16;
const HEADERS_MAX = 400;
/** Heights without a block that are looked past behind the newest shared block (P17). */
const SKIPPED_HEIGHTS_MAX = 32;

/**
 * Walks back over blocks that were read until the endpoint has one of them. Every header is asked for anew, of this endpoint
 * alone, and they must follow each other: a node in the middle of a reorganisation is no witness.
 * @param remembered ascending, at least one.
 * @throws {RpcError} it does not answer, or contradicts itself.
 */
export async function surveyBranch(
  endpoint: RpcEndpoint,
  remembered: readonly BlockRef[],
  signal: AbortSignal,
): Promise<BranchView> {
  const tip = remembered.at(-1) as BlockRef;
  let fork: Fork | null = null;
  let above: EvmBlock | null = null;
  let goesOn = false;
  let size = FIRST_HEADERS;
  for (let end = remembered.length; end > 0; size = Math.min(size * 4, HEADERS_MAX)) {
    const part = remembered.slice(Math.max(0, end - size), end);
    end -= part.length;
    const numbers = part.map(({ position }) => Number(position));
    const isFirst = end + part.length === remembered.length;
    if (isFirst) numbers.push(Number(tip.position) + 1);
    const headers = await readHeaders(endpoint, numbers, signal);
    if (isFirst) {
      above = headers.pop() ?? null;
      goesOn = above?.parentHash === tip.hash;
    }
    for (let i = part.length - 1; i >= 0; i--) {
      const stored = part[i] as BlockRef;
      const header = headers[i] ?? null;
      if (header === null) continue;
      checkFollows(endpoint, header, above);
      above = header;
      if (header.hash === stored.hash) {
        const successor = remembered[end + i + 1];
        const unseen = fork === null && successor !== undefined;
        return {
          endpoint,
          shared: stored,
          goesOn,
          fork: unseen ? await forkBehind(endpoint, stored, successor, signal) : fork,
        };
      }
      fork = { position: stored.position, storedHash: stored.hash, seenHash: header.hash };
    }
  }
  return { endpoint, shared: null, fork, goesOn };
}

/** `null` for heights that the node has no block at. */
async function readHeaders(
  endpoint: RpcEndpoint,
  numbers: readonly number[],
  signal: AbortSignal,
): Promise<(EvmBlock | null)[]> {
  const answers = await endpoint.many(numbers.map(getBlock), signal);
  return numbers.map((number, i) => {
    if (answers[i] === null) return null;
    const header = readBlock(answers[i], number);
    if (header === null) throw contradiction(endpoint, `the answer for block ${number} is not its header`);
    return header;
  });
}

function checkFollows(endpoint: RpcEndpoint, header: EvmBlock, above: EvmBlock | null): void {
  if (above === null || above.number !== header.number + 1 || above.parentHash === header.hash) return;
  throw contradiction(endpoint, `block ${above.number} is no child of block ${header.number}`);
}

/**
 * The endpoint has the shared block and none of those above it that were read: it lags or its chain is shorter, unless it has
 * another child of the shared block, at a height that ours skips.
 */
async function forkBehind(
  endpoint: RpcEndpoint,
  shared: BlockRef,
  successor: BlockRef,
  signal: AbortSignal,
): Promise<Fork | null> {
  if (successor.parentHash !== shared.hash) return null;
  const latest = readBlock(await endpoint.call('eth_getBlockByNumber', ['latest', false], signal), null);
  const from = Number(shared.position) + 1;
  const count = Math.min((latest?.number ?? 0) - from + 1, SKIPPED_HEIGHTS_MAX);
  if (count <= 0) return null;
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  const child = (await readHeaders(endpoint, numbers, signal)).find((header) => header !== null);
  if (child?.parentHash !== shared.hash || child.hash === successor.hash) return null;
  return { position: BigInt(child.number), storedHash: successor.hash, seenHash: child.hash };
}

const contradiction = (endpoint: RpcEndpoint, detail: string): RpcInconsistentError =>
  new RpcInconsistentError({ endpoint: endpoint.label, method: 'eth_getBlockByNumber' }, detail);
