import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PASSING_FAULTS, unlucky, type PassingFault } from '../../../libs/chain-evm/src/testing/fakeRules';
import { createRandom } from '../../devnet/src/random';
import { startFakeMarket, type FakeMarket } from './startFakeMarket';

const HELP = `A fake EVM chain with a market on it, over JSON-RPC: it takes blocks back, and its nodes lie when they are told to.

  npx tsx tools/fake-chain/main.ts [options]

  --port <n>             port of the first endpoint on 127.0.0.1 (default: a free one)
  --endpoints <n>        how many nodes serve the chain (default: 1)
  --seed <n>             seed of traffic, reorgs and faults (default: 1)
  --first-blocks <n>     blocks that are there from the start (default: 20)
  --actions <n>          transactions of each block (default: 5)
  --logs <n>             instead: logs of each block, at least
  --block-time-ms <n>    a block so often; 0: only when it is told (default: 0)
  --blocks <n>           end mining after so many blocks more; the chain stays
  --reorg-every <n>      on average every n blocks, blocks are taken back (default: never)
  --reorg-depth <n>      at most so many at once (default: 5)
  --finality-depth <n>   the finalized block lies so far below the head; none: there is no such tag (default: 64)
  --fault-rate <p>       so much of the requests meets a passing fault, from 0 to 1 (default: 0)
  --faults <a,b>         these only (default: all): ${Object.keys(PASSING_FAULTS).join(', ')}
  --expected <file>      when mining has ended, write there as JSON what the tables must hold
  --help

When it is ready, one line of JSON on stdout: rpcUrl, wsUrl, rpcUrls, chainId, market, mixverse, curation, commissionPool,
lottery, collections, factories { single, multiple }, startBlock. When mining has ended, another one: done (true), lastBlock. SIGTERM and SIGINT end it with exit code 0.
It is told what to do by the methods fake_mine, fake_reorg, fake_rules, fake_expected, fake_served and fake_status: see the README.`;

interface CliOptions {
  readonly port: number;
  readonly endpoints: number;
  readonly seed: number;
  readonly firstBlocks: number;
  readonly actions: number;
  readonly logs: number | null;
  readonly blockTimeMs: number;
  readonly blocks: number;
  readonly reorgEvery: number | null;
  readonly reorgDepth: number;
  readonly finalityDepth: number | null;
  readonly faultRate: number;
  readonly faults: readonly PassingFault[] | undefined;
  readonly expected: string | undefined;
}

/** @throws {Error} that names every option that cannot be used. */
export function readOptions(argv: readonly string[]): CliOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: text,
      endpoints: text,
      seed: text,
      'first-blocks': text,
      actions: text,
      logs: text,
      'block-time-ms': text,
      blocks: text,
      'reorg-every': text,
      'reorg-depth': text,
      'finality-depth': text,
      'fault-rate': text,
      faults: text,
      expected: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  const problems: string[] = [];
  const number = (name: keyof typeof values, fallback: number, min: number, isWhole = true): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    const isUsable = (isWhole ? Number.isSafeInteger(value) : Number.isFinite(value)) && value >= min;
    if (!isUsable) problems.push(`--${name}: ${String(given)} is no number from ${min} on`);
    return value;
  };
  const faults = values.faults?.split(',');
  for (const name of faults ?? []) {
    if (!(name in PASSING_FAULTS)) problems.push(`--faults: there is no fault ${name}`);
  }
  const options: CliOptions = {
    port: number('port', 0, 0),
    endpoints: number('endpoints', 1, 1),
    seed: number('seed', 1, 0),
    firstBlocks: number('first-blocks', 20, 0),
    actions: number('actions', 5, 0),
    logs: values.logs === undefined ? null : number('logs', 0, 0),
    blockTimeMs: number('block-time-ms', 0, 0),
    blocks: values.blocks === undefined ? Infinity : number('blocks', 0, 0),
    reorgEvery: values['reorg-every'] === undefined ? null : number('reorg-every', 0, 1),
    reorgDepth: number('reorg-depth', 5, 1),
    finalityDepth: values['finality-depth'] === 'none' ? null : number('finality-depth', 64, 0),
    faultRate: number('fault-rate', 0, 0, false),
    faults: faults as readonly PassingFault[] | undefined,
    expected: values.expected,
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return options;
}

/** Mines by the clock until the signal aborts or all blocks are mined. */
async function keepMining(market: FakeMarket, options: CliOptions, signal: AbortSignal): Promise<void> {
  const { traffic } = market;
  const random = createRandom(options.seed ^ 0x0e0e);
  const mine = (): void => {
    if (options.logs === null) traffic.mine(options.actions);
    else traffic.mineLogs(options.logs);
  };
  const depthMax = Math.min(options.reorgDepth, options.finalityDepth ?? options.reorgDepth);
  for (let left = options.blocks; left > 0 && !signal.aborted; left--) {
    await wait(options.blockTimeMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const depth = Math.min(1 + random.below(depthMax), traffic.chain.head - 1);
    if (options.reorgEvery !== null && depth > 0 && random.chance(1 / options.reorgEvery))
      traffic.reorg({ depth, actions: options.actions });
    else mine();
  }
}

/** The command. @returns the exit code. */
export async function runCli(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let options: CliOptions | 'help';
  try {
    options = readOptions(argv);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const { finalityDepth, faultRate, faults, seed, blockTimeMs } = options;
  const random = createRandom(seed ^ 0xfa17);
  const draw = (): number => random.below(2 ** 31) / 2 ** 31;
  const market = await startFakeMarket({
    seed,
    port: options.port,
    endpoints: options.endpoints,
    byClock: blockTimeMs > 0,
    recordCalls: false,
    rules: {
      ...(finalityDepth === null ? { finalized: null } : { finalityDepth }),
      ...(faultRate > 0 ? { chance: unlucky(draw, faultRate, faults) } : {}),
    },
  });
  try {
    for (let i = 0; i < options.firstBlocks; i++) market.traffic.mine(options.actions);
    process.stdout.write(`${JSON.stringify(market.places)}\n`);
    if (blockTimeMs > 0) await keepMining(market, options, signal);
    if (!signal.aborted) {
      const expected = market.traffic.expected();
      if (options.expected !== undefined) writeFileSync(options.expected, JSON.stringify(expected));
      process.stdout.write(`${JSON.stringify({ done: true, lastBlock: market.traffic.chain.head })}\n`);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
  } finally {
    await market.close();
  }
  return 0;
}
