import { runChecks, type Metrics } from '@imart/runtime';
import { checkReadable, readStatus, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { createCommandMetrics } from '../commands/commandMetrics';
import type { CommandType } from '../commands/commandSide';
import { text } from '../fields';
import { parameterSet } from '../parameters';

/** A database that does not answer within this counts as not ready. */
const READINESS_TIMEOUT_MS = 2_000;

const healthSchema = {
  type: 'object',
  required: ['status', 'checks'],
  properties: {
    status: text('`ok` or `failing`.'),
    checks: {
      type: 'object',
      description: 'By name.',
      additionalProperties: {
        type: 'object',
        required: ['ok'],
        properties: { ok: { type: 'boolean' }, detail: text('What fails.') },
      },
    },
  },
} as const;

/**
 * For whoever runs the process: alive, ready, metrics.
 * @param readings of other parts, made before metrics are shown.
 */
export function registerProcess(
  app: FastifyInstance,
  db: ReadDatabase,
  metrics: Metrics,
  staleAfterMs: number,
  commands: ReadonlyMap<string, CommandType>,
  readings: readonly (() => Promise<void>)[],
): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['process'],
        summary: 'The process answers',
        querystring: parameterSet({}),
        response: { 200: { description: 'Always.', ...healthSchema } },
      },
    },
    async () => ({ status: 'ok', checks: {} }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['process'],
        summary: 'The database can be read',
        querystring: parameterSet({}),
        response: {
          200: { description: 'Ready.', ...healthSchema },
          503: { description: 'Not ready; `checks` says why.', ...healthSchema },
        },
      },
    },
    async (_request, reply) => {
      const database = async (): Promise<{ ok: boolean }> => {
        await checkReadable(db);
        return { ok: true };
      };
      const report = await runChecks({ database }, READINESS_TIMEOUT_MS);
      return reply.code(report.status === 'ok' ? 200 : 503).send(report);
    },
  );

  const refresh = createProgressMetrics(metrics, db, staleAfterMs);
  const refreshCommands = createCommandMetrics(metrics, commands);
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['process'],
        summary: 'In the text format of Prometheus',
        querystring: parameterSet({}),
      },
    },
    async (_request, reply) => {
      await Promise.all([refresh(), refreshCommands(), ...readings.map((read) => read())]);
      return reply.type(metrics.contentType).send(await metrics.render());
    },
  );
}

/** How far each subject is: read before the metrics are shown; a database that is away leaves the last values. */
function createProgressMetrics(
  metrics: Metrics,
  db: ReadDatabase,
  staleAfterMs: number,
): () => Promise<void> {
  const gauge = (name: string, help: string): ReturnType<Metrics['gauge']> =>
    metrics.gauge(name, help, ['subject']);
  const lagBlocks = gauge('subject_lag_blocks', 'Head minus executed, in blocks.');
  const lagSeconds = gauge(
    'subject_lag_seconds',
    "The head's time minus that of the newest block read, in seconds.",
  );
  const executedLagSeconds = gauge(
    'subject_executed_lag_seconds',
    "The head's time minus that of the first event that is not folded yet, in seconds.",
  );
  const parked = gauge('subject_parked_aggregates', 'Aggregates set aside after a failure.');
  const halted = gauge('subject_halted', '1 while the subject stands still until an operator mends it.');
  const stale = gauge('subject_stale', '1 while its states are not those of now; answers are flagged.');
  const up = metrics.gauge('database_up', '1 when the database could be read.');
  return async () => {
    try {
      for (const { subject, ...status } of (await readStatus(db, staleAfterMs)).subjects) {
        const labels = { subject };
        if (status.lagBlocks !== null) lagBlocks.set(BigInt(status.lagBlocks), labels);
        if (status.lagSeconds !== null) lagSeconds.set(status.lagSeconds, labels);
        if (status.executedLagSeconds !== null) executedLagSeconds.set(status.executedLagSeconds, labels);
        parked.set(BigInt(status.parkedCount), labels);
        halted.set(status.halted === null ? 0 : 1, labels);
        stale.set(status.stale === null ? 0 : 1, labels);
      }
      up.set(1);
    } catch {
      up.set(0);
    }
  };
}
