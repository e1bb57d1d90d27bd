import type { SubjectStoreFeatures } from '../storeFeatures';
/** States and snapshots: written, read, erased. */
export declare function describeStates({ open }: SubjectStoreFeatures): void;
