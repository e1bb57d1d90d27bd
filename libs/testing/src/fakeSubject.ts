import {
  type AppendMessage,
  type BlockRef,
  type Event,
  type ResumePoint,
  type SeqNo,
  type Subject,
  type SubjectId,
  type SubjectMessage,
} from '@imart/core';
import { blockSeqNo } from './blockSeqNo';

/** A subject whose messages are written down beforehand. */
export interface FakeSubject extends Subject {
  /** What it was told to be executed, in order. */
  readonly told: readonly SeqNo[];
}

/** Gives the messages that are not behind the resume point. */
export function createFakeSubject(id: SubjectId, messages: readonly SubjectMessage[]): FakeSubject {
  const told: SeqNo[] = [];
  return {
    id,
    told,
    identify: () => Promise.resolve({ subjectId: id, genesisHash: '0x00' }),
    async *messages(resume: ResumePoint, signal: AbortSignal) {
      for (const message of messages) {
        if (signal.aborted) return;
        if (message.kind === 'append' && message.toPosition < resume.nextPosition) continue;
        yield message;
      }
    },
    executed: (upTo) => void told.push(upTo),
  };
}

export function fakeBlock(position: bigint): BlockRef {
  const hash = (n: bigint): string => `0x${n.toString(16).padStart(64, '0')}`;
  return {
    position,
    hash: hash(position + 1n),
    parentHash: hash(position),
    timeUs: 1_600_000_000_000_000n + position * 12_000_000n,
  };
}

/** The events of positions `fromPosition` to `toPosition` as one message. */
export function appendMessage(
  events: readonly Event[],
  fromPosition: bigint,
  toPosition: bigint,
  catchingUp = false,
): AppendMessage {
  const within = events.filter(
    ({ source }) => source.position >= fromPosition && source.position <= toPosition,
  );
  return {
    kind: 'append',
    fromPosition,
    toPosition,
    toSeqNo: blockSeqNo.last(toPosition),
    events: within,
    blocks: [fakeBlock(toPosition)],
    discovered: [],
    catchingUp,
    sourceRecords: within.length,
  };
}

/** Cuts events into consecutive messages: `ends` are last positions, ascending; the last one is at or after every event. */
export function appendMessages(
  events: readonly Event[],
  ends: readonly bigint[],
  catchingUp = false,
): AppendMessage[] {
  return ends.map((end, i) =>
    appendMessage(events, i === 0 ? 0n : (ends[i - 1] as bigint) + 1n, end, catchingUp),
  );
}
