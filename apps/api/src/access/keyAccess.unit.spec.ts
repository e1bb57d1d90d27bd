import type { ApiKey } from '@imart/storage';
import type { FastifyRequest } from 'fastify';
import { ApiKeyError, ApiKeyScopeError, RateLimitedError } from './errors';
import { createKeyAccess, KEY_KNOWN_MS, type KeyAccess } from './keyAccess';

let clock: number;
let stored: Map<string, ApiKey>;
let asked: number;
let access: KeyAccess;

const keyOf = (more: Partial<ApiKey> = {}): ApiKey => ({
  id: 'a',
  name: 'spec',
  scopes: ['events:write'],
  requestsPerSecond: 2,
  createdAt: new Date(0),
  createdBy: 'spec',
  revokedAt: null,
  ...more,
});

beforeEach(() => {
  clock = 0;
  asked = 0;
  stored = new Map([['one', keyOf()]]);
  access = createKeyAccess({
    keys: {
      find: async (text) => {
        asked++;
        return stored.get(text) ?? null;
      },
    },
    now: () => clock,
  });
});

const check = (authorization: string | undefined, scope = 'events:write:product'): Promise<ApiKey> =>
  access.check({ headers: { authorization }, ip: '10.0.0.1' } as unknown as FastifyRequest, scope);

describe('a key', () => {
  it('is needed, must be known, and must have the scope or a wider one', async () => {
    await expect(check(undefined)).rejects.toThrow(ApiKeyError);
    await expect(check('Bearer two')).rejects.toThrow('no API key');
    await expect(check('Bearer one')).resolves.toMatchObject({ id: 'a' });
    stored.set('one-type', keyOf({ id: 'b', scopes: ['events:write:product'] }));
    await expect(check('Bearer one-type')).resolves.toMatchObject({ id: 'b' });
    await expect(check('Bearer one-type', 'events:write:products')).rejects.toThrow(ApiKeyScopeError);
    await expect(check('Bearer one', 'webhooks')).rejects.toThrow('the scope webhooks');
  });

  it('that is revoked is refused, at the latest when what is remembered of it is old', async () => {
    await check('Bearer one');
    stored.set('one', keyOf({ revokedAt: new Date(0) }));
    clock = KEY_KNOWN_MS - 1;
    await check('Bearer one');
    expect(asked).toBe(1);
    clock = KEY_KNOWN_MS;
    await expect(check('Bearer one')).rejects.toThrow('revoked');
  });

  it('asks no more often than it may, and is told when to ask again', async () => {
    await check('Bearer one');
    await check('Bearer one');
    const refused = await check('Bearer one').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitedError);
    expect((refused as RateLimitedError).retryAfterSeconds).toBe(1);
    clock = 500;
    await check('Bearer one');
    await expect(check('Bearer one')).rejects.toThrow(RateLimitedError);
  });

  it('is not guessed: an address shows a few wrong ones a second', async () => {
    for (let i = 0; i < 5; i++) await expect(check(`Bearer wrong-${i}`)).rejects.toThrow(ApiKeyError);
    await expect(check('Bearer wrong')).rejects.toThrow(RateLimitedError);
    await expect(check('Bearer one')).resolves.toMatchObject({ id: 'a' });
  });
});
