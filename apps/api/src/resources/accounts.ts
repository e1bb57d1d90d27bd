import { findAccount, PAGE_LIMIT_DEFAULT, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../errors';
import { answers, count, list, record, text } from '../fields';
import { canonical, parameters as p, parameterSet } from '../parameters';
import { offerSchema } from './offers';
import { orderSchema } from './orders';
import { balanceSchema, tokenSchema } from './tokens';

const counted = (item: object, description: string) =>
  record({ count: count('Of all.'), items: list(item, 'The first of them.') }, description);

const accountSchema = record({
  address: text('In lower case.'),
  tokens: counted(tokenSchema, 'Tokens it owns alone. All: /v1/tokens?owner='),
  balances: counted(balanceSchema, 'ERC-1155 tokens it has some of, most first.'),
  listings: counted(orderSchema, 'Its listings that can be taken now. All: /v1/orders?seller='),
  offers: counted(offerSchema, 'Its offers that can be accepted now. All: /v1/offers?bidder='),
  saleCount: count('Trades in which it sold.'),
  purchaseCount: count('Trades in which it bought.'),
});

/** What an account has and does. */
export function registerAccounts(app: FastifyInstance, db: ReadDatabase): void {
  app.get<{ Params: { address: string }; Querystring: { subject?: string; limit?: number } }>(
    '/v1/accounts/:address',
    {
      schema: {
        tags: ['accounts'],
        summary: 'What an account owns, lists and offers',
        params: parameterSet({ address: p.address('Account.') }),
        querystring: parameterSet({
          subject: p.subject,
          limit: { ...p.limit, description: 'Most rows of each list.' },
        }),
        response: answers(accountSchema, 400, 404, 503),
      },
    },
    async ({ params, query }) => {
      const address = canonical(params.address);
      const account = await findAccount(db, address, query.subject, query.limit ?? PAGE_LIMIT_DEFAULT);
      if (account === null) throw new NotFoundError(`account ${address}`);
      return account;
    },
  );
}
