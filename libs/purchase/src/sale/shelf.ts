import type { SaleState } from './sale';
import type { SaleStatus } from './status';

/** A sale as it is now, by its log and the database's clock. */
export interface ShelfSale {
  readonly id: string;
  /** Of its last event. */
  readonly version: number;
  readonly state: SaleState;
  readonly status: SaleStatus;
}

/** Sales to look at. What was accepted and is not in the log yet is not seen. */
export interface SaleShelf {
  /** The first of them, in an order that does not change. Those that were set aside are left out. */
  list(limit: number): Promise<readonly ShelfSale[]>;
  /** `null`: there is none, or it was set aside. */
  find(id: string): Promise<ShelfSale | null>;
}
