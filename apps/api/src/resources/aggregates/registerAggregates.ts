import type { SeqNo } from '@imart/core';
import type { CommandRequest, EventService, Moment } from '@imart/event-service';
import type { ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import type { KeyAccess } from '../../access/keyAccess';
import { createKeyGate } from '../../access/keyGate';
import type { CommandType } from '../../commands/commandSide';
import { BadParameterError, CommandRefusedError, NotFoundError } from '../../errors';
import { answers } from '../../fields';
import { toMoment } from '../../parameters';
import { questionsAbout } from './questions';
import {
  acceptedSchema,
  aggregateParams,
  commandBody,
  commandHeaders,
  commandQuery,
  eventsQuery,
  eventsSchema,
  momentQuery,
  refusedAnswers,
  snapshotSchema,
  stateSchema,
} from './schemas';

/** What takes commands, when there is anything that does. */
export interface Commands {
  readonly service: EventService;
  readonly types: ReadonlyMap<string, CommandType>;
  readonly access: KeyAccess;
}

/** Requests that wait for their event at the same time; others are answered at once. */
const WAITING_MAX = 500;
const SEQ_NO_MAX = 2n ** 63n - 1n;

interface Params {
  readonly type: string;
  readonly id: string;
}

interface MomentQuery {
  readonly subject?: string;
  readonly at?: string;
}

interface CommandBody {
  readonly name: string;
  readonly data?: unknown;
  readonly expectedVersion?: number;
  readonly correlationId?: string;
  readonly causationId?: string;
}

/** Aggregates: what happened to one, what it is and was, and, with an API key, what is to happen. */
export function registerAggregates(app: FastifyInstance, db: ReadDatabase, commands: Commands | null): void {
  registerQuestions(app, db, commands?.types ?? new Map());
  if (commands !== null) registerCommands(app, commands);
}

function registerQuestions(
  app: FastifyInstance,
  db: ReadDatabase,
  types: ReadonlyMap<string, CommandType>,
): void {
  app.get<{ Params: Params; Querystring: { subject?: string; after?: string; limit: number } }>(
    '/v1/aggregates/:type/:id/events',
    {
      schema: {
        tags: ['aggregates'],
        summary: 'What happened to it, oldest first',
        params: aggregateParams,
        querystring: eventsQuery,
        response: answers(eventsSchema, 400, 404, 503),
      },
    },
    async ({ params, query }) => {
      const after = BigInt(query.after ?? 0);
      if (after > SEQ_NO_MAX)
        throw new BadParameterError([{ field: 'after', problem: `must be at most ${SEQ_NO_MAX}` }]);
      return questionsAbout({ ...params, subject: query.subject }, types, db).events(after, query.limit);
    },
  );

  app.get<{ Params: Params; Querystring: MomentQuery }>(
    '/v1/aggregates/:type/:id/snapshot',
    {
      schema: {
        tags: ['aggregates'],
        summary: 'The newest snapshot of its state',
        params: aggregateParams,
        querystring: momentQuery,
        response: answers(snapshotSchema, 400, 404, 503),
      },
    },
    async ({ params, query }) => {
      const questions = questionsAbout({ ...params, subject: query.subject }, types, db);
      const found = await questions.snapshot(momentOf(query.at));
      if (found === null) throw new NotFoundError(`a snapshot of ${params.type} ${params.id}`);
      return found;
    },
  );

  app.get<{ Params: Params; Querystring: MomentQuery }>(
    '/v1/aggregates/:type/:id/state',
    {
      schema: {
        tags: ['aggregates'],
        summary: 'Its state, now or at a moment: a snapshot and the events after it, folded',
        params: aggregateParams,
        querystring: momentQuery,
        response: answers(stateSchema, 400, 404, 503),
      },
    },
    async ({ params, query }) => {
      const questions = questionsAbout({ ...params, subject: query.subject }, types, db);
      const found = await questions.state(momentOf(query.at));
      if (found === null)
        throw new NotFoundError(
          `${params.type} ${params.id}${query.at === undefined ? '' : ` at ${query.at}`}`,
        );
      return found;
    },
  );
}

/** @throws {BadParameterError} */
function momentOf(at: string | undefined): Moment {
  if (at === undefined) return { kind: 'latest' };
  if (/^\d+$/.test(at)) {
    const seqNo = BigInt(at);
    if (seqNo > SEQ_NO_MAX)
      throw new BadParameterError([{ field: 'at', problem: `must be at most ${SEQ_NO_MAX}` }]);
    return { kind: 'seqNo', seqNo: seqNo as SeqNo };
  }
  const ms = Date.parse(toMoment('at', at) as string);
  // A date has milliseconds; what was given after them counts too.
  const micros = Number((/\.\d{3}(\d{1,3})/.exec(at)?.[1] ?? '').padEnd(3, '0'));
  return { kind: 'time', timeUs: BigInt(ms) * 1000n + BigInt(micros) };
}

/** What an aggregate type may be called. */
const TYPE = /^[a-z][a-z0-9-]*$/;

function registerCommands(app: FastifyInstance, { service, access }: Commands): void {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  let waiting = 0;

  const gate = createKeyGate(access, ({ params }) => {
    // Not looked at yet: no other text than a type's goes into the answer.
    const { type } = params as Params;
    return TYPE.test(type) ? `events:write:${type}` : 'events:write';
  });

  app.post<{ Params: Params; Querystring: { waitFor: number }; Body: CommandBody }>(
    '/v1/aggregates/:type/:id/events',
    {
      onRequest: gate.onRequest,
      schema: {
        tags: ['aggregates'],
        summary: 'Asks for an event; answered when it is durable, applied a little later',
        security: [{ apiKey: [] }],
        params: aggregateParams,
        querystring: commandQuery,
        headers: commandHeaders,
        body: commandBody,
        response: {
          ...answers(acceptedSchema, 400, 404, 503),
          202: { description: 'Accepted and durable; not executed within `waitFor`.', ...acceptedSchema },
          ...refusedAnswers(401, 403, 409, 422, 429),
        },
      },
    },
    async (request, reply) => {
      const { type, id } = request.params;
      const key = gate.keyOf(request);
      const { name, data = {}, expectedVersion, correlationId, causationId } = request.body;
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined;
      const asked: CommandRequest = {
        type,
        id,
        name,
        data,
        actor: `key:${key.id}`,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(correlationId === undefined ? {} : { correlationId }),
        ...(causationId === undefined ? {} : { causationId }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      };
      const answer = await service.request(asked);
      if (answer.kind === 'refused') throw new CommandRefusedError(answer.rule, answer.reason);
      const { eventId, version, repeated } = answer;

      const timeoutMs = waiting < WAITING_MAX ? request.query.waitFor : 0;
      if (timeoutMs === 0)
        return reply.code(202).send({ eventId, version, repeated, fate: 'pending', seqNo: null });
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      waiting++;
      try {
        const signal = AbortSignal.any([closing.signal, gone.signal]);
        const fate = await service.waitFor(type, id, version, { timeoutMs, signal });
        if (fate.kind === 'rejected') throw new CommandRefusedError(fate.rule, fate.reason, true);
        const seqNo = 'seqNo' in fate ? fate.seqNo.toString() : null;
        return await reply
          .code(fate.kind === 'executed' ? 200 : 202)
          .send({ eventId, version, repeated, fate: seqNo === null ? 'pending' : fate.kind, seqNo });
      } finally {
        waiting--;
      }
    },
  );
}
