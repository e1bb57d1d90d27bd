import { WorkerError } from '@imart/core';

/** The database holds another chain under this id. */
export class OtherChainError extends WorkerError {
  constructor(subjectId: string, stored: string, actual: string) {
    super(
      `the database holds another chain as ${subjectId}: its first block is ${stored}, the provider's is ${actual}. ` +
        `Use the provider of that chain, or another database (a restarted development chain needs an empty one)`,
      { code: 'OTHER_CHAIN', disposition: 'stop', fields: { subjectId, stored, actual } },
    );
  }
}

/** The number of lanes is part of what is stored: with another number, events of one aggregate could overtake each other. */
export class LanesChangedError extends WorkerError {
  constructor(subjectId: string, stored: number, configured: number) {
    super(
      `${subjectId} was started with ${stored} lanes; LANES=${configured} is refused. Set LANES=${stored}`,
      {
        code: 'LANES_CHANGED',
        disposition: 'stop',
        fields: { subjectId, stored, configured },
      },
    );
  }
}
