import { ConfigError, messageOf, type Event } from '@imart/core';
import { createSubscription } from '@imart/event-service';
import { mayRetry, retryDelayMs, STORAGE_RETRY, waitMs } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { openSubscription, type DatabasePool } from '@imart/storage';
import { createEventQueue, type EventQueue, type QueuedEvent, type WakeUpBackend } from '@imart/stream';
import { topicAnswer } from '../resources/aggregates/questions';
import type { CommandType } from './commandSide';

/** A queue that is told of a type's events. */
export interface NamedQueue {
  readonly topic: string;
  readonly name: string;
}

/**
 * What `EVENT_QUEUES` names.
 * @throws {ConfigError} what is no `TYPE/NAME`, or of a type that is not defined here.
 */
export function readEventQueues(texts: readonly string[], types: readonly string[]): readonly NamedQueue[] {
  const problems: string[] = [];
  const queues = [...new Set(texts)].map((text) => {
    const [topic = '', name = '', ...more] = text.split('/');
    if (more.length > 0 || !/^[a-z][a-z0-9-]{0,62}$/.test(name))
      problems.push(`"${text}" is no TYPE/NAME, the name being lower-case letters, digits and hyphens`);
    else if (!types.includes(topic)) problems.push(`"${text}": AGGREGATES defines no type "${topic}"`);
    return { topic, name };
  });
  if (problems.length > 0)
    throw new ConfigError(problems.map((problem) => ({ setting: 'EVENT_QUEUES', problem })));
  return queues;
}

export interface EventQueuesOptions {
  readonly pool: DatabasePool;
  readonly types: ReadonlyMap<string, CommandType>;
  readonly queues: readonly NamedQueue[];
  readonly backend: WakeUpBackend;
  readonly logger: Logger;
  readonly random: () => number;
  /** Unique to this process. */
  readonly holder: string;
}

/** Tells the queues until the signal aborts: each one by one process at a time, from its durable cursor on. One that cannot be told holds up itself alone. */
export async function runEventQueues(options: EventQueuesOptions, signal: AbortSignal): Promise<void> {
  const { logger } = options;
  await Promise.all(
    options.queues.map((queue) =>
      tell(options, queue, signal).catch((error: unknown) => {
        logger.error(
          'this process tells a queue nothing more until it is started again; its cursor stays where it is',
          { ...queue, error },
        );
      }),
    ),
  );
}

/** Aggregates whose events are in a queue at once: its depth. */
const DEPTH_MAX = 64;

async function tell(
  options: EventQueuesOptions,
  { topic, name }: NamedQueue,
  signal: AbortSignal,
): Promise<void> {
  const { pool, types, logger, random, holder } = options;
  const type = types.get(topic);
  if (type === undefined) return;
  const subscriptionName = `queue:${name}`;
  const store = await openSubscription({
    pool,
    subject: type.subject,
    name: subscriptionName,
    from: 'beginning',
  });
  const queue = await openQueue(options, { topic, name }, signal);
  if (queue === null) return;
  const subscription = createSubscription({
    topic: { name: type.store.subject.subjectId, feed: type.store.subject },
    name: subscriptionName,
    store,
    deliver: (events, held) =>
      queue.deliver(
        events.map((event) => queuedEvent(topic, event)),
        held,
      ),
    logger,
    random,
    holder,
    concurrency: DEPTH_MAX,
    pollMs: 500,
  });
  const forget = type.onExecuted(() => subscription.wake());
  try {
    await subscription.run(signal);
  } finally {
    forget();
    await queue.close();
  }
}

/** As a webhook has it. */
function queuedEvent(topic: string, event: Event): QueuedEvent {
  const answer = topicAnswer(event);
  return { id: answer.eventId ?? '', data: { topic, aggregateId: event.aggregateId, ...answer } };
}

/** Tries again while the backend is away. `null`: the signal has aborted. */
async function openQueue(
  { backend, logger, random }: EventQueuesOptions,
  queue: NamedQueue,
  signal: AbortSignal,
): Promise<EventQueue | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await createEventQueue({ ...queue, backend, logger });
    } catch (error) {
      if (!mayRetry(error, attempt)) throw error;
      const delayMs = retryDelayMs(STORAGE_RETRY, attempt, random);
      logger.warn('a queue of events cannot be reached, trying again', {
        ...queue,
        attempt,
        delayMs,
        error: messageOf(error),
      });
      await waitMs(delayMs, signal);
    }
  }
  return null;
}
