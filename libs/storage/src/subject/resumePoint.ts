import type { ClientBase } from 'pg';
import type { BlockRef, DiscoveredContract, SeqNo } from '@imart/core';
import type { StoredResumePoint } from '@imart/pipeline';

type Cells = Readonly<Record<string, string>>;

export const readBlockRef = (row: Cells): BlockRef => ({
  position: BigInt(row['position'] as string),
  hash: row['hash'] as string,
  parentHash: row['parent_hash'] as string,
  timeUs: BigInt(row['time_us'] as string),
});

export const readDiscovered = (row: Cells): DiscoveredContract => ({
  address: row['address'] as string,
  kind: row['kind'] as string,
  discoveredAt: BigInt(row['discovered_seq_no'] as string) as SeqNo,
});

/** Where a source goes on. All of it must be of one moment: the caller's transaction sees to it. */
export async function readResumePoint(client: ClientBase, subject: number): Promise<StoredResumePoint> {
  const { rows: subjects } = await client.query(
    'SELECT epoch, next_position, finalized_position FROM subjects WHERE id = $1',
    [subject],
  );
  const { rows: blocks } = await client.query(
    'SELECT position, hash, parent_hash, time_us FROM blocks WHERE subject = $1 ORDER BY position',
    [subject],
  );
  const { rows: contracts } = await client.query(
    'SELECT address, kind, discovered_seq_no FROM discovered_contracts WHERE subject = $1 ORDER BY discovered_seq_no, address',
    [subject],
  );
  const row = subjects[0] as { epoch: string; next_position: string; finalized_position: string | null };
  return {
    epoch: BigInt(row.epoch),
    nextPosition: BigInt(row.next_position),
    finalizedPosition: row.finalized_position === null ? null : BigInt(row.finalized_position),
    window: (blocks as Cells[]).map(readBlockRef),
    discovered: (contracts as Cells[]).map(readDiscovered),
  };
}
