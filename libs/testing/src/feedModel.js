'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createFeedModel = createFeedModel;
/**
 * @param taking `all`: what was taken back since is added, and removed when the change that took it back is told; `kept`: it is
 * left out from the beginning.
 */
function createFeedModel(taking) {
  const log = new Map();
  let cursor = 0n;
  return {
    get cursor() {
      return cursor;
    },
    async read(store, random, all = false) {
      for (;;) {
        const limits = { changesMax: random.between(1, 6), eventsMax: random.between(1, 12) };
        const changes = await store.readFeed(cursor, limits);
        for (const { feedNo, added, retracted } of changes) {
          if (feedNo !== cursor + 1n) throw new Error(`change ${feedNo} comes after ${cursor}`);
          for (const { event } of retracted) {
            if (taking === 'all' && !log.has(event.seqNo)) throw new Error(`${event.seqNo} was never added`);
            log.delete(event.seqNo);
          }
          for (const { event, retractedBy } of added)
            if (taking === 'all' || retractedBy === null) log.set(event.seqNo, event);
          cursor = feedNo;
        }
        if (changes.length === 0 || (!all && random.chance(0.3))) return;
      }
    },
    events: () => [...log.values()].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1)),
  };
}
