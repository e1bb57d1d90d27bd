import type { Pool } from 'pg';
import type { EventDataCodec, Observer, SeqNosOf, SubjectId } from '@imart/core';
import type { ParkMarker } from '@imart/pipeline';
import { ReplayError } from './errors';
import { foldLog } from './foldLog';
import { createFreshWriter } from './freshWriter';
import { withSession, type Session } from './session';

/** What is to be folded of a subject's log; it can be sent to another thread. */
export interface FoldPart {
  /** The number of the subject's row. */
  readonly subject: number;
  readonly subjectId: SubjectId;
  /** How far each lane is, by its number: no event after that is folded. */
  readonly lanes: readonly bigint[];
  readonly parked: readonly ParkMarker[];
  readonly aggregates: AggregateSelection;
}

/** Aggregates by their hashes: all, those within bounds (inclusive), or certain ones. */
export type AggregateSelection =
  'all' | { readonly from: bigint; readonly to: bigint } | { readonly only: readonly bigint[] };

/** How events and rows of a subject are made. */
export interface FoldMeans {
  readonly codec: EventDataCodec;
  /** How the seq nos of a subject are made; by its id. */
  readonly seqNosOf: SeqNosOf;
  /** The observer of a subject. */
  readonly observerOf: (subjectId: SubjectId) => Observer;
}

/** What a part of the log has come to since it was told of last. */
export interface FoldProgress {
  readonly events: number;
  readonly rows: number;
  readonly activities: number;
  /** Aggregates that fail now and did not when they were folded first. */
  readonly parked: readonly ParkMarker[];
}

/** @throws to end the folding. */
export type OnFolded = (progress: FoldProgress) => void;

/** Held, shared, by whoever fills the fresh tables: no other replay may make them anew meanwhile. */
export const WRITERS_LOCK = 72707374;

/**
 * The order of the aggregate index: the first events are there at once, and fold while the rest is read. A sort reads all of
 * them first, half a second for 200,000.
 */
const IN_INDEX_ORDER =
  'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off';

/** Whether the log can be read page by page at random: beyond what the server says it can cache, a sort is faster. */
async function fitsInCache(client: Session): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT pg_table_size('event_log') <= pg_size_bytes(current_setting('effective_cache_size')) AS fits`,
  );
  return (rows[0] as { fits: boolean }).fits;
}

/**
 * Folds a part of the log into the fresh tables, on three connections of the pool. `beside` runs what it is given on the connection that
 * reads, for whoever wants to end a statement there.
 *
 * @throws {ReplayError} when the log was tampered with, or the fresh tables are about to be made anew.
 */
export async function foldPart(
  pool: Pool,
  part: FoldPart,
  { codec, seqNosOf, observerOf }: FoldMeans,
  onFolded: OnFolded,
  beside: (reader: Session, work: () => Promise<void>) => Promise<void> = (_reader, work) => work(),
): Promise<void> {
  const { subject, subjectId, lanes, parked, aggregates } = part;
  const fold = async (reader: Session, states: Session, history: Session): Promise<void> => {
    await holdWritersLock(states);
    const writer = createFreshWriter(subject, states, history);
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    if (await fitsInCache(reader)) await reader.query(IN_INDEX_ORDER);
    try {
      await foldLog(reader, {
        log: { subject, subjectId, codec, seqNos: seqNosOf(subjectId) },
        observer: observerOf(subjectId),
        lanes,
        parked,
        aggregates,
        take: async (run, events) => {
          onFolded({ events, rows: run.rows.length, activities: run.activities.length, parked: run.parked });
          await writer.add(run);
        },
      });
      await writer.finish();
    } finally {
      // Also after a failure: nothing is written behind the caller's back.
      await writer.settle();
    }
    await reader.query('COMMIT');
    await states.query(`SELECT pg_advisory_unlock_shared(${WRITERS_LOCK})`);
  };
  await withSession(pool, (reader) =>
    withSession(pool, (states) =>
      withSession(pool, (history) => beside(reader, () => fold(reader, states, history))),
    ),
  );
}

async function holdWritersLock(client: Session): Promise<void> {
  const { rows } = await client.query(`SELECT pg_try_advisory_lock_shared(${WRITERS_LOCK}) AS held`);
  if (!(rows[0] as { held: boolean }).held)
    throw new ReplayError('another replay has begun on this database: wait for its end, or stop it', {
      busy: true,
    });
}

/** Bounds of `count` parts of about the same size: hashes are spread evenly over 64 bits with a sign. */
export function evenParts(count: number): readonly { readonly from: bigint; readonly to: bigint }[] {
  const least = -(2n ** 63n);
  const start = (i: number): bigint => least + (2n ** 64n * BigInt(i)) / BigInt(count);
  return Array.from({ length: count }, (_, i) => ({ from: start(i), to: start(i + 1) - 1n }));
}
