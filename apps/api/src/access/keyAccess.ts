import { createHash } from 'node:crypto';
import type { ApiKey, ApiKeys } from '@imart/storage';
import type { FastifyRequest } from 'fastify';
import { ApiKeyError, ApiKeyScopeError } from './errors';
import { createRateLimits } from './rateLimits';

/** What the database said of a key is used for so long: a revoked key works for no longer than this. */
export const KEY_KNOWN_MS = 2_000;
/** Keys that are remembered so; beyond it all are asked for again. */
const KNOWN_KEYS_MAX = 10_000;
/** Wrong keys that one address may show in a second. */
const WRONG_PER_SECOND = 5;

/** The door to whatever writes. */
export interface KeyAccess {
  /**
   * The key that the request shows, if it may do this now.
   * @param scope `events:write:product` is also given by `events:write`.
   * @throws {ApiKeyError} @throws {ApiKeyScopeError} @throws {RateLimitedError}
   */
  check(request: FastifyRequest, scope: string): Promise<ApiKey>;
}

export interface KeyAccessOptions {
  readonly keys: Pick<ApiKeys, 'find'>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** Limits are each process's own: of several, each lets the key's rate pass. */
export function createKeyAccess({ keys, now }: KeyAccessOptions): KeyAccess {
  const known = new Map<string, { readonly key: ApiKey; readonly at: number }>();
  const limits = createRateLimits(now);

  const find = async (text: string, address: string): Promise<ApiKey> => {
    // Not the key itself: memory may be dumped.
    const name = createHash('sha256').update(text).digest('base64');
    const found = known.get(name);
    if (found !== undefined && now() - found.at < KEY_KNOWN_MS) return found.key;
    const key = await keys.find(text);
    if (key === null || key.revokedAt !== null) {
      known.delete(name);
      limits.take(`address ${address}`, WRONG_PER_SECOND);
      throw new ApiKeyError(true);
    }
    if (known.size >= KNOWN_KEYS_MAX) known.clear();
    known.set(name, { key, at: now() });
    return key;
  };

  return {
    async check(request, scope) {
      const text = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
      if (text === undefined) throw new ApiKeyError(false);
      const key = await find(text, request.ip);
      limits.take(`key ${key.id}`, key.requestsPerSecond);
      if (!key.scopes.some((given) => scope === given || scope.startsWith(`${given}:`))) {
        throw new ApiKeyScopeError(scope, key.scopes);
      }
      return key;
    },
  };
}
