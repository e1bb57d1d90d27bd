import { createPostgresBackend, Queue, Worker, type PostgresPoolConfig } from 'bullmq';
import { messageOf } from '@imart/core';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  SENDER_CONNECTIONS_MAX,
  WORKER_CONNECTIONS_MAX,
} from './bounds';
import { StreamUnavailableError } from './errors';
import { within, type JobBackend } from './jobBackend';
import { LentClient } from './lentClient';

export interface PostgresJobsOptions {
  readonly connectionString: string;
  /** The jobs' own schema: letters, digits and `_`. Made when it is missing. */
  readonly schema: string;
  /**
   * Whether the schema is made, or brought up to date. Who only looks at jobs leaves it as it is: its user need not be allowed
   * to make tables, and a read replica cannot.
   * @defaultValue `true`
   */
  readonly migrate?: boolean;
  readonly onError: (error: Error) => void;
}

/**
 * A backend of BullMQ whose every connection is a {@link LentClient}. The one that listens is made of the driver's plain client: nobody hears
 * when it dies in the moment in which it was made, nor while it is being closed.
 */
export const createGuardedBackend: typeof createPostgresBackend = (...parameters) => {
  const backend = createPostgresBackend(...parameters);
  // Private, and the only place where the driver can be said.
  const connection = backend.connection as unknown as { pgModule?: object };
  if (connection.pgModule === undefined) throw new Error('this version of BullMQ keeps the driver elsewhere');
  connection.pgModule = { Client: LentClient };
  return backend;
};

/**
 * Jobs in tables of their own schema. Creating it brings the schema up to date, in one transaction under an advisory lock:
 * of several processes that start at once, one does it and the others wait.
 *
 * @throws {StreamUnavailableError} `retry` when the database does not take it.
 */
export async function createPostgresJobs(options: PostgresJobsOptions): Promise<JobBackend> {
  const { connectionString, schema, migrate = true, onError } = options;
  const label = `postgres schema ${schema}`;
  const connection = (max: number): PostgresPoolConfig => ({
    connectionString,
    Client: LentClient,
    schema,
    max,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A connection that is kept costs little; a new one costs a wake-up several milliseconds.
    idleTimeoutMillis: 0,
    application_name: 'imart-jobs',
    // A job that a crash of the server loses is sent again by the sweeper: nobody needs to wait for the disk. It halves the
    // time to pick up a wake-up (see pickup.bench.ts). The log and the states are written by others, durably.
    options: '-c synchronous_commit=off',
  });

  // All queues send over one pool: BullMQ would make one for each.
  const sending = createGuardedBackend('imart', {
    connection: { ...connection(SENDER_CONNECTIONS_MAX), migrate },
  });
  sending.on('error', onError);
  try {
    await sending.waitUntilReady();
  } catch (error) {
    await sending.close().catch(() => undefined);
    throw new StreamUnavailableError(label, messageOf(error), error);
  }

  return {
    kind: 'postgres',
    label,
    queue: (name, look = false) => {
      const options = { connection: {}, skipMetasUpdate: look };
      const queue = new Queue(name, options, () => sending.forQueue(name));
      queue.on('error', onError);
      return queue;
    },
    worker: (name, processor, workerOptions, events) => {
      const worker = new Worker(
        name,
        processor,
        { ...workerOptions, connection: connection(WORKER_CONNECTIONS_MAX) },
        createGuardedBackend,
      );
      worker.on('error', events.onError);
      worker.on('failed', (job, error) => events.onFailed(job?.id ?? '', error));
      worker.on('stalled', events.onStalled);
      return worker;
    },
    // A pool finds out by itself, within its connection timeout.
    assertReachable: () => undefined,
    close: () => within(CLOSE_TIMEOUT_MS, sending.close(), () => undefined),
  };
}
