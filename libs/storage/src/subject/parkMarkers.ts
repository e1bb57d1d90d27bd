import type { ClientBase } from 'pg';
import type { ParkMarker } from '@imart/pipeline';

/** Sets an aggregate aside; one that is set aside already stays so from where it was. */
export async function insertParkMarker(
  client: ClientBase,
  subject: number,
  marker: ParkMarker,
): Promise<void> {
  await client.query(
    `INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [
      subject,
      marker.aggregateType,
      marker.aggregateId,
      marker.fromSeqNo.toString(),
      marker.code,
      marker.message.replaceAll('\0', '\ufffd'),
    ],
  );
}
