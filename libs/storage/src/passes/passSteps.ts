import type { ClientBase } from 'pg';
import type { PassTransaction } from '@imart/pipeline';

/** Adds a backfill. Parameters: subject, first position, reason. */
const ADD_BACKFILL = `
  INSERT INTO passes (subject, kind, reason, from_position, to_position, next_position)
  SELECT $1, 'backfill', $3, $2::bigint, s.next_position - 1, $2::bigint FROM subjects s
  WHERE s.id = $1 AND s.next_position > $2::bigint`;

/** The steps of passes in a transaction that has locked the subject's row. */
export function createPassTransaction(client: ClientBase, subject: number): PassTransaction {
  const addBackfill: PassTransaction['addBackfill'] = async (fromPosition, reason) => {
    await client.query(ADD_BACKFILL, [subject, fromPosition.toString(), reason]);
  };
  return {
    addBackfill,

    async advancePass({ id, fromPosition, toPosition, findings, discovered }) {
      const { rows } = await client.query(
        `WITH step AS (
           SELECT p.id, CASE WHEN p.kind = 'backfill' AND $8 THEN greatest(p.to_position, s.next_position - 1)
             ELSE p.to_position END AS to_position
           FROM passes p JOIN subjects s ON s.id = p.subject
           WHERE p.id = $1 AND p.subject = $2 AND p.next_position = $3 AND p.finished_at IS NULL FOR UPDATE OF p
         )
         UPDATE passes p SET next_position = $4::bigint + 1, to_position = step.to_position,
           missing_events = missing_events + $5, different_events = different_events + $6, extra_events = extra_events + $7,
           finished_at = CASE WHEN $4::bigint >= step.to_position THEN now() END
         FROM step WHERE p.id = step.id RETURNING p.kind`,
        [
          id.toString(),
          subject,
          fromPosition.toString(),
          toPosition.toString(),
          findings.missing,
          findings.different,
          findings.extra,
          discovered,
        ],
      );
      const [row] = rows as { kind: string }[];
      if (row === undefined) return false;
      if (discovered && row.kind === 'second') {
        await addBackfill(toPosition + 1n, 'contracts that the second pass discovered');
      }
      return true;
    },

    async forgetContracts(addresses) {
      if (addresses.length === 0) return;
      await client.query(`DELETE FROM discovered_contracts WHERE subject = $1 AND address = ANY($2)`, [
        subject,
        addresses,
      ]);
    },
  };
}
