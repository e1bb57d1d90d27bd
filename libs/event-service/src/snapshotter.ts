import { UNDECODABLE } from '@imart/core';
import type { AggregateDefinition } from './aggregate';
import { foldState, placeOf } from './queries';
import type { AggregateReads } from './ports';
import { everyEvents, SNAPSHOT_EVENTS_DEFAULT } from './snapshotPolicy';
import type { Deliver } from './subscription';

/** Name of the subscription that makes snapshots. */
export const SNAPSHOT_SUBSCRIPTION = 'snapshots';

/**
 * Makes snapshots, beside the lanes: deliver it the events of the type's topic. It folds the newest snapshot and what came after it, up
 * to the last event delivered; making one twice changes nothing.
 */
export function createSnapshotter(definition: AggregateDefinition, reads: AggregateReads): Deliver {
  const { type, snapshots: policy = everyEvents(SNAPSHOT_EVENTS_DEFAULT) } = definition;
  return async (delivered) => {
    // One that cannot be read sets its aggregate aside: nothing after it is folded.
    const events = delivered.filter(({ name }) => name !== UNDECODABLE);
    const last = events.at(-1);
    if (last === undefined) return;
    const { aggregateId } = last;
    const place = (await reads.snapshotPlaces([aggregateId])).get(aggregateId);
    const { version } = last.data as { version: number };
    const due = policy({
      ...placeOf(place),
      version,
      timeUs: last.source.timeUs,
      names: events.map(({ name }) => name),
      reading: false,
    });
    if (!due) return;
    const { state, names } = await foldState(definition, reads, aggregateId, {
      kind: 'seqNo',
      seqNo: last.seqNo,
    });
    if (names.length === 0) return;
    await reads.writeSnapshots([{ aggregateType: type, aggregateId, state }]);
  };
}
