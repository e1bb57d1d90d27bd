import {
  aggregateHash,
  dispositionOf,
  messageOf,
  UNDECODABLE,
  WorkerError,
  type Event,
  type FoldState,
  type Reducer,
  type SeqNo,
  type SubjectId,
  type UndecodableData,
} from '@imart/core';
import type { Moment } from '@imart/event-service';
import { marketEventCodec, marketReducers } from '@imart/market';
import { decodeState } from '@imart/pipeline';
import { Prisma } from '../generated/client';
import { eventColumns, NOT_SKIPPED, readEvents, type LogContext } from '../subject/eventLog';
import { subjectNumber, type Reads } from './database';

/** An aggregate of a chain: an order, an offer, a token. */
export interface ChainAggregateKey {
  /** CAIP-2 id of the chain. */
  readonly subject: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** A state of a chain's aggregate, or a snapshot of one. */
export interface ChainAggregateState {
  readonly state: FoldState;
  /** Of the last event in it, in microseconds since 1970; `null` where only a snapshot was read. */
  readonly timeUs: bigint | null;
  /** How many events were folded after the snapshot. */
  readonly folded: number;
  /** Why it goes no further; `null`: it goes as far as was asked for. */
  readonly stopped: { readonly seqNo: SeqNo; readonly code: string; readonly message: string } | null;
}

/** Types of aggregates that chains have. */
export const CHAIN_AGGREGATE_TYPES: readonly string[] = [...marketReducers.keys()];

const LATEST: Moment = { kind: 'latest' };

async function contextOf(db: Reads, { subject }: ChainAggregateKey): Promise<LogContext> {
  const subjectId = subject as SubjectId;
  const number = await subjectNumber(db, subject);
  return { subject: number, subjectId, codec: marketEventCodec, seqNos: db.seqNosOf(subjectId) };
}

/** SQL: rows `t` of this aggregate. */
const ofAggregate = (t: string, { subject }: LogContext, key: ChainAggregateKey): Prisma.Sql => {
  const column = (name: string): Prisma.Sql => Prisma.raw(`${t}.${name}`);
  return Prisma.sql`${column('subject')} = ${subject}
    AND ${column('aggregate_hash')} = ${aggregateHash(key.aggregateType, key.aggregateId).toString()}::bigint
    AND ${column('aggregate_type')} = ${key.aggregateType} AND ${column('aggregate_id')} = ${key.aggregateId}`;
};

/** SQL: the last seq no of the moment. Times rise with the log. */
function upTo(moment: Moment, context: LogContext, key: ChainAggregateKey): Prisma.Sql {
  switch (moment.kind) {
    case 'latest':
      return Prisma.sql`9223372036854775807::bigint`;
    case 'seqNo':
      return Prisma.sql`${moment.seqNo.toString()}::bigint`;
    case 'time':
      return Prisma.sql`coalesce((SELECT max(e.seq_no) FROM event_log e WHERE ${ofAggregate('e', context, key)}
        AND e.time_us <= ${moment.timeUs.toString()}::bigint), -1)`;
  }
}

/** What was taken back is not among them; what was skipped is. Ascending, after a seq no, at most `limit`. */
export async function readChainEvents(
  db: Reads,
  key: ChainAggregateKey,
  afterSeqNo: bigint,
  limit: number,
): Promise<readonly Event[]> {
  const context = await contextOf(db, key);
  const rows = await db.query(Prisma.sql`SELECT ${Prisma.raw(eventColumns('e'))} FROM event_log e
    WHERE ${ofAggregate('e', context, key)} AND e.seq_no > ${afterSeqNo.toString()}::bigint ORDER BY e.seq_no LIMIT ${limit}`);
  return readEvents(context, rows);
}

/** The newest snapshot of the program's reducer, not after the moment; `null`: there is none. */
export async function readChainSnapshot(
  db: Reads,
  key: ChainAggregateKey,
  moment: Moment = LATEST,
): Promise<ChainAggregateState | null> {
  const reducer = reducerOf(key);
  const context = await contextOf(db, key);
  const [row] = await db.query<{ state: string }>(Prisma.sql`SELECT s.state FROM snapshots s
    WHERE ${ofAggregate('s', context, key)} AND s.reducer_version = ${reducer.version}
      AND s.seq_no <= ${upTo(moment, context, key)} ORDER BY s.seq_no DESC LIMIT 1`);
  return row === undefined ? null : { state: decodeState(row.state), timeUs: null, folded: 0, stopped: null };
}

interface SourceRow {
  readonly state: string | null;
  readonly parked_from: bigint | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly seq_no: bigint | null;
}

/**
 * The state of an aggregate at a moment, folded from a snapshot and the events after it, which are read in one statement (E10). It goes
 * as far as the log, which may be a moment ahead of the market's tables.
 */
export async function readChainState(
  db: Reads,
  key: ChainAggregateKey,
  moment: Moment = LATEST,
): Promise<ChainAggregateState> {
  const reducer = reducerOf(key);
  const context = await contextOf(db, key);
  const rows = await db.query<SourceRow>(Prisma.sql`
    WITH asked AS MATERIALIZED (
      SELECT k.up_to, p.from_seq_no AS parked_from, p.code, p.message, least(k.up_to, p.from_seq_no - 1) AS last
      FROM (SELECT ${upTo(moment, context, key)} AS up_to) k
      LEFT JOIN park_markers p ON p.subject = ${context.subject} AND p.aggregate_type = ${key.aggregateType}
        AND p.aggregate_id = ${key.aggregateId}
    ), base AS MATERIALIZED (
      SELECT s.seq_no, s.state FROM asked k CROSS JOIN LATERAL (
        SELECT s.seq_no, s.state FROM snapshots s WHERE ${ofAggregate('s', context, key)}
          AND s.reducer_version = ${reducer.version} AND s.seq_no <= k.last ORDER BY s.seq_no DESC LIMIT 1) s
    )
    SELECT b.state, CASE WHEN k.parked_from <= k.up_to THEN k.parked_from END AS parked_from, k.code, k.message,
      NULL::bigint AS seq_no, NULL AS aggregate_type, NULL AS aggregate_id, NULL AS name, NULL AS data, NULL::bigint AS time_us,
      NULL AS address, NULL AS tx_hash, NULL AS block_hash
    FROM asked k LEFT JOIN base b ON true
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, r.seq_no, r.aggregate_type, r.aggregate_id, r.name, r.data, r.time_us, r.address, r.tx_hash, r.block_hash
    FROM asked k LEFT JOIN base b ON true CROSS JOIN LATERAL (
      SELECT ${Prisma.raw(eventColumns('e'))} FROM event_log e WHERE ${ofAggregate('e', context, key)}
        AND e.seq_no > coalesce(b.seq_no, -1) AND e.seq_no <= k.last AND ${Prisma.raw(NOT_SKIPPED)}) r`);
  const head = rows.find(({ seq_no }) => seq_no === null);
  const events = readEvents(
    context,
    rows.filter(({ seq_no }) => seq_no !== null),
  );
  return foldChain(
    reducer,
    key,
    head,
    [...events].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1)),
  );
}

