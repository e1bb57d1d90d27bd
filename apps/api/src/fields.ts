import { errorSchema } from './errors';
import { STALE_HEADER } from './flagStale';

/** The schemas of what answers hold, with their units. */
export const text = (description: string) => ({ type: 'string', description });
export const maybeText = (description: string) => ({ type: ['string', 'null'], description });
export const amount = (description: string) => ({
  type: 'string',
  description: `${description} Decimal text.`,
});
export const maybeAmount = (description: string) => ({
  type: ['string', 'null'],
  description: `${description} Decimal text.`,
});
export const time = (description: string) => ({
  type: 'string',
  description: `${description} ISO 8601, UTC, with microseconds.`,
});
export const maybeTime = (description: string) => ({
  type: ['string', 'null'],
  description: `${description} ISO 8601, UTC, with microseconds.`,
});
export const count = (description: string) => ({
  type: 'string',
  description: `${description} Decimal text.`,
});
export const integer = (description: string) => ({ type: 'integer', description });

/** An object that always has all of its properties. */
export const record = (properties: Readonly<Record<string, object>>, description?: string) => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
  required: Object.keys(properties),
  properties,
});

export const maybeRecord = (properties: Readonly<Record<string, object>>, description: string) => ({
  ...record(properties, description),
  type: ['object', 'null'],
});

export const list = (items: object, description?: string) => ({
  type: 'array',
  ...(description === undefined ? {} : { description }),
  items,
});

export const page = (item: object) =>
  record({
    items: list(item),
    next: maybeText('Give it as `cursor` to read on; null on the last page.'),
  });

const stale = {
  type: 'string',
  description:
    'Only when states are not those of now: each such chain with why, as in `eip155:1;halted, eip155:137;lagging`; see `stale` in `/v1/status`.',
};

/** The answers of a path: `ok`, and the errors that it may give. */
export function answers(ok: object, ...errors: readonly (400 | 404 | 503)[]): Record<number, object> {
  const descriptions = {
    400: 'A parameter cannot be used; `problems` names it and says what is allowed.',
    404: 'What was asked for is not known.',
    503: 'The database is not available; try again.',
  };
  const answer: Record<number, object> = {
    200: { description: 'Done.', headers: { [STALE_HEADER]: stale }, ...ok },
  };
  for (const status of errors) answer[status] = { description: descriptions[status], ...errorSchema };
  return answer;
}
