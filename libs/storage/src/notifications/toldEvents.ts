import type { ClientBase } from 'pg';
import { aggregateHash, type AggregateKey, type SeqNo } from '@imart/core';
import {
  isTold,
  offeredTokens,
  splitContractId,
  type ToldActivity,
  type ToldEvent,
  type ToldFacts,
  type ToldRow,
} from '@imart/market';
import { eventColumns, NOT_SKIPPED, readEvents, type LogContext } from '../subject/eventLog';
import { readHolders } from './holders';

/** What of the log one change of the feed concerns. */
export interface ToldChange {
  readonly feedNo: bigint;
  /** Of events that it added or took back. */
  readonly seqNos: readonly SeqNo[];
  /** Aggregates whose later events may mean something else now, and from where on. */
  readonly aggregates: readonly (AggregateKey & { readonly fromSeqNo: SeqNo })[];
}

export interface FoundEvents {
  /** Every place that the change concerns, whether its event is still to be told or not. */
  readonly seqNos: readonly SeqNo[];
  /** Those that are in the log and folded, with what the tables say of them. */
  readonly told: readonly { readonly event: ToldEvent; readonly facts: ToldFacts }[];
}

type Cells = Readonly<Record<string, string | null>>;

/**
 * The events of a change that somebody may be told of, as the log and the tables are now. What a later change put at the same place is not
 * among them. All of it must be of one moment: the caller's transaction sees to it.
 */
export async function readToldEvents(
  client: ClientBase,
  log: LogContext,
  { feedNo, seqNos, aggregates }: ToldChange,
): Promise<FoundEvents> {
  // Of an aggregate that is set aside, and of what an operator has taken out, nothing happened as far as anybody can see.
  const { rows } = await client.query(
    `WITH places AS (
       SELECT unnest($3::bigint[]) AS seq_no
       UNION
       SELECT e.seq_no FROM unnest($4::bigint[], $5::text[], $6::text[], $7::bigint[]) AS a(hash, type, id, from_seq_no)
       JOIN event_log e ON e.subject = $1 AND e.aggregate_hash = a.hash AND e.seq_no >= a.from_seq_no
         AND e.aggregate_type = a.type AND e.aggregate_id = a.id
     )
     SELECT ${eventColumns('e')}, ${NOT_SKIPPED} AND NOT EXISTS (SELECT FROM park_markers p WHERE p.subject = e.subject
       AND p.aggregate_type = e.aggregate_type AND p.aggregate_id = e.aggregate_id AND p.from_seq_no <= e.seq_no) AS folded
     FROM places JOIN event_log e ON e.subject = $1 AND e.seq_no = places.seq_no
     WHERE e.feed_no <= $2 ORDER BY e.seq_no`,
    [
      log.subject,
      feedNo.toString(),
      seqNos.map(String),
      aggregates.map((key) => aggregateHash(key.aggregateType, key.aggregateId).toString()),
      aggregates.map((key) => key.aggregateType),
      aggregates.map((key) => key.aggregateId),
      aggregates.map((key) => key.fromSeqNo.toString()),
    ],
  );
  const events = readEvents(log, rows);
  const folded = events.filter((_event, i) => (rows[i] as { folded: boolean }).folded).filter(isTold);
  const places = new Set([...seqNos, ...events.map(({ seqNo }) => seqNo)]);
  if (folded.length === 0) return { seqNos: [...places], told: [] };
  const activities = await readActivities(client, log.subject, folded);
  const tableRows = await readRows(client, log.subject, folded);
  const owners = await readOwners(client, log, folded);
  return {
    seqNos: [...places],
    told: folded.map((event) => ({
      event,
      facts: {
        activities: activities.get(event.seqNo) ?? [],
        row: tableRows.get(event.seqNo) ?? null,
        owners: owners.get(event.seqNo) ?? [],
      },
    })),
  };
}

const bigintOf = (cell: string | null | undefined): bigint | null =>
  cell === null || cell === undefined ? null : BigInt(cell);

async function readActivities(
  client: ClientBase,
  subject: number,
  events: readonly ToldEvent[],
): Promise<ReadonlyMap<bigint, readonly ToldActivity[]>> {
  const { rows } = await client.query(
    `SELECT seq_no, kind, side, collection, token_id, quantity, from_address, to_address, price, currency
     FROM activities WHERE subject = $1 AND seq_no = ANY($2::bigint[]) ORDER BY seq_no, item`,
    [subject, events.map(({ seqNo }) => seqNo.toString())],
  );
  const found = new Map<bigint, ToldActivity[]>();
  for (const row of rows as Cells[]) {
    const seqNo = BigInt(row['seq_no'] as string);
    const activity: ToldActivity = {
      kind: row['kind'] as string,
      side: row['side'] ?? null,
      collection: row['collection'] ?? null,
      tokenId: bigintOf(row['token_id']),
      quantity: bigintOf(row['quantity']),
      from: row['from_address'] ?? null,
      to: row['to_address'] ?? null,
      price: bigintOf(row['price']),
      currency: row['currency'] ?? null,
    };
    const of = found.get(seqNo);
    if (of === undefined) found.set(seqNo, [activity]);
    else of.push(activity);
  }
  return found;
}