function foldChain(
  reducer: Reducer,
  { aggregateId }: ChainAggregateKey,
  head: SourceRow | undefined,
  events: readonly Event[],
): ChainAggregateState {
  let state = typeof head?.state === 'string' ? decodeState(head.state) : reducer.initial(aggregateId);
  let stopped: ChainAggregateState['stopped'] =
    typeof head?.parked_from === 'bigint'
      ? { seqNo: head.parked_from as SeqNo, code: head.code ?? '', message: head.message ?? '' }
      : null;
  let timeUs: bigint | null = null;
  let folded = 0;
  for (const event of events) {
    try {
      if (event.name === UNDECODABLE) {
        const { reason } = event.data as UndecodableData;
        throw new WorkerError(reason, { code: 'UNDECODABLE', disposition: 'park' });
      }
      ({ state } = reducer.fold(state, event));
    } catch (error) {
      // The lanes have not come to it yet; they will set the aggregate aside there.
      if (dispositionOf(error) === 'stop') throw error;
      const code = error instanceof WorkerError ? error.code : 'REDUCER_FAILED';
      stopped = { seqNo: event.seqNo, code, message: messageOf(error) };
      break;
    }
    timeUs = event.source.timeUs;
    folded++;
  }
  return { state, timeUs, folded, stopped };
}

function reducerOf({ aggregateType }: ChainAggregateKey): Reducer {
  const reducer = marketReducers.get(aggregateType);
  if (reducer === undefined) throw new RangeError(`chains have no aggregates of type ${aggregateType}`);
  return reducer;
}
