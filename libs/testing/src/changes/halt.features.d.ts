import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of a chain that stands still until somebody decides. */
export declare function describeHalt(name: string, features: SubjectStoreFeatures): void;
