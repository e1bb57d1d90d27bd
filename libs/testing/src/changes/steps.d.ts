import {
  type AggregateKey,
  type AppendMessage,
  type BlockRef,
  type Event,
  type InvalidateMessage,
  type LateChange,
  type Observer,
  type Reducer,
  type SeqNo,
} from '@imart/core';
import { type ChangeOptions, type InvalidateResult, type SubjectStore } from '@imart/pipeline';
import type { OpenedStore, SubjectStoreFeatures } from '../storeFeatures';
export declare const changing: (store: SubjectStore, observer?: Observer) => ChangeOptions;
export declare const at: (position: bigint) => SeqNo;
/** Everything after this position is taken back. */
export declare const takeBackAfter: (position: bigint, ancestor?: BlockRef) => InvalidateMessage;
export declare function takeBack(store: SubjectStore, position: bigint): Promise<InvalidateResult>;
/** The events as complete ranges of one position each, every block told: so are positions above finality. */
export declare function blockByBlock(
  events: readonly Event[],
  toPosition: bigint,
  fromPosition?: bigint,
): AppendMessage[];
export declare const upTo: (events: readonly Event[], position: bigint) => readonly Event[];
/** The same event elsewhere: as another block, or another transaction order, has it. */
export declare function movedTo(event: Event, position: bigint, index: number, blockHash?: string): Event;
export declare const late: (epoch: bigint, change: Partial<LateChange>) => LateChange;
export declare function applyLate(
  store: SubjectStore,
  change: Partial<LateChange>,
): Promise<import('@imart/pipeline').LateChangeResult>;
export declare const orderKey: (id: string) => AggregateKey;
export declare const finalize: (store: SubjectStore, position: bigint) => Promise<void>;
/** A program that has been mended: what its order reducer could not fold changes nothing. */
export declare const MENDED: Observer;
/** Every `every`-th event of an aggregate makes a snapshot, in a store with these events, executed. */
export declare function filled(
  features: SubjectStoreFeatures,
  events: readonly Event[],
  {
    lanes,
    every,
    toPosition,
  }?: {
    lanes?: number | undefined;
    every?: number | undefined;
    toPosition?: bigint | undefined;
  },
): Promise<OpenedStore>;
/** Refuses what was never listed. */
export declare function onlyListed(): Reducer;
/** Executes each lane up to a place of its own. */
export declare function executeUpTo(store: SubjectStore, places: readonly SeqNo[]): Promise<void>;
export declare function executeWith(
  store: SubjectStore,
  observer: Observer,
  lanes?: readonly number[],
): Promise<void>;
