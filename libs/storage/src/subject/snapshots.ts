import type { Snapshot } from '@imart/core';
import { aggregateArrays } from './aggregateArrays';
import { arrayOf } from './arrayOf';
import { deleteEach } from './deleteEach';
import type { CopyText, ScriptStep } from './script';

const COPY_SNAPSHOTS =
  'COPY "snapshots" ("subject", "aggregate_hash", "aggregate_type", "aggregate_id", "seq_no", "reducer_version", "version", "state") FROM STDIN';

/**
 * Writes snapshots. Of those below finality nobody needs more than the newest of each aggregate: a change above finality is refolded
 * from it.
 */
export function snapshotSteps(
  subject: number,
  snapshots: readonly Snapshot[],
  text: CopyText,
): readonly ScriptStep[] {
  const [hashes, types, ids] = aggregateArrays(snapshots);
  const hashArray = arrayOf('bigint', hashes);
  const seqNos = snapshots.map(({ state }) => state.seqNo);
  // Another version of the reducer may have left one of the same event.
  const replace = deleteEach(
    'snapshots',
    `unnest(${hashArray}, ${arrayOf('text', types)}, ${arrayOf('text', ids)}, ${arrayOf('bigint', seqNos)}) AS k(hash, type, id, seq_no)`,
    't.aggregate_hash = k.hash AND t.aggregate_type = k.type AND t.aggregate_id = k.id AND t.seq_no = k.seq_no',
    subject,
  );
  const prune = `
    DELETE FROM snapshots WHERE (subject, aggregate_hash, aggregate_type, aggregate_id, seq_no) IN (
      SELECT subject, aggregate_hash, aggregate_type, aggregate_id, seq_no FROM (
        SELECT s.*, row_number() OVER (PARTITION BY aggregate_hash, aggregate_type, aggregate_id ORDER BY seq_no DESC) AS place
        FROM snapshots s WHERE subject = ${subject} AND aggregate_hash = ANY(${hashArray})
          AND seq_no <= (SELECT finalized_seq_no FROM subjects WHERE id = ${subject})
      ) below WHERE place > 1
    )`;
  return [{ statement: replace }, { statement: COPY_SNAPSHOTS, text }, { statement: prune }];
}
