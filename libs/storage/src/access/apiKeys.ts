import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import { translated } from '../commands/session';

/** What a key may be allowed: which kind of writing. Words with colons, so that a scope can be narrowed later. */
export const API_KEY_SCOPE = /^[a-z][a-z0-9-]*(:[a-z0-9*-]+)*$/;

/** A key as it is kept: nothing of it can be used to make a request. */
export interface ApiKey {
  /** Public; part of the key's text. */
  readonly id: string;
  /** Whose it is, for people. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Most requests a second that each process takes of it, averaged. */
  readonly requestsPerSecond: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** `null`: it can be used. */
  readonly revokedAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly requestsPerSecond: number;
  readonly createdBy: string;
}

/** Keys of those who may write. */
export interface ApiKeys {
  /** @returns the key with its text, which is not kept: it cannot be shown again. */
  create(key: NewApiKey): Promise<{ readonly key: ApiKey; readonly text: string }>;
  /** Newest first, revoked ones too. */
  list(): Promise<readonly ApiKey[]>;
  /** @returns `false`: there is none of this id. Revoking twice changes nothing. */
  revoke(id: string, revokedBy: string): Promise<boolean>;
  /** The key that this is the text of, revoked or not; `null`: there is none. */
  find(text: string): Promise<ApiKey | null>;
}

/** `imart_`, the id, `_`, 256 random bits: what cannot be guessed needs no slow hash. */
const KEY_TEXT = /^imart_([0-9a-f]{16})_([\w-]{43})$/;

interface KeyRow {
  readonly id: string;
  readonly secret_hash: Buffer;
  readonly name: string;
  readonly scopes: string[];
  readonly requests_per_second: number;
  readonly created_at: Date;
  readonly created_by: string;
  readonly revoked_at: Date | null;
}

const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  requestsPerSecond: row.requests_per_second,
  createdAt: row.created_at,
  createdBy: row.created_by,
  revokedAt: row.revoked_at,
});

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export function createApiKeys(pool: Pool): ApiKeys {
  return {
    create: ({ name, scopes, requestsPerSecond, createdBy }) =>
      translated(async () => {
        const id = randomBytes(8).toString('hex');
        const secret = randomBytes(32).toString('base64url');
        const { rows } = await pool.query(
          `INSERT INTO api_keys (id, secret_hash, name, scopes, requests_per_second, created_by)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING *`,
          [id, hashOf(secret), name, [...scopes], requestsPerSecond, createdBy],
        );
        return { key: keyOf(rows[0] as KeyRow), text: `imart_${id}_${secret}` };
      }),

    list: () =>
      translated(async () => {
        const { rows } = await pool.query('SELECT * FROM api_keys ORDER BY created_at DESC, id');
        return (rows as KeyRow[]).map(keyOf);
      }),

    revoke: (id, revokedBy) =>
      translated(async () => {
        const { rowCount } = await pool.query(
          `UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()), revoked_by = coalesce(revoked_by, $2)
           WHERE id = $1`,
          [id, revokedBy],
        );
        return rowCount === 1;
      }),

    find: (text) =>
      translated(async () => {
        const [, id, secret] = KEY_TEXT.exec(text) ?? [];
        if (id === undefined || secret === undefined) return null;
        const { rows } = await pool.query('SELECT * FROM api_keys WHERE id = $1', [id]);
        const row = rows[0] as KeyRow | undefined;
        return row !== undefined && timingSafeEqual(row.secret_hash, hashOf(secret)) ? keyOf(row) : null;
      }),
  };
}
