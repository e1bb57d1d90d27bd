import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { WorkerError } from '@imart/core';
import {
  createBell,
  followTopic,
  UnknownAggregateTypeError,
  type FollowedEvent,
  type SubscriptionCursor,
} from '@imart/event-service';
import type { FastifyInstance } from 'fastify';
import type { CommandType } from '../../commands/commandSide';
import { answers } from '../../fields';
import { parameterSet } from '../../parameters';
import { topicAnswer } from '../aggregates/questions';
import { cursorOf, cursorText } from './cursorText';

export interface StreamOptions {
  /** Silence for longer than this is broken, so that nobody on the way takes the connection for dead. @defaultValue `15_000` */
  readonly heartbeatMs?: number;
  /** Whoever takes nothing for so long is cut off; they may come again. @defaultValue `60_000` */
  readonly stalledMs?: number;
  /** Streams of this process at the same time. @defaultValue `1_000` */
  readonly streamsMax?: number;
  /** How late events that another process has executed are noticed. @defaultValue `250` */
  readonly pollMs?: number;
}

/** This process has as many streams as it takes. */
export class StreamsFullError extends WorkerError {
  constructor(streamsMax: number) {
    super(
      `${streamsMax} streams are open, and this process takes no more; try again later, or another process`,
      {
        code: 'STREAMS_FULL',
        disposition: 'retry',
      },
    );
  }
}

const params = parameterSet({
  topic: {
    type: 'string',
    pattern: '^[a-z][a-z0-9-]{0,63}$',
    allowed: 'lower-case words with hyphens',
    description: 'Aggregate type whose events are told.',
  },
});

const query = parameterSet({
  from: {
    type: 'string',
    pattern: '^(beginning|now|\\d{1,19}(-\\d{1,19})?)$',
    default: 'now',
    allowed: '`beginning`, `now` or the id of an event of this stream',
    description: 'Where a stream begins that has no Last-Event-ID.',
  },
  aggregate: {
    type: 'string',
    minLength: 1,
    maxLength: 256,
    allowed: '1 to 256 characters',
    description: 'Only the events of this aggregate.',
  },
});

const headers = {
  type: 'object',
  properties: {
    'last-event-id': {
      type: 'string',
      description:
        'The id of the last event that was read: the stream goes on after it. Browsers send it by themselves.',
    },
  },
} as const;

/** Events of a topic as they are executed, by server-sent events: every one, in order per aggregate; the reader keeps the cursor. */
export function registerStreams(
  app: FastifyInstance,
  types: ReadonlyMap<string, CommandType>,
  { heartbeatMs = 15_000, stalledMs = 60_000, streamsMax = 1_000, pollMs = 250 }: StreamOptions = {},
): void {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  let open = 0;

  app.get<{ Params: { topic: string }; Querystring: { from: string; aggregate?: string } }>(
    '/v1/streams/:topic',
    {
      schema: {
        tags: ['streams'],
        summary: 'Events as they are executed (text/event-stream)',
        params,
        querystring: query,
        headers,
        response: answers(
          { description: 'Events: `id` to go on after, `event` their name, `data` as `/events` has them.' },
          400,
          404,
          503,
        ),
      },
    },
    async (request, reply) => {
      const { topic } = request.params;
      const type = types.get(topic);
      if (type === undefined) throw new UnknownAggregateTypeError(topic);
      const given = request.headers['last-event-id'] as string | undefined;
      const from = await startOf(type, given, request.query.from);
      if (open >= streamsMax) throw new StreamsFullError(streamsMax);

      const bell = createBell();
      const forget = type.onExecuted(() => bell.ring());
      const gone = new AbortController();
      const signal = AbortSignal.any([gone.signal, closing.signal]);
      request.raw.once('close', () => gone.abort());
      const events = followTopic(
        { feed: type.store.subject, from, wait: (until) => bell.wait(pollMs, until) },
        signal,
      );
      open++;
      try {
        // Before anything is answered: a cursor of another history gets a status of its own.
        await type.store.subject.readFeed(from.afterFeedNo, { changesMax: 1, eventsMax: 1 });
        reply.hijack();
        await writeEvents(reply.raw, events, {
          aggregate: request.query.aggregate,
          heartbeatMs,
          stalledMs,
          signal,
        });
      } catch (error) {
        if (!reply.sent) throw error;
        // The client comes again by itself, with the id of the last event that it has; what fails then is told.
      } finally {
        open--;
        forget();
        if (reply.sent) reply.raw.end();
      }
    },
  );
}

/** @throws {BadParameterError} */
async function startOf(
  type: CommandType,
  lastEventId: string | undefined,
  from: string,
): Promise<SubscriptionCursor> {
  if (lastEventId !== undefined && lastEventId !== '') return cursorOf('Last-Event-ID', lastEventId);
  if (from === 'beginning') return { afterFeedNo: 0n, partSeqNo: null };
  if (from === 'now') return { afterFeedNo: await type.lastFeedNo(), partSeqNo: null };
  return cursorOf('from', from);
}

interface WriteOptions {
  readonly aggregate: string | undefined;
  readonly heartbeatMs: number;
  readonly stalledMs: number;
  readonly signal: AbortSignal;
}

/** Writes until the signal aborts; reads on only when the client takes what is written. */
async function writeEvents(
  response: ServerResponse,
  events: AsyncIterable<FollowedEvent>,
  { aggregate, heartbeatMs, stalledMs, signal }: WriteOptions,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // Proxies that collect answers before they send them would hold events back.
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': still here\n\n');
  }, heartbeatMs);
  try {
    for await (const { event, cursor } of events) {
      if (aggregate !== undefined && event.aggregateId !== aggregate) continue;
      const data = JSON.stringify({ aggregateId: event.aggregateId, ...topicAnswer(event) });
      const taken = response.write(`id: ${cursorText(cursor)}\nevent: ${event.name}\ndata: ${data}\n\n`);
      if (!taken) await drained(response, stalledMs, signal);
    }
  } finally {
    clearInterval(heartbeat);
  }
}

/** @throws when the client takes nothing for too long: it is cut off. */
async function drained(response: ServerResponse, stalledMs: number, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.timeout(stalledMs);
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, patience]) });
  } catch (error) {
    // What is buffered would keep the connection, and its memory.
    response.destroy();
    throw error;
  }
}
