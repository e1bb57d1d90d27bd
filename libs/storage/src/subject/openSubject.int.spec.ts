import { type SubjectId } from '@imart/core';
import { blockSeqNo, append, appendMessage, SUBJECT } from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { LanesChangedError, OtherChainError } from './errors';
import { openSubject, type FollowedSubject, type OpenSubjectOptions } from './openSubject';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

const options: OpenSubjectOptions = {
  identity: { subjectId: SUBJECT, genesisHash: '0x01' },
  observer: 'market',
  lanes: 3,
  startPosition: 17n,
  followed: 'a,b',
};

describe('openSubject', () => {
  it('registers a subject that is new, and finds it again', async () => {
    expect(await openSubject(market.pool, options)).toEqual({
      subject: 1,
      startPosition: 17n,
      followedBefore: null,
      empty: true,
    });
    const store = await market.open(SUBJECT, 3).catch((error: Error) => error);
    // The market database's own identity is another chain.
    expect(store).toBeInstanceOf(OtherChainError);
    const again = await openSubject(market.pool, { ...options, startPosition: 99n, followed: 'c' });
    // Where it started stays: what lies before was never read.
    expect(again).toEqual({ subject: 1, startPosition: 17n, followedBefore: 'a,b', empty: true });
    // Nor is what is followed changed: whoever is about to read registers that, under the lease.
    expect(await openSubject(market.pool, options)).toMatchObject({ followedBefore: 'a,b' });
  });

  it('tells whether anything was ingested', async () => {
    const store = await market.open(SUBJECT, 1);
    await append(store, appendMessage([], 0n, 3n));
    const identity = { subjectId: SUBJECT, genesisHash: '0x00' };
    expect(await openSubject(market.pool, { ...options, identity, lanes: 1 })).toMatchObject({
      empty: false,
    });
    expect((await store.progress()).ingested).toBe(blockSeqNo.last(3n));
  });

  it('refuses another chain under the same id, and changes nothing', async () => {
    await openSubject(market.pool, options);
    const other = { ...options, identity: { subjectId: SUBJECT, genesisHash: '0x02' }, followed: 'z' };
    await expect(openSubject(market.pool, other)).rejects.toThrow(OtherChainError);
    await expect(openSubject(market.pool, other)).rejects.toThrow(/0x01.*0x02/);
    expect(await openSubject(market.pool, options)).toMatchObject({ followedBefore: 'a,b' });
  });

  it('refuses another number of lanes, fewer and more', async () => {
    await openSubject(market.pool, options);
    for (const lanes of [1, 4]) {
      const error = await openSubject(market.pool, { ...options, lanes }).catch((e: Error) => e);
      expect(error).toBeInstanceOf(LanesChangedError);
      expect(error).toMatchObject({ disposition: 'stop', fields: { stored: 3, configured: lanes } });
    }
    const { rows } = await market.pool.query('SELECT lane FROM checkpoints ORDER BY lane');
    expect(rows).toEqual([{ lane: 0 }, { lane: 1 }, { lane: 2 }]);
  });

  it('is refused beside others as whoever opens it says, also when both come at the same moment (Q15)', async () => {
    const seen: string[][] = [];
    const alone = (id: string) => ({
      ...options,
      identity: { subjectId: id as SubjectId, genesisHash: '0x01' },
      refused: (registered: readonly FollowedSubject[]) => {
        seen.push(registered.map(({ subjectId, followed }) => `${subjectId} ${followed}`));
        return registered.some(({ subjectId }) => subjectId !== id) ? new Error(`${id} stands alone`) : null;
      },
    });
    const both = await Promise.allSettled(
      ['aptos:7', 'aptos:8'].map((id) => openSubject(market.pool, alone(id))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { rows } = await market.pool.query<{ subject_id: string }>('SELECT subject_id FROM subjects');
    expect(rows).toHaveLength(1);
    const [{ subject_id: kept }] = rows as [{ subject_id: string }];
    // It may change its mind about what is there already, its own subject among it.
    await openSubject(market.pool, alone(kept));
    expect(seen.at(-1)).toEqual([`${kept} a,b`]);
    await openSubject(market.pool, options);
    await expect(openSubject(market.pool, alone(kept))).rejects.toThrow(`${kept} stands alone`);
  });

  it('lets several processes register one subject at the same moment (Q15)', async () => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => openSubject(market.pool, options)));
    expect(new Set(opened.map(({ subject }) => subject)).size).toBe(1);
    expect(opened.filter(({ followedBefore }) => followedBefore === null)).toHaveLength(1);
    const { rows } = await market.pool.query('SELECT count(*)::int AS n FROM checkpoints');
    expect(rows).toEqual([{ n: 3 }]);
  });
});
