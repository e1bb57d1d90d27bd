import type { SaleState } from './sale';

/** A sale's status as a launchpad shows it. */
export type SaleStatus = 'UNAUDITED' | 'UPCOMING' | 'LIVE' | 'ENDED';

/**
 * What a sale is at a moment: nothing is written when it opens or ends by its times. A sale that is sold out stays LIVE: it may be
 * restocked.
 * @param nowUs by the database's clock, in microseconds since 1970
 */
export function saleStatus({ stage, terms }: SaleState, nowUs: bigint): SaleStatus {
  if (stage === 'closed' || (terms !== null && terms.closesAt !== null && usOf(terms.closesAt) <= nowUs)) {
    return 'ENDED';
  }
  if (stage === 'unaudited' || terms === null) return 'UNAUDITED';
  return usOf(terms.opensAt) > nowUs ? 'UPCOMING' : 'LIVE';
}

const usOf = (moment: string): bigint => BigInt(Date.parse(moment)) * 1_000n;
