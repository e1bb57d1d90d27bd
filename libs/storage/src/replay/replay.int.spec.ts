import fc from 'fast-check';
import { type Event, type Observer, type SeqNo, type SubjectId } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import {
  noSnapshots,
  skipParked,
  StorageUnavailableError,
  type ParkMarker,
  type SubjectStore,
} from '@imart/pipeline';
import {
  blockSeqNo,
  addPoison,
  ALICE,
  append,
  appendMessages,
  BOB,
  contentsOfStraightFold,
  createMarketScript,
  executeLanes,
  histories,
  marketOfEverything,
  silentLogger,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import { ensureSecondaryIndexes } from '../secondaryIndexes';
import { SUBJECTS_LOCK } from '../subject/openSubject';
import { createMarketDatabase, VIEWS_FILE, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { ReplayError } from './errors';
import type { ReplayOptions, ReplayResult, ReplayStep } from './options';
import { replay } from './replay';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
  const client = await market.pool.connect();
  await ensureSecondaryIndexes(client);
  client.release();
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());
afterEach(async () => {
  // All connections are back, outside of transactions; nothing of a replay is left.
  expect(market.pool.idleCount).toBe(market.pool.totalCount);
  expect(
    await rowsOf(
      `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
    ),
  ).toEqual([]);
  expect(await leftovers()).toEqual([]);
});

const rowsOf = async (sql: string): Promise<unknown[]> => (await market.pool.query(sql)).rows;
const leftovers = (): Promise<unknown[]> =>
  rowsOf(`SELECT relname FROM pg_class WHERE relname LIKE 'replay%' OR relname LIKE 'before_replay%'`);
/** Which table it is, not only its name: another one after a switch. */
const identityOf = (table: string): Promise<unknown[]> => rowsOf(`SELECT '${table}'::regclass::oid AS oid`);
/** Names, definitions and owners of everything there is to read. */
const schema = (): Promise<unknown[][]> =>
  Promise.all([
    rowsOf(
      `SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname`,
    ),
    rowsOf(`SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY viewname`),
    rowsOf(
      `SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) AS what FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2`,
    ),
    rowsOf(
      `SELECT table_name, column_name, data_type, is_nullable, column_default, ordinal_position
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 6`,
    ),
  ]);

const run = (options: Partial<ReplayOptions> = {}): Promise<ReplayResult> =>
  replay({
    pool: market.pool,
    viewsFile: VIEWS_FILE,
    codec: marketEventCodec,
    seqNosOf: () => blockSeqNo,
    observerOf: (subjectId): Observer => ({ name: 'market', subjectId, reducers: marketReducers }),
    onDifference: 'refuse',
    onProgress: () => undefined,
    ...options,
  });

async function filled(lanes = 1, subjectId: SubjectId = SUBJECT): Promise<SubjectStore> {
  const store = await market.open(subjectId, lanes);
  await append(store, wholeRange(marketOfEverything().events));
  await executeLanes(store);
  return store;
}

/** At the given step replay waits for this; it does not wait itself for what it tells. */
function at(
  step: ReplayStep['step'],
  work: () => Promise<void>,
): { options: Partial<ReplayOptions>; done: () => Promise<void> } {
  let done: Promise<void> | undefined;
  return {
    options: { onProgress: (progress) => void (progress.step === step && (done ??= work())) },
    done: async () => {
      if (done === undefined) throw new Error(`replay never came to ${step}`);
      await done;
    },
  };
}

/** Holds a lock that replay comes to, on a connection of its own, until it is told to let go. */
async function hold(lock: string): Promise<{ pid: number; letGo: () => Promise<void> }> {
  const pool = market.createPool({ max: 1 });
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(lock);
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return {
    pid: (rows[0] as { pid: number }).pid,
    letGo: async () => {
      await client.query('COMMIT');
      client.release();
    },
  };
}
/** Replay cannot shut workers out meanwhile. */
const BEFORE_LOCKING = `SELECT pg_advisory_xact_lock_shared(${SUBJECTS_LOCK})`;
/** As a reader of a live table does: replay cannot switch meanwhile. */
const BEFORE_SWITCHING = 'LOCK TABLE orders IN ACCESS SHARE MODE';

describe('replay', () => {
  it('of any history finds no difference, and switches', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 1, max: 3 }), async ({ events, ends }, lanes) => {
        await market.clear();
        const store = await market.open(SUBJECT, lanes);
        for (const message of appendMessages(events, ends)) await append(store, message);
        await executeLanes(store);
        const [before] = await identityOf('orders');
        expect(await run()).toMatchObject({
          events: events.length,
          differences: [],
          switched: true,
          newlyParked: 0,
        });
        expect(await identityOf('orders')).not.toEqual([before]);
        expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
      }),
      { numRuns: 5 },
    );
  });

  it('leaves every table, index, key, constraint, column and view under its name, also the second time', async () => {
    await filled();
    const before = await schema();
    for (let i = 0; i < 2; i++) {
      expect(await run()).toMatchObject({ switched: true });
      expect(await schema()).toEqual(before);
    }
  });

  it('of a database without events, and of one without subjects, switches to empty tables', async () => {
    expect(await run()).toMatchObject({ events: 0, rows: 0, differences: [], switched: true });
    await market.open(SUBJECT, 2);
    expect(await run()).toMatchObject({ events: 0, rows: 0, differences: [], switched: true });
  });

  it('lets the worker go on with the new tables, on the connections it had', async () => {
    const store = await filled();
    expect(await run()).toMatchObject({ switched: true });
    const { events } = marketOfEverything();
    const { nextPosition } = await store.progress();
    const later = createMarketScript().nextBlock(nextPosition).transferred(ALICE, BOB, 40n).events;
    await append(store, { ...wholeRange(later), fromPosition: nextPosition });
    await executeLanes(store);
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold([...events, ...later]));
    expect(await run()).toMatchObject({ differences: [], switched: true });
  });

  it('voids what a running worker keeps in memory: it was folded from the old tables', async () => {
    const store = await filled();
    const { epoch } = await store.progress();
    await run();
    expect((await store.progress()).epoch).toBe(epoch + 1n);
  });

  it('keeps who may read the tables', async () => {
    await filled();
    const role = `reader_${process.pid}`;
    await market.pool.query(`CREATE ROLE ${role}; GRANT SELECT ON orders, activities TO ${role}`);
    try {
      await run();
      const may = `has_table_privilege('${role}', 'orders', 'SELECT') AS orders, has_table_privilege('${role}', 'tokens', 'SELECT') AS tokens`;
      expect(await rowsOf(`SELECT ${may}`)).toEqual([{ orders: true, tokens: false }]);
    } finally {
      await market.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('is refused before it begins while views of somebody else read the tables, naming them', async () => {
    await filled();
    await market.pool.query('CREATE VIEW my_report AS SELECT count(*) FROM orders');
    try {
      await expect(run()).rejects.toThrow(/my_report/);
    } finally {
      await market.pool.query('DROP VIEW my_report');
    }
    expect(await run()).toMatchObject({ switched: true });
  });

  it('keeps aggregates parked, from where they were', async () => {
    const store = await market.open(SUBJECT, 1);
    const { events } = addPoison(createMarketScript().listed('1'), '1').filled('1').listed('2');
    await append(store, wholeRange(events));
    await executeLanes(store);
    const parked = await store.parked();
    expect(await run()).toMatchObject({ differences: [], switched: true, newlyParked: 0 });
    expect(await store.parked()).toEqual(parked);
    expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
  });

  it('ignores events that were skipped, as every fold does', async () => {
    const store = await market.open(SUBJECT, 1);
    const { events } = addPoison(createMarketScript().listed('1'), '1').filled('1').listed('2');
    await append(store, wholeRange(events));
    await executeLanes(store);
    const [{ aggregateType, aggregateId }] = (await store.parked()) as [ParkMarker];
    const observer = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };
    const request = { aggregateType, aggregateId, actedBy: 'me', reason: 'because' };
    await skipParked({ store, observer, logger: silentLogger }, request);
    expect(await run()).toMatchObject({ differences: [], switched: true, newlyParked: 0 });
    expect(await market.contents(SUBJECT)).toEqual(
      await contentsOfStraightFold(events.filter(({ name }) => name !== 'TokenMinted')),
    );
  });

  describe('of a log that was tampered with', () => {
    it.each([
      ['an amount', `UPDATE event_log SET data = replace(data, '"7"', '"8"') WHERE name = 'OfferCreated'`],
      ['data that is no JSON any more', `UPDATE event_log SET data = '{' WHERE name = 'TokenBurned'`],
      ['a name', `UPDATE event_log SET name = 'Other' WHERE name = 'TokenBurned'`],
      ['a transaction hash', `UPDATE event_log SET tx_hash = '\\x00' WHERE name = 'TokenBurned'`],
      ['a time', `UPDATE event_log SET time_us = time_us + 1 WHERE name = 'TokenBurned'`],
    ])('is refused, and the live tables are untouched: %s', async (_what, sql) => {
      await filled();
      const before = [await market.contents(SUBJECT), await identityOf('orders')];
      expect((await market.pool.query(sql)).rowCount).toBeGreaterThan(0);
      const refused = await run({ onDifference: 'switch' }).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(ReplayError);
      expect((refused as Error).message).toMatch(/seq no \d+ does not match its content hash/);
      expect([await market.contents(SUBJECT), await identityOf('orders')]).toEqual(before);
    });
  });

  describe('of live tables that were changed', () => {
    const changes = [
      ['orders', `UPDATE orders SET price = 1 WHERE status = 'SOLD'`],
      ['tokens', `UPDATE tokens SET owner = NULL WHERE owner IS NOT NULL`],
      ['balances', `DELETE FROM balances WHERE quantity < 0`],
      ['token_details', `UPDATE token_details SET uri = 'changed'`],
      ['claims', `UPDATE claims SET quantity = quantity + 1`],
      ['galleries', `UPDATE galleries SET commissions = '[]'`],
      ['curation_offers', `UPDATE curation_offers SET status = 'changed'`],
      ['exhibits', `UPDATE exhibits SET owner = NULL`],
      ['commissions', `UPDATE commissions SET claimable = claimable - 1`],
      ['lotteries', `UPDATE lotteries SET merkle_root = NULL`],
      ['prizes', `UPDATE prizes SET claimed_quantity = 0`],
      ['activities', `UPDATE activities SET block_number = block_number + 1`],
      [
        'makers',
        `INSERT INTO makers SELECT subject, contract, '0xmore', market, listings_voided_seq_no, offers_voided_seq_no,
         listings_voided_below, offers_voided_below, created_at, updated_at, seq_no, version FROM makers LIMIT 1`,
      ],
    ] as const;

    it.each(changes)('reports how %s differ, and keeps them', async (table, sql) => {
      await filled();
      const { rowCount } = await market.pool.query(sql);
      expect(rowCount).toBeGreaterThan(0);
      const before = [await market.contents(SUBJECT), await identityOf(table)];
      const result = await run();
      expect(result).toMatchObject({ switched: false, differences: [{ table, rows: rowCount }] });
      expect(result.differences[0]?.samples[0]).toMatchObject(
        table === 'balances'
          ? { live: null }
          : table === 'makers'
            ? { replayed: null }
            : { live: { subject: 1 } },
      );
      expect([await market.contents(SUBJECT), await identityOf(table)]).toEqual(before);
    });

    it('mends them when it is told to switch', async () => {
      await filled();
      for (const [, sql] of changes) await market.pool.query(sql);
      const result = await run({ onDifference: 'switch' });
      expect(result.switched).toBe(true);
      expect(new Set(result.differences.map(({ table }) => table))).toEqual(new Set(changes.map(([t]) => t)));
      expect(await market.contents(SUBJECT)).toEqual(
        await contentsOfStraightFold(marketOfEverything().events),
      );
      expect(await run()).toMatchObject({ differences: [], switched: true });
    });
  });

  it('with reducers that fail on what was executed sets those aggregates aside when it switches', async () => {
    const store = await filled();
    const token = marketReducers.get('token')!;
    const failing = {
      ...token,
      fold: () => {
        throw new RangeError('no tokens today');
      },
    };
    const reducers = new Map([...marketReducers, ['token', failing]]) as Observer['reducers'];
    const observerOf = (subjectId: SubjectId): Observer => ({ name: 'market', subjectId, reducers });
    const parked = await store.parked();
    expect(await run({ observerOf })).toMatchObject({ switched: false, newlyParked: 2 });
    expect(await store.parked()).toEqual(parked);
    expect(await run({ observerOf, onDifference: 'switch' })).toMatchObject({
      switched: true,
      newlyParked: 2,
    });
    expect(await store.parked()).toHaveLength(parked.length + 2);
    expect(await rowsOf('SELECT * FROM tokens')).toEqual([]);
  });

  describe('that is interrupted', () => {
    const endSessions = async (what: string, except: number): Promise<void> => {
      const admin = market.createPool({ max: 1 });
      await admin.query(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()
         AND pid NOT IN (pg_backend_pid(), ${except}) AND backend_type = 'client backend' AND ${what}`,
      );
    };
    const control = `pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')`;

    it.each([
      ['while it folds, by the end of its own connection', 'folding', control],
      ['while it folds, by the end of all connections', 'folding', 'true'],
      ['while it builds indexes', 'indexing', 'true'],
      ['while it compares', 'comparing', control],
      ['when it switches', 'switching', control],
    ] as const)('leaves the live tables, and the next one works: %s', async (_what, step, sessions) => {
      await filled();
      const before = [await market.contents(SUBJECT), await identityOf('orders')];
      const reader = await hold(BEFORE_SWITCHING);
      const interruption = at(step, () => endSessions(sessions, reader.pid));
      const failed = await run(interruption.options).catch((error: Error) => error);
      await interruption.done();
      await reader.letGo();
      expect(failed).toBeInstanceOf(StorageUnavailableError);
      expect([await market.contents(SUBJECT), await identityOf('orders')]).toEqual(before);
      expect(await run()).toMatchObject({ differences: [], switched: true });
    });
  });

  describe('while the worker works', () => {
    /** More of the same aggregates, and new ones. */
    const more = async (store: SubjectStore, lanes?: readonly number[]): Promise<readonly Event[]> => {
      const { nextPosition } = await store.progress();
      const { events } = createMarketScript()
        .nextBlock(nextPosition)
        .listed('5', { price: nextPosition })
        .offered('5', { maker: ALICE })
        .transferred(BOB, ALICE)
        .minted(ALICE, 1000n + nextPosition)
        .sent(ALICE, BOB, 2n, 1n)
        .voided(ALICE, { side: 'listing' });
      await append(store, { ...wholeRange(events), fromPosition: nextPosition });
      if (lanes === undefined) await executeLanes(store);
      else for (const lane of lanes) await executeLane(store, lane);
      return events;
    };
    const executeLane = (store: SubjectStore, lane: number): Promise<void> =>
      executeLanes({ ...store, lanes: 1, ...onlyLane(store, lane) });
    const onlyLane = (store: SubjectStore, lane: number): Pick<SubjectStore, 'transaction'> => ({
      transaction: (work) =>
        store.transaction((tx) =>
          work({
            ...tx,
            lockLanes: async () => {
              const progress = await tx.lockLanes([lane]);
              return { ...progress, lanes: [progress.lanes[lane] as SeqNo] };
            },
            readRun: (_lane, ...rest) => tx.readRun(lane, ...rest),
            setCheckpoints: (_lanes, seqNo, epoch) => tx.setCheckpoints([lane], seqNo, epoch),
          }),
        ),
    });

    it.each(['folding', 'indexing'] as const)('includes what it commits at %s', async (step) => {
      const store = await filled(2);
      let events: readonly Event[] = [];
      const gate = await hold(BEFORE_LOCKING);
      const worker = at(step, async () => {
        events = [...(await more(store)), ...(await more(store))];
        await gate.letGo();
      });
      const result = await run(worker.options);
      await worker.done();
      expect(result).toMatchObject({ differences: [], switched: true });
      const all = [...marketOfEverything().events, ...events];
      expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(all));
      expect(await run()).toMatchObject({ differences: [], switched: true });
    });

    it('of several subjects includes what every one of them commits, also while another is folded again', async () => {
      const second = 'eip155:2' as SubjectId;
      const stores = [await filled(1), await filled(1, second)];
      let rounds = 0;
      let working: Promise<unknown> = Promise.resolve();
      const work = async (): Promise<void> => {
        const gate = await hold(BEFORE_LOCKING);
        await Promise.all(stores.map((store) => more(store)));
        await gate.letGo();
      };
      // Whenever one of them is folded, both move on, up to a bound.
      const onProgress = ({ step }: ReplayStep): void => {
        if (step === 'folding' && rounds++ < 6) working = working.then(work);
      };
      const result = await run({ onProgress });
      await working;
      expect(result).toMatchObject({ differences: [], switched: true });
      expect(await run()).toMatchObject({ differences: [], switched: true });
    });

    it('does not mind that its lanes are at different places', async () => {
      const store = await filled(3);
      const added = await more(store, [1]);
      expect(new Set((await store.progress()).lanes).size).toBe(2);
      const gate = await hold(BEFORE_LOCKING);
      const worker = at('indexing', async () => {
        await more(store, [0, 2]);
        await gate.letGo();
      });
      expect(await run(worker.options)).toMatchObject({ differences: [], switched: true });
      await worker.done();
      await executeLanes(store, noSnapshots);
      expect(added.length).toBeGreaterThan(0);
      expect(await run()).toMatchObject({ differences: [], switched: true });
    });
  });

  it('refuses to run beside another one, and does not disturb it', async () => {
    await filled();
    const refusals: unknown[] = [];
    const others: Promise<unknown>[] = [];
    const result = await run({
      onProgress: ({ step }) => {
        if (step !== 'done') others.push(run().catch((error: unknown) => void refusals.push(error)));
      },
    });
    await Promise.all(others);
    expect(result).toMatchObject({ differences: [], switched: true });
    expect(refusals.length).toBeGreaterThan(0);
    for (const error of refusals) expect(error).toBeInstanceOf(ReplayError);
    expect(await run()).toMatchObject({ switched: true });
  });
});
