import type { KeptEvent, StateSource } from '@imart/event-service';
import type { AskedPurchase, Purchase, PurchaseId, RejectionCode, Topic } from './purchase';

/** A purchase to take in. */
export interface NewPurchase extends AskedPurchase {
  /** It must come to an end within this time from now, by the database's clock. */
  readonly deadlineMs: number;
}

/** What one round of a step did. */
export interface StepResult {
  /** Messages that were taken from the topic; purchases that had come to an end meanwhile among them. */
  readonly taken: number;
  /** Topics on which something was said. */
  readonly said: readonly Topic[];
  /** Purchases that came to their end. */
  readonly ended: readonly Purchase[];
}

/** What is decided about a purchase's stock. */
export interface Verdict {
  readonly id: PurchaseId;
  /** `null`: it can be had. */
  readonly refused: RejectionCode | null;
  /** Of one piece, when an order was processed. */
  readonly price: string | null;
  readonly currency: string | null;
}

/** A look at sales, of one transaction. */
export interface SaleReads {
  /** Microseconds since 1970, by the database's clock. */
  readonly nowUs: bigint;
  /** Snapshots and later events of these sales, of one moment; keyed by id. */
  sources(ids: readonly string[]): Promise<ReadonlyMap<string, StateSource>>;
}

/** An event of a sale, decided on its version. */
export interface SaleChange {
  readonly saleId: string;
  readonly event: Omit<KeptEvent, 'timeUs'>;
}

/** Sales under the lock of their log: nobody else changes it. */
export interface SaleChanges extends SaleReads {
  /**
   * Marks and appends events, one of each sale at most, each continuing what was read: they are in the log when this transaction commits,
   * or never were. @throws {SaleLogError} `retry`
   */
  append(changes: readonly SaleChange[]): Promise<void>;
}

/** What waits, for metrics. */
export interface PurchaseBacklog {
  /** Messages on each topic. */
  readonly waiting: ReadonlyMap<Topic, number>;
  readonly pending: number;
  /** How long the oldest pending purchase is under way. */
  readonly oldestPendingMs: number;
}

/**
 * Purchases, the topics of their steps, and their orders. Every method is one transaction: a purchase's progress, what is said about it,
 * and what it takes of a sale commit together, or not at all. A step that is done again finds nothing to do; a purchase that has come to
 * its end does not move. Any number of processes may call any of them.
 */
export interface PurchaseStore {
  /**
   * Keeps purchases, and says `purchase.received`. One of an id that is there stays as it is.
   * @returns those that were there before
   */
  receive(asked: readonly NewPurchase[]): Promise<readonly Purchase[]>;
  /** Those that are known. */
  find(ids: readonly PurchaseId[]): Promise<ReadonlyMap<PurchaseId, Purchase>>;
  /** `purchase.received` → `stock.check-requested`. */
  requestChecks(limit: number): Promise<StepResult>;
  /** `stock.check-requested` → `stock.available` or `stock.unavailable`. */
  checkStock(
    limit: number,
    judge: (asked: readonly AskedPurchase[], sales: SaleReads) => Promise<readonly Verdict[]>,
  ): Promise<StepResult>;
  /** `stock.available` → `order.processed`, what it took being in the sale's log, or `stock.unavailable`. */
  processOrders(
    limit: number,
    decide: (asked: readonly AskedPurchase[], sales: SaleChanges) => Promise<readonly Verdict[]>,
  ): Promise<StepResult>;
  /** `order.processed` → an order: confirmed. */
  createOrders(limit: number): Promise<StepResult>;
  /** `stock.unavailable` → rejected. */
  rejectOrders(limit: number): Promise<StepResult>;
  /**
   * Ends what is over its deadline: failed.
   * @param release gives back what these had taken, and tells which of them it cannot: these stay as they are
   */
  endOverdue(
    limit: number,
    release: (held: readonly AskedPurchase[], sales: SaleChanges) => Promise<readonly PurchaseId[]>,
  ): Promise<StepResult>;
  /** Removes purchases whose results are over for long enough; orders stay. @returns how many. */
  forget(limit: number): Promise<number>;
  /** Puts the first message of a topic behind all others: it could not be worked on. */
  setBack(topic: Topic): Promise<void>;
  backlog(): Promise<PurchaseBacklog>;
  /** Tells other processes that something was said on topics. Returns at once; losing one costs latency only. */
  announce(topics: readonly Topic[]): void;
  /**
   * Hears what was announced, and what was received, in this process or another. Losing one costs latency only. Until the signal aborts.
   */
  listen(onSaid: (topic: Topic) => void, signal: AbortSignal): Promise<void>;
}

/**
 * Results that are at hand. A cache: the store has the truth, and what is lost here is read there. Holds final states only, put here after
 * the commit that made them final.
 */
export interface SessionCache {
  put(ended: readonly Purchase[]): Promise<void>;
  /** `null`: not at hand. */
  get(id: PurchaseId): Promise<Purchase | null>;
}
