import { WorkerError } from '@imart/core';

/** Somebody wants to write without a key, or with one that is none or was revoked. */
export class ApiKeyError extends WorkerError {
  constructor(shown: boolean) {
    super(
      shown
        ? 'that is no API key, or it was revoked'
        : 'this needs an API key: show it as "Authorization: Bearer ..."; an operator makes one with imart keys create',
      { code: 'API_KEY', disposition: 'stop' },
    );
  }
}

/** The key may not do this. */
export class ApiKeyScopeError extends WorkerError {
  constructor(scope: string, scopes: readonly string[]) {
    super(`this needs an API key with the scope ${scope}; this one has ${scopes.join(', ')}`, {
      code: 'API_KEY_SCOPE',
      disposition: 'stop',
      fields: { scope },
    });
  }
}

/** The key asks more often than it may, or somebody guesses keys. */
export class RateLimitedError extends WorkerError {
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message, { code: 'RATE_LIMITED', disposition: 'stop', fields: { retryAfterSeconds } });
  }
}
