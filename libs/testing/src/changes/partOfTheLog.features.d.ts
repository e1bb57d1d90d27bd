import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of reading a part of the log again. */
export declare function describePartOfTheLog(name: string, features: SubjectStoreFeatures): void;