/** Of listings that a match filled, of curation offers and exhibits: what the event itself may leave out. */
async function readRows(
  client: ClientBase,
  subject: number,
  events: readonly ToldEvent[],
): Promise<ReadonlyMap<bigint, ToldRow>> {
  const asked = events.filter(
    (event) =>
      event.name === 'CurationOfferChanged' ||
      event.name === 'ExhibitChanged' ||
      (event.name === 'OrderFilled' && !event.data.isSale),
  );
  if (asked.length === 0) return new Map();
  const { rows } = await client.query(
    `SELECT a.seq_no, found.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) AS a(seq_no, type, contract, id)
     CROSS JOIN LATERAL (
       (SELECT r.seller AS maker, NULL AS other, r.collection, r.token_id, r.price, r.currency FROM orders r
        WHERE a.type = 'order' AND r.subject = $1 AND r.contract = a.contract AND r.order_id = a.id AND r.opened_seq_no <= a.seq_no
        ORDER BY r.opened_seq_no DESC LIMIT 1)
       UNION ALL
       SELECT r.from_address, r.to_address, r.collection, r.token_id, r.price, r.currency FROM curation_offers r
       WHERE a.type = 'curation-offer' AND r.subject = $1 AND r.contract = a.contract AND r.offer_id = a.id
       UNION ALL
       SELECT r.origin, r.curator, r.collection, r.token_id, r.price, r.currency FROM exhibits r
       WHERE a.type = 'exhibit' AND r.subject = $1 AND r.contract = a.contract AND r.exhibit_id = a.id
     ) found`,
    [
      subject,
      asked.map(({ seqNo }) => seqNo.toString()),
      asked.map(({ aggregateType }) => aggregateType),
      asked.map(({ aggregateId }) => splitContractId(aggregateId).contract),
      asked.map(({ aggregateId }) => splitContractId(aggregateId).id),
    ],
  );
  return new Map(
    (rows as Cells[]).map((row) => [
      BigInt(row['seq_no'] as string),
      {
        maker: row['maker'] ?? null,
        other: row['other'] ?? null,
        collection: row['collection'] ?? null,
        tokenId: bigintOf(row['token_id']),
        price: bigintOf(row['price']),
        currency: row['currency'] ?? null,
      },
    ]),
  );
}

/**
 * Who had the tokens that offers are for. While a market keeps a listed token, its owner is who listed it; else whoever it came to last before
 * the offer; of a token that exists several times, those who had most of it then.
 */
async function readOwners(
  client: ClientBase,
  log: LogContext,
  events: readonly ToldEvent[],
): Promise<ReadonlyMap<bigint, readonly string[]>> {
  const asked = events.flatMap((event) =>
    offeredTokens(event).map(({ collection, tokenId }) => ({
      seqNo: event.seqNo,
      collection: collection as string,
      tokenId: tokenId as bigint,
    })),
  );
  if (asked.length === 0) return new Map();
  const { rows } = await client.query(
    `SELECT COALESCE(escrowed.owners, single.owners) AS owners
     FROM unnest($2::bigint[], $3::text[], $4::numeric[]) WITH ORDINALITY AS a(seq_no, collection, token_id, no)
     LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT o.seller) AS owners FROM orders o
       WHERE o.subject = $1 AND o.collection = a.collection AND o.status IN ('LISTING', 'SOLD', 'CANCELED') AND o.token_id = a.token_id
         AND o.escrow AND o.opened_seq_no < a.seq_no AND (o.status = 'LISTING' OR o.seq_no > a.seq_no) AND o.seller IS NOT NULL
     ) escrowed ON true
     LEFT JOIN LATERAL (
       SELECT ARRAY[v.to_address] AS owners FROM activities v
       WHERE v.subject = $1 AND v.collection = a.collection AND v.kind IN ('MINT', 'TRANSFER', 'SALE', 'BURN') AND v.token_id = a.token_id
         AND v.seq_no < a.seq_no AND EXISTS (
           SELECT FROM tokens t WHERE t.subject = $1 AND t.collection = a.collection AND t.token_id = a.token_id)
       ORDER BY v.seq_no DESC, v.item DESC LIMIT 1
     ) single ON true
     ORDER BY a.no`,
    [
      log.subject,
      asked.map(({ seqNo }) => seqNo.toString()),
      asked.map(({ collection }) => collection),
      asked.map(({ tokenId }) => tokenId.toString()),
    ],
  );
  const known = (rows as { owners: (string | null)[] | null }[]).map(({ owners }) => owners);
  const held = await readHolders(
    client,
    log,
    asked.filter((_moment, i) => known[i] === null),
  );
  const found = new Map<bigint, string[]>();
  let next = 0;
  asked.forEach(({ seqNo }, i) => {
    const owners = (known[i] ?? held[next++] ?? []).filter((owner) => owner !== null);
    found.set(seqNo, [...(found.get(seqNo) ?? []), ...owners]);
  });
  return found;
}
