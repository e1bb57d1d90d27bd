/**
 * What specs are built from. Guarantees: the in-memory store keeps the contract of the store's port and throws where the
 * port is misused; fakes and builders give the same for the same calls.
 */
export { blockSeqNo } from './blockSeqNo';
export { createFakeRangeSource, type FakeRangeSource, type FakeRangeSourceOptions } from './fakeRangeSource';
export { liveThrough, type AnyHistoryEnd, type AnyHistoryOptions } from './anyHistory';
export { appendMessage, appendMessages, createFakeSubject, fakeBlock, type FakeSubject } from './fakeSubject';
export { given, type Given } from './given';
export { histories } from './histories';
export type { StoreContents, StoreKept } from './inMemory/reads';
export {
  createInMemorySubjectStore,
  type InMemorySubjectStore,
  type InMemorySubjectStoreOptions,
  type StoreMoment,
} from './inMemorySubjectStore';
export {
  address,
  ALICE,
  art,
  BOB,
  CAROL,
  COLLECTION,
  createMarketScript,
  DAVE,
  MARKET,
  MULTIPLE,
  multi,
  NATIVE,
  SUBJECT,
  type MarketScript,
} from './marketEvents';
export { createMessageStore, type MessageStore } from './messageStore';
export { createMutex, type Mutex } from './mutex';
export { addPoison, randomHistory } from './randomMarket';
export { seededRandom, type SeededRandom } from './seededRandom';
export { silentLogger } from './silentLogger';
export { stockItem, type StockEvents, type StockState } from './stockItem';
export { MARKET_OBSERVER, straightFold } from './straightFold';
export { marketOfEverything } from './marketOfEverything';
export {
  AN_OPERATOR,
  append,
  catchUpWith,
  contentsOfStraightFold,
  executeLanes,
  wholeRange,
} from './storeSteps';
export type { OpenedStore, SubjectStoreFeatures } from './storeFeatures';
export { describeSubjectStore } from './subjectStore.features';
export {
  describeSubject,
  type ReadingOptions,
  type ServedChain,
  type SubjectFeatures,
} from './subject.features';
export { until, type UntilOptions } from './until';
