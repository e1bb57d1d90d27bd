/**
 * What specs are built from. Guarantees: the in-memory store keeps the contract of the store's port and throws where the
 * port is misused; fakes and builders give the same for the same calls.
 */
export { createFakeRangeSource, type FakeRangeSource, type FakeRangeSourceOptions } from './fakeRangeSource';
export { liveThrough, type AnyHistoryEnd, type AnyHistoryOptions } from './anyHistory';
export { appendMessage, appendMessages, createFakeSubject, fakeBlock, type FakeSubject } from './fakeSubject';
export { given, type Given } from './given';
export { createInMemorySubjectStore, type InMemorySubjectStore, type InMemorySubjectStoreOptions, type StoreContents, type StoreKept, type StoreMoment, } from './inMemorySubjectStore';
export { address, ALICE, art, BOB, CAROL, COLLECTION, createMarketScript, DAVE, MARKET, MULTIPLE, multi, NATIVE, SUBJECT, type MarketScript, } from './marketEvents';
export { createMutex, type Mutex } from './mutex';
export { addPoison, randomHistory } from './randomMarket';
export { seededRandom, type SeededRandom } from './seededRandom';
export { silentLogger } from './silentLogger';
export { stockItem, type StockEvents, type StockState } from './stockItem';
export { MARKET_OBSERVER, straightFold } from './straightFold';
export { marketOfEverything } from './marketOfEverything';
export { append, contentsOfStraightFold, executeLanes, wholeRange } from './storeSteps';
export type { OpenedStore, SubjectStoreFeatures } from './storeFeatures';
export { catchUpWith, describeSubjectStore, histories } from './subjectStore.features';
