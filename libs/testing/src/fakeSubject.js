'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createFakeSubject = createFakeSubject;
exports.fakeBlock = fakeBlock;
exports.appendMessage = appendMessage;
exports.appendMessages = appendMessages;
const blockSeqNo_1 = require('./blockSeqNo');
/** Gives the messages that are not behind the resume point. */
function createFakeSubject(id, messages) {
  const told = [];
  return {
    id,
    told,
    identify: () => Promise.resolve({ subjectId: id, genesisHash: '0x00' }),
    async *messages(resume, signal) {
      for (const message of messages) {
        if (signal.aborted) return;
        if (message.kind === 'append' && message.toPosition < resume.nextPosition) continue;
        yield message;
      }
    },
    executed: (upTo) => void told.push(upTo),
  };
}
function fakeBlock(position) {
  const hash = (n) => `0x${n.toString(16).padStart(64, '0')}`;
  return {
    position,
    hash: hash(position + 1n),
    parentHash: hash(position),
    timeUs: 1600000000000000n + position * 12000000n,
  };
}
/** The events of positions `fromPosition` to `toPosition` as one message. */
function appendMessage(events, fromPosition, toPosition, catchingUp = false) {
  const within = events.filter(
    ({ source }) => source.position >= fromPosition && source.position <= toPosition,
  );
  return {
    kind: 'append',
    fromPosition,
    toPosition,
    toSeqNo: blockSeqNo_1.blockSeqNo.last(toPosition),
    events: within,
    blocks: [fakeBlock(toPosition)],
    discovered: [],
    catchingUp,
    sourceRecords: within.length,
  };
}
/** Cuts events into consecutive messages: `ends` are last positions, ascending; the last one is at or after every event. */
function appendMessages(events, ends, catchingUp = false) {
  return ends.map((end, i) => appendMessage(events, i === 0 ? 0n : ends[i - 1] + 1n, end, catchingUp));
}
