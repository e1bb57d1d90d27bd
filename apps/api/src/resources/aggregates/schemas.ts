import { errorSchema } from '../../errors';
import { integer, list, maybeRecord, maybeText, record, text, time } from '../../fields';
import { parameters as p, parameterSet } from '../../parameters';

/** Anything that JSON can say; quantities beyond 2^53 are decimal text. */
const anything = (description: string) => ({ description });

export const eventSchema = record({
  seqNo: text('Place in the order of all events of its subject, decimal.'),
  version: {
    type: ['integer', 'null'],
    description: 'Place among the events of its aggregate: 1, 2, 3 ...; null for a chain’s.',
  },
  eventId: maybeText('UUID, as the request was answered with; null for a chain’s.'),
  name: text('What happened.'),
  data: anything('As the event’s schema of now has it.'),
  time: time('When it was accepted, by the database’s clock; of a chain, its block’s time.'),
  actor: maybeText('Who asked: `key:` and the id of the API key; null for a chain’s.'),
  correlationId: maybeText('The same for everything that one request set off; null for a chain’s.'),
  causationId: maybeText('The event that this one answers to; null: none.'),
  txHash: maybeText('Transaction of a chain’s event; null for others.'),
});

export const eventsSchema = record({
  items: list(eventSchema),
  next: maybeText('Give it as `after` to read on; null on the last page.'),
  unreadable: maybeRecord(
    { seqNo: text('Of the event.'), reason: text('Why this program cannot read it.') },
    'The event that ends the page because it cannot be read; null: all could.',
  ),
});

const stateFields = {
  state: anything('What the reducer makes of its events.'),
  version: integer('How many events are in it.'),
  seqNo: text('Of the last event in it, decimal.'),
};

export const snapshotSchema = record(stateFields);

export const stateSchema = record({
  ...stateFields,
  folded: integer('Events that were folded after a snapshot for this answer.'),
  stopped: maybeRecord(
    { seqNo: text('Of the event.'), code: text('Of the error.'), message: text('What is wrong.') },
    'Why it goes no further: an event sets the aggregate aside. Null: it goes as far as was asked for.',
  ),
});

export const acceptedSchema = record({
  eventId: text('UUID of the event.'),
  version: integer('Its place among the events of its aggregate: the position to wait for.'),
  repeated: { type: 'boolean', description: 'The first answer to this idempotency key, given again.' },
  fate: text(
    '`executed`; `pending`: accepted and durable, not executed yet; `parked`: in the log, but its aggregate is set aside.',
  ),
  seqNo: maybeText('Its place in the log, decimal; null before it is there.'),
});

export const aggregateParams = parameterSet({
  type: {
    type: 'string',
    pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
    maxLength: 64,
    allowed: 'lower-case words with hyphens',
    description: 'Aggregate type: one of AGGREGATES, or of a chain: `order`, `offer`, `token`, ...',
  },
  id: {
    type: 'string',
    minLength: 1,
    maxLength: 256,
    allowed: '1 to 256 characters',
    description:
      'Id of the aggregate. Of a chain’s order or offer `<contract>:<order id>`, of a token `<collection>:<token id>`.',
  },
});

const subject = {
  ...p.subject,
  description: 'The CAIP-2 id of the chain. For aggregates of chains, and needed there.',
};

const at = {
  type: 'string',
  pattern: '^(\\d{1,19}|\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?(Z|[+-]\\d{2}:\\d{2}))$',
  allowed: 'a seq no (12) or a moment with its zone (2024-01-31T12:00:00Z)',
  description: 'As it was at this seq no, or at this moment; both inclusive. Without it, as it is.',
};

export const momentQuery = parameterSet({ subject, at });

export const eventsQuery = parameterSet({
  subject,
  after: {
    type: 'string',
    pattern: '^\\d{1,19}$',
    allowed: '`next` of the previous page',
    description: '`next` of the previous page. Without it, from the first event on.',
  },
  limit: p.limit,
});

export const commandQuery = parameterSet({
  waitFor: {
    type: 'integer',
    minimum: 0,
    maximum: 60_000,
    default: 0,
    allowed: 'a whole number of milliseconds from 0 to 60000',
    description: 'Wait for at most so many ms until the event is executed, so that you read your own write.',
  },
});

const id = (description: string) => ({
  type: 'string',
  minLength: 1,
  maxLength: 256,
  allowed: '1 to 256 characters',
  description,
});

export const commandBody = parameterSet(
  {
    name: {
      type: 'string',
      maxLength: 64,
      allowed: 'the name of an event',
      description: 'The event that is to happen.',
    },
    data: { description: 'What the event’s schema asks for. Without it, an empty object.' },
    expectedVersion: {
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      allowed: 'a whole number from 0',
      description: 'Version that the latest event must have; 0: there must be none. Without it, any.',
    },
    correlationId: id('Of the story that it belongs to. Without it, a new one.'),
    causationId: id('The event that it answers to.'),
  },
  ['name'],
);

export const commandHeaders = {
  type: 'object',
  properties: {
    'idempotency-key': id(
      'Asking again with it gives the first answer again; each API key has idempotency keys of its own.',
    ),
  },
} as const;

const refusals: Readonly<Record<number, string>> = {
  401: 'No API key, or none that is valid.',
  403: 'The API key has not the scope `events:write`, or `events:write:<type>`.',
  409: 'Nothing was written: the expected version is not that of now (`rule`), others changed the aggregate all the time, or the idempotency key was used for another command. Or it was accepted and rejected later, because what came before it was.',
  422: 'Nothing was written: `rule` refuses it.',
  429: 'The API key asks more often than it may; see Retry-After.',
};

/** Answers of refused writing. */
export function refusedAnswers(...statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: refusals[status], ...errorSchema }]),
  );
}
