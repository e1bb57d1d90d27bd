import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Pool, type PoolConfig } from 'pg';
import {
  anyAggregate,
  createAggregateQueries,
  createEventService,
  createEventWorker,
  type AggregateDefinition,
  type AggregateQueries,
  type CommandStore,
  type EventService,
  type EventServiceOptions,
  type EventsOf,
  type EventWorker,
  type EventWorkerOptions,
} from '@imart/event-service';
import type { Logger } from '@imart/pipeline';
import { openCommands, type OpenCommandsOptions, type OpenedCommands } from '../commands';
import type { ScratchDatabase } from '../embedded/scratchDatabase';
import { migrate } from '../migrate';
import type { TestServer } from './testDatabase';

const PRISMA = join(__dirname, '../../../../prisma');

/** One aggregate type, opened as a process opens it. */
export interface CommandParts<State, Events extends EventsOf> extends OpenedCommands {
  readonly service: EventService;
  readonly worker: EventWorker;
  readonly queries: AggregateQueries<State, Events>;
  /** Appends and executes everything that waits. */
  drain(): Promise<void>;
}

export interface CommandPartsOptions {
  readonly pool?: Pool;
  readonly commands?: Partial<Omit<OpenCommandsOptions, 'pool' | 'definition'>>;
  readonly service?: Partial<EventServiceOptions>;
  readonly worker?: Partial<EventWorkerOptions>;
  /** What the process has in place of the store. @defaultValue the store as it is */
  readonly store?: (opened: OpenedCommands) => CommandStore;
}

/** A migrated database for the specs of one file. */
export interface CommandDatabase {
  readonly database: ScratchDatabase;
  readonly pool: Pool;
  createPool(config?: PoolConfig): Pool;
  clear(): Promise<void>;
  open<State, Events extends EventsOf>(
    definition: AggregateDefinition<State, Events>,
    options?: CommandPartsOptions,
  ): Promise<CommandParts<State, Events>>;
  close(): Promise<void>;
}

const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const never = new AbortController().signal;

export async function createCommandDatabase(server: TestServer): Promise<CommandDatabase> {
  const database = await server.createDatabase();
  const pools: Pool[] = [];
  const createPool = (config: PoolConfig = {}): Pool => {
    const pool = new Pool({ connectionString: database.url, max: 8, ...config });
    // One that is cut says so, idle or lent; the next statement fails, and that is what counts.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    pools.push(pool);
    return pool;
  };
  const pool = createPool();
  /** Snapshots that a reading makes beside its answer: one that came after {@link clear} would be of another test's aggregate. */
  const writing = new Set<Promise<void>>();
  await migrate(pool, join(PRISMA, 'migrations'));
  const { rows } = await pool.query(
    `SELECT string_agg(quote_ident(tablename), ', ') AS names FROM pg_tables
     WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'`,
  );
  const { names } = rows[0] as { names: string };
  return {
    database,
    pool,
    createPool,
    async clear() {
      await Promise.allSettled(writing);
      await pool.query(`TRUNCATE ${names} RESTART IDENTITY`);
    },
    async open<State, Events extends EventsOf>(
      definition: AggregateDefinition<State, Events>,
      options: CommandPartsOptions = {},
    ) {
      const plain = anyAggregate(definition);
      const inDatabase = await openCommands({
        pool: options.pool ?? pool,
        definition: plain,
        ...options.commands,
      });
      const { store: replaced = () => inDatabase.store } = options;
      const opened = { ...inDatabase, store: replaced(inDatabase) };
      const worker = createEventWorker({
        definition: plain,
        store: opened.store,
        logger: silentLogger,
        random: Math.random,
        now: () => performance.now(),
        parkedAggregatesMax: 1000,
        pollMs: 5,
        ...options.worker,
      });
      return {
        ...opened,
        worker,
        service: createEventService({
          stores: new Map([[definition.type, { definition: plain, store: opened.store }]]),
          newId: randomUUID,
          random: Math.random,
          onAccepted: () => worker.wake(),
          ...options.service,
        }),
        queries: createAggregateQueries(definition, {
          reads: {
            ...opened.reads,
            writeSnapshots(snapshots) {
              const written = opened.reads.writeSnapshots(snapshots);
              writing.add(written);
              return written.finally(() => writing.delete(written));
            },
          },
          onSnapshotFailed: (error) => {
            throw error;
          },
        }),
        drain: () => worker.drain(never),
      };
    },
    async close() {
      await Promise.all(pools.map((one) => one.end()));
    },
  };
}
