import { createAggregateQueries, type AggregateReads, type StateSource } from '@imart/event-service';
import { sale, type SaleState } from './sale';

/** A sale replayed from its newest snapshot and the events after it. */
export interface SaleReading {
  /** Of its last event; 0: there is none. */
  readonly version: number;
  /** `null`: it was set aside after a failure, and says nothing. */
  readonly state: SaleState | null;
}

/** Replays a sale. Writes no snapshot: it may be within a transaction that is about something else. */
export async function readSale(
  reads: Pick<AggregateReads, 'readStateSource'>,
  id: string,
): Promise<SaleReading> {
  const queries = createAggregateQueries(sale, {
    // A state takes nothing else.
    reads: { ...(reads as AggregateReads), writeSnapshots: async () => undefined },
    onSnapshotFailed: () => undefined,
  });
  const { state, version, stopped } = await queries.state(id);
  return { version, state: stopped === null ? state : null };
}

/** Replays sales from what was read of them. */
export async function replaySales(
  sources: ReadonlyMap<string, StateSource>,
): Promise<ReadonlyMap<string, SaleReading>> {
  const reads = {
    readStateSource: async (id: string) => sources.get(id) ?? { snapshot: null, events: [], parked: null },
  };
  const readings = [...sources.keys()].map(async (id) => [id, await readSale(reads, id)] as const);
  return new Map(await Promise.all(readings));
}
