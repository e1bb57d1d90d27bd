import { UnknownAggregateTypeError } from '@imart/event-service';
import type { Webhook, Webhooks } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import type { KeyAccess } from '../../access/keyAccess';
import { createKeyGate } from '../../access/keyGate';
import type { CommandType } from '../../commands/commandSide';
import { BadParameterError, NotFoundError } from '../../errors';
import { answers, integer, list, maybeText, record, text } from '../../fields';
import { parameterSet } from '../../parameters';
import { checkWebhookUrl, WebhookAddressError, type AddressRules } from '../../webhooks/addresses';
import { refusedAnswers } from '../aggregates/schemas';

/** Webhooks that one API key may have. */
export const WEBHOOKS_PER_KEY_MAX = 20;

const SCOPE = 'webhooks';

export interface WebhookDependencies {
  readonly webhooks: Webhooks;
  readonly types: ReadonlyMap<string, CommandType>;
  readonly access: KeyAccess;
  readonly rules: AddressRules;
  /** One was made, enabled or removed. */
  readonly onChanged: () => void;
}

const fields = {
  id: text('Of the webhook.'),
  topic: text('Aggregate type whose events it is told of.'),
  url: text('Where it is told.'),
  createdAt: text('ISO 8601, UTC.'),
  state: text(
    '`active`; `failing`: what it is told is not taken, and sent again; `disabled`: nothing was taken for too long.',
  ),
  failingSince: maybeText('ISO 8601, UTC; null: it does not fail.'),
  failures: integer('Attempts that failed since then.'),
  lastError: maybeText('Why the last attempt failed.'),
  changesBehind: text('How many changes of the log it has not been told of, decimal.'),
};
const webhookSchema = record(fields);
const createdSchema = record({
  ...fields,
  secret: text('Signs what is sent. It is shown now and never again.'),
});

const body = parameterSet(
  {
    topic: {
      type: 'string',
      maxLength: 64,
      allowed: 'an aggregate type',
      description: 'Aggregate type whose events are to be told.',
    },
    url: {
      type: 'string',
      minLength: 1,
      maxLength: 2_048,
      allowed: 'a URL of at most 2048 characters',
      description: 'https, on the public internet. It must answer with 2xx within 10 s.',
    },
    from: {
      type: 'string',
      enum: ['now', 'beginning'],
      default: 'now',
      description: 'Where it begins.',
    },
  },
  ['topic', 'url'],
);

const params = parameterSet({
  id: {
    type: 'string',
    pattern: '^[0-9a-f]{16}$',
    allowed: '16 hexadecimal digits',
    description: 'Id of the webhook.',
  },
});

function answerOf(webhook: Webhook) {
  const { id, topic, url, createdAt, failingSince, failures, lastError, disabledAt, changesBehind } = webhook;
  return {
    id,
    topic,
    url,
    createdAt: createdAt.toISOString(),
    state: disabledAt !== null ? 'disabled' : failingSince !== null ? 'failing' : 'active',
    failingSince: failingSince?.toISOString() ?? null,
    failures,
    lastError,
    changesBehind: changesBehind.toString(),
  };
}

/** Webhooks of the API key that is shown: nobody sees another key's. */
export function registerWebhooks(
  app: FastifyInstance,
  { webhooks, types, access, rules, onChanged }: WebhookDependencies,
): void {
  const gate = createKeyGate(access, () => SCOPE);
  const { onRequest } = gate;
  const common = { tags: ['webhooks'], security: [{ apiKey: [] }] };
  const refused = refusedAnswers(401, 403, 429);

  app.post<{ Body: { topic: string; url: string; from: 'now' | 'beginning' } }>(
    '/v1/webhooks',
    {
      onRequest,
      schema: {
        ...common,
        summary: 'Tells an address of events, signed',
        body,
        response: {
          ...answers(webhookSchema, 400, 404, 503),
          ...refused,
          201: { description: 'Made.', ...createdSchema },
        },
      },
    },
    async (request, reply) => {
      const key = gate.keyOf(request);
      const { topic, url, from } = request.body;
      const type = types.get(topic);
      if (type === undefined) throw new UnknownAggregateTypeError(topic);
      try {
        await checkWebhookUrl(url, rules);
      } catch (error) {
        if (!(error instanceof WebhookAddressError)) throw error;
        throw new BadParameterError([{ field: 'url', problem: error.message }]);
      }
      const made = await webhooks.create(
        { subject: type.subject, topic, url, owner: key.id, from },
        WEBHOOKS_PER_KEY_MAX,
      );
      if (made === null) {
        throw new BadParameterError([
          {
            field: 'url',
            problem: `this key has ${WEBHOOKS_PER_KEY_MAX} webhooks, and may have no more: remove one`,
          },
        ]);
      }
      onChanged();
      return reply.code(201).send({ ...answerOf(made.webhook), secret: made.secret });
    },
  );

  app.get(
    '/v1/webhooks',
    {
      onRequest,
      schema: {
        ...common,
        summary: 'The webhooks of this key',
        querystring: parameterSet({}),
        response: { ...answers(record({ items: list(webhookSchema) }), 400, 503), ...refused },
      },
    },
    async (request) => {
      const key = gate.keyOf(request);
      return { items: (await webhooks.list(key.id)).map(answerOf) };
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/v1/webhooks/:id',
    {
      onRequest,
      schema: {
        ...common,
        summary: 'Tells it nothing any more',
        params,
        response: { ...answers({}, 400, 404, 503), ...refused, 204: { description: 'Gone.', type: 'null' } },
      },
    },
    async (request, reply) => {
      const key = gate.keyOf(request);
      if (!(await webhooks.remove(request.params.id, key.id)))
        throw new NotFoundError(`webhook ${request.params.id}`);
      onChanged();
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { id: string } }>(
    '/v1/webhooks/:id/enable',
    {
      onRequest,
      schema: {
        ...common,
        summary: 'Tells it again, from where it was left',
        params,
        response: { ...answers(webhookSchema, 400, 404, 503), ...refused },
      },
    },
    async (request) => {
      const key = gate.keyOf(request);
      const { id } = request.params;
      if (!(await webhooks.enable(id, key.id))) throw new NotFoundError(`webhook ${id}`);
      onChanged();
      const webhook = await webhooks.find(id, key.id);
      if (webhook === null) throw new NotFoundError(`webhook ${id}`);
      return answerOf(webhook);
    },
  );
}
