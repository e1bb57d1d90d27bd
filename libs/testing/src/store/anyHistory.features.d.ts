import type { SubjectStoreFeatures } from '../storeFeatures';
/** Any history, by any way. */
export declare function describeAnyHistory({ open, runs }: SubjectStoreFeatures): void;
