import type { AskedPurchase, RejectionCode } from '../purchase';
import { SUPPLY_MAX, type SaleState, type Take } from './sale';
import { saleStatus } from './status';

/** A sale's stock as purchases are judged one after the other, each seeing what those before it have taken. */
export interface Allotment {
  /** @returns why it cannot be had; `null`: it can. Nothing is taken. */
  judge(asked: AskedPurchase): RejectionCode | null;
  /** Takes it, if it can be had. @returns as {@link judge} */
  take(asked: AskedPurchase): RejectionCode | null;
  /** What was taken here, in order. */
  readonly takes: readonly Take[];
}

/**
 * Pure: the same state, time and purchases give the same verdicts.
 * @param state `null`: it cannot be read now, so nothing can be had.
 */
export function createAllotment(state: SaleState | null, nowUs: bigint): Allotment {
  const takes: Take[] = [];
  const byWallet = new Map<string, number>();
  let taken = 0;

  const judge = ({ quantity, wallet }: AskedPurchase): RejectionCode | null => {
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > SUPPLY_MAX) return 'WRONG_QUANTITY';
    if (state === null) return 'PRODUCT_UNAVAILABLE';
    if (state.terms === null) return 'UNKNOWN_PRODUCT';
    const status = saleStatus(state, nowUs);
    if (status === 'ENDED') return 'SALE_CLOSED';
    if (status !== 'LIVE') return 'SALE_NOT_OPEN';
    const { walletLimit } = state.terms;
    if (walletLimit !== null) {
      if (wallet === null) return 'WALLET_REQUIRED';
      const before = Object.hasOwn(state.wallets, wallet) ? (state.wallets[wallet] ?? 0) : 0;
      if (before + (byWallet.get(wallet) ?? 0) + quantity > walletLimit) return 'WALLET_LIMIT';
    }
    const left = state.supply - state.minted - taken;
    if (left <= 0) return 'SOLD_OUT';
    return quantity > left ? 'NOT_ENOUGH_LEFT' : null;
  };

  return {
    judge,
    takes,
    take(asked) {
      const refused = judge(asked);
      if (refused !== null) return refused;
      const { id, wallet, quantity } = asked;
      taken += quantity;
      if (wallet !== null) byWallet.set(wallet, (byWallet.get(wallet) ?? 0) + quantity);
      takes.push({ purchase: id, wallet, quantity });
      return null;
    },
  };
}
