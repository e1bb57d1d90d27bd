import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLedgerKit, type LedgerKit } from '../../../libs/chain-aptos/src/testing/ledgerKit';
import { createLedgerStore } from '../../../libs/chain-aptos/src/testing/ledgerStore';
import { createFakeLedger } from '../../../libs/chain-aptos/src/testing/fakeLedger';
import { createScriptedMarket, SCRIPTED_ADDRESS } from './scriptedMarket';
import type { AptosMarket } from '@imart/chain-aptos';

const children: ChildProcess[] = [];
let kit: LedgerKit;
let folder: string;
beforeEach(() => {
  kit = createLedgerKit(20);
  folder = mkdtempSync(join(tmpdir(), 'replay-fullnode-'));
});
afterEach(async () => {
  children.splice(0).forEach((child) => child.kill('SIGKILL'));
  await kit.close();
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly firstLine: Promise<string>;
  readonly exit: Promise<number | null>;
  readonly errors: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

function run(tool: 'replay-fullnode' | 'replay-stream', ...args: readonly string[]): Run {
  const main = resolve(__dirname, '../..', tool, 'src/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: resolve(__dirname, '../../..'),
  });
  children.push(child);
  let out = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = new Promise<number | null>((done) => child.once('close', done));
  const firstLine = new Promise<string>((done, fail) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) done(out.slice(0, out.indexOf('\n')));
    });
    void exit.then(() => fail(new Error(`it ended without a line: ${errors}`)));
  });
  firstLine.catch(() => undefined);
  return { firstLine, exit, errors: () => errors, kill: (signal) => child.kill(signal) };
}

interface Ready {
  readonly url: string;
  readonly chainId: number;
  readonly firstVersion: number;
  readonly lastVersion: number;
}
const ready = async ({ firstLine }: Run): Promise<Ready> => JSON.parse(await firstLine) as Ready;

/** Notes what happens at the scripted market, as the events say it. */
const noting: AptosMarket = {
  name: 'noting',
  eventTypes: ['List', 'Delist', 'Buy'].map((what) => `${SCRIPTED_ADDRESS}::FixedMarket::${what}TokenEvent`),
  translate({ type, data }, _, emit) {
    const id = `${type.split('::').at(-1)} ${JSON.stringify(data['token_id'])} ${JSON.stringify(data['price'] ?? '')}`;
    emit('token', id, 'TokenBurned', { from: SCRIPTED_ADDRESS, standard: 'erc721' });
  },
};

describe('replay-fullnode and replay-stream', () => {
  it('serve the same scripted market, whatever goes wrong on the way', async () => {
    const script = ['--script', '1500', '--seed', '7'];
    const market = createScriptedMarket({ transactions: 1_500, seed: 7 });
    const rest = run(
      'replay-fullnode',
      ...script,
      '--fault',
      'status@1-3',
      '--fault',
      'gap=4@6-8',
      '--fault',
      'short=7@9-12',
      '--fault',
      'break-off@15',
    );
    const stream = run(
      'replay-stream',
      ...script,
      '--fault',
      'cut=1@0',
      '--fault',
      'gap@1-2',
      '--fault',
      'repeat@3',
      '--fault',
      'end=1@4',
    );
    const [node, server] = [await ready(rest), await ready(stream)];
    const last = Number(market.ledger.head);
    expect(node).toMatchObject({ chainId: 4, firstVersion: 0, lastVersion: last });
    expect(server).toMatchObject({ chainId: 4, firstVersion: 0, lastVersion: last });
    const read = async (source: ReturnType<LedgerKit['restSource']>) => {
      const store = createLedgerStore();
      await kit.read(kit.subject(source, { endVersion: BigInt(last), markets: [noting] }), store);
      return store.events;
    };
    const byRest = await read(kit.restSource([node]));
    const byStream = await read(kit.streamSource([server], { batchMax: 300 }));
    expect(byStream).toEqual(byRest);
    const { listed, delisted, sold, failed } = market.counts;
    expect(byRest).toHaveLength(listed + delisted + sold);
    expect(market.open).toHaveLength(listed - delisted - sold);
    expect(Math.min(listed, delisted, sold, failed)).toBeGreaterThan(10);
    for (const one of [rest, stream]) one.kill('SIGTERM');
    expect(await Promise.all([rest.exit, stream.exit])).toEqual([0, 0]);
  });

  it('serve recordings from the first one’s version on, and grow', async () => {
    const recorded = createFakeLedger(1, 'somewhere', 5_000_000_000n);
    for (let i = 0; i < 3; i++) {
      const version = recorded.add();
      writeFileSync(join(folder, `${version}.json`), JSON.stringify(recorded.at(version)));
    }
    const args = [folder, '--head', '5000000000', '--grow', '5'];
    for (const tool of ['replay-fullnode', 'replay-stream'] as const) {
      const server = await ready(run(tool, ...args));
      expect(server).toMatchObject({ chainId: 1, firstVersion: 5_000_000_000, lastVersion: 5_000_000_002 });
      const source =
        tool === 'replay-fullnode'
          ? kit.restSource([server], { chainId: 1 })
          : kit.streamSource([server], { chainId: 1 });
      const store = createLedgerStore(5_000_000_000n);
      await kit.read(kit.subject(source, { chainId: 1, endVersion: 5_000_000_002n }), store);
      expect(store.next).toBe(5_000_000_003n);
    }
  });

  it('goes on growing from where it was when it is started again', async () => {
    const file = join(folder, 'head');
    const growing = (head: string) =>
      ['--script', '60', '--head', head, '--grow', '5', '--state', file] as const;
    const read = async (last: bigint, store = createLedgerStore()) => {
      const running = run('replay-fullnode', ...growing('10'));
      const source = kit.restSource([await ready(running)]);
      await kit.read(kit.subject(source, { endVersion: last, markets: [noting] }), store);
      running.kill('SIGKILL');
      await running.exit;
      return store;
    };
    await read(40n);
    expect(Number(readFileSync(file, 'utf8'))).toBeGreaterThanOrEqual(40);
    writeFileSync(file, 'broken');
    expect((await read(12n)).next).toBe(13n);
  });

  it('end with 1 on what is no recording, and with 2 and their usage on a wrong command line', async () => {
    const file = join(folder, 'x.json');
    writeFileSync(file, '{}');
    const [corrupt, wrong, unknown] = [
      run('replay-fullnode', file),
      run('replay-stream', '--head', 'ten', folder),
      run('replay-stream', '--script', '5', '--fault', 'earthquake@1'),
    ];
    expect(await Promise.all([corrupt.exit, wrong.exit, unknown.exit])).toEqual([1, 2, 2]);
    expect(corrupt.errors()).toBe(`${file}: is no transaction in protobuf's JSON form\n`);
    expect(wrong.errors()).toMatch(/^--head ten: a whole number is needed\n\nServes an Aptos ledger/);
    expect(unknown.errors()).toMatch(/KIND one of cut, /);
  });
});
