import type { Pass, PassTransaction } from '@imart/pipeline';
import type { Committed } from './committed';
/** The steps of passes on a transaction's own copy, as PostgreSQL takes them. */
export declare function createPassSteps(view: () => Committed, write: (work: (state: Committed) => void) => void): PassTransaction;
/** Nothing of it is left to read. */
export declare const isFinished: ({ toPosition, nextPosition }: Pass) => boolean;
