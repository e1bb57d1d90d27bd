import type { PoolClient } from 'pg';
import { aggregateKeyText, type Event, type FoldState, type Observer, type SeqNo } from '@imart/core';
import {
  createRunFolder,
  inSlices,
  noSnapshots,
  type FoldedRun,
  type ParkMarker,
  type StateCache,
} from '@imart/pipeline';
import {
  contentHash,
  CONTENT_INTACT,
  eventColumns,
  readEvents,
  type LogContext,
  type StoredEvent,
} from '../subject/eventLog';
import { ReplayError } from './errors';
import type { AggregateSelection } from './foldPart';

/**
 * Events in one read. What one read becomes lives until it is encoded; the more of it, the more the garbage collector moves
 * about: with 2,500 it took a second of four.
 */
const EVENTS_PER_READ = 500;

export interface FoldLogOptions {
  readonly log: LogContext;
  readonly observer: Observer;
  /** How far each lane is, by its number: no event after that is folded. */
  readonly lanes: readonly bigint[];
  readonly parked: readonly ParkMarker[];
  readonly aggregates: AggregateSelection;
  /** Takes what whole aggregates gave, and how many events were read since; nothing more is folded before it resolves. */
  readonly take: (run: FoldedRun, events: number) => Promise<void>;
}

/**
 * Folds the log aggregate by aggregate, in the order of the log's aggregate index: no state outlives its aggregate, so
 * memory is bounded by the largest one, and every row is written once, in its last version.
 *
 * Every event's content hash is computed again on the way: a log that was tampered with is not replayed.
 */
export async function foldLog(client: PoolClient, options: FoldLogOptions): Promise<void> {
  const { log, observer, lanes, parked, aggregates, take } = options;
  const parkedFrom = new Map(
    parked.map((marker) => [aggregateKeyText(marker.aggregateType, marker.aggregateId), marker.fromSeqNo]),
  );
  const keyOf = (event: Event): string => aggregateKeyText(event.aggregateType, event.aggregateId);
  const waits = (event: Event): boolean => {
    const from = parkedFrom.get(keyOf(event));
    return from !== undefined && event.seqNo >= from;
  };

  await client.query(
    `DECLARE replayed NO SCROLL CURSOR FOR SELECT ${eventColumns('event_log')},
       CASE WHEN ${CONTENT_INTACT} THEN NULL ELSE encode(content_hash, 'hex') END AS refuted_hash
     FROM event_log WHERE subject = ${log.subject} AND ${executedCondition(lanes)}
       AND seq_no <> ALL (ARRAY(SELECT seq_no FROM skipped_events WHERE subject = ${log.subject}))
       AND ${selectedCondition(aggregates)}
     ORDER BY subject, aggregate_hash, aggregate_type, aggregate_id, seq_no`,
  );
  const fetch = (): Promise<{ rows: unknown[] }> => {
    const fetched = client.query(`FETCH ${EVENTS_PER_READ} FROM replayed`);
    // Its error is met where it is waited for, unless something else has failed before.
    fetched.catch(() => undefined);
    return fetched;
  };
  let fetching = fetch();
  let rest: Event[] = [];
  for (;;) {
    const { rows } = await fetching;
    const last = rows.length < EVENTS_PER_READ;
    if (!last) fetching = fetch();
    checkContent(log, rows as CheckedRow[]);
    const read = readEvents(log, rows);
    rest.push(...read);
    const events = rest;
    // The last aggregate may go on in the next read: it waits for the rest of it.
    const tail = last ? events.length : startOfLastAggregate(events);
    rest = events.slice(tail);
    const folder = createRunFolder({
      observer,
      cache: createLatestState(),
      snapshotRule: noSnapshots,
      parked: new Set(),
    });
    // In slices: the writes of the run before need turns of the event loop for their statements.
    await inSlices(events.slice(0, tail), (slice) => {
      folder.fold(parkedFrom.size === 0 ? slice : slice.filter((event) => !waits(event)));
    });
    await take(folder.result(), read.length);
    if (last) break;
  }
  await client.query('CLOSE replayed');
}

/** Events come aggregate by aggregate: only the state of the one that was folded last is ever asked for. */
function createLatestState(): Pick<StateCache, 'get' | 'set'> {
  let latestKey: string | undefined;
  let latest: FoldState | undefined;
  return {
    get: (key) => (key === latestKey ? latest : undefined),
    set(key, state) {
      latestKey = key;
      latest = state;
    },
  };
}

/** SQL: the event's aggregate is among those selected. */
function selectedCondition(aggregates: AggregateSelection): string {
  if (aggregates === 'all') return 'true';
  if ('only' in aggregates) return `aggregate_hash IN (${aggregates.only.join(', ')})`;
  return `aggregate_hash BETWEEN ${aggregates.from} AND ${aggregates.to}`;
}

/** SQL: the event is executed when its lane is at `lanes` by number. */
export function executedCondition(lanes: readonly bigint[]): string {
  if (lanes.every((seqNo) => seqNo === lanes[0])) return `seq_no <= ${lanes[0]}`;
  // The same number as `laneOf` gives.
  const lane = `(aggregate_hash & 9223372036854775807) % ${lanes.length}`;
  return `seq_no <= ('{${lanes.join(',')}}'::bigint[])[1 + ${lane}]`;
}

function startOfLastAggregate(events: readonly Event[]): number {
  const last = events[events.length - 1];
  if (last === undefined) return 0;
  // One that fills all of it is not looked through with every read.
  const first = events[0] as Event;
  if (first.aggregateType === last.aggregateType && first.aggregateId === last.aggregateId) return 0;
  let start = events.length - 1;
  while (start > 0) {
    const before = events[start - 1] as Event;
    if (before.aggregateType !== last.aggregateType || before.aggregateId !== last.aggregateId) break;
    start--;
  }
  return start;
}

interface CheckedRow extends StoredEvent {
  /** The stored hash, when the event does not have it. */
  readonly refuted_hash: string | null;
}

/** Before anything is decoded: what was changed need not be readable any more. */
function checkContent(log: LogContext, rows: readonly CheckedRow[]): void {
  const row = rows.find((one) => one.refuted_hash !== null);
  if (row === undefined) return;
  const { position, index } = log.seqNos.decode(BigInt(row.seq_no) as SeqNo);
  const source = {
    position,
    index,
    txHash: `0x${row.tx_hash}`,
    blockHash: `0x${row.block_hash}`,
    timeUs: BigInt(row.time_us),
    address: row.address,
  };
  const event = { aggregateType: row.aggregate_type, aggregateId: row.aggregate_id, name: row.name, source };
  throw new ReplayError(
    `${log.subjectId}: the event at seq no ${row.seq_no} does not match its content hash (stored ${row.refuted_hash}, ` +
      `found ${contentHash(event, row.data)}): the log was changed. Restore it from a backup, or read the chain again into an empty database`,
    { seqNo: row.seq_no },
  );
}
