import {
  findTokenDetails,
  listTokenDetails,
  type ReadDatabase,
  type TokenDetailsFilter,
  type TokenDetailsKey,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { maybeText, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields } from './curatedFields';
import { registerNamed } from './registerNamed';

/** What a token is called. */
export const tokenNames = {
  creator: maybeText('Account.'),
  collectionName: maybeText("In the creator's words."),
  name: maybeText("In the creator's words."),
  edition: maybeText('Which of several under one name, decimal; on Aptos the property version.'),
  description: maybeText("In the creator's words."),
  uri: maybeText('Where the creator says that more is told.'),
};

const tokenDetailsSchema = record({
  subject: text('CAIP-2 id of the chain.'),
  collection: text('Of the token.'),
  tokenId: text('Decimal.'),
  standard: text('Of the token.'),
  ...tokenNames,
  ...changedFields,
});

/** What tokens are called, where the chain tells it; also of those of which no owner is known. */
export function registerTokenDetails(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<TokenDetailsFilter, TokenDetailsKey>(app, db, {
    path: '/v1/token-details',
    tag: 'tokens',
    summary: 'What tokens are called, where the chain tells it',
    one: "token's details",
    order: 'by subject, collection and id',
    item: tokenDetailsSchema,
    filter: {
      collection: p.address('Of the token.'),
      tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
    },
    name: { collection: p.address('Of the token.'), tokenId: p.tokenId },
    list: listTokenDetails,
    find: findTokenDetails,
  });
}
