'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createMessageStore = createMessageStore;
/** @param takesBack whether the chain may take anything back at all. */
function createMessageStore(seqNos, startPosition = 0n, takesBack = true) {
  let events = [];
  let window = [];
  let discovered = [];
  let next = startPosition;
  let finalized = null;
  let hasEnded = false;
  const invalidations = [];
  const heads = [];
  const demand = (holds, what) => {
    if (!holds) throw new Error(`a message breaks the rules of the port: ${what}`);
  };
  const append = ({ fromPosition, toPosition, toSeqNo, blocks, ...message }) => {
    demand(fromPosition === next, `a range from ${fromPosition} on, but ${next} is next`);
    demand(toPosition >= fromPosition, 'an empty range');
    demand(toSeqNo === seqNos.last(toPosition), 'the SeqNo is not the end of the range');
    demand(blocks.at(-1)?.position === toPosition, 'the last position of a range is not remembered');
    let before = window.at(-1);
    for (const block of blocks) {
      demand(block.position >= fromPosition, 'a remembered block outside its range');
      demand(block.position > (before?.position ?? -1n), 'remembered blocks out of order');
      if (before !== undefined && block.position === before.position + 1n)
        demand(block.parentHash === before.hash, `block ${block.position} is no child of the one before`);
      before = block;
    }
    for (const event of message.events) {
      const { position } = event.source;
      demand(position >= fromPosition && position <= toPosition, 'an event outside its range');
      demand(event.seqNo > (events.at(-1)?.seqNo ?? -1n), 'events out of order');
      demand(event.seqNo <= toSeqNo && event.seqNo >= seqNos.first(position), 'a SeqNo of another position');
      events.push(event);
    }
    window = [...window.filter(({ position }) => position >= (finalized ?? 0n)), ...blocks];
    discovered.push(...message.discovered);
    next = toPosition + 1n;
  };
  const invalidate = (message) => {
    const { fromSeqNo, ancestor } = message;
    demand(takesBack, 'an invalidation, of a chain that takes nothing back');
    demand(
      fromSeqNo === seqNos.first(ancestor.position + 1n),
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
    heads,
    get places() {
      return events.map(({ source }) => `${source.position}/${source.index} ${source.blockHash}`);
    },
    get discovered() {
      return discovered;
    },
    resumePoint() {
      hasEnded = false;
      return {
        nextPosition: next,
        window: [...window],
        finalizedPosition: finalized,
        discovered: [...discovered],
      };
    },
    take(message) {
      demand(!hasEnded, 'a message after the end');
      switch (message.kind) {
        case 'append':
          return append(message);
        case 'invalidate':
          return invalidate(message);
        case 'finalize':
          demand(message.position > (finalized ?? -1n), 'finality that does not move on');
          demand(message.position < next, 'finality beyond what was read');
          demand(message.upToSeqNo === seqNos.last(message.position), 'finality within a position');
          finalized = message.position;
          return;
        case 'heartbeat':
          heads.push(message.head.position);
          return;
        case 'end':
          demand(message.atPosition === next - 1n, 'an end that is not where reading ended');
          hasEnded = true;
      }
    },
  };
}
