import type { SubjectStoreFeatures } from '../storeFeatures';
/** What is appended, refused, and read. */
export declare function describeLog({ open }: SubjectStoreFeatures): void;
