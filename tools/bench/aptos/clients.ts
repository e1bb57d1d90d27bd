// Pages of a ledger by the worker's HTTP client, by plain fetch and by Aptos' SDK, against the benchmark's ledger server. The SDK is no dependency: it is installed
// somewhere else, with `npm install --prefix DIR @aptos-labs/ts-sdk@5.1.4`.
//   node --import tsx tools/bench/aptos/clients.ts --sdk DIR [--transactions 50000] [--in-flight 4] [--runs 3]
// Every reader must have got every transaction, with the version, hash and number of events that the ledger has.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createHttpClient } from '@imart/endpoints';
import { machine, median } from '../processes.mjs';
import { createHistory } from './history';
import { createBenchLedger } from './ledger';

const PAGE = 100;

interface ReadTransaction {
  readonly version: string;
  readonly hash: string;
  readonly events?: readonly unknown[];
}
type ReadPage = (start: number, limit: number) => Promise<readonly ReadTransaction[]>;

/** What is used of the SDK. */
interface Sdk {
  readonly Aptos: new (config: unknown) => {
    getTransactions(args: {
      readonly options: { readonly offset: number; readonly limit: number };
    }): Promise<readonly ReadTransaction[]>;
  };
  readonly AptosConfig: new (settings: { readonly network: string; readonly fullnode: string }) => unknown;
}

interface Served {
  readonly url: string;
  readonly first: number;
  readonly last: number;
}

const ANSWER_BYTES_MAX = 64 * 1_024 * 1_024;
const TIMEOUT_MS = 30_000;

function readersOf(
  { url }: Served,
  sdkDirectory: string,
  connectionsMax: number,
): ReadonlyMap<string, ReadPage> {
  const client = createHttpClient({
    url: new URL(url),
    headers: { accept: 'application/json' },
    connectionsMax,
    bodyBytesMax: ANSWER_BYTES_MAX,
  });
  const { signal } = new AbortController();
  const { Aptos, AptosConfig } = createRequire(join(resolve(sdkDirectory), 'package.json'))(
    '@aptos-labs/ts-sdk',
  ) as Sdk;
  const aptos = new Aptos(new AptosConfig({ network: 'custom', fullnode: `${url}/v1` }));
  return new Map<string, ReadPage>([
    [
      'worker',
      async (start, limit) => {
        const path = `/v1/transactions?start=${start}&limit=${limit}`;
        const { body } = await client.send({ path }, TIMEOUT_MS, signal);
        return JSON.parse(body) as readonly ReadTransaction[];
      },
    ],
    [
      'fetch',
      async (start, limit) => {
        const answer = await fetch(`${url}/v1/transactions?start=${start}&limit=${limit}`);
        return (await answer.json()) as readonly ReadTransaction[];
      },
    ],
    ['ts-sdk', (offset, limit) => aptos.getTransactions({ options: { offset, limit } })],
  ]);
}

const digestOf = (page: readonly ReadTransaction[]): string =>
  page.map(({ version, hash, events = [] }) => `${version} ${hash} ${events.length}\n`).join('');

/** Reads everything, several pages at a time. @returns a hash of what was read, in the order of the ledger. */
async function readAll({ first, last }: Served, read: ReadPage, inFlight: number): Promise<string> {
  const digests: string[] = [];
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let page = next++; first + page * PAGE <= last; page = next++) {
      const start = first + page * PAGE;
      digests[page] = digestOf(await read(start, Math.min(PAGE, last - start + 1)));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, reader));
  return createHash('sha256').update(digests.join('')).digest('hex');
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      sdk: text,
      transactions: { ...text, default: '50000' },
      'in-flight': { ...text, default: '4' },
      runs: { ...text, default: '3' },
    },
  });
  if (values.sdk === undefined)
    throw new Error('--sdk is required: the directory that the SDK is installed in');
  const transactions = Number(values.transactions);
  const inFlight = Number(values['in-flight']);
  const events = Math.floor(transactions / 5);
  const ledger = createBenchLedger(createHistory(events, transactions));
  const parsed: ReadPage = (start, limit) =>
    Promise.resolve(JSON.parse(ledger.page(start, limit).toString()) as readonly ReadTransaction[]);
  const expected = await readAll({ url: '', first: ledger.first, last: ledger.last }, parsed, 1);

  const server = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', join(__dirname, 'ledgerServer.ts'), '--source', 'rest'],
      ...['--events', String(events), '--transactions', String(transactions)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    const served = JSON.parse(line) as Served;
    const readers = [...readersOf(served, values.sdk, inFlight)];
    const taken = new Map<string, { readonly seconds: number[]; readonly cpu: number[] }>(
      readers.map(([name]) => [name, { seconds: [], cpu: [] }]),
    );
    for (let run = 0; run < Number(values.runs); run++) {
      // The first of a run finds the server cold, and is another one each time.
      for (const [name, read] of run % 2 === 0 ? readers : readers.toReversed()) {
        const [started, cpuBefore] = [performance.now(), process.cpuUsage()];
        const digest = await readAll(served, read, inFlight);
        const { user, system } = process.cpuUsage(cpuBefore);
        taken.get(name)?.seconds.push((performance.now() - started) / 1_000);
        taken.get(name)?.cpu.push((user + system) / 1e6);
        if (digest !== expected) throw new Error(`${name} did not read what the ledger has`);
      }
    }
    console.log(`${transactions} transactions in pages of ${PAGE}, ${inFlight} at a time; ${machine()}`);
    for (const [name, { seconds, cpu }] of taken) {
      const rate = Math.round(transactions / median(seconds));
      const cpuMicroseconds = Math.round((median(cpu) * 1e6) / transactions);
      console.log(
        `${name.padEnd(8)} ${rate} transactions/s, ${cpuMicroseconds} us of CPU each (median of ${seconds.length})`,
      );
    }
    console.log('verified: version, hash and number of events of every transaction');
  } finally {
    server.kill();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
