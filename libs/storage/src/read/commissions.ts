import type { Reads } from './database';
import { matching, matchingNumbers, readerOf } from './named';
import type { Page, PageRequest } from './page';

/** What a payee may claim of a gallery's sales. */
export interface CommissionRecord {
  readonly subject: string;
  /** The pool that holds it. */
  readonly contract: string;
  readonly galleryId: string;
  readonly payee: string;
  readonly market: string;
  /** In the currency's smallest unit. */
  readonly claimable: string;
  readonly currency: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface CommissionFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly market?: string | undefined;
  readonly contract?: string | undefined;
  readonly galleryId?: string | undefined;
  readonly payee?: string | undefined;
}

export interface CommissionKey {
  readonly subject: string;
  readonly contract: string;
  readonly galleryId: string;
  readonly payee: string;
}

const commissions = readerOf<CommissionRecord>({
  table: 'commissions',
  name: [
    { column: 'contract', type: 'text' },
    { column: 'gallery_id', type: 'numeric' },
    { column: 'payee', type: 'text' },
  ],
  order: 'newest',
  columns:
    'r.contract, r.gallery_id::text AS "galleryId", r.payee, r.market, r.claimable::text AS "claimable", r.currency',
});

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listCommissions(db: Reads, filter: CommissionFilter): Promise<Page<CommissionRecord>> {
  const { market, contract, galleryId, payee } = filter;
  return commissions.list(db, filter, [
    ...matching({ 'r.market': market, 'r.contract': contract, 'r.payee': payee }),
    ...matchingNumbers({ 'r.gallery_id': galleryId }),
  ]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findCommission(db: Reads, key: CommissionKey): Promise<CommissionRecord | null> {
  return commissions.find(db, key.subject, [key.contract, key.galleryId, key.payee]);
}
