import type { ClientBase } from 'pg';
import type { AggregateKey, SeqNo } from '@imart/core';
import {
  FeedGapError,
  type ChangeKind,
  type FeedChange,
  type FeedEvent,
  type FeedLimits,
} from '@imart/pipeline';
import { eventColumns, readEvents, type LogContext } from './eventLog';

const CHANGES_MAX_DEFAULT = 100;
const EVENTS_MAX_DEFAULT = 10_000;

interface FeedRow {
  readonly feed_no: string;
  readonly kind: ChangeKind;
  readonly from_seq_no: string;
  readonly to_seq_no: string;
  readonly epoch: string;
  readonly committed_at_ms: string;
  readonly aggregate_type: string | null;
  readonly aggregate_id: string | null;
}

/**
 * The feed's changes after one, as far as they are to be shown. All of it must be of one moment: the caller's transaction sees to it.
 * @throws {FeedGapError}
 */
export async function readFeedChanges(
  client: ClientBase,
  log: LogContext,
  observer: string,
  afterFeedNo: bigint,
  { changesMax = CHANGES_MAX_DEFAULT, eventsMax = EVENTS_MAX_DEFAULT }: FeedLimits,
): Promise<readonly FeedChange[]> {
  const { subject } = log;
  const { rows: ends } = await client.query(
    `SELECT last_feed_no, (SELECT min(seq_no) FROM checkpoints WHERE observer = $2 AND subject = $1) AS executed
     FROM subjects WHERE id = $1`,
    [subject, observer],
  );
  const { last_feed_no, executed } = ends[0] as { last_feed_no: string; executed: string };
  const { rows } = await client.query(
    `SELECT feed_no, kind, from_seq_no, to_seq_no, epoch, aggregate_type, aggregate_id,
       (extract(epoch FROM committed_at) * 1000)::bigint AS committed_at_ms
     FROM feed WHERE subject = $1 AND feed_no > $2 ORDER BY feed_no LIMIT $3`,
    [subject, afterFeedNo.toString(), changesMax],
  );
  const changes = rows as FeedRow[];
  refuseGap(log, changes, afterFeedNo, BigInt(last_feed_no));
  const shown = await executedOnes(client, subject, changes, BigInt(executed));
  return withEvents(client, log, await upTo(client, subject, shown, eventsMax));
}

function refuseGap(
  { subjectId }: LogContext,
  changes: readonly FeedRow[],
  afterFeedNo: bigint,
  lastFeedNo: bigint,
): void {
  const numbers = changes.map(({ feed_no }) => BigInt(feed_no));
  const wrong = numbers.find((feedNo, i) => feedNo !== afterFeedNo + 1n + BigInt(i));
  if (wrong !== undefined) throw new FeedGapError(subjectId, afterFeedNo, wrong);
  if (numbers.length === 0 && afterFeedNo !== lastFeedNo)
    throw new FeedGapError(subjectId, afterFeedNo, lastFeedNo);
}

/** The changes before the first one of which something is left that the lanes have not executed. */
async function executedOnes(
  client: ClientBase,
  subject: number,
  changes: readonly FeedRow[],
  executed: bigint,
): Promise<readonly FeedRow[]> {
  const pending = changes.findIndex((change) => waits(change) && BigInt(change.to_seq_no) > executed);
  if (pending === -1) return changes;
  // Whatever waits may have been cut off since: then the lanes will never come to its end, and only what is left counts.
  const { rows } = await client.query(
    `SELECT feed_no, from_seq_no FROM feed WHERE subject = $1 AND feed_no > $2 AND kind = 'invalidated'`,
    [subject, (changes[pending] as FeedRow).feed_no],
  );
  const cuts = (rows as { feed_no: string; from_seq_no: string }[]).map((cut) => ({
    feedNo: BigInt(cut.feed_no),
    end: BigInt(cut.from_seq_no) - 1n,
  }));
  const isExecuted = (change: FeedRow): boolean => {
    if (!waits(change)) return true;
    const later = cuts.filter(({ feedNo }) => feedNo > BigInt(change.feed_no));
    const end = later.reduce((least, cut) => (cut.end < least ? cut.end : least), BigInt(change.to_seq_no));
    return end <= executed || end < BigInt(change.from_seq_no);
  };
  const first = changes.findIndex((change) => !isExecuted(change));
  return first === -1 ? changes : changes.slice(0, first);
}

/** What a reorg, a release or a skip changes is changed with it; events that were added wait for the lanes. */
const waits = ({ kind }: FeedRow): boolean => kind === 'appended' || kind === 'late';

