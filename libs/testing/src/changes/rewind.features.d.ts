import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of going back on purpose, also below what is final. */
export declare function describeRewind(name: string, features: SubjectStoreFeatures): void;
