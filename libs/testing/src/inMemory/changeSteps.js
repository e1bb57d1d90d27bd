'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.createChangeSteps = createChangeSteps;
const promises_1 = require('node:timers/promises');
const core_1 = require('@imart/core');
const blockSeqNo_1 = require('../blockSeqNo');
const pipeline_1 = require('@imart/pipeline');
const aggregateOfRow_1 = require('../aggregateOfRow');
const committed_1 = require('./committed');
const keyText = ({ aggregateType, aggregateId }) => (0, core_1.aggregateKeyText)(aggregateType, aggregateId);
/** Events in one piece: few, so that specs have several. */
const EVENTS_PER_PIECE = 3;
/** Each aggregate of these events, with its first one. */
function touchedBy(gone) {
  const touched = new Map();
  for (const { event } of [...gone].sort(committed_1.ascending)) {
    const { aggregateType, aggregateId, seqNo } = event;
    if (!touched.has(keyText(event)))
      touched.set(keyText(event), { aggregateType, aggregateId, fromSeqNo: seqNo });
  }
  return [...touched.values()];
}
/** Takes events out of the log, and what hangs on single events with them. */
function takeBack(state, feedNo, isGone) {
  const gone = state.log.filter(({ event }) => isGone(event.seqNo));
  state.log = state.log.filter(({ event }) => !isGone(event.seqNo));
  state.retracted.push(...gone.map((one) => ({ ...one, retractedBy: feedNo })));
  for (const [id, { event }] of state.activities) if (isGone(event.seqNo)) state.activities.delete(id);
  state.skipped = new Set([...state.skipped].filter((seqNo) => !isGone(seqNo)));
  state.discovered = state.discovered.filter(({ discoveredAt }) => !isGone(discoveredAt));
  return gone;
}
function createChangeSteps(options) {
  const { subjectId, observer, view, change, onMoment } = options;
  const reducerVersion = ({ aggregateType }) => observer.reducers.get(aggregateType)?.version;
  return {
    async recordChange({ kind, fromSeqNo, toSeqNo, aggregate }) {
      await (0, promises_1.setImmediate)();
      onMoment('recordChange');
      change((state) => {
        state.epoch++;
        state.lastFeedNo++;
        const { epoch, lastFeedNo: feedNo } = state;
        state.feed.push({ feedNo, kind, epoch, fromSeqNo, toSeqNo, aggregate });
      });
      return { feedNo: view().lastFeedNo, epoch: view().epoch };
    },
    async cutLog({ block, nextPosition, ingested }, feedNo) {
      await (0, promises_1.setImmediate)();
      onMoment('cutLog');
      if (block !== null && blockSeqNo_1.blockSeqNo.decode(ingested + 1n).position <= block.position)
        throw new RangeError(`block ${block.position} cannot stay when the log ends at ${ingested}`);
      let gone = [];
      change((state) => {
        gone = takeBack(state, feedNo, (seqNo) => seqNo > ingested);
        state.lanes = state.lanes.map((seqNo) => (seqNo > ingested ? ingested : seqNo));
        state.blocks = state.blocks.filter(({ position }) => block !== null && position <= block.position);
        if (block !== null && state.blocks.at(-1)?.position !== block.position) state.blocks.push(block);
        state.ingested = ingested;
        state.nextPosition = nextPosition;
        state.chainTimeUs = block?.timeUs ?? null;
      });
      return { events: gone.length, aggregates: touchedBy(gone) };
    },
    async endAt(position) {
      await (0, promises_1.setImmediate)();
      const { blocks, log, nextPosition, ingested } = view();
      const last = nextPosition - 1n;
      const at = position < last ? position : last;
      const known = blocks.find((block) => block.position === at);
      const event = log.findLast(({ event: { source } }) => source.position <= at)?.event;
      if (known === undefined && event === undefined)
        return { block: null, nextPosition: 0n, ingested: core_1.BEFORE_FIRST };
      const block = known ?? {
        position: event.source.position,
        hash: event.source.blockHash,
        parentHash: '',
        timeUs: event.source.timeUs,
      };
      return {
        block,
        nextPosition: block.position + 1n,
        ingested: block.position === last ? ingested : blockSeqNo_1.blockSeqNo.last(block.position),
      };
    },
    async positionBefore(events) {
      await (0, promises_1.setImmediate)();
      return view().log.at(-1 - events)?.event.source.position ?? null;
    },
    async countAbove({ ingested }) {
      await (0, promises_1.setImmediate)();
      const { log, discovered } = view();
      const above = log.filter(({ event }) => event.seqNo > ingested);
      return {
        events: BigInt(above.length),
        aggregates: BigInt(touchedBy(above).length),
        discovered: BigInt(discovered.filter(({ discoveredAt }) => discoveredAt > ingested).length),
      };
    },
    async lowerFinality({ block, ingested }) {
      await (0, promises_1.setImmediate)();
      change((state) => {
        if (state.finalized <= ingested) return;
        state.finalized = ingested;
        state.finalizedPosition = block?.position ?? null;
      });
    },
    async retractEvents(seqNos, feedNo) {
      await (0, promises_1.setImmediate)();
      onMoment('retractEvents');
      const going = new Set(seqNos);
      const known = new Set(view().log.map(({ event }) => event.seqNo));
      const missing = seqNos.find((seqNo) => !known.has(seqNo));
      if (missing !== undefined)
        throw new pipeline_1.EventConflictError(subjectId, missing, 'it is not there');
      let gone = [];
      change((state) => {
        gone = takeBack(state, feedNo, (seqNo) => going.has(seqNo));
      });
      return touchedBy(gone);
    },
    async insertEvents(events, feedNo) {
      await (0, promises_1.setImmediate)();
      onMoment('insertEvents');
      const known = new Set(view().log.map(({ event }) => event.seqNo));
      const taken = events.find(({ seqNo }) => known.has(seqNo));
      if (taken !== undefined)
        throw new pipeline_1.EventConflictError(subjectId, taken.seqNo, 'another one is there');
      change((state) => {
        state.log.push(...events.map((event) => (0, committed_1.storedOf)(event, feedNo)));
        state.log.sort(committed_1.ascending);
      });
    },
    async discover(contracts) {
      await (0, promises_1.setImmediate)();
      change((state) => {
        for (const contract of contracts) {
          const known = state.discovered.find(({ address }) => address === contract.address);
          if (known !== undefined && known.discoveredAt <= contract.discoveredAt) continue;
          state.discovered = state.discovered.filter((one) => one !== known);
          state.discovered.push(contract);
        }
        state.discovered.sort((a, b) => (a.discoveredAt < b.discoveredAt ? -1 : 1));
      });
    },
    async knownBlocks(positions) {
      await (0, promises_1.setImmediate)();
      const { blocks, log } = view();
      return positions.flatMap((position) => {
        const hash =
          blocks.find((block) => block.position === position)?.hash ??
          log.find(({ event }) => event.source.position === position)?.event.source.blockHash;
        return hash === undefined ? [] : [{ position, hash }];
      });
    },
    async parkedAmong(keys) {
      await (0, promises_1.setImmediate)();
      const { parked } = view();
      return keys.flatMap((key) => parked.get(keyText(key)) ?? []);
    },
    async unpark(keys) {
      await (0, promises_1.setImmediate)();
      onMoment('unpark');
      change(({ parked }) => {
        for (const key of keys) parked.delete(keyText(key));
      });
    },
    async skipEvent(seqNo) {
      await (0, promises_1.setImmediate)();
      onMoment('skipEvent');
      change(({ skipped }) => skipped.add(seqNo));
    },
    async recordParkActions(actions) {
      await (0, promises_1.setImmediate)();
      change(({ parkActions }) => parkActions.push(...actions));
    },
    async recordRewind(toPosition, { actedBy, reason }) {
      await (0, promises_1.setImmediate)();
      change(({ operatorActions, halt }) =>
        operatorActions.push({
          action: 'rewind',
          actedBy,
          reason,
          toPosition,
          halt,
          events: 0n,
          nextPosition: null,
          isFinished: false,
        }),
      );
      return BigInt(view().operatorActions.length);
    },
    async recordRewound(rewind, { events, nextPosition, isLast }) {
      await (0, promises_1.setImmediate)();
      change((state) => {
        state.operatorActions = state.operatorActions.map((action, i) =>
          BigInt(i + 1) === rewind
            ? { ...action, events: action.events + BigInt(events), nextPosition, isFinished: isLast }
            : action,
        );
        if (isLast) state.halt = null;
      });
    },
    async snapshotsBelow(requests) {
      await (0, promises_1.setImmediate)();
      const states = new Map();
      for (const request of requests) {
        const version = reducerVersion(request);
        const newest = (0, committed_1.newestSnapshot)(view(), request, request.fromSeqNo, version);
        if (newest !== undefined) states.set(keyText(request), newest.state);
      }
      return states;
    },
    async readAggregates(ranges, take) {
      await (0, promises_1.setImmediate)();
      const { log, skipped } = view();
      const events = ranges.flatMap((range) =>
        log
          .filter(({ event }) => (0, committed_1.isOf)(range, event) && !skipped.has(event.seqNo))
          .filter(({ event: { seqNo } }) => seqNo > range.afterSeqNo && seqNo <= range.upToSeqNo)
          .map(committed_1.readStored),
      );
      for (let start = 0; start < events.length; start += EVENTS_PER_PIECE) {
        onMoment('refold');
        await take(events.slice(start, start + EVENTS_PER_PIECE));
      }
    },
    async eraseAggregates(aggregates) {
      await (0, promises_1.setImmediate)();
      onMoment('erase');
      change((state) => {
        for (const { fromSeqNo, keptSeqNo, ...key } of aggregates) {
          state.snapshots = state.snapshots.filter(
            (one) => !(0, committed_1.isOf)(key, one.snapshot) || one.seqNo < fromSeqNo,
          );
          for (const [id, row] of state.rows) {
            // Of successive rows, those that were opened before stay; other aggregates have one row.
            const opened = row.openedSeqNo ?? keptSeqNo + 1n;
            if ((0, committed_1.isOf)(key, (0, aggregateOfRow_1.aggregateOfRow)(row)) && opened > keptSeqNo)
              state.rows.delete(id);
          }
        }
      });
    },
    async eraseActivities(seqNos) {
      await (0, promises_1.setImmediate)();
      const going = new Set(seqNos);
      change(({ activities }) => {
        for (const [id, { event }] of activities) if (going.has(event.seqNo)) activities.delete(id);
      });
    },
  };
}
