import type { SubjectStoreFeatures } from '../storeFeatures';
/** How far a subject is, and what is set aside. */
export declare function describeProgress({ open }: SubjectStoreFeatures): void;
