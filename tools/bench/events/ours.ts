import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { z } from 'zod';
import { aggregateHash, type CommandEventData, type SeqNo } from '@imart/core';
import {
  anyAggregate,
  APPEND_EVENTS_MAX_DEFAULT,
  createAggregateQueries,
  createCommandCodec,
  createEventService,
  createEventWorker,
  defineAggregate,
  noSnapshot,
  type EventService,
} from '@imart/event-service';
import { migrate, openCommands, prismaDirectory } from '@imart/storage';
import { join } from 'node:path';
import { BATCH_EVENTS, benchEvent, type BenchEvent, type Contestant } from './contestant';

type Events = { readonly Added: BenchEvent };

const TYPE = 'ledger';
const ledger = defineAggregate<{ readonly events: number; readonly sum: number }, Events>({
  type: TYPE,
  events: { Added: { schema: z.object({ amount: z.number().int(), note: z.string() }) } },
  rules: [],
  reducer: {
    version: 1,
    initial: () => ({ events: 0, sum: 0 }),
    fold: ({ events, sum }, { data }) => ({ events: events + 1, sum: sum + data.amount }),
  },
  snapshots: noSnapshot,
});

const silent = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };
const LANES = 4;

/** Commands as a service takes them, with a worker that appends and folds beside it in the same process. */
export interface Ours extends Contestant {
  readonly service: EventService;
  /** Keeps a snapshot of a stream at a version, and nothing else. */
  snapshotAt(stream: string, version: number): Promise<void>;
  /** The latest state, from the snapshot and the events after it. @returns how many events were folded for it. */
  latestState(
    stream: string,
  ): Promise<{ readonly events: number; readonly sum: number; readonly folded: number }>;
}

export async function createOurs(url: string): Promise<Ours> {
  const pool = new Pool({ connectionString: url, max: LANES + 12 });
  await migrate(pool, join(prismaDirectory(), 'migrations'));
  const definition = anyAggregate(ledger);
  const { store, reads, subject } = await openCommands({ pool, definition, lanes: LANES });
  const codec = createCommandCodec(definition);
  const worker = createEventWorker({
    definition,
    store,
    logger: silent,
    random: Math.random,
    now: () => performance.now(),
    parkedAggregatesMax: 0,
  });
  const service = createEventService({
    stores: new Map([[TYPE, { definition, store }]]),
    newId: randomUUID,
    random: Math.random,
    onAccepted: () => worker.wake(),
  });
  const queries = createAggregateQueries(ledger, {
    reads,
    onSnapshotFailed: (error) => {
      throw error;
    },
  });
  const over = new AbortController();
  let running: Promise<void> | null = worker.run(over.signal);

  const settled = async (): Promise<void> => {
    for (;;) {
      const [{ pending }, { executed, ingested }] = await Promise.all([
        store.backlog(),
        store.subject.progress(),
      ]);
      if (pending === 0 && executed === ingested) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };

  /** Messages as accepted commands leave them; `streams` of `events` each. */
  const outbox = async (streams: readonly string[], events: number): Promise<void> => {
    for (const stream of streams) {
      const data = Array.from({ length: events }, (_, n) => {
        const kept: CommandEventData = {
          version: n + 1,
          schemaVersion: 1,
          correlationId: 'bench',
          causationId: null,
          payload: benchEvent(n),
        };
        return codec.encode('Added', kept);
      });
      await pool.query(
        `INSERT INTO command_outbox (subject, aggregate_hash, aggregate_type, aggregate_id, version, event_id, name, data, time_us, actor)
         SELECT $1, $2, $3, $4, v, uuid_send(gen_random_uuid()), 'Added', data,
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + v, 'bench'
         FROM unnest($5::text[]) WITH ORDINALITY AS e(data, v)`,
        [subject, hashOf(stream), TYPE, stream, data],
      );
    }
  };

  return {
    name: 'imart',
    service,
    async appendOne(stream, n) {
      await service.request({ type: TYPE, id: stream, name: 'Added', data: benchEvent(n) });
    },
    settled,
    async appendBatches(batches) {
      // Only the move into the log is measured: no worker takes them before.
      over.abort();
      await running;
      running = null;
      await outbox(
        Array.from({ length: batches }, (_, n) => `batch-${n}`),
        BATCH_EVENTS,
      );
      const started = performance.now();
      // As the worker takes them: what waits moves together.
      for (let more = true; more;) ({ more } = await store.append(APPEND_EVENTS_MAX_DEFAULT));
      return (performance.now() - started) / 1000;
    },
    async fill(stream, events) {
      await outbox([stream], events);
      await worker.drain(new AbortController().signal);
    },
    async load(stream) {
      const events = await reads.readEvents(stream, 0, 1_000_000);
      const sum = events.reduce(
        (before, { data }) => before + ((data as CommandEventData).payload as BenchEvent).amount,
        0,
      );
      return { events: events.length, sum };
    },
    async snapshotAt(stream, version) {
      const events = await reads.readEvents(stream, version - 1, 1);
      const { state, timeUs } = await queries.state(stream, {
        kind: 'seqNo',
        seqNo: events[0]?.seqNo as SeqNo,
      });
      await reads.writeSnapshots([
        {
          aggregateType: TYPE,
          aggregateId: stream,
          state: { seqNo: events[0]?.seqNo as SeqNo, version, timeUs, value: state } as never,
        },
      ]);
    },
    async latestState(stream) {
      const { state, folded } = await queries.state(stream);
      return { ...state, folded };
    },
    async count() {
      return Number((await pool.query('SELECT count(*) AS n FROM event_log')).rows[0].n);
    },
    async close() {
      over.abort();
      await running;
      await pool.end();
    },
  };
}

const hashOf = (stream: string): string => aggregateHash(TYPE, stream).toString();
