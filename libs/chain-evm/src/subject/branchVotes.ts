import type { BlockRef } from '@imart/core';
import type { RpcEndpoint } from '../rpc/endpoint';
import type { BranchView, Fork } from './branchSurvey';

/** What several endpoints, asked at one moment, say of the blocks that were read. */
export interface BranchVotes {
  /** Endpoints that have another block somewhere, in order of preference. */
  readonly against: readonly BranchView[];
  /** Endpoints that have one of the blocks that those have not. */
  readonly standing: readonly BranchView[];
  /** The newest block that any of `against` shares: all of them have another one above it. `null`: none shares any. */
  readonly ancestor: BlockRef | null;
  /** Where the first of `against` differs. */
  readonly fork: Fork | null;
  /** The same while the same endpoints say the same against what was read. */
  readonly key: string;
}

/** Endpoints whose chain ends below the contested blocks have no vote. */
export function countVotes(views: readonly BranchView[]): BranchVotes {
  const against = views.filter(({ fork }) => fork !== null);
  const ancestor = against
    .map(({ shared }) => shared)
    .reduce((a, b) => (b === null || (a !== null && a.position >= b.position) ? a : b), null);
  const contested = ancestor?.position ?? -1n;
  const standing =
    against.length === 0
      ? []
      : views.filter(({ fork, shared }) => fork === null && shared !== null && shared.position > contested);
  const labels = against.map(({ endpoint }) => endpoint.label).join();
  const witness = against.find(({ shared }) => shared?.position === ancestor?.position);
  return {
    against,
    standing,
    ancestor,
    fork: witness?.fork ?? null,
    key: `${ancestor?.hash ?? 'none'} ${labels}`,
  };
}

/**
 * Which side of a disagreement that lasts is followed: the larger one; of two equal ones, that of the endpoint that was named
 * first.
 * @param endpoints all of them, in the order in which they were named.
 */
export function majority(
  endpoints: readonly RpcEndpoint[],
  { against, standing }: BranchVotes,
): { readonly side: 'against' | 'standing'; readonly byNumber: boolean } {
  if (against.length !== standing.length) {
    return { side: against.length > standing.length ? 'against' : 'standing', byNumber: true };
  }
  const place = (views: readonly BranchView[]): number =>
    Math.min(...views.map(({ endpoint }) => endpoints.indexOf(endpoint)));
  return { side: place(against) < place(standing) ? 'against' : 'standing', byNumber: false };
}
