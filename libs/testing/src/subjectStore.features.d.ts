import fc from 'fast-check';
import { type AppendMessage, type Event } from '@imart/core';
import { type SubjectStore } from '@imart/pipeline';
import type { SubjectStoreFeatures } from './storeFeatures';
/** Takes ranges as a worker that catches up does. */
export declare function catchUpWith(store: SubjectStore, messages: readonly AppendMessage[], cachedStatesMax?: number): Promise<void>;
/** A history with some events that their reducer always throws at, cut into ranges, some of them empty. */
export declare const histories: fc.Arbitrary<{
    events: Event<string, unknown>[];
    ends: bigint[];
}>;
/** The contract of {@link SubjectStore}: every store of a subject keeps it. */
export declare function describeSubjectStore(name: string, features: SubjectStoreFeatures): void;
