import type { Page, ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors';
import { answers, page } from '../fields';
import { canonical, isAddress, parameters as p, parameterSet, requireCollection } from '../parameters';

type Values = Readonly<Record<string, unknown>>;

/** Things that have a name within their subject: a list of them with filters, and each by its name. */
export interface NamedResource<Filter, Key> {
  /** Of the list: `/v1/exhibits`. The path of one goes on with the subject and what names it. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  /** What one of them is called, in the summary and where it is not known. */
  readonly one: string;
  /** How the list is sorted. @defaultValue newest first, one subject after the other */
  readonly order?: string;
  readonly item: object;
  /** Parameters of the list beside `subject`, `limit` and `cursor`. */
  readonly filter: Readonly<Record<string, object>>;
  /** What names one, in the order of the path, after the subject. */
  readonly name: Readonly<Record<string, object>>;
  list(db: ReadDatabase, filter: Filter): Promise<Page<object>>;
  find(db: ReadDatabase, key: Key): Promise<object | null>;
}

/** Registers the list and the path of one. Addresses are taken in any case. */
export function registerNamed<Filter, Key>(
  app: FastifyInstance,
  db: ReadDatabase,
  resource: NamedResource<Filter, Key>,
): void {
  const { path, tag, summary, one, item, filter, name } = resource;
  const { order = 'newest first, one subject after the other' } = resource;
  const names = Object.keys(name);
  app.get<{ Querystring: Values }>(
    path,
    {
      schema: {
        tags: [tag],
        summary: `${summary}: ${order}`,
        querystring: parameterSet({ subject: p.subject, ...filter, limit: p.limit, cursor: p.cursor }),
        response: answers(page(item), 400, 404, 503),
      },
    },
    async ({ query }) => {
      requireCollection(query);
      return resource.list(db, inCanonicalForm(query, filter) as Filter);
    },
  );

  app.get<{ Params: Values & { readonly subject: string } }>(
    `${path}/:subject/${names.map((part) => `:${part}`).join('/')}`,
    {
      schema: {
        tags: [tag],
        summary: `One ${one}`,
        params: parameterSet({ subject: p.subject, ...name }),
        querystring: parameterSet({}),
        response: answers(item, 400, 404, 503),
      },
    },
    async ({ params }) => {
      const found = await resource.find(db, inCanonicalForm(params, name) as Key);
      if (found !== null) return found;
      const words = names.map((part) => String(params[part])).join(' ');
      throw new NotFoundError(`${one} ${words} on ${params.subject}`);
    },
  );
}

/** The values with addresses in canonical form. */
function inCanonicalForm(values: Values, schemas: Readonly<Record<string, object>>): Values {
  return Object.fromEntries(
    Object.entries(values).map(([field, value]) => {
      const schema = schemas[field];
      const isOne = schema !== undefined && isAddress(schema) && typeof value === 'string';
      return [field, isOne ? canonical(value) : value];
    }),
  );
}
