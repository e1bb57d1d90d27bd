import { DatabaseNotPreparedError } from '@imart/storage';
import type { FastifyRequest } from 'fastify';
import type { KeyAccess } from './keyAccess';

/** What an API key needs to buy. */
export const PURCHASES_SCOPE = 'purchases:write';

const UNDEFINED_TABLE = '42P01';

/**
 * Lets whoever shows an API key with {@link PURCHASES_SCOPE} buy, as often as the key may ask; the returned function throws for all others.
 * @throws {ApiKeyError} @throws {ApiKeyScopeError} @throws {RateLimitedError}
 * @throws {DatabaseNotPreparedError} there is no table of keys yet: nobody has one.
 */
export function authorizePurchases(access: KeyAccess): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    try {
      await access.check(request, PURCHASES_SCOPE);
    } catch (error) {
      throw (error as { code?: unknown } | null)?.code === UNDEFINED_TABLE
        ? new DatabaseNotPreparedError(error)
        : error;
    }
  };
}
