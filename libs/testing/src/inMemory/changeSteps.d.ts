import { type Observer, type SubjectId } from '@imart/core';
import { type ChangeTransaction } from '@imart/pipeline';
import { type Committed } from './committed';
/** A moment of a transaction that changes what was told. */
export type ChangeMoment =
  'recordChange' | 'cutLog' | 'retractEvents' | 'insertEvents' | 'unpark' | 'skipEvent' | 'refold' | 'erase';
export interface ChangeStepsOptions {
  readonly subjectId: SubjectId;
  readonly observer: Observer;
  /** What the transaction sees: what is committed, and its own changes. */
  readonly view: () => Committed;
  /** Changes the transaction's own copy; it needs all locks. */
  readonly change: (work: (state: Committed) => void) => void;
  readonly onMoment: (moment: ChangeMoment) => void;
}
export declare function createChangeSteps(options: ChangeStepsOptions): ChangeTransaction;
