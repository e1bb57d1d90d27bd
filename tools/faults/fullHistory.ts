import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { messageOf } from '@imart/core';
import type { TestServer } from '../../libs/storage/src/testing/testDatabase';
import type { TestRedis } from '../../libs/stream/src/testing/redisServer';
import { createRandom, type Random } from '../devnet/src/random';
import { executedReaches, executedBlock, type Market, type Settings } from '../e2e/market';
import type { Program } from '../e2e/programs';
import { compareWithExpected } from '../e2e/storedTables';
import { untilWhileRunning } from '../e2e/until';
import { startFakeMarket, unlucky, type FakeMarket, type FakeRpcRules } from '../fake-chain/src';
import { query } from '../realdata/tables';

/** What a history of the whole worker has come to. */
export interface FullHistory {
  readonly seed: number;
  readonly differences: readonly string[];
  /** What was done, in order. */
  readonly steps: readonly string[];
  readonly blocks: number;
  /** Events that nodes had left out, and the second pass has found. */
  readonly found: number;
  readonly seconds: number;
}

/** What all histories share: programs, a database server, a Redis where there is one. */
export interface FullStack {
  readonly programs: Market;
  readonly server: TestServer;
  readonly redis: TestRedis | null;
}

type Role = 'all' | 'ingest' | 'apply';

const APPLY: Settings = { ROLE: 'apply', RPC_URLS: '', RPC_WS_URL: '', MARKETS: '', START_BLOCK: '' };
const COMPOSITIONS: readonly (readonly Role[])[] = [
  ['all'],
  ['all', 'apply'],
  ['ingest', 'apply', 'apply'],
  ['all', 'all'],
];
/** Blocks below are final: no reorg of a history reaches there. */
const FINALITY_BLOCKS = 12;
const STEPS = 14;
/** Short, so that a standby takes over within a step or two. */
const LEASE_MS = 2_000;

/** A worker, and how to start it again. */
interface Running {
  readonly role: Role;
  program: Program;
}

/**
 * The worker's processes against a fake chain over sockets, on PostgreSQL, with jobs in Redis or in PostgreSQL: blocks, reorgs, nodes
 * that lag, lie and fail, kills -9, cut connections, FLUSHALL. In the end every row must be what the chain's own model says.
 */
