import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { SeqNo, SubjectId } from '@imart/core';
import {
  createPipelineStats,
  runSweeper,
  type SubjectStore,
  type WakeUp,
  type WakeUpFate,
} from '@imart/pipeline';
import { until } from '@imart/testing';
import { startTestServer, type TestServer } from '../../storage/src/testing/testDatabase';
import {
  createWakeUpStream,
  RedisPolicyError,
  SEND_CHUNK_MAX,
  StreamUnavailableError,
  type WakeUpBackend,
  type WakeUpStream,
} from './index';
import { describeWithOwnRedis, describeWithRedis } from './testing/describeWithRedis';
import { openTestRedis, type TestRedisDatabase } from './testing/redisDatabase';
import { startTestRedis } from './testing/redisServer';

const subjectId = 'spec:1' as SubjectId;
const wakeUp = (n: number, lane = 0): WakeUp => ({
  id: `spec_1-${n}-0-${lane}`,
  lane,
  seqNo: BigInt(n) as SeqNo,
  epoch: 0n,
});
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** Remembers everything that is logged. */
function recordingLogger() {
  const lines: Line[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>): void =>
    void lines.push({ message, fields });
  return { lines, debug: log, info: log, warn: log, error: log };
}

/** A handler that remembers what it got, and lets a spec wait for it. */
function recorder(fate: WakeUpFate = 'executed') {
  const taken: WakeUp[] = [];
  let check: () => void = () => undefined;
  return {
    taken,
    handler: async (taking: WakeUp): Promise<WakeUpFate> => {
      taken.push(taking);
      check();
      return fate;
    },
    async untilTaken(count: number): Promise<void> {
      await new Promise<void>((resolve) => {
        check = () => void (taken.length >= count && resolve());
        check();
      });
    },
  };
}

let server: TestServer;
const streams: WakeUpStream[] = [];
const children: ChildProcess[] = [];
let logger = recordingLogger();

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  logger = recordingLogger();
});
afterEach(async () => {
  await Promise.all(streams.splice(0).map((stream) => stream.close()));
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server.stop();
});

async function open(backend: WakeUpBackend, subject = subjectId): Promise<WakeUpStream> {
  const stream = await createWakeUpStream({ subjectId: subject, observer: 'spec', backend, logger });
  streams.push(stream);
  return stream;
}

function program(mode: string, backend: WakeUpBackend): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, 'testing/wakeUpProcess.ts'), mode, JSON.stringify(backend)],
    { stdio: ['pipe', 'pipe', 'pipe'], cwd: join(__dirname, '../../..') },
  );
  children.push(child);
  return child;
}

async function untilPrinted(child: ChildProcess, text: string): Promise<void> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.includes(text)) return;
  }
  throw new Error(`the process ended without printing "${text}"`);
}

const postgresBackend = async (): Promise<WakeUpBackend> => ({
  kind: 'postgres',
  connectionString: (await server.createDatabase()).url,
});

