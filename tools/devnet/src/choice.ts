import type { Action } from './actions';
import { hasApproved } from './model/erc721';
import type { ModelState, TokenState } from './model/state';
import type { Random } from './random';

/** What the traffic chooses from. */
export interface Choice {
  readonly state: ModelState;
  readonly random: Random;
  readonly accounts: readonly string[];
  /** Chain time of about now, in unix seconds. */
  readonly now: bigint;
}

export const DAY = 86_400n;
/** What somebody would really pay, in wei. A dearer listing is there to be looked at. */
const AFFORDABLE = 10n ** 18n;

/**
 * A trade is taken only if it stays valid for at least a day: it cannot expire between being chosen and being mined, and
 * the short-lived ones expire unsold.
 */
export function isTakeable(
  trade: { readonly price: bigint; readonly expiresAt: bigint },
  now: bigint,
): boolean {
  return trade.price <= AFFORDABLE && (trade.expiresAt === 0n || trade.expiresAt > now + DAY);
}

/** A price and, mostly, an expiry. */
export function terms({ random, now }: Choice): { price: bigint; expiresAt: bigint } {
  const price = BigInt(1 + random.below(500_000)) * 10n ** 12n + BigInt(random.below(1_000_000_000));
  if (random.chance(0.3)) return { price, expiresAt: 0n };
  if (random.chance(0.15)) return { price, expiresAt: now + BigInt(15 + random.below(60)) };
  return { price, expiresAt: now + DAY * BigInt(7 + random.below(170)) };
}

/** Somebody else. */
export function otherThan({ random, accounts }: Choice, account: string | null): string {
  const picked = random.pick(accounts);
  return picked === account ? (accounts[(accounts.indexOf(picked) + 1) % accounts.length] as string) : picked;
}

/** The action, after the approval it needs if that has not been given. */
export function approved(
  { state }: Choice,
  action: Action,
  collection: string,
  owner: string,
  operator: string,
): Action[] {
  if (hasApproved(state, collection, owner, operator)) return [action];
  return [{ kind: 'approveAll', by: owner, collection, operator }, action];
}

/** A token that somebody can act on; `null`: there is none. */
export function anyToken({ state, random }: Choice): (TokenState & { owner: string }) | null {
  const { items } = state.open.tokens;
  return items.length === 0 ? null : (random.pick(items) as TokenState & { owner: string });
}
