import {
  findCommission,
  listCommissions,
  type CommissionFilter,
  type CommissionKey,
  type ReadDatabase,
} from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { amount, maybeText, record, text } from '../fields';
import { parameters as p } from '../parameters';
import { changedFields } from './curatedFields';
import { registerNamed } from './registerNamed';

const commissionSchema = record({
  subject: text('CAIP-2 id of the chain.'),
  contract: text('The pool that keeps it: `commissionPool` of the gallery.'),
  galleryId: text('Id of the gallery within its contract, decimal.'),
  payee: text('Account.'),
  market: text('Name of the marketplace.'),
  claimable: amount("What the payee can claim now, in the currency's smallest unit."),
  currency: maybeText(
    'Contract of the currency; the zero address, as long as others of the chain, is native coin.',
  ),
  ...changedFields,
});

/** What payees can claim of the sales of galleries. */
export function registerCommissions(app: FastifyInstance, db: ReadDatabase): void {
  registerNamed<CommissionFilter, CommissionKey>(app, db, {
    path: '/v1/commissions',
    tag: 'curation',
    summary: 'What payees can claim of the sales of galleries',
    one: 'commission',
    item: commissionSchema,
    filter: {
      market: p.word('Name of the marketplace.'),
      contract: p.address('The pool.'),
      galleryId: p.number('Id of the gallery within its contract, decimal.'),
      payee: p.address('Who can claim.'),
    },
    name: {
      contract: p.address('The pool.'),
      galleryId: p.number('Id of the gallery within its contract, decimal.'),
      payee: p.address('Who can claim.'),
    },
    list: listCommissions,
    find: findCommission,
  });
}
