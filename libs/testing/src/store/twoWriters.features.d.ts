import type { SubjectStoreFeatures } from '../storeFeatures';
/** What locks are for. */
export declare function describeTwoWriters({ open }: SubjectStoreFeatures): void;
