import { createPurchaseService, type SessionCache } from '@imart/purchase';
import { DatabaseNotPreparedError, openPurchases, type DatabasePool } from '@imart/storage';
import type { PurchaseDesk } from './resources/purchases/registerPurchases';

export interface PurchaseDeskOptions {
  readonly pool: DatabasePool;
  /** How long a purchase may take. */
  readonly deadlineMs: number;
  readonly sessions?: SessionCache;
}

const UNDEFINED_TABLE = '42P01';

/** Opens purchases when they are first asked for, and again when that failed: the worker may prepare the database later. */
export function openPurchaseDesk({
  pool,
  deadlineMs,
  sessions,
}: PurchaseDeskOptions): () => Promise<PurchaseDesk> {
  let opening: Promise<PurchaseDesk> | null = null;
  const open = async (): Promise<PurchaseDesk> => {
    try {
      const { store, shelf } = await openPurchases({ pool });
      const cache = sessions === undefined ? {} : { sessions };
      return {
        service: createPurchaseService({ store, deadlineMs, ...cache }),
        shelf,
        backlog: () => store.backlog(),
      };
    } catch (error) {
      opening = null;
      throw (error as { code?: unknown } | null)?.code === UNDEFINED_TABLE
        ? new DatabaseNotPreparedError(error)
        : error;
    }
  };
  return () => (opening ??= open());
}
