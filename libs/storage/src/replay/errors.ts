import { WorkerError } from '@imart/core';

/** The states could not be rebuilt, or are not what they were. The live tables are untouched. */
export class ReplayError extends WorkerError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message, { code: 'REPLAY', disposition: 'stop', fields });
  }
}
