import {
  aggregateKeyText,
  BEFORE_FIRST,
  type Activity,
  type AggregateKey,
  type BlockRef,
  type DiscoveredContract,
  type Event,
  type SeqNo,
  type Snapshot,
  type StateRow,
} from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  decodeState,
  encodeState,
  LedgerGapError,
  type ChangeKind,
  type Halt,
  type OperatorAction,
  type ParkAction,
  type ParkMarker,
  type Pass,
} from '@imart/pipeline';

/** An event as the log keeps it: what is read is decoded from its text. */
export interface StoredEvent {
  readonly event: Omit<Event, 'data'>;
  readonly text: string;
  /** The feed number that added it. */
  readonly feedNo: bigint;
}

export interface RetractedEvent extends StoredEvent {
  readonly retractedBy: bigint;
}

export interface StoredSnapshot {
  readonly snapshot: Omit<Snapshot, 'state'>;
  readonly seqNo: SeqNo;
  readonly version: number;
  readonly text: string;
}

export interface FeedRow {
  readonly feedNo: bigint;
  readonly kind: ChangeKind;
  readonly epoch: bigint;
  readonly fromSeqNo: SeqNo;
  readonly toSeqNo: SeqNo;
  readonly aggregate: AggregateKey | null;
}

/** All that is committed. */
export interface Committed {
  /** Ascending. */
  log: StoredEvent[];
  retracted: RetractedEvent[];
  feed: FeedRow[];
  rows: Map<string, StateRow>;
  activities: Map<string, Activity>;
  parked: Map<string, ParkMarker>;
  /** How many markers had been set when each of these was, by its aggregate. One that comes back for the same event keeps it. */
  parkedAt: Map<string, { readonly fromSeqNo: SeqNo; readonly at: number }>;
  parkActions: ParkAction[];
  operatorActions: OperatorAction[];
  passes: Pass[];
  skipped: Set<SeqNo>;
  snapshots: StoredSnapshot[];
  discovered: DiscoveredContract[];
  blocks: BlockRef[];
  halt: Halt | null;
  epoch: bigint;
  ingested: SeqNo;
  nextPosition: bigint;
  lanes: SeqNo[];
  lastFeedNo: bigint;
  finalized: SeqNo;
  finalizedPosition: bigint | null;
  chainTimeUs: bigint | null;
}

export function nothingCommitted(lanes: number): Committed {
  return {
    log: [],
    retracted: [],
    feed: [],
    rows: new Map(),
    activities: new Map(),
    parked: new Map(),
    parkedAt: new Map(),
    parkActions: [],
    operatorActions: [],
    passes: [],
    skipped: new Set(),
    snapshots: [],
    discovered: [],
    blocks: [],
    halt: null,
    epoch: 0n,
    ingested: BEFORE_FIRST,
    nextPosition: 0n,
    lanes: Array.from({ length: lanes }, () => BEFORE_FIRST),
    lastFeedNo: 0n,
    finalized: BEFORE_FIRST,
    finalizedPosition: null,
    chainTimeUs: null,
  };
}

/** A copy whose changes are nobody else's. What it holds is never changed, only replaced. */
export function copyOf(state: Committed): Committed {
  return {
    ...state,
    log: [...state.log],
    retracted: [...state.retracted],
    feed: [...state.feed],
    rows: new Map(state.rows),
    activities: new Map(state.activities),
    parked: new Map(state.parked),
    parkedAt: new Map(state.parkedAt),
    parkActions: [...state.parkActions],
    operatorActions: [...state.operatorActions],
    passes: [...state.passes],
    skipped: new Set(state.skipped),
    snapshots: [...state.snapshots],
    discovered: [...state.discovered],
    blocks: [...state.blocks],
    lanes: [...state.lanes],
  };
}

export const readStored = ({ event, text }: StoredEvent): Event => ({
  ...event,
  data: marketEventCodec.decode(event.name, text),
});

export const storedOf = ({ data, ...event }: Event, feedNo: bigint): StoredEvent => ({
  event,
  text: marketEventCodec.encode(event.name, data),
  feedNo,
});

export const isOf = (key: AggregateKey, other: AggregateKey): boolean =>
  key.aggregateType === other.aggregateType && key.aggregateId === other.aggregateId;

export const ascending = (a: StoredEvent, b: StoredEvent): number =>
  a.event.seqNo < b.event.seqNo ? -1 : a.event.seqNo > b.event.seqNo ? 1 : 0;

/** Of one event there is one snapshot: the one that is written last. */
export function addSnapshot(state: Committed, { state: folded, ...snapshot }: Snapshot): void {
  const { seqNo, version } = folded;
  state.snapshots = state.snapshots.filter((one) => one.seqNo !== seqNo || !isOf(one.snapshot, snapshot));
  state.snapshots.push({ snapshot, seqNo, version, text: encodeState(folded) });
}

/** Sets an aggregate aside; one that is set aside already stays so from where it was. */
export function park(state: Committed, marker: ParkMarker): void {
  const key = aggregateKeyText(marker.aggregateType, marker.aggregateId);
  if (state.parked.has(key)) return;
  state.parked.set(key, marker);
  const { fromSeqNo } = marker;
  if (state.parkedAt.get(key)?.fromSeqNo === fromSeqNo) return;
  state.parkedAt.set(key, { fromSeqNo, at: state.parkedAt.size + state.parkActions.length });
}

/** The newest usable snapshot of an aggregate below a place. */
export function newestSnapshot(
  { snapshots }: Committed,
  key: AggregateKey,
  below: bigint,
  reducerVersion: number | undefined,
): (StoredSnapshot & { readonly state: Snapshot['state'] }) | undefined {
  const [newest] = snapshots
    .filter(({ snapshot }) => isOf(key, snapshot) && snapshot.reducerVersion === reducerVersion)
    .filter(({ seqNo }) => seqNo < below)
    .sort((a, b) => (a.seqNo < b.seqNo ? 1 : -1));
  return newest === undefined ? undefined : { ...newest, state: decodeState(newest.text) };
}

/** The port is used as it must not be. Of disposition `stop`, so that no retry hides it from a spec. */
export class LedgerMisuse extends LedgerGapError {
  constructor(what: string) {
    super('in-memory store', 0n, 0n);
    this.message = `the store is used wrongly: ${what}`;
  }
}

/** A broken rule of the port, not of the data. */
export const refuse = (what: string): never => {
  throw new LedgerMisuse(what);
};
