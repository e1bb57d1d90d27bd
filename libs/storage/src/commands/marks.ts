import type { CommandStore, MarkRequest, MarkResult, RequestReading } from '@imart/event-service';
import { createBatches } from './batches';
import type { CommandContext } from './context';
import { isUndone, markBatch, markFailure, type Marked } from './markBatch';
import { createRecentMarks } from './recentMarks';
import { readForRequests, type AskedReading } from './requestReads';
import { onConnection, translated } from './session';

/** Most commands that are read or marked by one statement. */
const BATCH_COMMANDS_MAX = 100;

/** A batch that waits for longer than this for one of its markers lets its commands go on by themselves: the others do not wait with it. */
const BATCH_LOCK_TIMEOUT_MS = 100;

type Marks = Pick<CommandStore, 'readForRequest' | 'mark' | 'keepRefusal' | 'sweep'>;

/**
 * Reads and marks. What is asked for while a statement runs is read together and marked together by the next one, and one commit makes
 * all of it durable (decision 14).
 */
export function createMarks(context: CommandContext): Marks {
  const { pool, log, markerTtlMs, keptMs } = context;
  const { subject } = log;
  const recent = createRecentMarks();

  const read = createBatches<AskedReading, RequestReading>({
    itemsMax: BATCH_COMMANDS_MAX,
    keysOf: () => [],
    async run(asked) {
      const readings = await onConnection(pool, (client) => readForRequests(client, context, asked));
      if (readings[0] !== undefined) recent.tellLag(readings[0].lagMs);
      return readings.map((reading) => Promise.resolve(reading));
    },
  });

  /** Marks one by itself; its failure is its own. */
  const markAlone = async (request: MarkRequest): Promise<Marked> => {
    try {
      const { results } = await onConnection(pool, (client) => markBatch(client, context, [request]));
      return results[0] as Marked;
    } catch (error) {
      const result = markFailure(error);
      if (result === null) throw error;
      return { result };
    }
  };

  const mark = createBatches<MarkRequest, Marked>({
    itemsMax: BATCH_COMMANDS_MAX,
    keysOf: ({ aggregateId, idempotency, actor }) => [
      `aggregate ${aggregateId}`,
      ...(idempotency === null ? [] : [`key ${JSON.stringify([actor, idempotency.key])}`]),
    ],
    run: (requests) =>
      onConnection(pool, async (client) => {
        try {
          const { results, lagMs } = await markBatch(client, context, requests, BATCH_LOCK_TIMEOUT_MS);
          recent.tellLag(lagMs);
          return results.map((result) => Promise.resolve(result));
        } catch (error) {
          if (!isUndone(error)) throw error;
          await client.query('ROLLBACK');
          return requests.map(markAlone);
        }
      }),
  });

  return {
    readForRequest(aggregateId, idempotency, certain = false) {
      const guess = certain ? null : recent.guess(aggregateId);
      if (guess !== null) return Promise.resolve({ kept: null, ...guess, archived: false, hint: true });
      return translated(() => read({ aggregateId, idempotency }));
    },

    mark: (request) =>
      translated(async (): Promise<MarkResult> => {
        const { aggregateId, event } = request;
        // Until it is known what became of it nothing is.
        recent.forget(aggregateId);
        const marked = await mark(request);
        if (marked.result === 'marked') recent.remember(aggregateId, { ...event, timeUs: marked.timeUs });
        return marked.result;
      }),

    keepRefusal: ({ actor, key, bodyHash, answer }) =>
      translated(async () => {
        await pool.query(
          `INSERT INTO command_answers (subject, actor, idempotency_key, body_hash, answer)
           VALUES ($1, $2, $3, decode($4, 'hex'), $5) ON CONFLICT DO NOTHING`,
          [subject, actor, key, bodyHash, JSON.stringify(answer)],
        );
      }),

    sweep: () =>
      translated(async () => {
        // A marker that is overwritten meanwhile is looked at again under its lock, and stays.
        const { rows } = await pool.query(
          `WITH markers AS (
             DELETE FROM command_markers m WHERE m.subject = $1 AND m.marked_at <= clock_timestamp() - $2 * interval '1 ms'
               AND NOT EXISTS (SELECT FROM command_outbox o WHERE o.subject = $1 AND o.aggregate_id = m.aggregate_id) RETURNING 1
           ), answers AS (
             DELETE FROM command_answers WHERE subject = $1 AND answered_at <= clock_timestamp() - $3 * interval '1 ms' RETURNING 1
           ), rejected AS (
             DELETE FROM rejected_commands WHERE subject = $1 AND rejected_at <= clock_timestamp() - $3 * interval '1 ms' RETURNING 1
           )
           SELECT (SELECT count(*) FROM markers) + (SELECT count(*) FROM answers) + (SELECT count(*) FROM rejected) AS removed`,
          [subject, markerTtlMs, keptMs],
        );
        return Number((rows[0] as { removed: string }).removed);
      }),
  };
}
