'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createFakeRangeSource = createFakeRangeSource;
const blockSeqNo_1 = require('./blockSeqNo');
const fakeSubject_1 = require('./fakeSubject');
function createFakeRangeSource(options) {
  const {
    subjectId,
    contracts = null,
    names = () => null,
    omits = () => false,
    block = fakeSubject_1.fakeBlock,
    onRead,
    positionsPerRange = 1_000,
  } = options;
  const requests = [];
  const whole = [];
  const isFixed = (address) => contracts === null || contracts.has(address);
  /** What of these events is followed, and what it names. */
  const follow = (events, known) => {
    const since = new Map(known.map(({ address, discoveredAt }) => [address, discoveredAt]));
    const named = new Map();
    const own = events.filter((event) => {
      const { address } = event.source;
      if (!isFixed(address) && !(event.seqNo > (since.get(address) ?? Infinity))) return false;
      const contract = names(event);
      if (contract === null) return true;
      const { position, index } = event.source;
      const discoveredAt = blockSeqNo_1.blockSeqNo.encode(position, index, 0);
      if (discoveredAt < (since.get(contract) ?? Infinity)) since.set(contract, discoveredAt);
      if (!named.has(contract)) named.set(contract, { address: contract, kind: 'erc721', discoveredAt });
      return true;
    });
    return {
      events: own,
      discovered: [...named.values()],
      follows: (a) => isFixed(a) || since.has(a),
    };
  };
  return {
    id: subjectId,
    requests,
    whole,
    positionsPerRange,
    rateLimited: 0,
    async readRange(request) {
      requests.push(request);
      await onRead?.(request);
      const { fromPosition, toPosition, known, depth } = request;
      const all = options
        .events()
        .filter(({ source }) => source.position >= fromPosition && source.position <= toPosition)
        .filter((event) => depth === 'whole' || !omits(event));
      const before = known.filter(
        ({ discoveredAt }) => discoveredAt <= blockSeqNo_1.blockSeqNo.last(toPosition),
      );
      const blocks = [];
      for (let at = fromPosition; at <= toPosition; at++) {
        const ref = depth === 'quick' && at < toPosition ? null : block(at);
        if (ref !== null) blocks.push(ref);
      }
      return { ...request, ...follow(all, before), blocks, wholeBlocks: 0 };
    },
    async readBlocks(positions, known) {
      return positions.map((position) => {
        whole.push(position);
        const all = options.events().filter(({ source }) => source.position === position);
        const { events, discovered } = follow(all, known);
        return {
          position,
          block: block(position),
          events,
          discovered,
          isForeign: (index) =>
            all.some((event) => event.source.index === index) &&
            !events.some((event) => event.source.index === index),
        };
      });
    },
  };
}
