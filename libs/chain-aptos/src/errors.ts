import { WorkerError } from '@imart/core';

/**
 * Something in a transaction is not what it claims to be: an address that is none, a field of an event that is missing or of
 * another kind. The same transaction fails the same way every time: it is kept undecodable, not retried. `path` says where
 * (`data.token_id`).
 */
export class AptosDecodeError extends WorkerError {
  readonly reason: string;
  readonly path: string | undefined;

  constructor(reason: string, path?: string) {
    super(path === undefined ? reason : `${path}: ${reason}`, {
      code: 'EVENT_DECODE',
      disposition: 'park',
      fields: { reason, ...(path === undefined ? {} : { path }) },
    });
    this.reason = reason;
    this.path = path;
  }
}
