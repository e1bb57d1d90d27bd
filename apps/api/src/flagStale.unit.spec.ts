import type { ReadDatabase, StaleSubject } from '@imart/storage';
import fastify from 'fastify';
import { flagStale, STALE_HEADER } from './flagStale';

describe('the flag of answers', () => {
  it('stays as it was while it cannot be found out anew', async () => {
    let now = 0;
    let answer: () => Promise<readonly StaleSubject[]> = async () => [
      { subject: 'eip155:1', reason: 'halted' },
    ];
    const app = fastify();
    flagStale(app, {
      db: { query: () => answer() } as unknown as ReadDatabase,
      staleAfterMs: 1_000,
      now: () => now,
    });
    app.get('/v1/orders', async () => ({}));
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const flagOf = async (afterMs: number): Promise<string | null> => {
      now += afterMs;
      return (await fetch(`${origin}/v1/orders`)).headers.get(STALE_HEADER);
    };
    try {
      expect(await flagOf(0)).toBe('eip155:1;halted');
      answer = async () => Promise.reject(new Error('it took too long'));
      expect(await flagOf(501)).toBe('eip155:1;halted');
      expect(await flagOf(501)).toBe('eip155:1;halted');
      answer = async () => [];
      expect(await flagOf(500)).toBe('eip155:1;halted');
      expect(await flagOf(1)).toBeNull();
    } finally {
      await app.close();
    }
  });
});
