import type { ClientBase, Pool } from 'pg';
import type { KnownBlock, SeqNo } from '@imart/core';
import type { LogRange } from '@imart/pipeline';
import { CONTENT_INTACT, readEvents, SELECT_EVENTS, type LogContext } from './eventLog';
import { readDiscovered } from './resumePoint';

/** A part of the log. All of it must be of one moment: the caller's transaction sees to it. */
export async function readLogRange(
  client: ClientBase,
  log: LogContext,
  fromPosition: bigint,
  toPosition: bigint,
): Promise<LogRange> {
  const { subject, seqNos } = log;
  const within = [subject, seqNos.first(fromPosition).toString(), seqNos.last(toPosition).toString()];
  const { rows: subjects } = await client.query('SELECT epoch, next_position FROM subjects WHERE id = $1', [
    subject,
  ]);
  const { rows: stored } = await client.query(
    `${SELECT_EVENTS} WHERE subject = $1 AND seq_no BETWEEN $2 AND $3 ORDER BY seq_no`,
    within,
  );
  const { rows: window } = await client.query(
    'SELECT position, hash FROM blocks WHERE subject = $1 AND position BETWEEN $2 AND $3',
    [subject, fromPosition.toString(), toPosition.toString()],
  );
  const { rows: contracts } = await client.query(
    'SELECT address, kind, discovered_seq_no FROM discovered_contracts WHERE subject = $1 AND discovered_seq_no BETWEEN $2 AND $3 ORDER BY discovered_seq_no, address',
    within,
  );
  const events = readEvents(log, stored);
  const row = subjects[0] as { epoch: string; next_position: string };
  const blocks = new Map(events.map(({ source }) => [source.position, source.blockHash]));
  for (const { position, hash } of window as { position: string; hash: string }[])
    blocks.set(BigInt(position), hash);
  return {
    epoch: BigInt(row.epoch),
    nextPosition: BigInt(row.next_position),
    events,
    blocks: [...blocks]
      .map(([position, hash]): KnownBlock => ({ position, hash }))
      .sort((a, b) => (a.position < b.position ? -1 : 1)),
    discovered: (contracts as Record<string, string>[]).map(readDiscovered),
  };
}

export async function readTampered(
  pool: Pool,
  { subject, seqNos }: LogContext,
  fromPosition: bigint,
  toPosition: bigint,
): Promise<readonly SeqNo[]> {
  const { rows } = await pool.query(
    `SELECT seq_no FROM event_log WHERE subject = $1 AND seq_no BETWEEN $2 AND $3 AND NOT (${CONTENT_INTACT}) ORDER BY seq_no`,
    [subject, seqNos.first(fromPosition).toString(), seqNos.last(toPosition).toString()],
  );
  return (rows as { seq_no: string }[]).map(({ seq_no }) => BigInt(seq_no) as SeqNo);
}

export async function readEventsAt(
  pool: Pool,
  { subject }: LogContext,
  addresses: readonly string[],
): Promise<readonly SeqNo[]> {
  const { rows } = await pool.query(
    'SELECT seq_no FROM event_log WHERE subject = $1 AND address = ANY($2) ORDER BY seq_no',
    [subject, addresses],
  );
  return (rows as { seq_no: string }[]).map(({ seq_no }) => BigInt(seq_no) as SeqNo);
}
