import type { SubjectStoreFeatures } from './storeFeatures';
/** The contract of the feed, and of any history that it, log and states may have. */
export declare function describeFeed(name: string, { open, runs }: SubjectStoreFeatures): void;
