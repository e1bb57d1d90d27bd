import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '@imart/storage';
import { BadParameterError } from './errors';

/**
 * The schemas of parameters. `allowed` goes on after "must be" in the answer to a wrong value.
 */
const ADDRESS = '^0[xX]([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$';

const address = (description: string) => ({
  type: 'string',
  pattern: ADDRESS,
  allowed: 'an address: 0x and 40 (or, on Aptos, 64) hexadecimal digits, in any case',
  description,
});

/** Whether the schema is that of an address. */
export const isAddress = (schema: object): boolean => 'pattern' in schema && schema.pattern === ADDRESS;

const word = (description: string) => ({
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  allowed: '1 to 64 letters, digits, ".", "_" or "-"',
  description,
});

const moment = (description: string) => ({
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?(Z|[+-]\\d{2}:\\d{2}))?$',
  allowed: 'a date (2024-01-31) or a moment with its zone (2024-01-31T12:00:00Z)',
  description,
});

const oneOf = (values: readonly string[], description: string) => ({
  type: 'array',
  items: { type: 'string', enum: values },
  description: `${description} May be given more than once.`,
});

const subject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,31}:[A-Za-z0-9_-]{1,64}$',
  allowed: 'the id of a subject, such as eip155:1',
  description: 'Subject: the CAIP-2 id of a chain, such as `eip155:1` or `aptos:1`.',
};

const tokenId = {
  type: 'string',
  pattern: '^\\d{1,98}$',
  allowed: 'a decimal number of at most 98 digits',
  description: 'Token id, decimal.',
};

const number = (description: string) => ({
  type: 'string',
  pattern: '^\\d{1,78}$',
  allowed: 'a decimal number of at most 78 digits',
  description,
});

const orderId = {
  type: 'string',
  pattern: '^[!-~]{1,200}$',
  allowed: '1 to 200 printable ASCII characters',
  description: 'Id of the order or offer in its contract: a number, or a hash.',
};

const limit = {
  type: 'integer',
  minimum: 1,
  maximum: PAGE_LIMIT_MAX,
  default: PAGE_LIMIT_DEFAULT,
  allowed: `a whole number from 1 to ${PAGE_LIMIT_MAX}`,
  description: 'Most rows of one page.',
};

const cursor = {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{1,800}$',
  allowed: '`next` of the previous page',
  description: '`next` of the previous page, with the same other parameters.',
};

export const parameters = { address, word, moment, oneOf, subject, tokenId, number, orderId, limit, cursor };

/** A closed set of parameters: what is not listed is refused. */
export function parameterSet<Properties extends object>(
  properties: Properties,
  required: readonly string[] = [],
) {
  return { type: 'object', additionalProperties: false, required, properties } as const;
}

/** The canonical form of an address: lower case. */
export function canonical(text: string): string;
export function canonical(text: string | undefined): string | undefined;
export function canonical(text: string | undefined): string | undefined {
  return text?.toLowerCase();
}

/** An order's id as it is stored: hashes in lower case, everything else as given. */
export function canonicalId(text: string): string;
export function canonicalId(text: string | undefined): string | undefined;
export function canonicalId(text: string | undefined): string | undefined {
  return text !== undefined && /^0x[0-9a-f]+$/i.test(text) ? text.toLowerCase() : text;
}

/**
 * A moment as ISO 8601 in UTC.
 * @throws {BadParameterError} the text has the form of a moment but is none.
 */
export function toMoment(field: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new BadParameterError([{ field, problem: `must be ${moment('').allowed}` }]);
  }
  return time.toISOString();
}

/** @throws {BadParameterError} a token's id says nothing without its collection. */
export function requireCollection(query: { tokenId?: string; collection?: string }): void {
  if (query.tokenId !== undefined && query.collection === undefined) {
    throw new BadParameterError([{ field: 'tokenId', problem: 'needs the parameter collection beside it' }]);
  }
}
