import type { PassTransaction } from '@imart/pipeline';
import type { Committed } from './committed';
/** The steps of passes on a transaction's own copy, as PostgreSQL takes them. */
export declare function createPassSteps(
  view: () => Committed,
  write: (work: (state: Committed) => void) => void,
): PassTransaction;
