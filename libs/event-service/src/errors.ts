import { WorkerError } from '@imart/core';

/** No aggregate of this type is defined here. Nothing was written. */
export class UnknownAggregateTypeError extends WorkerError {
  constructor(aggregateType: string) {
    super(`there is no aggregate type "${aggregateType}"`, {
      code: 'UNKNOWN_AGGREGATE_TYPE',
      disposition: 'stop',
      fields: { aggregateType },
    });
  }
}

/** What was asked for does not have the form that its type demands. Nothing was written. */
export class CommandInvalidError extends WorkerError {
  /** @param problems each names the place and what is wrong there. */
  constructor(
    aggregateType: string,
    readonly problems: readonly string[],
  ) {
    super(`not a command that ${aggregateType} takes: ${problems.join('; ')}`, {
      code: 'COMMAND_INVALID',
      disposition: 'stop',
      fields: { aggregateType, problems },
    });
  }
}

/** Others kept changing the aggregate between looking and marking, more often than the bound allows. Nothing was written. */
export class CommandConflictError extends WorkerError {
  constructor(aggregateType: string, aggregateId: string, attempts: number) {
    super(
      `${aggregateType} ${aggregateId} was changed by others ${attempts} times while this command was validated; ask again`,
      { code: 'COMMAND_CONFLICT', disposition: 'retry', fields: { aggregateType, aggregateId, attempts } },
    );
  }
}

/** The idempotency key was used for another command before. Nothing was written. */
export class IdempotencyConflictError extends WorkerError {
  constructor(aggregateType: string, idempotencyKey: string) {
    super(
      `the idempotency key "${idempotencyKey}" was used for another command; take a new key for this one`,
      {
        code: 'IDEMPOTENCY_CONFLICT',
        disposition: 'stop',
        fields: { aggregateType, idempotencyKey },
      },
    );
  }
}

/** Accepted commands wait for longer than may be before they are appended: no new ones are taken. Nothing was written. */
export class StreamBehindError extends WorkerError {
  constructor(aggregateType: string, lagMs: number, maxMs: number) {
    super(
      `commands of ${aggregateType} wait for ${Math.round(lagMs)} ms to be appended, more than ${maxMs}; see whether an event worker runs`,
      { code: 'STREAM_BEHIND', disposition: 'retry', fields: { aggregateType, lagMs, maxMs } },
    );
  }
}

/** The reducer gives another state than its snapshots of the same version have. */
export class ReducerChangedError extends WorkerError {
  constructor(aggregateType: string, aggregateId: string, version: number) {
    super(
      `the reducer of ${aggregateType} has version ${version}, but gives another state of ${aggregateId} than that version stored; ` +
        `raise its version`,
      { code: 'REDUCER_CHANGED', disposition: 'stop', fields: { aggregateType, aggregateId, version } },
    );
  }
}

/** An event of the log that this program does not know, or that a newer one has written. */
export class UnknownCommandEventError extends WorkerError {
  constructor(aggregateType: string, name: string, schemaVersion: number) {
    super(`${aggregateType} has no event "${name}" of version ${schemaVersion} in this program`, {
      code: 'UNKNOWN_EVENT',
      disposition: 'park',
      fields: { aggregateType, name, schemaVersion },
    });
  }
}

/** The stored data of an event is not what its name and version demand. */
export class CommandEventDataError extends WorkerError {
  constructor(aggregateType: string, name: string, detail: string, cause?: unknown) {
    super(`the data of ${aggregateType}'s event "${name}" cannot be read: ${detail}`, {
      code: 'EVENT_DATA',
      disposition: 'park',
      cause,
      fields: { aggregateType, name },
    });
  }
}
