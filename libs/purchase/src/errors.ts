import { WorkerError } from '@imart/core';
import type { PurchaseId } from './purchase';

/** What was asked for is no purchase. Nothing was kept. */
export class PurchaseInvalidError extends WorkerError {
  /** @param problems each names the field, and what it must be. */
  constructor(readonly problems: readonly { readonly field: string; readonly problem: string }[]) {
    super(problems.map(({ field, problem }) => `${field} ${problem}`).join('; '), {
      // What most people get wrong has a code of its own.
      code: problems.every(({ field }) => field === 'quantity') ? 'WRONG_QUANTITY' : 'PURCHASE_INVALID',
      disposition: 'stop',
      fields: { problems },
    });
  }
}

/** The idempotency key was used for another purchase before. Nothing was kept. */
export class PurchaseConflictError extends WorkerError {
  constructor(purchase: PurchaseId, idempotencyKey: string) {
    super(
      `the idempotency key "${idempotencyKey}" was used for another purchase, ${purchase}; take a new key for this one`,
      { code: 'PURCHASE_CONFLICT', disposition: 'stop', fields: { purchase } },
    );
  }
}

/** More purchases wait to be taken in than this process may hold. Nothing was kept. */
export class PurchasesBusyError extends WorkerError {
  constructor(waiting: number) {
    super(`${waiting} purchases wait to be taken in; ask again in a moment`, {
      code: 'PURCHASES_BUSY',
      disposition: 'retry',
      fields: { waiting },
    });
  }
}

/** A sale did not take what its own stock allows: another program writes it, or its log was changed by hand. */
export class SaleRefusedError extends WorkerError {
  constructor(saleId: string, event: string, rule: string, reason: string) {
    super(
      `sale ${saleId} refused ${event} (${rule}: ${reason}) although its log allows it; nothing was written`,
      {
        code: 'SALE_REFUSED',
        disposition: 'retry',
        fields: { saleId, event, rule },
      },
    );
  }
}

/** Commands of sales were accepted while purchases took from them, or wait and do not continue the log. Nothing was written. */
export class SaleLogError extends WorkerError {
  constructor(saleIds: readonly string[], cause?: unknown) {
    super(`other commands of ${saleIds.join(', ')} came between; trying again`, {
      code: 'SALE_LOG',
      disposition: 'retry',
      cause,
      fields: { saleIds },
    });
  }
}
