import { WorkerError } from '@imart/core';

/** The log would have a hole: a range does not start where the log ends. */
export class LedgerGapError extends WorkerError {
  constructor(subjectId: string, expected: bigint, actual: bigint) {
    super(
      `${subjectId}: the log ends before position ${expected}, but the next range starts at ${actual}; ` +
        `nothing was written. Start the worker again: it reads on from ${expected}`,
      { code: 'LEDGER_GAP', disposition: 'stop', fields: { subjectId, expected, actual } },
    );
  }
}

/** The source tells a final story differently than before. */
export class EventConflictError extends WorkerError {
  constructor(subjectId: string, seqNo: bigint, detail: string) {
    super(
      `${subjectId}: the event at seq no ${seqNo} is in the log with another content (${detail}); nothing was written. ` +
        `Compare the providers at that block; when the new story is right, read the chain again into an empty database`,
      { code: 'EVENT_CONFLICT', disposition: 'stop', fields: { subjectId, seqNo } },
    );
  }
}

/** The database cannot be reached or gave up on the transaction. Nothing is known to be written. */
export class StorageUnavailableError extends WorkerError {
  constructor(detail: string, cause: unknown) {
    super(`the database did not take the transaction: ${detail}`, {
      code: 'STORAGE_UNAVAILABLE',
      disposition: 'retry',
      cause,
    });
  }
}

/** More aggregates are set aside than a healthy market has: a systematic fault, not single bad events. */
export class TooManyParkedError extends WorkerError {
  constructor(subjectId: string, count: number, max: number, last: string) {
    super(
      `${subjectId}: ${count} aggregates are parked, more than the ${max} allowed; the last one: ${last}. ` +
        `Mend the cause or raise PARKED_AGGREGATES_MAX, then start again`,
      { code: 'TOO_MANY_PARKED', disposition: 'stop', fields: { subjectId, count, max } },
    );
  }
}

/** The chain took back blocks that were read already. */
export class InvalidatedError extends WorkerError {
  constructor(subjectId: string, position: bigint) {
    super(
      `${subjectId}: the chain no longer has the blocks after ${position} that were read; the states are not touched. ` +
        `Read the chain again into an empty database`,
      { code: 'INVALIDATED', disposition: 'stop', fields: { subjectId, position } },
    );
  }
}
