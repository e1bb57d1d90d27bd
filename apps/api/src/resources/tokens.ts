import {
  findToken,
  listTokenBalances,
  listTokens,
  nextTurnOfCollection,
  PAGE_LIMIT_DEFAULT,
  type ReadDatabase,
} from '@imart/storage';
import { cacheScope } from '@imart/stream';
import type { FastifyInstance } from 'fastify';
import type { AnswerCache } from '../answerCache';
import { NotFoundError } from '../errors';
import {
  amount,
  answers,
  count,
  integer,
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
import { canonical, parameters as p, parameterSet, requireCollection } from '../parameters';
import { tokenNames } from './tokenDetails';

const tokenFields = {
  subject: text('CAIP-2 id of the chain.'),
  collection: text('Contract.'),
  tokenId: text('Decimal.'),
  standard: text('`erc721`, `erc1155`, `punk`, `aptos-v1` or `aptos-v2`.'),
  owner: maybeText('Null once burned, and for ERC-1155.'),
  ownerCount: count('Accounts that have some of it.'),
  supply: amount('Pieces known to exist.'),
  mintedAt: maybeTime('Null when the mint was not seen, and for ERC-1155.'),
  transferCount: { type: ['integer', 'null'], description: 'Changes of hands; null for ERC-1155.' },
  lastSale: maybeRecord(
    {
      price: maybeAmount("Of the whole trade, in the currency's smallest unit."),
      currency: maybeText(
        'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
      ),
      quantity: maybeAmount('Pieces of this token in it.'),
      itemCount: integer('How many items share the price.'),
      at: time('Chain time.'),
    },
    'The last trade that moved it; null when none was seen.',
  ),
  listings: list(
    record({
      currency: maybeText('Contract of the currency.'),
      unitPrice: amount("Of one piece, in the currency's smallest unit."),
      contract: text('Contract of the market.'),
      orderId: text('Id of the listing.'),
      seller: maybeText('Who lists it.'),
    }),
    'The cheapest listing of each currency that anybody can take now at a fixed price; native coin first.',
  ),
  offers: list(
    record({
      currency: maybeText('Contract of the currency.'),
      unitPrice: amount("Of one piece, in the currency's smallest unit."),
      contract: text('Contract of the market.'),
      orderId: text('Id of the offer.'),
      bidder: maybeText('Who offers.'),
      collectionOffer: { type: 'boolean', description: 'For any token of the collection.' },
    }),
    'The highest offer of each currency that can be accepted now; native coin first.',
  ),
  details: maybeRecord(
    tokenNames,
    "What it is called, in its creator's words; null where the chain does not tell it.",
  ),
  createdAt: time('Chain time of the first event about it.'),
  updatedAt: time('Chain time of the last change of hands.'),
  seqNo: text('SeqNo of that change.'),
};

export const tokenSchema = record(tokenFields);

export const balanceSchema = record({
  subject: text('CAIP-2 id of the chain.'),
  collection: text('Contract.'),
  tokenId: text('Decimal.'),
  owner: text('Account.'),
  quantity: amount('Received minus sent since the first followed block; can be negative.'),
  updatedAt: time('Chain time of the last change.'),
  seqNo: text('SeqNo of that change.'),
});

const query = parameterSet({
  subject: p.subject,
  collection: p.address('Contract.'),
  tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
  owner: p.address('Who owns it, or has some of it.'),
  limit: p.limit,
  cursor: p.cursor,
});

interface TokensQuery {
  readonly subject?: string;
  readonly collection?: string;
  readonly tokenId?: string;
  readonly owner?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Tokens with their owners, last sale, listings and offers. */
export function registerTokens(app: FastifyInstance, db: ReadDatabase, cache: AnswerCache): void {
  app.get<{ Querystring: TokensQuery }>(
    '/v1/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Tokens by subject, collection and id',
        querystring: query,
        response: answers(page(tokenSchema), 400, 404, 503),
      },
    },
    async ({ query }) => {
      requireCollection(query);
      return listTokens(db, {
        ...query,
        collection: canonical(query.collection),
        owner: canonical(query.owner),
      });
    },
  );

  app.get<{
    Params: { subject: string; collection: string; tokenId: string };
    Querystring: { limit?: number };
  }>(
    '/v1/tokens/:subject/:collection/:tokenId',
    {
      schema: {
        tags: ['tokens'],
        summary: 'One token and who has how much of it',
        params: parameterSet({ subject: p.subject, collection: p.address('Contract.'), tokenId: p.tokenId }),
        querystring: parameterSet({ limit: { ...p.limit, description: 'Most rows of `balances`.' } }),
        response: answers(
          record({
            ...tokenFields,
            balances: list(
              balanceSchema,
              'Of ERC-1155: who has how much, most first. Empty for tokens with one owner.',
            ),
          }),
          400,
          404,
          503,
        ),
      },
    },
    async ({ params, query }, reply) => {
      const key = { ...params, collection: canonical(params.collection) };
      const { subject, collection } = key;
      const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
      // Its offers may be for any token of the collection: whatever happens to that may change them.
      const id = `${collection}:${key.tokenId}${limit === PAGE_LIMIT_DEFAULT ? '' : `:${limit}`}`;
      const token = await cache.read(reply, 'token', { subject, id }, async (reads, { chainTimeUs }) => {
        const found = await findToken(reads, key);
        const balances = await listTokenBalances(reads, key, limit);
        const untilUs = await nextTurnOfCollection(reads, subject, collection, chainTimeUs);
        const value = found === null ? null : { ...found, balances };
        return { value, scopes: [cacheScope.collection(collection)], untilUs };
      });
      if (token === null) {
        throw new NotFoundError(`token ${params.tokenId} of ${params.collection} on ${params.subject}`);
      }
      return token;
    },
  );
}
