import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { ask, recordingFolder, web3Block } from './handmade.spec';

const folder = recordingFolder();
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => folder.remove());

interface Run {
  readonly firstLine: Promise<string>;
  readonly exit: Promise<number | null>;
  readonly errors: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', resolve(__dirname, 'main.ts'), ...args], {
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

describe('the replay-rpc command', () => {
  it('prints one line when it is ready, serves, moves its head, and ends with 0 on SIGTERM', async () => {
    for (const number of [10, 11, 20]) folder.write(`${number}.json`, web3Block(number));
    const server = run('--head', '10', '--block-time', '5', folder.path);
    const ready = JSON.parse(await server.firstLine) as { url: string; pieces: unknown };
    expect(ready).toMatchObject({
      chainId: 7,
      pieces: [
        [10, 11],
        [20, 20],
      ],
    });
    while ((await ask(ready.url, 'eth_blockNumber')) !== '0x14');
    server.kill('SIGTERM');
    expect(await server.exit).toBe(0);
  });

  it('ends with 1 on a corrupt block and names file, block and fault', async () => {
    const block = web3Block(30);
    (block.transactions[1]!['receipt'] as { logs: unknown[] }).logs.pop();
    const file = folder.write('corrupt.json', block);
    const server = run(file);
    expect(await server.exit).toBe(1);
    expect(server.errors()).toBe(
      `${file}: block 30: its logsBloom is not that of its 3 logs: one is missing or altered\n`,
    );
  });

  it('ends with 2 and its usage on a wrong command line', async () => {
    const server = run('--head', 'ten', folder.path);
    expect(await server.exit).toBe(2);
    expect(server.errors()).toMatch(/^--head ten: a whole number is needed\n\nServes recorded blocks/);
  });
});
