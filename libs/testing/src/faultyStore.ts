import { StorageUnavailableError, type SubjectStore, type SubjectTransaction } from '@imart/pipeline';
import type { SeededRandom } from './seededRandom';

/**
 * A store whose calls fail at random: before they take effect, or, transactions, after they were committed and before their caller
 * learns of it.
 */
export function createFaultyStore(
  store: SubjectStore,
  random: SeededRandom,
  probability: number,
): SubjectStore {
  const mayFail = (where: string): void => {
    if (random.chance(probability)) throw new StorageUnavailableError(`on purpose, ${where}`, undefined);
  };
  const faulty = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name, receiver) {
        const value: unknown = Reflect.get(object, name, receiver);
        if (typeof value !== 'function') return value;
        if (name === 'transaction') return transaction;
        return (...parameters: unknown[]) => {
          if (NEVER_FAILING.has(String(name)) || !random.chance(probability))
            return (value as (...all: unknown[]) => unknown).apply(object, parameters);
          return Promise.reject(new StorageUnavailableError(`on purpose, before ${String(name)}`, undefined));
        };
      },
    });
  const transaction = async <T>(work: (tx: SubjectTransaction) => Promise<T>): Promise<T> => {
    mayFail('before the transaction');
    const result = await store.transaction((tx) => work(faulty(tx)));
    mayFail('after the commit');
    return result;
  };
  return faulty(store);
}

/** What gives no promise, and what no database is asked for. */
const NEVER_FAILING = new Set(['fenced', 'prepareAppend', 'prepareRun']);
