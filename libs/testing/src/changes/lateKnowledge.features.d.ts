import type { SubjectStoreFeatures } from '../storeFeatures';
/** The contract of events that are found, mended or withdrawn later. */
export declare function describeLateKnowledge(name: string, features: SubjectStoreFeatures): void;
