import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  aggregateKeyText,
  BEFORE_FIRST,
  type AggregateKey,
  type Event,
  type FoldState,
  type KnownBlock,
  type Observer,
  type SeqNo,
  type SubjectId,
} from '@imart/core';
import { blockSeqNo } from '../blockSeqNo';
import {
  EventConflictError,
  type ChangeTransaction,
  type LogEnd,
  type TouchedAggregate,
} from '@imart/pipeline';
import { aggregateOfRow } from '../aggregateOfRow';
import {
  ascending,
  isOf,
  newestSnapshot,
  readStored,
  storedOf,
  type Committed,
  type StoredEvent,
} from './committed';

/** A moment of a transaction that changes what was told. */
export type ChangeMoment =
  'recordChange' | 'cutLog' | 'retractEvents' | 'insertEvents' | 'unpark' | 'skipEvent' | 'refold' | 'erase';

export interface ChangeStepsOptions {
  readonly subjectId: SubjectId;
  readonly observer: Observer;
  /** What the transaction sees: what is committed, and its own changes. */
  readonly view: () => Committed;
  /** Changes the transaction's own copy; it needs all locks. */
  readonly change: (work: (state: Committed) => void) => void;
  readonly onMoment: (moment: ChangeMoment) => void;
}

const keyText = ({ aggregateType, aggregateId }: AggregateKey): string =>
  aggregateKeyText(aggregateType, aggregateId);

/** Events in one piece: few, so that specs have several. */
const EVENTS_PER_PIECE = 3;

/** Each aggregate of these events, with its first one. */
function touchedBy(gone: readonly StoredEvent[]): readonly TouchedAggregate[] {
  const touched = new Map<string, TouchedAggregate>();
  for (const { event } of [...gone].sort(ascending)) {
    const { aggregateType, aggregateId, seqNo } = event;
    if (!touched.has(keyText(event)))
      touched.set(keyText(event), { aggregateType, aggregateId, fromSeqNo: seqNo });
  }
  return [...touched.values()];
}

/** Takes events out of the log, and what hangs on single events with them. */
function takeBack(
  state: Committed,
  feedNo: bigint,
  isGone: (seqNo: SeqNo) => boolean,
): readonly StoredEvent[] {
  const gone = state.log.filter(({ event }) => isGone(event.seqNo));
  state.log = state.log.filter(({ event }) => !isGone(event.seqNo));
  state.retracted.push(...gone.map((one) => ({ ...one, retractedBy: feedNo })));
  for (const [id, { event }] of state.activities) if (isGone(event.seqNo)) state.activities.delete(id);
  state.skipped = new Set([...state.skipped].filter((seqNo) => !isGone(seqNo)));
  state.discovered = state.discovered.filter(({ discoveredAt }) => !isGone(discoveredAt));
  return gone;
}