/** The first changes that together reach so many events; one at least. */
async function upTo(
  client: ClientBase,
  subject: number,
  changes: readonly FeedRow[],
  eventsMax: number,
): Promise<readonly FeedRow[]> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM event_log e WHERE e.subject = $1 AND e.seq_no BETWEEN f.first AND f.last AND e.feed_no = f.feed_no)
       + (SELECT count(*) FROM archived_events e WHERE e.subject = $1 AND e.seq_no BETWEEN f.first AND f.last AND e.feed_no = f.feed_no)
       + (SELECT count(*) FROM retracted_events r WHERE r.subject = $1 AND r.feed_no = f.feed_no)
       + (SELECT count(*) FROM retracted_events r WHERE r.subject = $1 AND r.retracted_feed_no = f.feed_no) AS events
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS f(feed_no, first, last, place) ORDER BY place`,
    [subject, ...rangesOf(changes)],
  );
  let sum = 0;
  const end = (rows as { events: string }[]).findIndex(({ events }) => (sum += Number(events)) >= eventsMax);
  return end === -1 ? changes : changes.slice(0, end + 1);
}

const rangesOf = (changes: readonly FeedRow[]): string[][] => [
  changes.map(({ feed_no }) => feed_no),
  changes.map(({ from_seq_no }) => from_seq_no),
  changes.map(({ to_seq_no }) => to_seq_no),
];

interface NumberedRow {
  readonly feed_no: string;
  readonly retracted_feed_no: string | null;
}

async function withEvents(
  client: ClientBase,
  log: LogContext,
  changes: readonly FeedRow[],
): Promise<readonly FeedChange[]> {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { subject } = log;
  // What was archived since was told, or is told, all the same.
  const fromLog = (table: string): string =>
    `SELECT ${eventColumns('e')}, e.feed_no FROM ${table} e WHERE e.subject = $1 AND e.seq_no BETWEEN f.first AND f.last AND e.feed_no = f.feed_no`;
  const inLog = await client.query(
    `SELECT r.*, NULL AS retracted_feed_no FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS f(feed_no, first, last)
     CROSS JOIN LATERAL (${fromLog('event_log')} UNION ALL ${fromLog('archived_events')}) r`,
    [subject, ...rangesOf(changes)],
  );
  const between = [subject, first.feed_no, last.feed_no];
  const selectRetracted = `SELECT ${eventColumns('r')}, r.feed_no, r.retracted_feed_no FROM retracted_events r WHERE r.subject = $1`;
  const addedSince = await client.query(`${selectRetracted} AND r.feed_no BETWEEN $2 AND $3`, between);
  const takenBack = await client.query(
    `${selectRetracted} AND r.retracted_feed_no BETWEEN $2 AND $3`,
    between,
  );
  const added = grouped(log, [...inLog.rows, ...addedSince.rows], ({ feed_no }) => feed_no);
  const retracted = grouped(log, takenBack.rows, ({ retracted_feed_no }) => retracted_feed_no as string);
  return changes.map((row) => ({
    feedNo: BigInt(row.feed_no),
    kind: row.kind,
    epoch: BigInt(row.epoch),
    fromSeqNo: BigInt(row.from_seq_no) as SeqNo,
    toSeqNo: BigInt(row.to_seq_no) as SeqNo,
    committedAtMs: Number(row.committed_at_ms),
    aggregate: aggregateOf(row),
    added: added.get(row.feed_no) ?? [],
    retracted: retracted.get(row.feed_no) ?? [],
  }));
}

function aggregateOf({ aggregate_type, aggregate_id }: FeedRow): AggregateKey | null {
  if (aggregate_type === null || aggregate_id === null) return null;
  return { aggregateType: aggregate_type, aggregateId: aggregate_id };
}

/** Ascending in each group. */
function grouped(
  log: LogContext,
  rows: readonly unknown[],
  groupOf: (row: NumberedRow) => string,
): ReadonlyMap<string, readonly FeedEvent[]> {
  const groups = new Map<string, FeedEvent[]>();
  const events = readEvents(log, rows);
  (rows as NumberedRow[]).forEach((row, i) => {
    const event: FeedEvent = {
      event: events[i] as FeedEvent['event'],
      addedBy: BigInt(row.feed_no),
      retractedBy: row.retracted_feed_no === null ? null : BigInt(row.retracted_feed_no),
    };
    const group = groups.get(groupOf(row));
    if (group === undefined) groups.set(groupOf(row), [event]);
    else group.push(event);
  });
  for (const group of groups.values()) group.sort((a, b) => (a.event.seqNo < b.event.seqNo ? -1 : 1));
  return groups;
}
