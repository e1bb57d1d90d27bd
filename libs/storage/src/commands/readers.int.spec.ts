import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import {
  anyAggregate,
  createEventService,
  defineAggregate,
  noSnapshot,
  storedEvent,
} from '@imart/event-service';
import {
  seededRandom,
  stockItem,
  type SeededRandom,
  type StockEvents,
  type StockState,
} from '@imart/testing';
import { createCommandDatabase, type CommandDatabase } from '../testing/commandDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';

let server: TestServer;
let commands: CommandDatabase;

beforeAll(async () => {
  server = await startTestServer();
  commands = await createCommandDatabase(server);
});
afterAll(async () => {
  await commands?.close();
  await server?.stop();
});

const unsnapped = defineAggregate<StockState, StockEvents>({ ...stockItem, snapshots: noSnapshot });

/** How long the writers write. */
const WRITING_MS = Number(process.env['IMART_GAP_TEST_MS'] ?? 3_000);
const WRITERS = 16;
/** Whether it is run for what it tells, as `npm run test:gaps` does. */
const REPORTED = process.env['IMART_GAP_TEST_MS'] !== undefined;

/** A pool whose marking statements stay open for a while before they are committed; some of them are rolled back. */
function dawdling(pool: Pool, random: SeededRandom): Pool {
  const query = async (text: string, parameters: unknown[]): Promise<unknown> => {
    if (!text.includes('INSERT INTO command_markers')) return pool.query(text, parameters);
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const result = await client.query(text, parameters);
      await pause(random.between(0, 15));
      if (random.chance(0.02)) {
        await client.query('ROLLBACK');
        throw Object.assign(new Error('rolled back on purpose'), { code: '40001' });
      }
      await client.query('COMMIT');
      return result;
    } finally {
      client.release();
    }
  };
  return new Proxy(pool, {
    get: (target, name) => (name === 'query' ? query : (Reflect.get(target, name) as unknown)),
  });
}

/** A transaction that has a number of its own and stays open. */
async function openTransaction(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT pg_current_xact_id()');
  return client;
}

const seed = Number(process.env['IMART_TEST_SEED'] ?? randomInt(2 ** 31));

it.each([seed])(
  'readers of the whole log miss nothing and see nothing twice, seed %i (E6, E7)',
  async (seed) => {
    const random = seededRandom(seed);
    const other = await server.createDatabase();
    const open = [await openTransaction(other.url), await openTransaction(commands.database.url)];
    const writerPool = commands.createPool({ max: WRITERS + 4 });
    const workers = await Promise.all(
      Array.from({ length: 2 }, () =>
        commands.open(unsnapped, { pool: commands.createPool({ max: 6 }), worker: { appendEventsMax: 10 } }),
      ),
    );
    const writers = await commands.open(unsnapped, { pool: dawdling(writerPool, random) });
    const stop = new AbortController();
    const working = workers.map(({ worker }) => worker.run(stop.signal));
    const until = performance.now() + WRITING_MS;
    let accepted = 0;
    let rolledBack = 0;
    let writing = true;
    const written = Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        // Each has a line of its own, as processes have.
        const service = createEventService({
          stores: new Map([['stock-item', { definition: anyAggregate(unsnapped), store: writers.store }]]),
          newId: randomUUID,
          random: () => random.next(),
          onAccepted: () => workers[writer % 2]?.worker.wake(),
        });
        while (performance.now() < until) {
          const id = `item-${random.between(0, 20)}`;
          try {
            await service.request({ type: 'stock-item', id, name: 'Added', data: { quantity: 1 } });
            accepted++;
          } catch (error) {
            expect(error).toMatchObject({
              code: expect.stringMatching(/STORAGE_UNAVAILABLE|COMMAND_CONFLICT/),
            });
            rolledBack++;
          }
        }
      }),
    ).finally(() => (writing = false));

    // Cursor and what was read are kept together; a reader that dies before that reads again.
    const [feed] = workers.map(({ store }) => store.subject);
    const read: string[] = [];
    let cursor = 0n;
    let died = 0;
    const readOn = async (): Promise<boolean> => {
      const changes = await feed!.readFeed(cursor, { changesMax: random.between(1, 5) });
      if (random.chance(0.2)) {
        died++;
        return true;
      }
      for (const { feedNo, added } of changes) {
        read.push(...added.map(({ event }) => storedEvent(event).eventId));
        cursor = feedNo;
      }
      return changes.length > 0;
    };
    while (writing) if (!(await readOn())) await pause(2);
    await written;
    const { rows: ends } = await commands.pool.query(`SELECT count(*) FROM command_outbox`);
    expect(Number(ends[0].count)).toBeLessThanOrEqual(accepted);
    while (read.length < accepted) if (!(await readOn())) await pause(2);
    stop.abort();
    await Promise.all(working);
    for (const client of open) await client.end();

    const { rows } = await commands.pool.query(
      `SELECT tx_hash::text AS id, seq_no FROM event_log ORDER BY seq_no`,
    );
    const logged = (rows as { id: string }[]).map(({ id }) => id.slice(2));
    const seen = read.map((id) => id.replaceAll('-', ''));
    const once = new Set(seen);
    const missed = logged.filter((id) => !once.has(id)).length;
    const twice = seen.length - once.size;
    if (REPORTED) {
      process.stdout.write(
        `gap test: seed ${seed}, ${WRITING_MS / 1_000} s, ${WRITERS} writers, ${accepted} commands accepted, ${rolledBack} rolled back or refused, ` +
          `${died} deaths of readers, transactions open in this and in another database: ${missed} missed, ${twice} twice\n`,
      );
    }
    expect([seed, missed, twice]).toEqual([seed, 0, 0]);
    expect(logged).toHaveLength(accepted);
    expect(seen).toEqual(logged);
    expect(died).toBeGreaterThan(0);
    expect(accepted).toBeGreaterThan(WRITERS);
    expect(rolledBack).toBeLessThan(accepted);
  },
);
