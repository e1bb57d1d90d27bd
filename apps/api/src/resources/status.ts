import { readStatus, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { answers, count, list, maybeRecord, maybeText, maybeTime, record, text, time } from '../fields';
import { parameterSet } from '../parameters';

const statusSchema = record({
  subjects: list(
    record({
      subject: text('CAIP-2 id of the chain.'),
      head: maybeRecord(
        {
          position: text('Block number, decimal.'),
          time: maybeTime('Chain time of that block.'),
          seenAt: maybeTime("When the source said so, by the worker's clock."),
        },
        'The newest block of the source; null before it was asked.',
      ),
      finalized: maybeText('The last block that no reorg can retract, decimal.'),
      ingested: maybeText('The last block whose events are all in the log, decimal; null before the first.'),
      ingestedSeqNo: text('The same as a SeqNo.'),
      executed: maybeText(
        'The last block whose events are all folded into states, decimal; null before the first.',
      ),
      executedSeqNo: text('The same as a SeqNo.'),
      chainTime: maybeTime('Of the newest block that has been read: decides what is expired.'),
      lagBlocks: maybeText('Head minus executed, in blocks, decimal.'),
      lagSeconds: {
        type: ['number', 'null'],
        description: "The head's time minus that of the newest block that has been read.",
      },
      executedLagSeconds: {
        type: ['number', 'null'],
        description:
          "The head's time minus that of the first event that is not folded into states yet; where all are, the same as `lagSeconds`.",
      },
      epoch: text('Raised by every reorg and every late change, decimal.'),
      parkedCount: count('Aggregates set aside after a failure.'),
      halted: maybeRecord(
        {
          code: text('Of the error that stopped it.'),
          message: text('What it said, and what an operator can do.'),
          since: time('When it was stored.'),
        },
        'Why nothing is read or folded until an operator mends it; null: it is.',
      ),
      stale: maybeText(
        "Why the states are not those of now: `halted`; `silent`, nobody tells of the chain's head; `lagging`, log or states are behind. Null: they are.",
      ),
    }),
  ),
  secondaryIndexes: text(
    '`pending`, `building` or `built`: reads are slower before they are built, after the first catch-up.',
  ),
});

/** How far the worker is. */
export function registerStatus(app: FastifyInstance, db: ReadDatabase, staleAfterMs: number): void {
  app.get(
    '/v1/status',
    {
      schema: {
        tags: ['status'],
        summary: 'How far each subject is read and folded',
        querystring: parameterSet({}),
        response: answers(statusSchema, 400, 503),
      },
    },
    async () => readStatus(db, staleAfterMs),
  );
}
