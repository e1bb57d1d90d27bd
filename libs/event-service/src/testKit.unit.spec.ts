import { stockItem } from '@imart/testing';
import { CommandInvalidError } from './errors';
import { testAggregate } from './testKit';

const item = testAggregate(stockItem);
const added = (quantity: number) => ({ name: 'Added', data: { quantity, left: 0 } }) as const;
const taken = (quantity: number) => ({ name: 'Taken', data: { quantity, left: 0, by: 'ann' } }) as const;

describe('given(events).when(command).then(events | refusal)', () => {
  it('tells the events that a command leads to, as they are stored, and the state after them', () => {
    item
      .given([{ name: 'Added', data: { quantity: 3, left: 3 } }])
      .when(taken(2))
      .then([{ name: 'Taken', data: { quantity: 2, left: 1, by: 'ann' } }])
      .thenState({ left: 1, takenBy: { ann: 2 }, closed: false });
  });

  it('tells the rule that refuses it; the state stays', () => {
    item
      .given([{ name: 'Added', data: { quantity: 3, left: 3 } }])
      .when(taken(4))
      .then({ refusedBy: 'enough-left' })
      .thenState({ left: 3, takenBy: {}, closed: false });
    item.given([]).when(added(1), { expectedVersion: 1 }).then({ refusedBy: 'expected-version' });
    item
      .given([{ name: 'Closed', data: { left: 0 } }])
      .when(added(1))
      .then({ refusedBy: 'open' });
  });

  it('fails where it came to something else', () => {
    const outcome = item.given([]).when(added(1));
    expect(() => outcome.then({ refusedBy: 'open' })).toThrow('was to refuse it, but it was accepted');
    expect(() => outcome.then([added(2)])).toThrow();
    expect(() => outcome.thenState({ left: 2, takenBy: {}, closed: false })).toThrow();
    const refused = item.given([]).when(taken(1));
    expect(() => refused.then([taken(1)])).toThrow('it was refused by enough-left: only 0 are left');
    expect(() => refused.then({ refusedBy: 'open' })).toThrow('refused by enough-left');
  });

  it('checks the form of commands and of given events as the service does', () => {
    expect(() => item.given([]).when(added(0))).toThrow(CommandInvalidError);
    expect(() => item.given([added(0.5)])).toThrow(CommandInvalidError);
  });
});
