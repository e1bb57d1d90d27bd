import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of retrying and skipping what was set aside. */
export declare function describeParkedAggregates(name: string, features: SubjectStoreFeatures): void;