function features(newBackend: () => WakeUpBackend | Promise<WakeUpBackend>): void {
  let backend: WakeUpBackend;
  beforeEach(async () => {
    backend = await newBackend();
  });

  it('delivers each wake-up once, in the order of a lane, and keeps its fate as the result of its job', async () => {
    const stream = await open(backend);
    const got = recorder();
    await stream.receiver.start([0], got.handler);
    // More than one chunk.
    const sent = range(0, SEND_CHUNK_MAX + 20).map((n) => wakeUp(n));
    await stream.sender.send(sent);
    await got.untilTaken(sent.length);
    expect(got.taken).toEqual(sent);
    const last = sent[sent.length - 1] as WakeUp;
    await until(async () => (await stream.job(0, last.id))?.state === 'completed');
    expect(await stream.job(0, last.id)).toEqual({
      state: 'completed',
      fate: 'executed',
      failedReason: null,
    });
  });

  it('carries seq no and epoch exactly beyond 2^53 (D4)', async () => {
    const stream = await open(backend);
    const got = recorder();
    await stream.receiver.start([0], got.handler);
    const large: WakeUp = {
      id: 'large',
      lane: 0,
      seqNo: 9223372036854775807n as SeqNo,
      epoch: 9007199254740993n,
    };
    await stream.sender.send([large]);
    await got.untilTaken(1);
    expect(got.taken).toEqual([large]);
  });

  it('collapses wake-ups of one id, waiting or finished, and takes the same place under another epoch (Q5)', async () => {
    const stream = await open(backend);
    await stream.sender.send([wakeUp(1), wakeUp(1)]);
    await stream.sender.send([wakeUp(1)]);
    const got = recorder('already-executed');
    await stream.receiver.start([0], got.handler);
    await until(async () => (await stream.counts(0)).completed === 1);
    await stream.sender.send([wakeUp(1)]);
    const replayed: WakeUp = { ...wakeUp(1), id: 'spec_1-1-1-0', epoch: 1n };
    await stream.sender.send([replayed]);
    await until(async () => (await stream.counts(0)).completed === 2);
    expect(got.taken).toEqual([wakeUp(1), replayed]);
  });

  it('handles one wake-up at a time in each lane, and lanes side by side', async () => {
    const stream = await open(backend);
    const inLane = [0, 0];
    const most = [0, 0];
    let meet: () => void = () => undefined;
    const sideBySide = new Promise<void>((resolve) => (meet = resolve));
    let done = 0;
    await stream.receiver.start([0, 1], async ({ lane }) => {
      inLane[lane] = (inLane[lane] ?? 0) + 1;
      most[lane] = Math.max(most[lane] ?? 0, inLane[lane]);
      if (inLane.every((handlers) => handlers > 0)) meet();
      await sideBySide;
      // Long enough for another one to begin.
      await stream.counts(lane);
      inLane[lane]--;
      done++;
      return 'executed';
    });
    await stream.sender.send(range(0, 60).map((n) => wakeUp(n, n % 2)));
    await until(() => done === 60);
    expect(most).toEqual([1, 1]);
  });

  it('fails the job of a handler that throws, with the reason, and goes on with the next', async () => {
    const stream = await open(backend);
    const got = recorder();
    await stream.receiver.start([0], async (taking) => {
      if (taking.seqNo === 1n) throw new Error('the lane stopped');
      return got.handler(taking);
    });
    await stream.sender.send([wakeUp(1), wakeUp(2)]);
    await got.untilTaken(1);
    expect(await stream.job(0, wakeUp(1).id)).toEqual({
      state: 'failed',
      fate: null,
      failedReason: 'the lane stopped',
    });
    expect(got.taken).toEqual([wakeUp(2)]);
    expect(stream.stats.failed).toBe(1);
    expect(logger.lines).toContainEqual({
      message: 'a wake-up failed',
      fields: { subject: subjectId, lane: 0, job: wakeUp(1).id, error: 'the lane stopped' },
    });
  });

  it('delivers what was pending when the stream was closed to the next one', async () => {
    const first = await open(backend);
    await first.sender.send(range(0, 5).map((n) => wakeUp(n)));
    await first.close();
    const second = await open(backend);
    const got = recorder();
    await second.receiver.start([0], got.handler);
    await got.untilTaken(5);
    expect(got.taken.map((one) => one.seqNo)).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  it('waits for the running handler when it is closed, and keeps its result (Q20)', async () => {
    const first = await open(backend);
    let finish: () => void = () => undefined;
    let running = false;
    await first.receiver.start([0], async () => {
      running = true;
      await new Promise<void>((resolve) => (finish = resolve));
      return 'executed';
    });
    await first.sender.send([wakeUp(1), wakeUp(2)]);
    await until(() => running);
    const closed = first.close();
    finish();
    await closed;
    const second = await open(backend);
    expect(await second.job(0, wakeUp(1).id)).toMatchObject({ state: 'completed', fate: 'executed' });
    expect(await second.job(0, wakeUp(2).id)).toMatchObject({ state: 'waiting' });
  });

  it('takes over the job of a killed worker within 10 seconds (Q2)', async () => {
    const subject = 'spec:process' as SubjectId;
    const stream = await open(backend, subject);
    await stream.sender.send([wakeUp(7)]);
    const child = program('hang', backend);
    await untilPrinted(child, `taken ${wakeUp(7).id}`);
    const got = recorder('already-executed');
    await stream.receiver.start([0], got.handler);
    child.kill('SIGKILL');
    const killedAt = Date.now();
    await got.untilTaken(1);
    expect(Date.now() - killedAt).toBeLessThan(10_000);
    expect(got.taken).toEqual([wakeUp(7)]);
    await until(async () => (await stream.job(0, wakeUp(7).id))?.state === 'completed');
  }, 180_000);

  it('leaves nothing open when it is closed: the process ends by itself', async () => {
    const child = program('round', backend);
    const exited = once(child, 'exit');
    await untilPrinted(child, 'closed');
    const closedAt = Date.now();
    expect(await exited).toEqual([0, null]);
    expect(Date.now() - closedAt).toBeLessThan(2_000);
  }, 180_000);

  it('refuses to start twice, and starts again after it was stopped', async () => {
    const stream = await open(backend);
    const got = recorder();
    await stream.receiver.start([0], got.handler);
    await expect(stream.receiver.start([0], got.handler)).rejects.toThrow('stop it first');
    await stream.receiver.stop();
    await stream.receiver.start([0], got.handler);
    await stream.sender.send([wakeUp(1)]);
    await got.untilTaken(1);
  });
}

describe('wake-ups in PostgreSQL', () => {
  features(postgresBackend);

  it('brings its schema up to date when several processes start at once', async () => {
    const backend = await postgresBackend();
    const opened = await Promise.all(range(0, 4).map(() => open(backend)));
    const got = recorder();
    await (opened[0] as WakeUpStream).receiver.start([0], got.handler);
    await Promise.all(opened.map((stream, n) => stream.sender.send([wakeUp(n)])));
    await got.untilTaken(4);
    expect(new Set(got.taken.map((one) => one.id)).size).toBe(4);
  });

  it('says that the database is not there, without the password', async () => {
    const connectionString = 'postgres://user:hidden-word@127.0.0.1:1/none';
    const failure = await open({ kind: 'postgres', connectionString }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StreamUnavailableError);
    expect((failure as StreamUnavailableError).disposition).toBe('retry');
    expect(JSON.stringify([(failure as Error).message, logger.lines])).not.toContain('hidden-word');
  });
});

describeWithRedis('wake-ups in Redis', () => {
  let redis: TestRedisDatabase;
  let prefixes = 0;
  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(() => redis?.stop());

  features(() => ({ kind: 'redis', url: redis.url, prefix: `spec${prefixes++}` }));
});

describeWithOwnRedis('wake-ups in a Redis that is not as it should be', () => {
  it('refuses a Redis that may evict jobs, naming the policy and what mends it (Q4)', async () => {
    const evicting = await startTestRedis(['--maxmemory-policy', 'volatile-lru']);
    try {
      const failure = await open({ kind: 'redis', url: evicting.url }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RedisPolicyError);
      expect((failure as RedisPolicyError).disposition).toBe('stop');
      expect((failure as Error).message).toContain('"volatile-lru"');
      expect((failure as Error).message).toContain('CONFIG SET maxmemory-policy noeviction');
    } finally {
      await evicting.stop();
    }
  });

  it('never shows the password: not when the login fails, not when the connection is lost', async () => {
    const guarded = await startTestRedis(['--requirepass', 'right-word']);
    try {
      const url = (word: string): string => `redis://:${word}@127.0.0.1:${guarded.port}`;
      const failure = await open({ kind: 'redis', url: url('wrong-word') }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StreamUnavailableError);
      const stream = await open({ kind: 'redis', url: url('right-word') });
      await stream.receiver.start([0], recorder().handler);
      await guarded.kill();
      await until(() => logger.lines.length > 0);
      const lost = await stream.sender.send([wakeUp(1)]).catch((error: unknown) => error);
      expect(lost).toBeInstanceOf(StreamUnavailableError);
      const shown = JSON.stringify([(failure as Error).message, (lost as Error).message, logger.lines]);
      expect(shown).not.toMatch(/wrong-word|right-word/);
      expect(shown).toContain(`127.0.0.1:${guarded.port}`);
    } finally {
      await Promise.all(streams.splice(0).map((stream) => stream.close()));
      await guarded.stop();
    }
  });

  it('comes back by itself after Redis was gone and lost everything; sending meanwhile fails at once (Q4)', async () => {
    const own = await startTestRedis();
    try {
      const stream = await open({ kind: 'redis', url: own.url });
      const got = recorder();
      await stream.receiver.start([0], got.handler);
      await stream.sender.send([wakeUp(1)]);
      await got.untilTaken(1);
      await own.kill();
      const at = Date.now();
      await expect(stream.sender.send([wakeUp(2)])).rejects.toBeInstanceOf(StreamUnavailableError);
      expect(Date.now() - at).toBeLessThan(3_000);
      await own.restart();
      await until(() =>
        stream.sender.send([wakeUp(2)]).then(
          () => true,
          () => false,
        ),
      );
      await got.untilTaken(2);
      expect(got.taken).toEqual([wakeUp(1), wakeUp(2)]);
    } finally {
      await Promise.all(streams.splice(0).map((stream) => stream.close()));
      await own.stop();
    }
  });

  it('closes at once while Redis is gone, and leaves nothing that keeps the process alive', async () => {
    const own = await startTestRedis();
    const child = program('idle', { kind: 'redis', url: own.url });
    const exited = once(child, 'exit');
    await untilPrinted(child, 'idle');
    await own.stop();
    const at = Date.now();
    child.stdin?.end();
    expect(await exited).toEqual([0, null]);
    expect(Date.now() - at).toBeLessThan(5_000);
  }, 180_000);

  it('loses nothing to FLUSHALL that the sweeper does not send again (Q4)', async () => {
    const own = await startTestRedis();
    const stream = await open({ kind: 'redis', url: own.url });
    await stream.sender.send(range(0, 10).map((n) => wakeUp(n)));
    const client = new Redis(own.url);
    await client.flushall();
    await client.quit();

    // A log that reaches 9, and a lane that executes what it is woken for.
    let executed = -1n;
    const store = {
      subjectId,
      progress: () => Promise.resolve({ lanes: [executed], ingested: 9n, epoch: 0n }),
    } as unknown as SubjectStore;
    await stream.receiver.start([0], async ({ seqNo }) => {
      executed = seqNo;
      return 'executed';
    });
    const stopping = new AbortController();
    const sweeping = runSweeper(
      {
        store,
        sender: stream.sender,
        stats: createPipelineStats(),
        logger,
        intervalMs: 20,
        now: () => Date.now(),
      },
      stopping.signal,
    );
    try {
      await until(() => executed === 9n);
    } finally {
      stopping.abort();
      await sweeping;
      await Promise.all(streams.splice(0).map((one) => one.close()));
      await own.stop();
    }
  });
});
