import type { Event } from '@imart/core';
import { type FoldedRun } from '@imart/pipeline';
export declare const MARKET_OBSERVER: {
    name: string;
    subjectId: import("@imart/core").SubjectId;
    reducers: ReadonlyMap<string, import("@imart/core").Reducer<import("@imart/core").FoldState>>;
};
/** One clean pass over all events: the oracle. */
export declare function straightFold(events: readonly Event[]): FoldedRun;
