// npm run test:oversell: many buy what there is little of, from several processes that are killed at random.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '@imart/core';
import { startEmbeddedPostgres } from '@imart/storage';
import { bundleApp, ROOT } from '../e2e/bundles';
import { runOversell, type Deadlines } from './run';

const USAGE = `npm run test:oversell -- [options]

Buys from one sale out of several processes that are killed at random, once with deadlines out of the way and once with short ones, and
compares purchases, orders and the sale's log. Exit code 0: all as it must be; 1: not so; 2: wrong usage.

  --seeds N            how many seeds (1)
  --from S             the first seed; each further one is the next (drawn, and printed)
  --deadlines WHICH    long, short or both (both)
  --purchases N        (2000)
  --units N            (100)
  --processes N        (4)
  --database-url URL   a server, with the right to create databases; without it an embedded one
  --redis-url URL      results are put at hand there; without it in PostgreSQL alone
`;

const whole = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    throw new RangeError(`--${name} must be a whole number, not "${text}"`);
  return Number(text);
};

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1' },
      from: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e8)) },
      deadlines: { type: 'string', default: 'both' },
      purchases: { type: 'string', default: '2000' },
      units: { type: 'string', default: '100' },
      processes: { type: 'string', default: '4' },
      'database-url': { type: 'string' },
      'redis-url': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const kinds: Readonly<Record<string, readonly Deadlines[]>> = {
    both: ['long', 'short'],
    long: ['long'],
    short: ['short'],
  };
  const deadlines = kinds[values.deadlines];
  if (deadlines === undefined)
    throw new RangeError(`--deadlines must be long, short or both, not "${values.deadlines}"`);
  return {
    help: values.help,
    deadlines,
    seeds: whole('seeds', values.seeds),
    from: whole('from', values.from),
    purchases: whole('purchases', values.purchases),
    units: whole('units', values.units),
    processes: whole('processes', values.processes),
    databaseUrl: values['database-url'],
    redisUrl: values['redis-url'],
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { from, seeds, deadlines, databaseUrl, ...rest } = options;
  const directory = mkdtempSync(join(tmpdir(), 'imart-oversell-'));
  // The embedded server runs as another user when we are root.
  chmodSync(directory, 0o755);
  const bundle = bundleApp('purchase-worker');
  const remove = (): void => {
    bundle.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  // Server and workers end with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      remove();
      process.exit(130);
    });
  }
  const server =
    databaseUrl === undefined
      ? await startEmbeddedPostgres({
          dataDir: join(directory, 'data'),
          database: 'postgres',
          stopWithProcess: true,
        })
      : null;
  let wrong = 0;
  try {
    for (let seed = from; seed < from + seeds; seed++) {
      for (const kind of deadlines) {
        const result = await runOversell({
          ...rest,
          seed,
          deadlines: kind,
          main: bundle.main,
          adminUrl: databaseUrl ?? (server as { url: string }).url,
          migrations: join(ROOT, 'prisma', 'migrations'),
          logDir: join(directory, 'logs'),
        });
        const { confirmed, rejected, failed, pending, left, kills, seconds, problems } = result;
        console.log(
          `seed ${seed}, ${kind} deadlines: ${confirmed} confirmed, ${rejected} rejected, ${failed} failed, ${pending} pending, ${left} left; ` +
            `${kills} kills, ${seconds.toFixed(1)} s${problems.length === 0 ? '' : `; WRONG: ${problems.slice(0, 5).join('; ')}`}`,
        );
        if (problems.length > 0) wrong++;
      }
    }
  } finally {
    await server?.stop();
    remove();
  }
  console.log(
    wrong === 0
      ? 'all as it must be'
      : `${wrong} runs are wrong; npm run test:oversell -- --from SEED repeats one`,
  );
  return wrong === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
