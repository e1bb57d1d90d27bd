import { findCollection, listCollections, nextTurnOfCollection, type ReadDatabase } from '@imart/storage';
import { cacheScope } from '@imart/stream';
import type { FastifyInstance } from 'fastify';
import type { AnswerCache } from '../answerCache';
import { NotFoundError } from '../errors';
import {
  amount,
  answers,
  count,
  list,
  maybeAmount,
  maybeRecord,
  maybeText,
  maybeTime,
  page,
  record,
  text,
  time,
} from '../fields';
import { canonical, parameters as p, parameterSet } from '../parameters';

const collectionSchema = record({
  subject: text('CAIP-2 id of the chain.'),
  address: text('Contract.'),
  standard: maybeText('`erc721`, `erc1155` or `punk`; null when no token was seen.'),
  metadata: maybeRecord(
    {
      factory: text('The contract that made it.'),
      creator: text('Account.'),
      name: text('As its creator gave it.'),
      nameBytes: maybeText('Hex of the bytes of a name that is no valid text.'),
      category: text('As its creator gave it.'),
      tags: list({ type: 'string' }, 'As its creator gave them.'),
      description: text('As its creator gave it.'),
      uri: text('As its creator gave it; not checked, not fetched.'),
      royalties: list(
        record({ payee: text('Account.'), rate: amount("Share of sales, in the contract's own unit.") }),
        'Who gets a share of sales.',
      ),
      maximum: maybeAmount('Most tokens it may ever have; null: no limit.'),
      createdAt: time('Chain time.'),
    },
    'What its factory said of it; null when no followed factory made it.',
  ),
  tokenCount: count('Tokens known to exist now, ERC-1155 ids included.'),
  ownerCount: count('Accounts that own at least one.'),
  listedCount: count('Listings that can be taken now.'),
  listedTokenCount: count('Tokens that those listings are for.'),
  floor: maybeAmount('The floor in native coin, in its smallest unit; null when nothing is listed in it.'),
  floors: list(
    record({
      currency: maybeText('Contract of the currency.'),
      unitPrice: amount("The least price of one piece, in the currency's smallest unit."),
      listedCount: count('Listings in that currency.'),
    }),
    'Of each currency; from listings at a fixed price that anybody can take now. Native coin first.',
  ),
  saleCount: count('Trades that moved a token of it.'),
  volume: amount('The volume in native coin, in its smallest unit.'),
  volumes: list(
    record({
      currency: maybeText('Contract of the currency.'),
      amount: amount("Sum of the prices, in the currency's smallest unit; a bundle counts once."),
      saleCount: count('Trades in that currency.'),
    }),
    'Of each currency; native coin first.',
  ),
  lastSaleAt: maybeTime('Chain time.'),
});

/** Collections with listed count, floor, volume and owners, computed at the moment of reading. */
export function registerCollections(app: FastifyInstance, db: ReadDatabase, cache: AnswerCache): void {
  app.get<{ Querystring: { subject?: string; limit?: number; cursor?: string } }>(
    '/v1/collections',
    {
      schema: {
        tags: ['collections'],
        summary: 'Every collection that an event named, by subject and address',
        querystring: parameterSet({ subject: p.subject, limit: p.limit, cursor: p.cursor }),
        response: answers(page(collectionSchema), 400, 404, 503),
      },
    },
    async ({ query }) => listCollections(db, query),
  );

  app.get<{ Params: { subject: string; collection: string } }>(
    '/v1/collections/:subject/:collection',
    {
      schema: {
        tags: ['collections'],
        summary: 'One collection',
        params: parameterSet({ subject: p.subject, collection: p.address('Contract.') }),
        querystring: parameterSet({}),
        response: answers(collectionSchema, 400, 404, 503),
      },
    },
    async ({ params }, reply) => {
      const { subject } = params;
      const collection = canonical(params.collection);
      const found = await cache.read(
        reply,
        'collectionstats',
        { subject, id: collection },
        async (reads, { chainTimeUs }) => {
          const value = await findCollection(reads, { subject, collection });
          const untilUs = await nextTurnOfCollection(reads, subject, collection, chainTimeUs);
          return { value, scopes: [cacheScope.collection(collection)], untilUs };
        },
      );
      if (found === null) throw new NotFoundError(`collection ${collection} on ${subject}`);
      return found;
    },
  );
}
