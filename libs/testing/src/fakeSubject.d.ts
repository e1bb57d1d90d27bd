import {
  type AppendMessage,
  type BlockRef,
  type Event,
  type SeqNo,
  type Subject,
  type SubjectId,
  type SubjectMessage,
} from '@imart/core';
/** A subject whose messages are written down beforehand. */
export interface FakeSubject extends Subject {
  /** What it was told to be executed, in order. */
  readonly told: readonly SeqNo[];
}
/** Gives the messages that are not behind the resume point. */
export declare function createFakeSubject(id: SubjectId, messages: readonly SubjectMessage[]): FakeSubject;
export declare function fakeBlock(position: bigint): BlockRef;
/** The events of positions `fromPosition` to `toPosition` as one message. */
export declare function appendMessage(
  events: readonly Event[],
  fromPosition: bigint,
  toPosition: bigint,
  catchingUp?: boolean,
): AppendMessage;
/** Cuts events into consecutive messages: `ends` are last positions, ascending; the last one is at or after every event. */
export declare function appendMessages(
  events: readonly Event[],
  ends: readonly bigint[],
  catchingUp?: boolean,
): AppendMessage[];