export function createChangeSteps(options: ChangeStepsOptions): ChangeTransaction {
  const { subjectId, observer, view, change, onMoment } = options;

  const reducerVersion = ({ aggregateType }: AggregateKey): number | undefined =>
    observer.reducers.get(aggregateType)?.version;

  return {
    async recordChange({ kind, fromSeqNo, toSeqNo, aggregate }) {
      await nextTurn();
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
      await nextTurn();
      onMoment('cutLog');
      if (block !== null && blockSeqNo.decode((ingested + 1n) as SeqNo).position <= block.position)
        throw new RangeError(`block ${block.position} cannot stay when the log ends at ${ingested}`);
      let gone: readonly StoredEvent[] = [];
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

    async endAt(position): Promise<LogEnd> {
      await nextTurn();
      const { blocks, log, nextPosition, ingested } = view();
      const last = nextPosition - 1n;
      const at = position < last ? position : last;
      const known = blocks.find((block) => block.position === at);
      const event = log.findLast(({ event: { source } }) => source.position <= at)?.event;
      if (known === undefined && event === undefined)
        return { block: null, nextPosition: 0n, ingested: BEFORE_FIRST };
      const block = known ?? {
        position: (event as Omit<Event, 'data'>).source.position,
        hash: (event as Omit<Event, 'data'>).source.blockHash,
        parentHash: '',
        timeUs: (event as Omit<Event, 'data'>).source.timeUs,
      };
      return {
        block,
        nextPosition: block.position + 1n,
        ingested: block.position === last ? ingested : blockSeqNo.last(block.position),
      };
    },

    async positionBefore(events) {
      await nextTurn();
      return view().log.at(-1 - events)?.event.source.position ?? null;
    },

    async countAbove({ ingested }) {
      await nextTurn();
      const { log, discovered } = view();
      const above = log.filter(({ event }) => event.seqNo > ingested);
      return {
        events: BigInt(above.length),
        aggregates: BigInt(touchedBy(above).length),
        discovered: BigInt(discovered.filter(({ discoveredAt }) => discoveredAt > ingested).length),
      };
    },

    async lowerFinality({ block, ingested }) {
      await nextTurn();
      change((state) => {
        if (state.finalized <= ingested) return;
        state.finalized = ingested;
        state.finalizedPosition = block?.position ?? null;
      });
    },

    async retractEvents(seqNos, feedNo) {
      await nextTurn();
      onMoment('retractEvents');
      const going = new Set(seqNos);
      const known = new Set(view().log.map(({ event }) => event.seqNo));
      const missing = seqNos.find((seqNo) => !known.has(seqNo));
      if (missing !== undefined) throw new EventConflictError(subjectId, missing, 'it is not there');
      let gone: readonly StoredEvent[] = [];
      change((state) => {
        gone = takeBack(state, feedNo, (seqNo) => going.has(seqNo));
      });
      return touchedBy(gone);
    },

    async insertEvents(events, feedNo) {
      await nextTurn();
      onMoment('insertEvents');
      const known = new Set(view().log.map(({ event }) => event.seqNo));
      const taken = events.find(({ seqNo }) => known.has(seqNo));
      if (taken !== undefined) throw new EventConflictError(subjectId, taken.seqNo, 'another one is there');
      change((state) => {
        state.log.push(...events.map((event) => storedOf(event, feedNo)));
        state.log.sort(ascending);
      });
    },

    async discover(contracts) {
      await nextTurn();
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
      await nextTurn();
      const { blocks, log } = view();
      return positions.flatMap((position): KnownBlock[] => {
        const hash =
          blocks.find((block) => block.position === position)?.hash ??
          log.find(({ event }) => event.source.position === position)?.event.source.blockHash;
        return hash === undefined ? [] : [{ position, hash }];
      });
    },

    async parkedAmong(keys) {
      await nextTurn();
      const { parked } = view();
      return keys.flatMap((key) => parked.get(keyText(key)) ?? []);
    },

    async unpark(keys) {
      await nextTurn();
      onMoment('unpark');
      change(({ parked }) => {
        for (const key of keys) parked.delete(keyText(key));
      });
    },

    async skipEvent(seqNo) {
      await nextTurn();
      onMoment('skipEvent');
      change(({ skipped }) => skipped.add(seqNo));
    },

    async recordParkActions(actions) {
      await nextTurn();
      change(({ parkActions }) => parkActions.push(...actions));
    },

    async recordRewind(toPosition, { actedBy, reason }) {
      await nextTurn();
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
      await nextTurn();
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
      await nextTurn();
      const states = new Map<string, FoldState>();
      for (const request of requests) {
        const version = reducerVersion(request);
        const newest = newestSnapshot(view(), request, request.fromSeqNo, version);
        if (newest !== undefined) states.set(keyText(request), newest.state);
      }
      return states;
    },

    async readAggregates(ranges, take) {
      await nextTurn();
      const { log, skipped } = view();
      const events = ranges.flatMap((range) =>
        log
          .filter(({ event }) => isOf(range, event) && !skipped.has(event.seqNo))
          .filter(({ event: { seqNo } }) => seqNo > range.afterSeqNo && seqNo <= range.upToSeqNo)
          .map(readStored),
      );
      for (let start = 0; start < events.length; start += EVENTS_PER_PIECE) {
        onMoment('refold');
        await take(events.slice(start, start + EVENTS_PER_PIECE));
      }
    },

    async eraseAggregates(aggregates) {
      await nextTurn();
      onMoment('erase');
      change((state) => {
        for (const { fromSeqNo, keptSeqNo, ...key } of aggregates) {
          state.snapshots = state.snapshots.filter(
            (one) => !isOf(key, one.snapshot) || one.seqNo < fromSeqNo,
          );
          for (const [id, row] of state.rows) {
            // Of successive rows, those that were opened before stay; other aggregates have one row.
            const opened = (row as { openedSeqNo?: bigint }).openedSeqNo ?? keptSeqNo + 1n;
            if (isOf(key, aggregateOfRow(row)) && opened > keptSeqNo) state.rows.delete(id);
          }
        }
      });
    },

    async eraseActivities(seqNos) {
      await nextTurn();
      const going = new Set(seqNos);
      change(({ activities }) => {
        for (const [id, { event }] of activities) if (going.has(event.seqNo)) activities.delete(id);
      });
    },
  };
}
