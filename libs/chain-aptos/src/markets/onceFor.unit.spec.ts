import { transactionWith } from '../testing/translation';
import type { AptosTransaction } from '../transaction';
import { onceFor } from './onceFor';

describe('onceFor()', () => {
  it('works once for all that ask of one transaction, and anew for another', () => {
    const [one, other] = [transactionWith(1n, []), transactionWith(2n, [])];
    const work = jest.fn((transaction: AptosTransaction) => [transaction]);
    const resultOf = onceFor(work);
    expect([resultOf(one), resultOf(one), resultOf(other), resultOf(other), resultOf(one)]).toEqual([
      [one],
      [one],
      [other],
      [other],
      [one],
    ]);
    expect(work.mock.calls).toEqual([[one], [other], [one]]);
  });

  it('remembers no failure', () => {
    const work = jest
      .fn(() => 'done')
      .mockImplementationOnce(() => {
        throw new Error('once');
      });
    const resultOf = onceFor(work);
    const transaction = transactionWith(1n, []);
    expect(() => resultOf(transaction)).toThrow('once');
    expect(resultOf(transaction)).toBe('done');
  });
});
