/**
 * Purchases of launchpad sales on top of commands: a request is answered at once, and passes small services, each on its own topic.
 * Guarantees: every purchase comes to exactly one final state, whoever dies when; what is confirmed was taken from the sale by an event in
 * its log, and nothing is taken twice or beyond what there is; what did not come to an order is given back.
 */
export {
  PurchaseConflictError,
  PurchaseInvalidError,
  PurchasesBusyError,
  SaleLogError,
  SaleRefusedError,
} from './errors';
export type {
  NewPurchase,
  PurchaseBacklog,
  PurchaseStore,
  SaleChange,
  SaleChanges,
  SaleReads,
  SessionCache,
  StepResult,
  Verdict,
} from './ports';
export {
  FAILURES,
  purchaseErrorText,
  REJECTIONS,
  TOPICS,
  type AskedPurchase,
  type Purchase,
  type PurchaseErrorCode,
  type PurchaseId,
  type PurchaseStatus,
  type RejectionCode,
  type Topic,
} from './purchase';
export {
  createPurchaseService,
  INTAKE_WAITING_MAX_DEFAULT,
  PURCHASE_DEADLINE_MS_DEFAULT,
  PURCHASE_DEADLINE_MS_MAX,
  purchaseIdOf,
  type PurchaseFound,
  type PurchaseRequest,
  type PurchaseService,
  type PurchaseServiceOptions,
} from './purchaseService';
export { createAllotment, type Allotment } from './sale/allotment';
export { readSale, replaySales, type SaleReading } from './sale/readSale';
export {
  sale,
  SUPPLY_MAX,
  takenBy,
  TAKES_MAX,
  type SaleAfter,
  type SaleEvents,
  type SaleStage,
  type SaleState,
  type Take,
} from './sale/sale';
export type { SaleShelf, ShelfSale } from './sale/shelf';
export { saleStatus, type SaleStatus } from './sale/status';
export { saleTermsSchema, type SaleTerms } from './sale/terms';
export { processOrders, releaseHeld } from './services/orders';
export {
  createPurchaseServices,
  PURCHASE_SERVICES,
  STEP_BATCH_MAX_DEFAULT,
  STEP_POLL_MS_DEFAULT,
  type PurchaseServiceName,
  type PurchaseServices,
  type PurchaseServicesOptions,
} from './services/purchaseServices';
export { checkStock } from './services/stockCheck';
export { createPurchaseWorker, type PurchaseWorker, type PurchaseWorkerOptions } from './purchaseWorker';
export { createStepStats, type StepStats } from './stepLoop';
