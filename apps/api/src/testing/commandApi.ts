import { randomUUID } from 'node:crypto';
import { aggregateHash } from '@imart/core';
import type { AggregateDefinition } from '@imart/event-service';
import { marketEventCodec, type MarketEventData, type MarketEventName } from '@imart/market';
import { createMetrics, silentLogger, type Logger } from '@imart/runtime';
import { createApiKeys, createReadDatabase, type DatabasePool } from '@imart/storage';
import type { FastifyInstance } from 'fastify';
import { Pool } from 'pg';
import { createKeyAccess, type KeyAccess } from '../access/keyAccess';
import { connectionsFor, openCommandSide, type CommandSide } from '../commands/commandSide';
import { createServer, type ApiDependencies } from '../createServer';
import { createApiDatabase, type ApiDatabase } from './apiDatabase';
import { seqNosOf } from '../seqNosOf';

/** An answer as a spec reads it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The bodies are what the specs are about: their shape is checked by what is expected of them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** An API that takes commands, listening, with a worker that can be started and stopped. */
export interface CommandApi {
  readonly database: ApiDatabase;
  readonly pool: DatabasePool;
  readonly side: CommandSide;
  readonly app: FastifyInstance;
  readonly origin: string;
  /** Appends, folds and makes snapshots until the API stops. */
  work(): void;
  key(scopes: readonly string[], requestsPerSecond?: number): Promise<string>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  send(
    method: string,
    path: string,
    key: string | null,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export interface CommandApiOptions {
  readonly logger?: Logger;
  /** What else the server is made with. */
  readonly more?: (side: CommandSide, pool: DatabasePool, access: KeyAccess) => Partial<ApiDependencies>;
}

const LANES = 2;

export async function startCommandApi(
  definitions: readonly AggregateDefinition[],
  { logger = silentLogger, more = () => ({}) }: CommandApiOptions = {},
): Promise<CommandApi> {
  const database = await createApiDatabase();
  const pool = new Pool({
    connectionString: database.url,
    max: connectionsFor(definitions.length, LANES),
  });
  // One that is cut says so, idle or lent; the next statement fails, and that is what counts.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const side = await openCommandSide({
    pool,
    definitions,
    lanes: LANES,
    parkedAggregatesMax: 100,
    holder: 'spec',
    logger,
    random: Math.random,
    now: () => performance.now(),
    newId: randomUUID,
  });
  const keys = createApiKeys(pool);
  const db = createReadDatabase({ seqNosOf, connectionString: database.url });
  const access = createKeyAccess({ keys, now: () => performance.now() });
  const app = await createServer({
    db,
    logger,
    metrics: createMetrics({ processMetrics: false }),
    commands: { ...side, access },
    ...more(side, pool, access),
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const over = new AbortController();
  let running = Promise.resolve();
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(`${origin}${path}`, init);
    const text = await answer.text();
    const json = /^application\/json/.test(String(answer.headers.get('content-type')));
    return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
  };
  return {
    database,
    pool,
    side,
    app,
    origin,
    work() {
      running = side.run(over.signal);
    },
    async key(scopes, requestsPerSecond = 10_000) {
      const { text } = await keys.create({ name: 'spec', scopes, requestsPerSecond, createdBy: 'spec' });
      return text;
    },
    get: (path, headers = {}) => ask(path, { headers }),
    send: (method, path, key, body, headers = {}) =>
      ask(path, {
        method,
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async stop() {
      over.abort();
      await app.close();
      await running;
      await db.close();
      await pool.end();
      await database.stop();
    },
  };
}

/** Events of one aggregate of a chain as the log has them, one for each block from 1 on. */
export function chainEvents<Name extends MarketEventName>(
  subject: number,
  aggregateType: string,
  aggregateId: string,
  events: readonly { readonly name: Name; readonly data: MarketEventData[Name]; readonly timeUs: bigint }[],
): readonly Readonly<Record<string, unknown>>[] {
  return events.map(({ name, data, timeUs }, i) => ({
    subject,
    seq_no: (BigInt(i + 1) << 31n).toString(),
    aggregate_hash: aggregateHash(aggregateType, aggregateId).toString(),
    aggregate_type: aggregateType,
    aggregate_id: aggregateId,
    name,
    data: marketEventCodec.encode(name, data),
    time_us: timeUs.toString(),
    tx_hash: `\\x${'ab'.repeat(32)}`,
    block_hash: `\\x${'cd'.repeat(32)}`,
    address: '0x1',
    content_hash: '\\x00',
    feed_no: 1,
  }));
}
