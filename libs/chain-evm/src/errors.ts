import { WorkerError } from '@imart/core';

/** The chain's first block cannot be had, so that the database cannot be bound to the chain. */
export class GenesisUnavailableError extends WorkerError {
  constructor(subjectId: string, cause: unknown) {
    super(
      `${subjectId}: no endpoint serves block 0, whose hash tells this chain from another one of the same id. ` +
        `Add an endpoint that has it, or state the hash (GENESIS_HASH)`,
      { code: 'GENESIS_UNAVAILABLE', disposition: 'stop', cause, fields: { subjectId } },
    );
  }
}

/** Another first block than the one that was stated. */
export class WrongGenesisError extends WorkerError {
  constructor(subjectId: string, expected: string, actual: string) {
    super(
      `${subjectId}: block 0 is ${actual}, but ${expected} was stated as the genesis hash. Correct the endpoints or the hash`,
      { code: 'WRONG_GENESIS', disposition: 'stop', fields: { subjectId, expected, actual } },
    );
  }
}

/** A resume point whose parts contradict each other. */
export class ResumePointError extends WorkerError {
  constructor(subjectId: string, detail: string) {
    super(`${subjectId}: the stored position cannot be resumed from: ${detail}`, {
      code: 'RESUME_POINT',
      disposition: 'stop',
      fields: { subjectId },
    });
  }
}
