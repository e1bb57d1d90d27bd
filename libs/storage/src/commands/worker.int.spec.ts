import { randomInt } from 'node:crypto';
import { Pool, type PoolConfig } from 'pg';
import { dispositionOf } from '@imart/core';
import {
  anyAggregate,
  createCommandObserver,
  defineAggregate,
  noSnapshot,
  type CommandRequest,
  type RequestAnswer,
} from '@imart/event-service';
import { retryParked } from '@imart/pipeline';
import { seededRandom, silentLogger, stockItem, type StockEvents, type StockState } from '@imart/testing';
import { createCommandDatabase, type CommandDatabase, type CommandParts } from '../testing/commandDatabase';
import { createCuttingProxy, type CuttingProxy } from '../testing/cuttingProxy';
import { startTestServer, type TestServer } from '../testing/testDatabase';

type Parts = CommandParts<StockState, StockEvents>;

/** Without snapshots: those made while reading would be written beside the next spec. */
const unsnapped = defineAggregate<StockState, StockEvents>({ ...stockItem, snapshots: noSnapshot });

let server: TestServer;
let commands: CommandDatabase;
let proxy: CuttingProxy;

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
  proxy = await createCuttingProxy(commands.database.url);
});
afterAll(async () => {
  await commands?.close();
  await proxy?.close();
  await server?.stop();
});
beforeEach(async () => {
  proxy.decide = () => 'pass';
  await commands.clear();
});
afterEach(async () => {
  // A server has only so many connections.
  await Promise.all(ownPools.splice(0).map((pool) => pool.end()));
});

/** A pool of one spec, as a process has one. */
const ownPools: Pool[] = [];
function ownPool(config: PoolConfig): Pool {
  const pool = new Pool({ connectionString: commands.database.url, ...config });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  ownPools.push(pool);
  return pool;
}

const add = (parts: Parts, id: string, more: Partial<CommandRequest> = {}): Promise<RequestAnswer> =>
  parts.service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 }, ...more });

/** Asks until there is an answer, as a caller does who has an idempotency key. */
async function persistently(ask: () => Promise<RequestAnswer>): Promise<RequestAnswer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (dispositionOf(error) !== 'retry') throw error;
    }
  }
}

interface LoggedRow {
  readonly seq_no: string;
  readonly aggregate_id: string;
  readonly version: string;
  readonly event_id: string;
}

/** The log, and that it is whole: no gap, in key-version order, nothing left in the outbox, every row as it was written. */
async function wholeLog(): Promise<readonly LoggedRow[]> {
  const { rows } = await commands.pool.query<LoggedRow>(
    `SELECT seq_no, aggregate_id, version, encode(tx_hash, 'hex') AS event_id FROM event_log ORDER BY seq_no`,
  );
  expect(rows.map((row) => Number(row.seq_no))).toEqual(rows.map((_row, i) => i + 1));
  const versions = new Map<string, number>();
  for (const { aggregate_id: id, version } of rows) {
    expect([id, Number(version)]).toEqual([id, (versions.get(id) ?? 0) + 1]);
    versions.set(id, Number(version));
  }
  expect((await commands.pool.query('SELECT FROM command_outbox')).rowCount).toBe(0);
  return rows;
}

/** Starts workers; `stop` ends them all, and tells what they failed with. */
function running(parts: readonly Parts[]): { stop(): Promise<void> } {
  const over = new AbortController();
  const all = parts.map((one) => one.worker.run(over.signal));
  return {
    async stop() {
      over.abort();
      await Promise.all(all);
    },
  };
}

const poolThroughProxy = (): Pool => ownPool({ connectionString: proxy.url, max: 6 });

