import type { BlockRef, Event, ResumePoint, SubjectMessage } from '@imart/core';
import { aptosSeqNo } from '../seqNo';

/**
 * What a subject's messages make of an empty log, by the rules of the port; throws where a message breaks one. Where reading goes on
 * after a restart comes from here.
 */
export interface LedgerStore {
  readonly events: readonly Event[];
  readonly next: bigint;
  readonly finalized: bigint | null;
  readonly heads: readonly bigint[];
  resumePoint(): ResumePoint;
  take(message: SubjectMessage): void;
}

export function createLedgerStore(startVersion = 0n): LedgerStore {
  const events: Event[] = [];
  const heads: bigint[] = [];
  let tip: BlockRef | null = null;
  let next = startVersion;
  let finalized: bigint | null = null;
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`a message breaks the rules of the port: ${what}`);
  };
  return {
    events,
    heads,
    get next() {
      return next;
    },
    get finalized() {
      return finalized;
    },
    resumePoint: () => ({
      nextPosition: next,
      window: tip === null ? [] : [tip],
      finalizedPosition: finalized,
      discovered: [],
    }),
    take(message) {
      switch (message.kind) {
        case 'append': {
          const { fromPosition, toPosition, blocks } = message;
          demand(fromPosition === next, `versions from ${fromPosition} on, but ${next} is next`);
          demand(toPosition >= fromPosition, 'an empty range');
          const block = blocks.at(-1);
          demand(block?.position === toPosition, 'the last version of a range is not remembered');
          demand(message.toSeqNo === aptosSeqNo.last(toPosition), 'the SeqNo is not the end of the range');
          if (tip !== null && fromPosition === toPosition)
            demand(block?.parentHash === tip.hash, `version ${toPosition} does not follow the one before`);
          for (const event of message.events) {
            const { position } = event.source;
            demand(position >= next && position <= toPosition, 'an event outside its range');
            demand(event.seqNo > (events.at(-1)?.seqNo ?? -1n), 'events out of order');
            events.push(event);
          }
          tip = block ?? tip;
          next = toPosition + 1n;
          break;
        }
        case 'finalize':
          demand(message.position < next, 'a version is final that was not read');
          demand(message.position > (finalized ?? -1n), 'finality moves back');
          finalized = message.position;
          break;
        case 'heartbeat':
          heads.push(message.head.position);
          break;
        case 'end':
          demand(message.atPosition === next - 1n, 'the end is not where reading ended');
          break;
        case 'invalidate':
          demand(false, 'an Aptos ledger takes nothing back');
      }
    },
  };
}
