import { Client } from 'pg';
import { FencedError, type IngestLeases, type SubjectStore } from '@imart/pipeline';
import { blockSeqNo, appendMessage, createMarketScript, fakeBlock, SUBJECT } from '@imart/testing';
import { createIngestLeases } from './lease';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let market: MarketDatabase;
let store: SubjectStore;
let leases: IngestLeases;
const clients: Client[] = [];

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(async () => {
  await market.clear();
  store = await market.open(SUBJECT, 1);
  leases = createIngestLeases({ pool: market.pool, subject: 1 });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
});

const LONG_MS = 60_000;
const { events } = createMarketScript().listed('1').listed('2');
const message = appendMessage(events, 0n, 10n);
const next = appendMessage([], 11n, 12n);

const acquire = async (holder: string, durationMs = LONG_MS): Promise<bigint> => {
  const answer = await leases.acquire(holder, durationMs);
  if (answer.kind !== 'acquired') throw new Error(`held by ${answer.holder}`);
  return answer.fencing;
};
const append = (to: SubjectStore, range = message): Promise<unknown> =>
  to.transaction(async (tx) => {
    const { lastFeedNo } = await tx.lockIngest();
    return tx.append(await to.prepareAppend(range, lastFeedNo + 1n));
  });
const finalize = (to: SubjectStore): Promise<void> =>
  to.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: blockSeqNo.last(10n), position: 10n });
  });
/** Moves the end of the lease on the database's own clock. */
const end = async (): Promise<void> => {
  await market.pool.query(`UPDATE ingest_leases SET expires_at = clock_timestamp() - interval '1 ms'`);
};

async function untilSomebodyWaitsForALock(): Promise<void> {
  for (const late = Date.now() + 20_000; Date.now() < late;) {
    const { rowCount } = await market.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rowCount !== 0) return;
  }
  throw new Error('nobody waits for a lock');
}

/** A connection of another process that holds the subject's row. */
async function lockSubjectAs(applicationName: string): Promise<{ client: Client; lost: Promise<string> }> {
  const client = new Client({ connectionString: market.database.url, application_name: applicationName });
  clients.push(client);
  const lost = new Promise<string>((resolve) => client.on('error', (error) => resolve(error.message)));
  await client.connect();
  await client.query('BEGIN; SELECT id FROM subjects FOR UPDATE');
  return { client, lost };
}

describe('the lease in the database', () => {
  it('goes to one of many that ask at once; the others are told who has it and for how long (Q15)', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) => leases.acquire(`worker ${i}`, LONG_MS)),
    );
    const acquired = answers.filter(({ kind }) => kind === 'acquired');
    expect(acquired).toEqual([{ kind: 'acquired', fencing: 1n }]);
    const winner = `worker ${answers.findIndex(({ kind }) => kind === 'acquired')}`;
    for (const answer of answers) {
      if (answer.kind === 'held') {
        expect(answer.holder).toBe(winner);
        expect(answer.expiresInMs).toBeGreaterThan(0);
        expect(answer.expiresInMs).toBeLessThanOrEqual(LONG_MS);
      }
    }
  });

  it('has a greater number for each holder, whether it was given back or ran out', async () => {
    expect(await acquire('a')).toBe(1n);
    await leases.release(1n);
    expect(await acquire('b')).toBe(2n);
    expect((await leases.acquire('c', LONG_MS)).kind).toBe('held');
    await end();
    expect(await acquire('c')).toBe(3n);
  });

  it('that is over is ours again by renewing, unless somebody has taken it meanwhile', async () => {
    const mine = await acquire('a');
    await end();
    expect(await leases.renew(mine, LONG_MS)).toBe(true);
    expect((await leases.acquire('b', LONG_MS)).kind).toBe('held');
    await end();
    const theirs = await acquire('b');
    expect(await leases.renew(mine, LONG_MS)).toBe(false);
    await leases.release(mine);
    expect(await leases.renew(theirs, LONG_MS)).toBe(true);
    expect((await leases.acquire('a', LONG_MS)).kind).toBe('held');
  });

  it('fences whoever had it before: it appends, finalizes and tells of its head no more (Q15)', async () => {
    const before = store.fenced(await acquire('a'));
    await append(before);
    await before.heartbeat(fakeBlock(20n));
    await end();
    const now = store.fenced(await acquire('b'));
    await expect(append(before, next)).rejects.toThrow(FencedError);
    await expect(finalize(before)).rejects.toThrow(FencedError);
    await expect(before.heartbeat(fakeBlock(30n))).rejects.toThrow(FencedError);
    const { rows } = await market.pool.query('SELECT head_position, finalized_position FROM subjects');
    expect(rows).toEqual([{ head_position: '20', finalized_position: null }]);
    expect(await store.progress()).toMatchObject({ nextPosition: 11n, lastFeedNo: 1n });
    await append(now, next);
    await finalize(now);
    expect(await store.progress()).toMatchObject({ nextPosition: 13n, finalized: blockSeqNo.last(10n) });
  });

  it('is not looked at by who has none: an operator’s command works under the row’s lock alone', async () => {
    await acquire('a');
    await append(store);
    expect(await store.progress()).toMatchObject({ nextPosition: 11n });
  });

  it('refuses a holder that the database knows nothing of', async () => {
    await expect(append(store.fenced(1n))).rejects.toThrow(FencedError);
  });

  it('changes hands only when what the last holder still writes is committed or undone', async () => {
    const before = store.fenced(await acquire('a'));
    let appended: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (appended = resolve));
    let goOn: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (goOn = resolve));
    const writing = before.transaction(async (tx) => {
      const { lastFeedNo } = await tx.lockIngest();
      await tx.append(await before.prepareAppend(message, lastFeedNo + 1n));
      appended();
      await asked;
    });
    await inside;
    await end();
    let taken = false;
    const taking = leases.acquire('b', LONG_MS).finally(() => (taken = true));
    await Promise.race([taking, untilSomebodyWaitsForALock()]);
    goOn();
    expect(taken).toBe(false);
    await writing;
    expect(await taking).toEqual({ kind: 'acquired', fencing: 2n });
    expect((await store.progress()).nextPosition).toBe(11n);
  });

  it('is taken from a holder that is paused in the middle of a transaction: what it began is undone (Q15)', async () => {
    await acquire('paused');
    const { lost } = await lockSubjectAs('paused');
    await end();
    expect(await leases.acquire('b', LONG_MS)).toEqual({ kind: 'held', holder: 'paused', expiresInMs: 0 });
    expect(await lost).toContain('terminat');
    expect(await acquire('b')).toBe(2n);
  });

  it('waits for others that have the subject locked, and ends nothing of theirs', async () => {
    await acquire('a');
    const { client } = await lockSubjectAs('imart rewind');
    await end();
    expect(await leases.acquire('b', LONG_MS)).toMatchObject({ kind: 'held', expiresInMs: 0 });
    await client.query('COMMIT');
    expect(await acquire('b')).toBe(2n);
  });

  it('needs no end of a paused process to get its locks back: the server ends what is silent inside a transaction', async () => {
    const pool = market.createPool({ max: 1 });
    const own = await market.open(SUBJECT, 1, pool);
    await append(own);
    const { rows } = await pool.query('SHOW idle_in_transaction_session_timeout');
    expect(rows).toEqual([{ idle_in_transaction_session_timeout: '30s' }]);
  });
});