describe('event workers', () => {
  it('keep the order of each aggregate, any number of them side by side (E19)', async () => {
    const workers = await Promise.all(
      Array.from({ length: 4 }, () => commands.open(unsnapped, { pool: ownPool({ max: 6 }) })),
    );
    const work = running(workers);
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) => add(workers[i % 4] as Parts, `item-${i % 13}`)),
    );
    const [first] = workers as [Parts];
    for (let item = 0; item < 13; item++) {
      const version = Math.max(
        ...answers
          .filter((_, i) => i % 13 === item)
          .map((answer) => (answer.kind === 'accepted' ? answer.version : 0)),
      );
      expect(
        await first.service.waitFor('stock-item', `item-${item}`, version, { timeoutMs: 60_000 }),
      ).toMatchObject({
        kind: 'executed',
      });
      expect((await first.queries.state(`item-${item}`)).state.left).toBe(version);
    }
    await work.stop();
    expect(await wholeLog()).toHaveLength(400);
    const appended = workers.map(({ worker }) => worker.stats.ingestedEvents);
    expect(appended.reduce((sum, n) => sum + n, 0)).toBe(400);
  });

  it('append in bounded batches, each one change of the feed', async () => {
    const parts = await commands.open(unsnapped, { worker: { appendEventsMax: 7 } });
    for (let i = 0; i < 20; i++) await add(parts, `item-${i % 3}`);
    await parts.drain();
    await wholeLog();
    const changes = await parts.store.subject.readFeed(0n);
    expect(changes.map(({ feedNo, added }) => [feedNo, added.length])).toEqual([
      [1n, 7],
      [2n, 7],
      [3n, 6],
    ]);
  });

  it('finish what a paused one has begun, or wait for it: nothing is appended twice (E1, E20)', async () => {
    const parts = await commands.open(unsnapped);
    await add(parts, 'pen');
    // Holds the subject's lock, as one that is stopped in the middle of its transaction.
    const paused = await commands.pool.connect();
    await paused.query('BEGIN; SELECT id FROM subjects FOR UPDATE');
    const both = Promise.all([parts.store.append(10), parts.store.append(10)]);
    await expect(untilBlocked(2)).resolves.toBe(undefined);
    await paused.query('COMMIT');
    paused.release();
    expect((await both).map(({ events }) => events).sort()).toEqual([0, 1]);
    await wholeLog();
  });

  it('are refused a pool in which lanes would wait for each other', async () => {
    const pool = ownPool({ max: 5 });
    await expect(commands.open(unsnapped, { pool })).rejects.toThrow('at least 6 connections');
  });

  it('stop at a broken invariant, and say so', async () => {
    const parts = await commands.open(unsnapped);
    await add(parts, 'pen');
    await parts.store.subject.halt('HALTED_BY_SPEC', 'on purpose');
    await expect(parts.worker.run(new AbortController().signal)).rejects.toMatchObject({ code: 'HALTED' });
  });
});

