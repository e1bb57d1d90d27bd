import type { Reads } from './database';
import { matching, matchingNumbers, readerOf } from './named';
import type { Page, PageRequest } from './page';

/** What a token is called, in its creator's words, where the chain tells it. */
export interface TokenDetailsRecord {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
  readonly standard: string;
  readonly creator: string | null;
  readonly collectionName: string | null;
  readonly name: string | null;
  /** Which of several under one name. */
  readonly edition: string | null;
  readonly description: string | null;
  readonly uri: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly seqNo: string;
}

/** Addresses in canonical form; what is absent does not filter. */
export interface TokenDetailsFilter extends PageRequest {
  readonly subject?: string | undefined;
  readonly collection?: string | undefined;
  readonly tokenId?: string | undefined;
}

export interface TokenDetailsKey {
  readonly subject: string;
  readonly collection: string;
  readonly tokenId: string;
}

const details = readerOf<TokenDetailsRecord>({
  table: 'token_details',
  name: [
    { column: 'collection', type: 'text' },
    { column: 'token_id', type: 'numeric' },
  ],
  order: 'name',
  columns: `r.collection, r.token_id::text AS "tokenId", r.standard, r.creator, r.collection_name AS "collectionName",
    r.name, r.edition::text AS "edition", r.description, r.uri`,
});

/** By subject, collection and id. @throws {UnknownSubjectError} @throws {CursorError} */
export async function listTokenDetails(
  db: Reads,
  filter: TokenDetailsFilter,
): Promise<Page<TokenDetailsRecord>> {
  return details.list(db, filter, [
    ...matching({ 'r.collection': filter.collection }),
    ...matchingNumbers({ 'r.token_id': filter.tokenId }),
  ]);
}

/** `null`: no event has told it. @throws {UnknownSubjectError} */
export async function findTokenDetails(db: Reads, key: TokenDetailsKey): Promise<TokenDetailsRecord | null> {
  return details.find(db, key.subject, [key.collection, key.tokenId]);
}
