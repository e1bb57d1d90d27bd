import { type Event, type Observer, type Reducer, type StateRow } from '@imart/core';
import { marketEventCodec, marketReducers } from '@imart/market';
import { replay, type ReplayOptions } from '../replay';
import { createSubjectStore } from '../subject/createSubjectStore';
import { createMarketDatabase, VIEWS_FILE, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import {
  blockSeqNo,
  ALICE,
  append,
  appendMessage,
  BOB,
  createMarketScript,
  executeLanes,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
} from '@imart/testing';
import {
  applyLateChange,
  createExecutor,
  createLane,
  createPipelineStats,
  noSnapshots,
  type SubjectStore,
} from '@imart/pipeline';
import { rebuildStates, type RebuildStatesOptions } from './rebuildStates';
import {
  compareReducers,
  ReducersChangedError,
  reducerVersionsText,
  storedReducerVersions,
} from './reducerVersions';

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

const never = new AbortController().signal;

/** The next version of the reducer of orders: every order is of another market now. */
const orders = marketReducers.get('order') as Reducer;
const renamed = (row: StateRow): StateRow => ({ ...row, market: 'renamed' }) as StateRow;
const newer: Reducer = {
  ...orders,
  version: orders.version + 1,
  rowsOf: (state) => orders.rowsOf(state).map(renamed),
  fold: (state, event) => {
    const folded = orders.fold(state, event);
    return { ...folded, rows: folded.rows.map(renamed) };
  },
};
const newObserver: Observer = {
  ...MARKET_OBSERVER,
  reducers: new Map([...marketReducers, ['order', newer]]),
};

const optionsOf = (observer: Observer): RebuildStatesOptions => ({
  pool: market.pool,
  viewsFile: VIEWS_FILE,
  codec: marketEventCodec,
  seqNosOf: () => blockSeqNo,
  observer,
  logger: silentLogger,
  random: () => 0,
});
const storeOf = (observer: Observer): SubjectStore =>
  createSubjectStore({
    pool: market.pool,
    subject: 1,
    lanes: 1,
    observer,
    codec: marketEventCodec,
    seqNos: blockSeqNo,
  });
const advance = (observer: Observer): Promise<unknown> => {
  const store = storeOf(observer);
  const executor = createExecutor({ store, observer, cachedStatesMax: 10, parkedAggregatesMax: 10 });
  const rest = { runEventsMax: 100, stats: createPipelineStats(), now: () => 0 };
  return createLane({ lane: 0, store, executor, snapshotRule: noSnapshots, ...rest }).advance();
};

/** Listings in blocks of one. */
async function fill(orders: number): Promise<readonly Event[]> {
  const script = createMarketScript();
  for (let i = 0; i < orders; i++) script.listed(String(i)).minted(ALICE, BigInt(i)).nextBlock();
  const events = script.events as readonly Event[];
  const store = await market.open(SUBJECT, 1);
  await append(store, appendMessage(events, 0n, BigInt(orders) + 1n));
  await executeLanes(store);
  return events;
}
const markets = async (): Promise<readonly unknown[]> =>
  (await market.pool.query('SELECT market, count(*)::int AS n FROM orders GROUP BY market ORDER BY market'))
    .rows;

describe('versions of reducers', () => {
  it('are older, the same or newer', () => {
    expect(compareReducers('a:1,b:2', 'a:1,b:2')).toBe('same');
    expect(compareReducers('a:1,b:2', 'a:1,b:3')).toBe('newer');
    expect(compareReducers('a:1,b:2', 'a:1,b:1')).toBe('older');
    // A step forward and one back: the states of neither are right for the other.
    expect(compareReducers('a:1,b:2', 'a:2,b:1')).toBe('older');
    expect(compareReducers('a:1', 'a:1,b:1')).toBe('newer');
    expect(compareReducers('a:1,b:1', 'a:1')).toBe('older');
  });

  it('are written down at the first start: of an empty database the own ones, of older states the first ones', async () => {
    expect(await storedReducerVersions(market.pool, newObserver)).toBe(reducerVersionsText(newObserver));
    await market.clear();
    await fill(1);
    const first = [...newObserver.reducers.keys()]
      .map((type) => `${type}:1`)
      .sort()
      .join(',');
    expect(await storedReducerVersions(market.pool, newObserver)).toBe(first);
    expect(await storedReducerVersions(market.pool, newObserver)).toBe(first);
  });
});

describe('a reducer with another version', () => {
  it('has the states rebuilt beside the old ones: every read succeeds, and sees all of one or all of the other', async () => {
    await fill(300);
    await rebuildStates(optionsOf(MARKET_OBSERVER), never);
    const seen: string[] = [];
    let done = false;
    const reading = (async () => {
      while (!done) {
        const rows = (await markets()) as { market: string; n: number }[];
        seen.push(rows.map(({ market: name, n }) => `${name}:${n}`).join(','));
      }
    })();
    await rebuildStates(optionsOf(newObserver), never);
    done = true;
    await reading;
    expect(new Set(seen)).toEqual(new Set(['imart:300', 'renamed:300']));
    expect(seen.indexOf('renamed:300')).toBeGreaterThan(seen.lastIndexOf('imart:300'));
    expect(await storedReducerVersions(market.pool, newObserver)).toBe(reducerVersionsText(newObserver));
    // And so they go on.
    const more = createMarketScript().nextBlock(400n).listed('later').events as readonly Event[];
    await append(storeOf(newObserver), appendMessage(more, 302n, 500n));
    await advance(newObserver);
    expect(await markets()).toEqual([{ market: 'renamed', n: 301 }]);
  });

  it('stops workers of the older version from the switch on, and nothing of theirs is written', async () => {
    await fill(5);
    await rebuildStates(optionsOf(newObserver), never);
    const more = createMarketScript().nextBlock(10n).listed('later').events as readonly Event[];
    // Whoever only writes the log may go on: it is the same for all versions.
    await append(storeOf(MARKET_OBSERVER), appendMessage(more, 7n, 20n));
    await expect(advance(MARKET_OBSERVER)).rejects.toThrow(ReducersChangedError);
    expect(await markets()).toEqual([{ market: 'renamed', n: 5 }]);
    await advance(newObserver);
    expect(await markets()).toEqual([{ market: 'renamed', n: 6 }]);
  });

  it('keeps a newer version from working on states that are not rebuilt yet', async () => {
    await fill(2);
    await rebuildStates(optionsOf(MARKET_OBSERVER), never);
    await expect(advance(newObserver)).rejects.toThrow(ReducersChangedError);
  });

  it('is refused when it is older than the states, at the start and in a replay, and nothing is changed', async () => {
    await fill(3);
    await rebuildStates(optionsOf(newObserver), never);
    await expect(rebuildStates(optionsOf(MARKET_OBSERVER), never)).rejects.toMatchObject({
      code: 'REDUCERS_CHANGED',
      disposition: 'stop',
    });
    await expect(replay(replayOf(MARKET_OBSERVER))).rejects.toThrow(ReducersChangedError);
    expect(await markets()).toEqual([{ market: 'renamed', n: 3 }]);
  });

  describe('ends early when it is told to, leaves all as it was, and is rebuilt by the next start', () => {
    const tables = async (): Promise<readonly unknown[]> =>
      (
        await market.pool.query(
          `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(before_)?replay_'`,
        )
      ).rows;
    const unchanged = async (orders: number): Promise<void> => {
      expect(await markets()).toEqual([{ market: 'imart', n: orders }]);
      expect(await tables()).toEqual([]);
      expect(await storedReducerVersions(market.pool, newObserver)).toBe(
        reducerVersionsText(MARKET_OBSERVER),
      );
      await rebuildStates(optionsOf(newObserver), never);
      expect(await markets()).toEqual([{ market: 'renamed', n: orders }]);
    };
    const stop = new Error('SIGTERM');
    beforeEach(async () => {
      await fill(600);
      await rebuildStates(optionsOf(MARKET_OBSERVER), never);
    });

    it('between two batches of the log', async () => {
      const stopped = new AbortController();
      let events = 0;
      const folding = replay({
        ...replayOf(newObserver, (step) => {
          if (step.step !== 'folding') return;
          events = step.events;
          stopped.abort(stop);
        }),
        onDifference: 'switch',
        signal: stopped.signal,
      });
      await expect(folding).rejects.toBe(stop);
      // The log has 1,200.
      expect(events).toBeLessThan(1_000);
      await unchanged(600);
    });

    it.each(['indexing', 'comparing'])('while it is at %s', async (at) => {
      const stopped = new AbortController();
      const info = (_text: string, fields?: Readonly<Record<string, unknown>>): void => {
        if (fields?.['step'] === at) stopped.abort(stop);
      };
      const rebuilding = rebuildStates(
        { ...optionsOf(newObserver), logger: { ...silentLogger, info } },
        stopped.signal,
      );
      await expect(rebuilding).rejects.toBe(stop);
      await unchanged(600);
    });

    it.each([
      ['in the middle of a statement that would take long', 'LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE'],
      ['while it waits for a lane of the older version', 'SELECT FROM checkpoints FOR UPDATE'],
      ['while it waits for a reader of the tables that go', 'SELECT FROM orders'],
    ])('%s', async (_when, lock) => {
      const blocker = await market.pool.connect();
      await blocker.query(`SET idle_in_transaction_session_timeout = '20s'; BEGIN; ${lock}`);
      // A rebuild that waits for it all the same goes on then, and the last statement here fails.
      blocker.on('error', () => undefined);
      const stopped = new AbortController();
      const rebuilding = rebuildStates(
        { ...optionsOf(newObserver), pool: market.createPool() },
        stopped.signal,
      );
      const waits = async (): Promise<boolean> => {
        const { rows } = await market.pool.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      };
      try {
        while (!(await waits()));
        stopped.abort(stop);
        await expect(rebuilding).rejects.toBe(stop);
        await blocker.query('COMMIT');
      } finally {
        blocker.release(true);
      }
      await unchanged(600);
    });
  });

  it('has the states rebuilt beside a transaction that reads them for long: nobody waits behind it, they switch after it', async () => {
    await fill(40);
    await rebuildStates(optionsOf(MARKET_OBSERVER), never);
    const reader = await market.pool.connect();
    await reader.query('BEGIN; SELECT FROM orders LIMIT 1');
    const waits: unknown[] = [];
    const info = (_text: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (fields?.['step'] === 'waiting') waits.push(fields['readers']);
    };
    const rebuilding = rebuildStates(
      { ...optionsOf(newObserver), pool: market.createPool(), logger: { ...silentLogger, info } },
      never,
    );
    const impatient = market.createPool({ statement_timeout: 5_000 });
    try {
      while (waits.length < 2) {
        expect((await impatient.query('SELECT DISTINCT market FROM orders')).rows).toHaveLength(1);
        // Nor do workers.
        await impatient.query('UPDATE subjects SET head_position = 1');
      }
      expect(waits[0]).toEqual([expect.stringMatching(/ \(pid \d+\)$/)]);
      expect(await markets()).toEqual([{ market: 'imart', n: 40 }]);
    } finally {
      await reader.query('COMMIT');
      reader.release();
      await rebuilding;
    }
    expect(await markets()).toEqual([{ market: 'renamed', n: 40 }]);
  });

  it('is rebuilt by one of several processes that start at the same moment', async () => {
    await fill(50);
    await rebuildStates(optionsOf(MARKET_OBSERVER), never);
    const rebuilt: string[] = [];
    const logger = { ...silentLogger, info: (text: string) => void rebuilt.push(text) };
    await Promise.all(
      Array.from({ length: 3 }, () =>
        rebuildStates({ ...optionsOf(newObserver), pool: market.createPool(), logger }, never),
      ),
    );
    expect(rebuilt.filter((text) => text === 'the states are rebuilt')).toHaveLength(1);
    expect(await markets()).toEqual([{ market: 'renamed', n: 50 }]);
  });

  const replayOf = (
    observer: Observer,
    onProgress: ReplayOptions['onProgress'] = () => undefined,
  ): ReplayOptions => ({
    pool: market.pool,
    viewsFile: VIEWS_FILE,
    codec: marketEventCodec,
    seqNosOf: () => blockSeqNo,
    observerOf: () => observer,
    onDifference: 'refuse',
    onProgress,
  });

  it('takes in what late changes do to the log while it is rebuilt: added, replaced and retracted', async () => {
    const events = await fill(30);
    const store = storeOf(MARKET_OBSERVER);
    let changing: Promise<unknown> | null = null;
    const gone = events[4] as Event;
    const other = events[9] as Event;
    const added = {
      ...(createMarketScript().nextBlock(2n).transferred(ALICE, BOB, 1n).events[0] as unknown as Event),
      seqNo: blockSeqNo.encode(3n, 50, 0),
    };
    // Should the switch come first, on a busy machine, it is made after it.
    const change = async (): Promise<unknown> => {
      const { epoch } = await store.progress();
      const result = await applyLateChange(
        { store, observer: MARKET_OBSERVER, logger: silentLogger },
        {
          epoch,
          blocks: [],
          inserted: [{ ...added, source: { ...added.source, index: 50 } }],
          replaced: [{ ...other, data: { to: BOB, standard: 'erc721' } }],
          retracted: [gone.seqNo],
          discovered: [],
        },
      );
      return result.kind === 'moved' ? change() : result;
    };
    const { switched, differences } = await replay(
      replayOf(MARKET_OBSERVER, ({ step }) => {
        // The log is folded by now; workers are not locked out yet.
        if (step === 'indexing') changing ??= change();
      }),
    );
    expect(await changing).toMatchObject({ kind: 'applied' });
    expect(differences).toEqual([]);
    expect(switched).toBe(true);
    const { rows } = await market.pool.query('SELECT count(*)::int AS n FROM orders');
    expect(rows).toEqual([{ n: 29 }]);
  });
});
