import { WorkerError } from '@imart/core';
import { CommandInvalidError, EXPECTED_VERSION } from '@imart/event-service';
import { PurchaseInvalidError } from '@imart/purchase';
import type { Logger } from '@imart/runtime';
import { ApiKeyError, RateLimitedError } from './access/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** One parameter that cannot be used, and what is allowed. */
export interface ParameterProblem {
  readonly field: string;
  readonly problem: string;
}

/** Parameters that cannot be used; all of them at once. */
export class BadParameterError extends WorkerError {
  readonly problems: readonly ParameterProblem[];

  constructor(problems: readonly ParameterProblem[]) {
    super(problems.map(({ field, problem }) => `${field}: ${problem}`).join('; '), {
      code: 'BAD_PARAMETER',
      disposition: 'stop',
    });
    this.problems = problems;
  }
}

/** What was asked for by its id is not there. */
export class NotFoundError extends WorkerError {
  constructor(what: string) {
    super(`${what} is not known`, { code: 'NOT_FOUND', disposition: 'stop' });
  }
}

/** A rule refused a command. Nothing was written, or, when it was accepted before, nothing of it came into the log. */
export class CommandRefusedError extends WorkerError {
  constructor(
    readonly rule: string,
    reason: string,
    /** It was accepted, but what it had been validated against did not come into the log. */
    afterAll = false,
  ) {
    super(
      `${rule}: ${reason}`,
      afterAll || rule === EXPECTED_VERSION
        ? { code: 'COMMAND_STALE', disposition: 'stop', fields: { rule } }
        : { code: 'COMMAND_REFUSED', disposition: 'stop', fields: { rule } },
    );
  }
}

/** The one place where an error's code becomes an HTTP status. What is not here is a fault of ours: 500. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  BAD_PARAMETER: 400,
  CURSOR: 400,
  BAD_REQUEST: 400,
  COMMAND_INVALID: 400,
  PURCHASE_INVALID: 400,
  WRONG_QUANTITY: 400,
  OPERATOR_ACCESS: 401,
  API_KEY: 401,
  API_KEY_SCOPE: 403,
  NOTIFICATION_ACCESS: 401,
  NOT_FOUND: 404,
  UNKNOWN_SUBJECT: 404,
  UNKNOWN_AGGREGATE_TYPE: 404,
  COMMAND_STALE: 409,
  COMMAND_CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  FEED_GAP: 410,
  PURCHASE_CONFLICT: 409,
  PURCHASE_EXPIRED: 410,
  COMMAND_REFUSED: 422,
  OPERATOR_ACCESS_LIMITED: 429,
  RATE_LIMITED: 429,
  DATABASE_UNAVAILABLE: 503,
  DATABASE_NOT_PREPARED: 503,
  STORAGE_UNAVAILABLE: 503,
  MARKERS_UNAVAILABLE: 503,
  STREAM_BEHIND: 503,
  STREAMS_FULL: 503,
  QUERY_TIMEOUT: 503,
  STREAM_UNAVAILABLE: 503,
  REDIS_POLICY: 503,
  REDIS_CLUSTER: 503,
  PURCHASES_BUSY: 503,
};

/** What every answer with a status of 400 and above holds. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems?: readonly ParameterProblem[];
    readonly rule?: string;
  };
}

/** The schema of {@link ErrorBody}. */
export const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', description: 'Stable between releases.' },
        message: { type: 'string', description: 'For people.' },
        problems: {
          type: 'array',
          description: 'With BAD_PARAMETER and COMMAND_INVALID: each field that cannot be used.',
          items: {
            type: 'object',
            required: ['field', 'problem'],
            properties: { field: { type: 'string' }, problem: { type: 'string' } },
          },
        },
        rule: {
          type: 'string',
          description: 'With COMMAND_REFUSED and COMMAND_STALE: which rule refuses it.',
        },
      },
    },
  },
} as const;

/** Answers with what went wrong. Faults of ours are logged and not told. */
export function createErrorHandler(logger: Logger) {
  return async function answerError(
    thrown: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const error = toApiError(thrown);
    const status = HTTP_STATUS[error.code] ?? 500;
    if (status >= 500) {
      logger[status === 500 ? 'error' : 'warn']('request fails', {
        method: request.method,
        path: request.url.split('?')[0],
        status,
        error: thrown,
      });
    }
    if (status === 503) void reply.header('retry-after', '1');
    if (error instanceof RateLimitedError) void reply.header('retry-after', String(error.retryAfterSeconds));
    if (error instanceof ApiKeyError) void reply.header('www-authenticate', 'Bearer');
    await reply.code(status).send(status === 500 ? INTERNAL : bodyOf(error));
  };
}

/** Answers that there is no such path. */
export async function answerUnknownPath(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const path = request.url.split('?')[0] ?? '';
  const body: ErrorBody = {
    error: { code: 'NOT_FOUND', message: `there is no ${request.method} ${path}; see /docs` },
  };
  await reply.code(404).send(body);
}

const INTERNAL: ErrorBody = {
  error: {
    code: 'INTERNAL',
    message: 'the request failed because of a fault of the server; its log says more',
  },
};

function bodyOf(error: WorkerError): ErrorBody {
  const problems = problemsOf(error);
  const { code, message } = error;
  return {
    error: {
      code,
      message,
      ...(problems === undefined ? {} : { problems }),
      ...(error instanceof CommandRefusedError ? { rule: error.rule } : {}),
    },
  };
}

function problemsOf(error: WorkerError): readonly ParameterProblem[] | undefined {
  if (error instanceof BadParameterError || error instanceof PurchaseInvalidError) return error.problems;
  if (error.code === 'CURSOR') return [{ field: 'cursor', problem: error.message }];
  if (!(error instanceof CommandInvalidError)) return undefined;
  return error.problems.map((text) => {
    const [, field = '', problem = text] = /^([^:]*): (.*)$/s.exec(text) ?? [];
    return { field, problem };
  });
}

function toApiError(thrown: unknown): WorkerError {
  if (thrown instanceof WorkerError) return thrown;
  const error = thrown as FastifyError;
  if (Array.isArray(error.validation)) {
    return new BadParameterError(error.validation.map((problem) => toProblem(problem as SchemaProblem)));
  }
  const refused = typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
  return new WorkerError(refused ? error.message : 'unexpected error', {
    code: refused ? 'BAD_REQUEST' : 'INTERNAL',
    disposition: 'stop',
    cause: thrown,
  });
}

/** What the schema's checker says of one value, as far as we read it. */
interface SchemaProblem {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: {
    readonly additionalProperty?: string;
    readonly missingProperty?: string;
    readonly allowedValues?: readonly unknown[];
  };
  readonly parentSchema?: {
    readonly allowed?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
  };
}

function toProblem({
  keyword,
  instancePath,
  message,
  params,
  parentSchema,
}: SchemaProblem): ParameterProblem {
  const field = instancePath.split('/')[1] ?? '';
  if (keyword === 'additionalProperties') {
    const known = Object.keys(parentSchema?.properties ?? {}).join(', ');
    return {
      field: params.additionalProperty ?? field,
      problem: `unknown parameter; allowed are ${known === '' ? 'none' : known}`,
    };
  }
  if (keyword === 'required') return { field: params.missingProperty ?? field, problem: 'is missing' };
  if (params.allowedValues !== undefined) {
    return { field, problem: `must be one of ${params.allowedValues.join(', ')}` };
  }
  return {
    field,
    problem: `must be ${parentSchema?.allowed ?? (message ?? 'another value').replace(/^must be /, '')}`,
  };
}
