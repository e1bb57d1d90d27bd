import type { Reads } from './database';
import { matching, matchingNumbers, readerOf } from './named';
import type { Page, PageRequest } from './page';

/** Tokens that a sender has set aside for a receiver, who may claim them. */
export interface ClaimRecord {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly sender: string;
  readonly receiver: string;
  readonly standard: string;
  /** What can be claimed now. */
  readonly quantity: string;
  /** `PENDING`, `CLAIMED` or `CANCELED`. */
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface ClaimFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly sender?: string | undefined;
  readonly receiver?: string | undefined;
  readonly status?: readonly string[] | undefined;
}

export interface ClaimKey {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly sender: string;
  readonly receiver: string;
}

const claims = readerOf<ClaimRecord>({
  table: 'claims',
  name: [
    { column: 'collection', type: 'text' },
    { column: 'token_id', type: 'numeric' },
    { column: 'sender', type: 'text' },
    { column: 'receiver', type: 'text' },
  ],
  order: 'newest',
  columns: `r.collection, r.token_id::text AS "tokenId", r.sender, r.receiver, r.standard,
    r.quantity::text AS "quantity", r.status`,
});

/** Newest first. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listClaims(db: Reads, filter: ClaimFilter): Promise<Page<ClaimRecord>> {
  const { collection, tokenId, sender, receiver, status } = filter;
  return claims.list(db, filter, [
    ...matching({
      'r.collection': collection,
      'r.sender': sender,
      'r.receiver': receiver,
      'r.status': status,
    }),
    ...matchingNumbers({ 'r.token_id': tokenId }),
  ]);
}

/** `null`: no event has named it. @throws {UnknownSubjectError} */
export async function findClaim(db: Reads, key: ClaimKey): Promise<ClaimRecord | null> {
  return claims.find(db, key.subject, [key.collection, key.tokenId, key.sender, key.receiver]);
}
