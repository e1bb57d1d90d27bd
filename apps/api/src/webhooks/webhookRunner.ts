import { messageOf, type Event } from '@imart/core';
import { createBell, createSubscription, type Deliver } from '@imart/event-service';
import { retryDelayMs, waitMs, type RetrySchedule } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import {
  openSubscription,
  webhookSubscription,
  type ActiveWebhook,
  type DatabasePool,
  type Webhooks,
} from '@imart/storage';
import type { CommandType } from '../commands/commandSide';
import { topicAnswer } from '../resources/aggregates/questions';
import type { AddressRules } from './addresses';
import { sendSigned } from './sendSigned';

/** @defaultValue for `failingMaxMs`: a day */
export const FAILING_MAX_MS_DEFAULT = 86_400_000;

export interface WebhookRunnerOptions {
  readonly pool: DatabasePool;
  readonly webhooks: Webhooks;
  readonly types: ReadonlyMap<string, CommandType>;
  readonly rules: AddressRules;
  readonly logger: Logger;
  readonly random: () => number;
  /** Unique to this process. */
  readonly holder: string;
  /** Seconds since 1970, for signatures. */
  readonly nowSeconds: () => number;
  /** What fails for longer is disabled. @defaultValue {@link FAILING_MAX_MS_DEFAULT} */
  readonly failingMaxMs?: number;
  /** @defaultValue from 1 s to 5 min */
  readonly retry?: RetrySchedule;
  /** How late a webhook of another process is noticed. @defaultValue `2_000` */
  readonly pollMs?: number;
}

const RETRY: RetrySchedule = { firstMs: 1_000, maxMs: 300_000 };
/** Aggregates whose events are sent to one address side by side. */
const CONCURRENCY = 4;
/** Nothing is read before so many are delivered. */
const EVENTS_MAX = 50;

/** Tells webhooks: each one by one process at a time, at least once, in order per aggregate, from its durable cursor on. */
export interface WebhookRunner {
  /** One was made, enabled or removed: look at once. */
  changed(): void;
  run(signal: AbortSignal): Promise<void>;
}

interface Told {
  readonly over: AbortController;
  readonly ended: Promise<void>;
}

export function createWebhookRunner(options: WebhookRunnerOptions): WebhookRunner {
  const { webhooks, types, logger, pollMs = 2_000 } = options;
  const bell = createBell();
  const told = new Map<string, Told>();
  const subjects = [...types.values()].map(({ subject }) => subject);

  const compare = async (signal: AbortSignal): Promise<void> => {
    const active = await webhooks.active(subjects);
    const wanted = new Set(active.map(({ id }) => id));
    for (const [id, { over }] of told) if (!wanted.has(id)) over.abort();
    for (const webhook of active) {
      const type = types.get(webhook.topic);
      if (told.has(webhook.id) || type === undefined) continue;
      const over = new AbortController();
      const ended = tell(options, type, webhook, over, signal)
        .catch(async (error: unknown) => {
          logger.error('telling a webhook failed, beginning again', { webhook: webhook.id, error });
          // Whoever owns it sees that it fails, and why.
          await webhooks.failed(webhook.id, messageOf(error), options.failingMaxMs ?? FAILING_MAX_MS_DEFAULT);
        })
        .catch(() => undefined)
        // One that was disabled meanwhile and enabled again is started by the next look.
        .finally(() => told.delete(webhook.id));
      told.set(webhook.id, { over, ended });
    }
  };

  return {
    changed: () => bell.ring(),
    async run(signal) {
      while (!signal.aborted) {
        try {
          await compare(signal);
        } catch (error) {
          logger.warn('webhooks could not be read, trying again', { error: messageOf(error) });
        }
        await bell.wait(pollMs, signal);
      }
      await Promise.all([...told.values()].map(({ ended }) => ended));
    },
  };
}

/** Tells one webhook until it is removed or disabled, or the process ends. */
async function tell(
  options: WebhookRunnerOptions,
  type: CommandType,
  webhook: ActiveWebhook,
  over: AbortController,
  ending: AbortSignal,
): Promise<void> {
  const { pool, logger, random, holder } = options;
  const name = webhookSubscription(webhook.id);
  const subscription = createSubscription({
    topic: { name: type.store.subject.subjectId, feed: type.store.subject },
    name,
    store: await openSubscription({ pool, subject: webhook.subject, name, from: 'now' }),
    deliver: deliverTo(options, webhook, () => over.abort()),
    logger,
    random,
    holder,
    deliveredEventsMax: EVENTS_MAX,
    concurrency: CONCURRENCY,
    pollMs: 500,
  });
  const forget = type.onExecuted(() => subscription.wake());
  try {
    await subscription.run(AbortSignal.any([ending, over.signal]));
  } finally {
    forget();
  }
}

/** Sends events one after the other; what fails is sent again, later and later, until it is taken or the webhook is disabled. */
function deliverTo(options: WebhookRunnerOptions, webhook: ActiveWebhook, disabled: () => void): Deliver {
  const { webhooks, rules, logger, random, nowSeconds } = options;
  const { failingMaxMs = FAILING_MAX_MS_DEFAULT, retry = RETRY } = options;
  const { id, url, secret, topic } = webhook;
  let failing = true; // Not known: the first success says so.

  const send = async (event: Event, signal: AbortSignal): Promise<void> => {
    const answer = topicAnswer(event);
    const body = JSON.stringify({ topic, aggregateId: event.aggregateId, ...answer });
    const message = { url, secret, eventId: answer.eventId ?? '', body };
    for (let attempt = 1; !signal.aborted; attempt++) {
      const problem = await sendSigned(message, rules, nowSeconds(), signal);
      if (problem === null) {
        if (failing) await webhooks.delivered(id);
        failing = false;
        return;
      }
      if (signal.aborted) return;
      failing = true;
      if (!(await webhooks.failed(id, problem, failingMaxMs))) {
        logger.warn('a webhook is disabled: nothing could be delivered for too long', {
          webhook: id,
          problem,
        });
        return disabled();
      }
      const delayMs = retryDelayMs(retry, attempt, random);
      logger.warn('a webhook could not be told, trying again', { webhook: id, attempt, delayMs, problem });
      await waitMs(delayMs, signal);
    }
  };

  return async (events, signal) => {
    for (const event of events) {
      if (signal.aborted) return;
      await send(event, signal);
    }
  };
}
