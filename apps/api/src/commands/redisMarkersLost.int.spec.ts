import { randomInt } from 'node:crypto';
import { Redis } from 'ioredis';
import {
  createEventService,
  anyAggregate,
  type CommandStore,
  type Markers,
  type RequestAnswer,
} from '@imart/event-service';
import type { OpenedCommands } from '@imart/storage';
import { RedisPolicyError, type RedisMarkers } from '@imart/stream';
import {
  seededRandom,
  stockItem,
  until,
  type SeededRandom,
  type StockEvents,
  type StockState,
} from '@imart/testing';
import {
  createCommandDatabase,
  type CommandDatabase,
  type CommandParts,
} from '../../../../libs/storage/src/testing/commandDatabase';
import { startTestServer, type TestServer } from '../../../../libs/storage/src/testing/testDatabase';
import { describeWithOwnRedis } from '../../../../libs/stream/src/testing/describeWithRedis';
import { startTestRedis, type TestRedis } from '../../../../libs/stream/src/testing/redisServer';
import { openMarkers, withMarkers } from '../testing/markerParts';

type Parts = CommandParts<StockState, StockEvents>;

const seed = Number(process.env['IMART_TEST_SEED'] ?? randomInt(2 ** 31));

/** A process that ends at some step: it hears of nothing any more, and what it does then reaches nobody. */
class DiedError extends Error {}

