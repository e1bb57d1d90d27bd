import { aggregateKeyText } from '@imart/core';
import type { ParkMarker } from '@imart/pipeline';
import type { OnFolded } from './foldPart';
import type { ReplayOptions, ReplayResult } from './options';
import type { Session } from './session';

/** What a replay has come to so far. */
export interface Counts {
  events: number;
  activities: number;
  rows: number;
  /** By subject and aggregate: an aggregate that is folded again fails again. */
  readonly parked: Map<string, { readonly subject: number; readonly marker: ParkMarker }>;
}

export function countingFor(
  { onProgress, signal }: ReplayOptions,
  control: Session,
  { subject }: { readonly subject: number },
  counts: Counts,
): OnFolded {
  return ({ events, rows, activities, parked }) => {
    // Without it the lock is gone: another replay may be at work on the same tables.
    control.mustBeThere();
    signal?.throwIfAborted();
    counts.events += events;
    counts.rows += rows;
    counts.activities += activities;
    for (const marker of parked) {
      const key = aggregateKeyText(marker.aggregateType, marker.aggregateId);
      counts.parked.set(`${subject}/${key}`, { subject, marker });
    }
    onProgress({ step: 'folding', events: counts.events });
  };
}

export function resultOf({
  events,
  activities,
  rows,
  parked,
}: Counts): Omit<ReplayResult, 'differences' | 'switched'> {
  return { events, activities, rows, newlyParked: parked.size };
}
