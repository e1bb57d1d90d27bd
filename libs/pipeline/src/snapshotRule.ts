/** Decides after which events of an aggregate its state is kept as a snapshot. */
export type SnapshotRule = (versionBefore: number, versionAfter: number) => boolean;

/** No snapshots: while catching up far below finality, where the row itself is the newest one. */
export const noSnapshots: SnapshotRule = () => false;

/** @defaultValue for `SNAPSHOT_EVERY`: refolding 100 events takes under a millisecond. */
export const SNAPSHOT_EVERY_DEFAULT = 100;

/**
 * After every `events` events of an aggregate.
 * @example with 100: after the 100th, the 200th ... event that changed it.
 */
export function snapshotEvery(events: number): SnapshotRule {
  if (!Number.isInteger(events) || events < 1)
    throw new RangeError(`snapshots are made every 1 or more events, not ${events}`);
  return (before, after) => Math.floor(after / events) > Math.floor(before / events);
}
