import { createAggregateQueries, type AggregateReads } from '@imart/event-service';
import { sale, type SaleState } from './sale';

/** A sale replayed from its newest snapshot and the events after it. */
export interface SaleReading {
  /** Of its last event; 0: there is none. */
  readonly version: number;
  /** `null`: it was set aside after a failure, and says nothing. */
  readonly state: SaleState | null;
}

/** Replays a sale. Writes no snapshot: it may be within a transaction that is about something else. */
export async function readSale(reads: AggregateReads, id: string): Promise<SaleReading> {
  const queries = createAggregateQueries(sale, {
    reads: { ...reads, writeSnapshots: async () => undefined },
    onSnapshotFailed: () => undefined,
  });
  const { state, version, stopped } = await queries.state(id);
  return { version, state: stopped === null ? state : null };
}
