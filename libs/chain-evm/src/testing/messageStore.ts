import {
  evmSeqNo,
  type AppendMessage,
  type BlockRef,
  type DiscoveredContract,
  type Event,
  type InvalidateMessage,
  type ResumePoint,
  type SubjectMessage,
} from '@imart/core';

/**
 * What a subject's messages make of an empty log, by the rules of the port; throws where a message breaks one. Where reading
 * goes on after a restart comes from here.
 */
export interface MessageStore {
  readonly events: readonly Event[];
  readonly invalidations: readonly InvalidateMessage[];
  readonly finalized: bigint | null;
  readonly next: bigint;
  /** `5/0` for the first log of block 5, with the block's hash. */
  readonly places: readonly string[];
  readonly discovered: readonly DiscoveredContract[];
  resumePoint(): ResumePoint;
  take(message: SubjectMessage): void;
}

export function createMessageStore(startPosition = 0n): MessageStore {
  let events: Event[] = [];
  let window: BlockRef[] = [];
  let discovered: DiscoveredContract[] = [];
  let next = startPosition;
  let finalized: bigint | null = null;
  const invalidations: InvalidateMessage[] = [];
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`a message breaks the rules of the port: ${what}`);
  };

  const append = (message: AppendMessage): void => {
    demand(message.fromPosition === next, `a range from ${message.fromPosition} on, but ${next} is next`);
    demand(message.toPosition >= message.fromPosition, 'an empty range');
    demand(
      message.blocks.at(-1)?.position === message.toPosition,
      'the last block of a range is not remembered',
    );
    const tip = window.at(-1);
    const [first] = message.blocks;
    if (tip !== undefined && first?.position === next)
      demand(first.parentHash === tip.hash, `block ${first.position} is no child of the one before`);
    for (const event of message.events) {
      const { position } = event.source;
      demand(position >= next && position <= message.toPosition, 'an event outside its range');
      demand(event.seqNo > (events.at(-1)?.seqNo ?? -1n), 'events out of order');
      events.push(event);
    }
    window = [...window.filter(({ position }) => position >= (finalized ?? 0n)), ...message.blocks];
    discovered.push(...message.discovered);
    next = message.toPosition + 1n;
  };

  const invalidate = (message: InvalidateMessage): void => {
    const { fromSeqNo, ancestor } = message;
    demand(
      fromSeqNo === evmSeqNo.first(ancestor.position + 1n),
      'an invalidation that does not begin behind its ancestor',
    );
    demand(ancestor.position + 1n < next, 'an invalidation of nothing');
    demand(ancestor.position >= (finalized ?? -1n), 'an invalidation of what is final');
    demand(
      window.some(({ position, hash }) => position === ancestor.position && hash === ancestor.hash),
      'an ancestor that is not remembered',
    );
    invalidations.push(message);
    events = events.filter(({ seqNo }) => seqNo < fromSeqNo);
    discovered = discovered.filter(({ discoveredAt }) => discoveredAt < fromSeqNo);
    window = window.filter(({ position }) => position <= ancestor.position);
    next = ancestor.position + 1n;
  };

  return {
    get events() {
      return events;
    },
    get invalidations() {
      return invalidations;
    },
    get finalized() {
      return finalized;
    },
    get next() {
      return next;
    },
    get places() {
      return events.map(({ source }) => `${source.position}/${source.index} ${source.blockHash}`);
    },
    get discovered() {
      return discovered;
    },
    resumePoint: () => ({
      nextPosition: next,
      window: [...window],
      finalizedPosition: finalized,
      discovered: [...discovered],
    }),
    take(message) {
      if (message.kind === 'append') append(message);
      if (message.kind === 'invalidate') invalidate(message);
      if (message.kind === 'finalize') {
        demand(message.position > (finalized ?? -1n), 'finality that does not move on');
        demand(message.position < next, 'finality beyond what was read');
        finalized = message.position;
      }
    },
  };
}
