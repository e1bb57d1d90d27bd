import { findClaim, listClaims, type ClaimFilter, type ClaimKey, type ReadDatabase } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { amount, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields } from './curatedFields';
import { registerNamed } from './registerNamed';

const claimSchema = record({
  subject: text('CAIP-2 id of the chain.'),
  collection: text('Of the token.'),
  tokenId: text('Decimal.'),
  sender: text('Who set the tokens aside.'),
  receiver: text('Who may claim them.'),
  standard: text('Of the token.'),
  quantity: amount('What can be claimed now.'),
  status: text('`PENDING`, `CLAIMED`, or `CANCELED`: taken back.'),
  ...changedFields,
});

const name = {
  collection: p.address('Of the token.'),
  tokenId: p.tokenId,
  sender: p.address('Who set the tokens aside.'),
  receiver: p.address('Who may claim them.'),
};

/** Tokens that were set aside for a receiver, who may claim them: how tokens of the first standard of Aptos are sent. */
export function registerClaims(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<ClaimFilter, ClaimKey>(app, db, {
    path: '/v1/claims',
    tag: 'tokens',
    summary: 'Tokens that were set aside for a receiver, who may claim them',
    one: 'claim',
    item: claimSchema,
    filter: {
      ...name,
      tokenId: { ...p.tokenId, description: 'Token id, decimal; needs `collection`.' },
      status: p.oneOf(['PENDING', 'CLAIMED', 'CANCELED'], 'What its own events said last.'),
    },
    name,
    list: listClaims,
    find: findClaim,
  });
}
