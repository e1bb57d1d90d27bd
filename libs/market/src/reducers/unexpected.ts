import { WorkerError, type Event } from '@imart/core';

/** An event that its aggregate cannot have: its translator and its reducer disagree. Deterministic, so it parks. */
export function unexpected(aggregateType: string, event: Event): WorkerError {
  return new WorkerError(
    `event ${event.name} at seq no ${event.seqNo} is not one of an aggregate of type ${aggregateType}`,
    {
      code: 'UNEXPECTED_EVENT',
      disposition: 'park',
      fields: { aggregateType, name: event.name, seqNo: event.seqNo },
    },
  );
}
