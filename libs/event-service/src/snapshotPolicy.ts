/** How far an aggregate is, for deciding on a snapshot. */
export interface SnapshotMoment {
  /** The version that the newest snapshot has; 0: there is none. */
  readonly snapshotVersion: number;
  /** Time of the last event in the newest snapshot, in microseconds since 1970; `null`: there is none. */
  readonly snapshotTimeUs: bigint | null;
  /** The newest event's. */
  readonly version: number;
  readonly timeUs: bigint;
  /** Names of the events since the snapshot that are looked at now. */
  readonly names: readonly string[];
  /** Somebody reads the latest state. */
  readonly reading: boolean;
}

/** Decides when an aggregate's state is kept as a snapshot. A snapshot is never needed for a right answer. */
export type SnapshotPolicy = (moment: SnapshotMoment) => boolean;

/** @defaultValue of a definition without a policy */
export const SNAPSHOT_EVENTS_DEFAULT = 100;

/** Once this many events have happened since the last one. */
export function everyEvents(events: number): SnapshotPolicy {
  if (!Number.isInteger(events) || events < 1)
    throw new RangeError(`snapshots are made every 1 or more events, not ${events}`);
  return ({ version, snapshotVersion }) => version - snapshotVersion >= events;
}

/** With an event that is this much later than the last snapshot's, by the events' own times; with the first event. */
export function everySeconds(seconds: number): SnapshotPolicy {
  if (!(seconds > 0)) throw new RangeError(`snapshots are made after more than 0 seconds, not ${seconds}`);
  return ({ timeUs, snapshotTimeUs, version, snapshotVersion }) =>
    version > snapshotVersion &&
    (snapshotTimeUs === null || timeUs - snapshotTimeUs >= BigInt(Math.round(seconds * 1e6)));
}

/** With events of these names. */
export function onEvents(...names: readonly string[]): SnapshotPolicy {
  return (moment) => moment.names.some((name) => names.includes(name));
}

/** When the latest state is read and events had to be folded for it. */
export const onRead: SnapshotPolicy = ({ reading, version, snapshotVersion }) =>
  reading && version > snapshotVersion;

/** When any of them says so. */
export function anyOf(...policies: readonly SnapshotPolicy[]): SnapshotPolicy {
  return (moment) => policies.some((policy) => policy(moment));
}

/** Never. */
export const noSnapshot: SnapshotPolicy = () => false;
