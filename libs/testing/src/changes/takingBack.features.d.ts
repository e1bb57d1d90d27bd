import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of what takes blocks back, and of what it leaves. */
export declare function describeTakingBack(name: string, features: SubjectStoreFeatures): void;
