import { countingFor, type Counts } from './counts';
import { evenParts, foldPart, type AggregateSelection, type FoldPart } from './foldPart';
import type { ReplayOptions } from './options';
import type { ReplayedSubject } from './replayedSubjects';
import { allDone, endedBy, type Session } from './session';

async function logBytes(client: Session): Promise<number> {
  const { rows } = await client.query(`SELECT pg_table_size('event_log') AS bytes`);
  return Number((rows[0] as { bytes: string }).bytes);
}

/** Folds all of a subject's log, in as many parts at the same time as there are threads for. */
export async function foldWhole(
  options: ReplayOptions,
  control: Session,
  replayed: ReplayedSubject,
  counts: Counts,
): Promise<void> {
  const { elsewhere } = options;
  if (elsewhere === undefined || (await logBytes(control)) < elsewhere.fromLogBytes)
    return foldHere(options, control, replayed, 'all', counts);
  const [own, ...others] = evenParts(1 + elsewhere.threads);
  const failed = new AbortController();
  const signal =
    options.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, options.signal]);
  const orEnd = (folding: Promise<void>): Promise<void> =>
    folding.catch((error: unknown) => failed.abort(error));
  await allDone([
    orEnd(foldHere({ ...options, signal }, control, replayed, own as AggregateSelection, counts)),
    ...others.map((bounds) =>
      orEnd(
        elsewhere.fold(partOf(replayed, bounds), countingFor(options, control, replayed, counts), signal),
      ),
    ),
  ]);
  // What the others met was only that they had to end.
  failed.signal.throwIfAborted();
}

/** Folds some aggregates of a subject on connections of this replay's own pool. */
export async function foldHere(
  options: ReplayOptions,
  control: Session,
  replayed: ReplayedSubject,
  aggregates: AggregateSelection,
  counts: Counts,
): Promise<void> {
  const { pool, signal } = options;
  const onFolded = countingFor(options, control, replayed, counts);
  await foldPart(pool, partOf(replayed, aggregates), options, onFolded, (reader, work) =>
    endedBy(signal, control, reader, work),
  );
}

const partOf = (
  { subject, subjectId, lanes, parked }: ReplayedSubject,
  aggregates: AggregateSelection,
): FoldPart => ({ subject, subjectId, lanes, parked, aggregates });
