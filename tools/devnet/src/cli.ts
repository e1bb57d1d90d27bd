import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startDevnet, type Devnet } from './devnet';
import type { Expected } from './expected';
import { startLiveTraffic } from './liveTraffic';
import { openTraffic, runTraffic } from './traffic';

const HELP = `A local EVM chain (anvil) with IMart's contracts and market traffic.

  node --import tsx tools/devnet/src/cli.ts [options]

  --data-dir <dir>      keep chain and traffic there and resume them (default: a temporary directory)
  --port <n>            port on 127.0.0.1 (default: a free one)
  --seed <n>            seed of the traffic (default: 1)
  --block-time <sec>    a block every so many seconds, by the clock (default: 1)
  --rate <n>            transactions a second; 0: none (default: 2)
  --seed-actions <n>    actions at once on a new chain, before it is ready (default: 60)
  --actions <n>         end the traffic after n more actions; the chain goes on
  --script <n>          instead of all that: exactly n actions in blocks mined on demand, as fast as possible; the chain
                        stays up then, without further blocks
  --per-block <n>       with --script: transactions per block on average (default: 8)
  --expected <file>     when the traffic has ended, write there as JSON what the tables must hold
  --exit                stop when the traffic has ended
  --help

When the chain is ready, one line of JSON on stdout: rpcUrl, wsUrl, chainId, market, mixverse, curation,
commissionPool, lottery, collections, factories { single, multiple }, startBlock, directory, pid. When the traffic has ended, another one: done (true), lastBlock, actions.
SIGTERM or SIGINT ends the traffic, saves the chain and exits with 0. The chain ends with this process, however it ends.`;

/** What a loss of power or a SIGKILL of the chain itself may cost. */
const SAVE_INTERVAL_MS = 60_000;

interface CliOptions {
  readonly dataDir: string | undefined;
  readonly port: number;
  readonly seed: number;
  readonly blockTimeSec: number;
  readonly rate: number;
  readonly seedActions: number;
  readonly actions: number | null;
  readonly script: number | null;
  readonly perBlock: number;
  readonly expected: string | undefined;
  readonly exit: boolean;
}

/** @throws {Error} that names every option that cannot be used. */
function readOptions(argv: readonly string[]): CliOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'data-dir': text,
      port: text,
      seed: text,
      'block-time': text,
      rate: text,
      'seed-actions': text,
      actions: text,
      script: text,
      'per-block': text,
      expected: text,
      exit: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  const problems: string[] = [];
  const whole = (
    name: 'port' | 'seed' | 'block-time' | 'seed-actions' | 'actions' | 'script' | 'per-block',
    least: number,
    most: number,
    fallback: number,
  ): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    problems.push(`--${name}: "${given}" is not a whole number from ${least} to ${most}`);
    return fallback;
  };
  const rate = Number(values.rate ?? 2);
  if (!(rate >= 0 && rate <= 200)) problems.push(`--rate: "${values.rate}" is not a number from 0 to 200`);
  const misplaced =
    values.script === undefined
      ? (['per-block'] as const)
      : (['block-time', 'rate', 'seed-actions', 'actions'] as const);
  for (const name of misplaced) {
    if (values[name] !== undefined)
      problems.push(`--${name}: goes ${values.script === undefined ? 'only' : 'not'} with --script`);
  }
  const options: CliOptions = {
    dataDir: values['data-dir'],
    port: whole('port', 0, 65_535, 0),
    seed: whole('seed', 0, 2 ** 31 - 1, 1),
    blockTimeSec: whole('block-time', 1, 3_600, 1),
    rate,
    seedActions: whole('seed-actions', 0, 10_000, 60),
    actions: values.actions === undefined ? null : whole('actions', 1, 1_000_000, 1),
    script: values.script === undefined ? null : whole('script', 1, 1_000_000, 1),
    perBlock: whole('per-block', 1, 1_000, 8),
    expected: values.expected,
    exit: values.exit ?? false,
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return options;
}

function readyLine(devnet: Devnet): string {
  const { singleCollective, multipleCollective, erc721, erc1155, ...named } = devnet.contracts;
  const { rpcUrl, wsUrl, chainId, startBlock, directory } = devnet;
  const factories = { single: singleCollective, multiple: multipleCollective };
  const collections = [erc721, erc1155];
  const line = { rpcUrl, wsUrl, chainId, ...named, collections, factories, startBlock, directory };
  return JSON.stringify({ ...line, pid: process.pid });
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    return;
  }
  // A reader that has gone is no reason not to stop in order.
  process.stdout.on('error', () => undefined);
  const asked = new Promise<'asked'>((resolve) => {
    process.on('SIGTERM', () => resolve('asked'));
    process.on('SIGINT', () => resolve('asked'));
  });
  const devnet = await startDevnet({
    port: options.port,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.script === null ? { blockTimeSec: options.blockTimeSec } : {}),
  });
  try {
    const died = devnet.ended.then((reason) => {
      throw new Error(`devnet: ${reason}`);
    });
    died.catch(() => undefined);
    await (options.script === null
      ? live(devnet, options, asked, died)
      : script(devnet, options, asked, died));
  } finally {
    await devnet.stop();
  }
}

type End = Promise<'asked'>;

/** Saves now and then: the longer the chain takes to write, the more seldom. */
function startSaving(devnet: Devnet): { stop(): void } {
  let timer: NodeJS.Timeout;
  const later = (ms: number): void => {
    timer = setTimeout(() => {
      const start = performance.now();
      // A chain that can no longer be asked has ended, which `ended` reports.
      void devnet.save().then(
        () => later(Math.max(SAVE_INTERVAL_MS, 50 * (performance.now() - start))),
        () => undefined,
      );
    }, ms);
  };
  later(SAVE_INTERVAL_MS);
  return { stop: () => clearTimeout(timer) };
}

async function live(devnet: Devnet, options: CliOptions, asked: End, died: Promise<never>): Promise<void> {
  const traffic = await openTraffic(devnet, options.seed);
  if (traffic.count === 0 && options.seedActions > 0) {
    await traffic.submit(options.seedActions, false);
    await devnet.mine();
    await traffic.confirm();
  }
  console.log(readyLine(devnet));
  const saving = startSaving(devnet);
  try {
    if (options.rate > 0) {
      const limit = options.actions === null ? {} : { actions: options.actions };
      const running = startLiveTraffic(devnet, traffic, { perSecond: options.rate, ...limit });
      await Promise.race([asked, died, running.done]);
      await Promise.race([died, running.stop()]);
    }
    report(traffic.expected(), options);
    if (!options.exit) await Promise.race([asked, died]);
  } finally {
    saving.stop();
  }
}

async function script(devnet: Devnet, options: CliOptions, asked: End, died: Promise<never>): Promise<void> {
  const { seed, script: actions, perBlock } = options;
  console.log(readyLine(devnet));
  const expected = await Promise.race([
    runTraffic(devnet, { seed, actions: actions ?? 1, perBlock }),
    asked,
    died,
  ]);
  if (expected === 'asked') return;
  report(expected, options);
  if (!options.exit) await Promise.race([asked, died]);
}

function report(expected: Expected, { expected: file }: CliOptions): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(expected, null, 2)}\n`);
  console.log(JSON.stringify({ done: true, lastBlock: expected.lastBlock, actions: expected.actions }));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
