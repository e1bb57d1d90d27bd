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

/**
 * What was told has been changed since it was read: a reorg, late knowledge, a release, a rewind. Nothing was written. A lane reads
 * again; a reading session ends, and a new one starts from the resume point.
 */
export class EpochMovedError extends WorkerError {
  constructor(subjectId: string, readUnder: bigint, epoch: bigint | null) {
    super(
      `${subjectId}: the log was changed since it was read (epoch ${epoch ?? 'unknown'}, read under ${readUnder}); nothing was written`,
      { code: 'EPOCH_MOVED', disposition: 'retry', fields: { subjectId, readUnder, epoch } },
    );
  }
}

/** The subject stands still until an operator has cleared its halt. Nothing was written. */
export class HaltedError extends WorkerError {
  /** @param reason what stopped it. */
  constructor(subjectId: string, reason: { readonly code: string; readonly message: string }) {
    super(`${subjectId} stands still (${reason.code}): ${reason.message}`, {
      code: 'HALTED',
      disposition: 'stop',
      fields: { subjectId, haltCode: reason.code },
    });
  }
}

/** The source names a last shared block that is not the one in the log: one of the two is wrong about the branch. */
export class AncestorMismatchError extends WorkerError {
  constructor(subjectId: string, position: bigint, stored: string, told: string) {
    super(
      `${subjectId}: blocks after ${position} are to be taken back, but the log has block ${stored} there, not ${told}; nothing was ` +
        `written. Start the worker again: it looks for the last shared block anew`,
      { code: 'ANCESTOR_MISMATCH', disposition: 'stop', fields: { subjectId, position, stored, told } },
    );
  }
}

/** A reader's cursor does not fit the feed: numbers are missing, or the cursor lies beyond its end. */
export class FeedGapError extends WorkerError {
  constructor(subjectId: string, afterFeedNo: bigint, found: bigint) {
    super(
      `${subjectId}: the feed does not go on after ${afterFeedNo} (${found} is what it has): the cursor is of another database, or rows ` +
        `of the feed were deleted. Read the states anew, and start from the feed's last number`,
      { code: 'FEED_GAP', disposition: 'stop', fields: { subjectId, afterFeedNo, found } },
    );
  }
}