async function untilBlocked(sessions: number): Promise<void> {
  for (;;) {
    const { rows } = await commands.pool.query(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (Number(rows[0].count) >= sessions) return;
  }
}

describe('a poison event', () => {
  /** As the stock item, but its reducer cannot fold what a buyer named `poison` took. */
  const poisoned = defineAggregate<StockState, StockEvents>({
    ...unsnapped,
    reducer: {
      ...stockItem.reducer,
      fold(state, event) {
        if (event.name === 'Taken' && event.data.by === 'poison') throw new Error('cannot fold poison');
        return stockItem.reducer.fold(state, event);
      },
    },
  });

  it('sets its aggregate aside; its later events wait in order, all others flow, and a mended program folds them (E13)', async () => {
    const parts = await commands.open(poisoned);
    const take = (id: string, by: string): Promise<RequestAnswer> =>
      parts.service.request({ type: 'stock-item', id, name: 'Taken', data: { quantity: 1, by } });
    await add(parts, 'pen', { data: { quantity: 9 } });
    await parts.drain();
    await take('pen', 'poison');
    await add(parts, 'book');
    // Lanes that start cold meet it, too.
    await (await commands.open(poisoned)).drain();
    // Commands are validated against the marked event: an aggregate that is set aside takes them still.
    await take('pen', 'ann');
    await take('book', 'ann');
    await parts.drain();

    expect(await parts.service.waitFor('stock-item', 'pen', 3, { timeoutMs: 10_000 })).toMatchObject({
      kind: 'parked',
    });
    expect(await parts.service.waitFor('stock-item', 'book', 2, { timeoutMs: 10_000 })).toMatchObject({
      kind: 'executed',
    });
    expect(await parts.store.backlog()).toMatchObject({ parkedAggregates: 1 });
    expect(await parts.queries.state('pen')).toMatchObject({
      state: { left: 9 },
      version: 1,
      stopped: { seqNo: 2n, code: 'REDUCER_FAILED', message: 'cannot fold poison' },
    });
    expect((await parts.queries.events('pen')).events).toHaveLength(3);

    const mended = await commands.open(unsnapped);
    // A mended program reads no further than the marker, before the aggregate is released.
    expect(await mended.queries.state('pen')).toMatchObject({ version: 1, stopped: { seqNo: 2n } });
    const result = await retryParked(
      {
        store: mended.store.subject,
        observer: createCommandObserver(anyAggregate(stockItem)),
        logger: silentLogger,
      },
      { aggregateType: 'stock-item', aggregateId: 'pen', actedBy: 'spec', reason: null },
    );
    expect(result).toMatchObject({ kind: 'released', fromSeqNo: 2n });
    expect(await mended.queries.state('pen')).toMatchObject({
      state: { left: 7, takenBy: { poison: 1, ann: 1 } },
      version: 3,
      stopped: null,
    });
    expect(await mended.service.waitFor('stock-item', 'pen', 3, { timeoutMs: 10_000 })).toMatchObject({
      kind: 'executed',
    });
  });

  it('that no program knows any more sets its aggregate aside, too (E13)', async () => {
    const parts = await commands.open(unsnapped);
    await add(parts, 'pen');
    await commands.pool.query(`UPDATE command_outbox SET name = 'Renamed'`);
    await add(parts, 'book');
    await parts.drain();
    expect(await parts.store.subject.parked()).toMatchObject([
      { aggregateId: 'pen', fromSeqNo: 1n, code: 'UNDECODABLE' },
    ]);
    expect(await parts.queries.events('pen')).toMatchObject({ events: [], unreadable: { seqNo: 1n } });
    expect((await parts.queries.state('book')).version).toBe(1);
  });
});

describe('connections that are cut between any two statements', () => {
  const RUNS = 5;
  const seeds =
    process.env['IMART_TEST_SEED'] === undefined
      ? Array.from({ length: RUNS }, () => randomInt(2 ** 31))
      : [Number(process.env['IMART_TEST_SEED'])];

  it.each(seeds)('lose no accepted command and append none twice, seed %d (E1, E12, E24)', async (seed) => {
    const random = seededRandom(seed);
    const clean = await commands.open(unsnapped);
    const parts = await Promise.all(
      Array.from({ length: 3 }, () =>
        commands.open(unsnapped, {
          pool: poolThroughProxy(),
          worker: { random: () => 0.01, appendEventsMax: 5, sweepMs: 20 },
        }),
      ),
    );
    proxy.decide = () => (random.chance(0.04) ? random.pick(['before', 'after'] as const) : 'pass');
    const work = running(parts);
    const answers = await Promise.all(
      Array.from({ length: 6 }, async (_, asker) => {
        const given: RequestAnswer[] = [];
        for (let i = 0; i < 15; i++) {
          const one = random.pick(parts);
          const id = `item-${random.between(0, 3)}`;
          const name = random.chance(0.5) ? 'Added' : 'Taken';
          const request = {
            type: 'stock-item',
            id,
            name,
            data: { quantity: 1 },
            idempotencyKey: `${asker}-${i}`,
          };
          given.push(await persistently(() => one.service.request(request)));
        }
        return given;
      }),
    );
    await work.stop();
    proxy.decide = () => 'pass';
    await clean.drain();

    const log = await wholeLog();
    const accepted = answers
      .flat()
      .flatMap((answer) => (answer.kind === 'accepted' ? [answer.eventId.replaceAll('-', '')] : []));
    expect(log.map((row) => row.event_id).sort()).toEqual(accepted.sort());
    expect(parts.reduce((sum, { worker }) => sum + worker.stats.rejectedCommands, 0)).toBe(0);
    const { rows } = await commands.pool.query('SELECT lane, seq_no FROM checkpoints ORDER BY lane');
    expect(rows.map((row) => Number(row.seq_no))).toEqual(rows.map(() => log.length));
    for (let item = 0; item < 4; item++) {
      const { events } = await clean.queries.events(`item-${item}`);
      const { state, stopped } = await clean.queries.state(`item-${item}`);
      expect([state.left, stopped]).toEqual([events.at(-1)?.data.left ?? 0, null]);
    }
  });
});