describeWithOwnRedis('a Redis with markers', () => {
  let server: TestServer;
  let commands: CommandDatabase;
  let redis: TestRedis;
  let kept: RedisMarkers;
  let clean: Parts;
  let client: Redis;

  beforeAll(async () => {
    server = await startTestServer();
    commands = await createCommandDatabase(server);
  });
  afterAll(async () => {
    await commands?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await commands.clear();
    redis = await startTestRedis();
    client = new Redis(redis.url);
    client.on('error', () => undefined);
    kept = await openMarkers(redis.url);
    clean = await open();
  });
  afterEach(async () => {
    kept.close();
    client.disconnect();
    await redis.stop();
  });

  const open = (): Promise<Parts> =>
    commands.open(stockItem, { store: (opened) => withMarkers(opened, kept.of('stock-item')) });

  const add = (by: Parts, more: object = {}): Promise<RequestAnswer> =>
    by.service.request({ type: 'stock-item', id: 'pen', name: 'Added', data: { quantity: 1 }, ...more });

  const count = async (table: string): Promise<number> =>
    Number((await commands.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

  it('that is away: no command is taken, and nothing is marked; when it is back, commands are taken again (E24)', async () => {
    await add(clean);
    await redis.kill();
    const refused = { code: 'MARKERS_UNAVAILABLE', disposition: 'retry' };
    for (let i = 0; i < 3; i++)
      await expect(add(clean, { idempotencyKey: 'k' })).rejects.toMatchObject(refused);
    expect([await count('command_outbox'), await count('command_answers')]).toEqual([1, 0]);
    // What was accepted goes on without it.
    await clean.drain();
    expect((await clean.queries.state('pen')).state.left).toBe(1);
    await redis.restart();
    let answer: RequestAnswer | undefined;
    await until(async () => {
      answer = await add(clean, { idempotencyKey: 'k' }).catch(() => undefined);
      return answer !== undefined;
    });
    expect(answer).toMatchObject({ kind: 'accepted', version: 2 });
  });

  it('that may evict is refused at the start, by name of the setting (E22)', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(openMarkers(redis.url)).rejects.toThrow(RedisPolicyError);
    await expect(openMarkers(redis.url)).rejects.toThrow(/markers of commands need "noeviction"/);
  });

  it('that is nearly full takes no markers before it is full, and takes them again without a restart (E23)', async () => {
    await add(clean);
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', String(used + 8_500_000));
    await client.setrange('somebody-else', 8_000_000, 'x');
    await until(async () => {
      const failure: unknown = await add(clean).catch((error: unknown) => error);
      return (failure as { code?: string }).code === 'MARKERS_UNAVAILABLE';
    });
    // There is room for what else is there.
    expect(await client.set('small', 'x')).toBe('OK');
    await expect(add(clean)).rejects.toThrow(/90 % of its maxmemory/);
    const before = await count('command_outbox');
    await client.del('somebody-else');
    await until(async () => (await add(clean).catch(() => null)) !== null);
    expect(await count('command_outbox')).toBe(before + 1);
  });

  it('that is full outright refuses the marker, and nothing is marked (E23)', async () => {
    await add(clean);
    await client.config('SET', 'maxmemory', '1');
    await expect(add(clean)).rejects.toMatchObject({ code: 'MARKERS_UNAVAILABLE' });
    expect(await count('command_outbox')).toBe(1);
    await client.config('SET', 'maxmemory', '0');
    await until(async () => (await add(clean).catch(() => null)) !== null);
    await clean.drain();
    expect((await clean.queries.state('pen')).state.left).toBe(2);
  });

  /** A store whose process may end before or after any step between marker and message. */
  const mortal = (opened: OpenedCommands, random: SeededRandom): CommandStore => {
    let dead = false;
    const step = <A extends readonly unknown[], T>(work: (...args: A) => Promise<T>) => {
      return async (...args: A): Promise<T> => {
        if (!dead && random.chance(0.01)) dead = true;
        if (dead) throw new DiedError();
        const result = await work(...args);
        if (!dead && random.chance(0.01)) dead = true;
        if (dead) throw new DiedError();
        return result;
      };
    };
    const markers: Markers = kept.of('stock-item');
    return withMarkers(
      {
        ...opened,
        producer: { ...opened.producer, produce: step(opened.producer.produce) },
      },
      { ...markers, place: step(markers.place), settle: step(markers.settle), drop: step(markers.drop) },
    );
  };

  it.each([seed])(
    'flushed, killed and started again, beside processes that die between any two steps: nothing is lost, nothing is double, seed %d (E1, E22, E24)',
    async (seed) => {
      const random = seededRandom(seed);
      let writing = true;
      const over = new AbortController();
      const working = clean.worker.run(over.signal);
      const disaster = (async () => {
        for (let i = 0; writing; i++) {
          const logged = await count('event_log');
          await until(async () => !writing || (await count('event_log')) > logged + 10);
          if (i % 4 === 3) {
            await redis.kill();
            await redis.restart();
          } else await client.flushall().catch(() => undefined);
          await clean.store.sweep().catch(() => undefined);
        }
      })();
      const answers = new Map<string, RequestAnswer>();
      let deaths = 0;
      const asking = Array.from({ length: 6 }, async (_, asker) => {
        const start = async () =>
          createEventService({
            stores: new Map([
              [
                'stock-item',
                {
                  definition: anyAggregate(stockItem),
                  store: (await commands.open(stockItem, { store: (opened) => mortal(opened, random) }))
                    .store,
                },
              ],
            ]),
            newId: () => crypto.randomUUID(),
            random: () => random.next(),
            onAccepted: () => clean.worker.wake(),
          });
        let service = await start();
        for (let i = 0; i < 25; i++) {
          const id = `item-${random.between(0, 2)}`;
          const idempotencyKey = `${asker}-${i}`;
          // Whoever gets no answer asks again, as the idempotency key is for.
          await until(async () => {
            try {
              answers.set(
                idempotencyKey,
                await service.request({
                  type: 'stock-item',
                  id,
                  name: 'Added',
                  data: { quantity: 1 },
                  idempotencyKey,
                }),
              );
              return true;
            } catch (error) {
              if (error instanceof DiedError) {
                deaths++;
                service = await start();
              } else {
                expect((error as { code?: string }).code).toMatch(/MARKERS_UNAVAILABLE|COMMAND_CONFLICT/);
              }
              return false;
            }
          });
        }
      });
      await Promise.all(asking).finally(() => (writing = false));
      await disaster;
      // What died before its message, and was in no Redis that is there, was never accepted.
      await until(async () => (await clean.store.sweep().catch(() => null)) !== null);
      over.abort();
      await working;
      await clean.drain();

      const accepted = [...answers.values()].map((answer) =>
        answer.kind === 'accepted' ? answer.eventId.replaceAll('-', '') : '',
      );
      const { rows } = await commands.pool.query(`SELECT encode(tx_hash, 'hex') AS id FROM event_log`);
      expect([seed, (rows as { id: string }[]).map(({ id }) => id).sort()]).toEqual([seed, accepted.sort()]);
      expect([seed, accepted.length, deaths > 0]).toEqual([seed, 150, true]);
      for (const id of ['item-0', 'item-1', 'item-2']) {
        const { events } = await clean.queries.events(id);
        expect([seed, events.map(({ version }) => version)]).toEqual([seed, events.map((_, i) => i + 1)]);
      }
      const { rejectedCommands, revalidatedCommands } = clean.worker.stats;
      expect([seed, rejectedCommands, revalidatedCommands]).toEqual([seed, 0, 0]);
    },
  );
});
