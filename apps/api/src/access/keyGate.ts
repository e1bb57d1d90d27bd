import type { ApiKey } from '@imart/storage';
import type { FastifyRequest } from 'fastify';
import type { KeyAccess } from './keyAccess';

/** Asks for the API key before anything else of a request is looked at: what is wrong with it is told to those who may ask. */
export interface KeyGate {
  /** Before body and parameters are read. Throws as {@link KeyAccess.check}. */
  readonly onRequest: (request: FastifyRequest) => Promise<void>;
  /** The key of a request that has passed. */
  keyOf(request: FastifyRequest): ApiKey;
}

export function createKeyGate(access: KeyAccess, scopeOf: (request: FastifyRequest) => string): KeyGate {
  const keys = new WeakMap<FastifyRequest, ApiKey>();
  return {
    async onRequest(request) {
      keys.set(request, await access.check(request, scopeOf(request)));
    },
    keyOf(request) {
      const key = keys.get(request);
      if (key === undefined) throw new Error('the request has not passed the gate of its route');
      return key;
    },
  };
}