export async function runFullHistory(stack: FullStack, seed: number): Promise<FullHistory> {
  const random = createRandom(seed);
  const started = performance.now();
  const database = await stack.server.createDatabase();
  const { url } = database;
  const market = await startFakeMarket({
    seed,
    endpoints: 1 + random.below(3),
    rules: { finalityDepth: FINALITY_BLOCKS },
    recordCalls: false,
  });
  const steps: string[] = [];
  const workers: Running[] = [];
  try {
    for (let i = 0; i < 20; i++) market.traffic.mine(1 + random.below(5));
    const redis = stack.redis !== null && random.chance(0.5) ? stack.redis : null;
    if (redis !== null) await flush(redis);
    const common = {
      LANES: 1 + random.below(3),
      LEASE_MS,
      FINALITY_DEPTH_BLOCKS: FINALITY_BLOCKS,
      // As fast as it goes: what nodes left out is to be found by the end.
      SECOND_PASS_BLOCKS_PER_SECOND: 10_000,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
    };
    const chain = { ...market.places, rpcUrl: market.places.rpcUrls.join(',') };
    const start = (role: Role): Program =>
      stack.programs.startWorker(chain, url, { ...common, ...(role === 'apply' ? APPLY : { ROLE: role }) });
    // In every third one a node leaves logs out from the beginning, while the log is read and while it is read again.
    const omitting: FakeRpcRules | null = seed % 3 === 0 ? { omitsEvery: 2 + (seed % 9) / 3 } : null;
    if (omitting !== null) Object.assign((market.nodes[0] as FakeMarket['nodes'][number]).rules, omitting);
    for (const role of random.pick(COMPOSITIONS)) workers.push({ role, program: start(role) });
    steps.push(`${workers.map(({ role }) => role).join('+')}, ${redis === null ? 'no Redis' : 'Redis'}`);
    if (omitting !== null) steps.push(`a node with ${rulesText(omitting)}`);
    await executedReaches(url, 5, (workers[0] as Running).program);

    for (let step = 0; step < STEPS; step++) {
      steps.push(await disturb({ random, market, workers, start, url, redis }));
      await brieflyMoveOn(url, random);
    }
    // Whatever nodes did, they are well now, and the chain goes on until all that they served before is final.
    for (const node of market.nodes) setRules(node.rules, { finalityDepth: FINALITY_BLOCKS });
    const served = market.traffic.chain.blocks.length - 1;
    for (let i = 0; i < FINALITY_BLOCKS; i++) market.traffic.mine(random.below(3));
    const last = market.traffic.mine(2);
    await untilWhileRunning(
      workers.map(({ program }) => program),
      `block ${last.number} is executed, and block ${served} read twice`,
      async () =>
        (await executedBlock(url)) >= last.number &&
        (await isLast(url, last.hash)) &&
        (await secondPass(url)).position >= served,
      PATIENCE_MS,
    );
    const { differences } = await compareWithExpected(url, market.traffic.expected());
    return {
      seed,
      differences: differences.map((one) => `${one.table}: expected ${one.expected}, stored ${one.stored}`),
      steps,
      blocks: last.number,
      found: (await secondPass(url)).found,
      seconds: (performance.now() - started) / 1000,
    };
  } catch (error) {
    return {
      seed,
      differences: [messageOf(error), await whereItStands(url), ...workers.map(lastWords)],
      steps,
      blocks: 0,
      found: 0,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    for (const { program } of workers) program.kill('SIGKILL');
    await Promise.all(workers.map(({ program }) => program.ended));
    await market.close();
    await database.drop();
  }
}

/** Longer than recovering from anything takes on a busy machine. */
const PATIENCE_MS = 90_000;

interface Scene {
  readonly random: Random;
  readonly market: FakeMarket;
  readonly workers: readonly Running[];
  readonly start: (role: Role) => Program;
  readonly url: string;
  readonly redis: TestRedis | null;
}

/** Does one thing, by chance. @returns what it was. */
async function disturb({ random, market, workers, start, url, redis }: Scene): Promise<string> {
  const { traffic, nodes } = market;
  switch (random.below(8)) {
    case 0:
    case 1: {
      const depth = 1 + random.below(FINALITY_BLOCKS - 4);
      const blocks = depth + random.below(3);
      traffic.reorg({
        depth,
        blocks: Math.max(1, blocks),
        actions: random.below(4),
        keep: random.below(11) / 10,
      });
      return `reorg of ${depth} blocks to ${Math.max(1, blocks)}`;
    }
    case 2: {
      const worker = random.pick(workers);
      worker.program.kill('SIGKILL');
      await worker.program.ended;
      // A reorg while the process is down (R2).
      const away = random.chance(0.4);
      if (away) traffic.reorg({ depth: 1 + random.below(5), actions: 2 });
      worker.program = start(worker.role);
      return `kill -9 of ${worker.role}${away ? ', reorg meanwhile' : ''}`;
    }
    case 3: {
      await query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      return 'all connections of the database cut';
    }
    case 4: {
      const node = random.pick(nodes);
      const rules: FakeRpcRules = random.pick([
        { lag: 1 + random.below(6) },
        { omitsEvery: 1 + random.below(4) },
        { chance: unlucky(() => random.below(1_000) / 1_000, 0.2) },
        { delayMs: 40 },
        { removedLogs: true },
        { nodes: [{}, { lag: 2 }] },
      ]);
      setRules(node.rules, { finalityDepth: FINALITY_BLOCKS, ...rules });
      return `a node with ${rulesText(rules)}`;
    }
    case 5: {
      for (const node of nodes) setRules(node.rules, { finalityDepth: FINALITY_BLOCKS });
      return 'all nodes well';
    }
    case 6: {
      if (redis !== null) {
        await flush(redis);
        return 'FLUSHALL';
      }
      // Longer than a lease at times: whoever was paused finds another one in its place, or its lease run out.
      const worker = random.pick(workers);
      const pausedMs = random.below(2 * LEASE_MS);
      worker.program.kill('SIGSTOP');
      await delay(pausedMs);
      worker.program.kill('SIGCONT');
      return `${worker.role} paused for ${pausedMs} ms`;
    }
    default: {
      const blocks = 1 + random.below(4);
      for (let i = 0; i < blocks; i++) traffic.mine(random.below(8));
      return `${blocks} blocks`;
    }
  }
}

function rulesText(rules: FakeRpcRules): string {
  const told = (_key: string, value: unknown): unknown => (typeof value === 'function' ? 'bad luck' : value);
  return JSON.stringify(rules, told).replaceAll('"', '');
}

async function flush({ url }: TestRedis): Promise<void> {
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}

/** The rules become these, and no others. */
function setRules(rules: FakeRpcRules, wanted: FakeRpcRules): void {
  for (const name of Object.keys(rules)) delete rules[name as keyof FakeRpcRules];
  Object.assign(rules, wanted);
}

/** Lets the worker come some way, or not: the next thing happens at any moment of its work. */
async function brieflyMoveOn(url: string, random: Random): Promise<void> {
  const before = await executedBlock(url);
  const end = performance.now() + random.below(900);
  while (performance.now() < end && (await executedBlock(url)) === before) {
    await delay(10);
  }
}

/** Whether the last block in the log is this one. */
async function isLast(url: string, hash: string): Promise<boolean> {
  const rows = await query(url, 'SELECT hash FROM blocks ORDER BY position DESC LIMIT 1');
  return rows[0]?.['hash'] === hash;
}

/** For whoever looks into a history that came to no end. */
async function whereItStands(url: string): Promise<string> {
  try {
    const subjects = await query(
      url,
      'SELECT next_position, ingested_seq_no, finalized_position, head_position, epoch, halt_code, halt_message FROM subjects',
    );
    const lanes = await query(url, 'SELECT lane, seq_no FROM checkpoints ORDER BY lane');
    const passes = await query(url, 'SELECT kind, next_position, missing_events FROM passes ORDER BY id');
    return JSON.stringify({ subjects, lanes, passes });
  } catch (error) {
    return messageOf(error);
  }
}

const LAST_WORDS_MAX = 3_000;

function lastWords({ role, program }: Running): string {
  return `${role}${program.isRunning() ? '' : ', ended'}: ... ${program.said().slice(-LAST_WORDS_MAX)}`;
}

/** The last block that the second pass has read, and how many events it has found that were left out. */
async function secondPass(url: string): Promise<{ position: number; found: number }> {
  const rows = await query(
    url,
    `SELECT next_position - 1 AS position, missing_events AS found FROM passes WHERE kind = 'second'`,
  );
  return { position: Number(rows[0]?.['position'] ?? -1), found: Number(rows[0]?.['found'] ?? 0) };
}
