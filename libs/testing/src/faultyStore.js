'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createFaultyStore = createFaultyStore;
const pipeline_1 = require('@imart/pipeline');
/**
 * A store whose calls fail at random: before they take effect, or, transactions, after they were committed and before their caller
 * learns of it.
 */
function createFaultyStore(store, random, probability) {
  const mayFail = (where) => {
    if (random.chance(probability))
      throw new pipeline_1.StorageUnavailableError(`on purpose, ${where}`, undefined);
  };
  const faulty = (target) =>
    new Proxy(target, {
      get(object, name, receiver) {
        const value = Reflect.get(object, name, receiver);
        if (typeof value !== 'function') return value;
        if (name === 'transaction') return transaction;
        return (...parameters) => {
          if (NEVER_FAILING.has(String(name)) || !random.chance(probability))
            return value.apply(object, parameters);
          return Promise.reject(
            new pipeline_1.StorageUnavailableError(`on purpose, before ${String(name)}`, undefined),
          );
        };
      },
    });
  const transaction = async (work) => {
    mayFail('before the transaction');
    const result = await store.transaction((tx) => work(faulty(tx)));
    mayFail('after the commit');
    return result;
  };
  return faulty(store);
}
/** What gives no promise, and what no database is asked for. */
const NEVER_FAILING = new Set(['fenced', 'prepareAppend', 'prepareRun']);
