import type { SubjectStoreFeatures } from './storeFeatures';
/** The contract of the steps that change what was told, and of what the engine makes of them. */
export declare function describeSubjectChanges(name: string, features: SubjectStoreFeatures): void;
