import type { SubjectStoreFeatures } from './storeFeatures';
/** The contract of `SubjectStore`: every store of a subject keeps it. */
export declare function describeSubjectStore(name: string, features: SubjectStoreFeatures): void;
