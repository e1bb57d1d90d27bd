import { until } from '@imart/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface as Lines } from 'node:readline';
import { createDevnetRpc } from './rpc';

interface Started {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly stderr: () => string;
}

interface Ready {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly market: string;
  readonly directory: string;
  readonly collections: readonly string[];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie that nobody has reaped yet is dead.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

describe('the devnet command', () => {
  let directory: string;
  let children: ChildProcess[];
  let readers: Lines[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'imart-devnet-cli-'));
    children = [];
    readers = [];
  });
  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    for (const reader of readers) reader.close();
    await until(() => !existsSync(join(directory, 'anvil.pid')));
    rmSync(directory, { recursive: true });
  });

  const start = (...args: string[]): Started => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'cli.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (data) => (stderr += data));
    const reader = createInterface({ input: child.stdout });
    readers.push(reader);
    return { child, lines: reader[Symbol.asyncIterator](), stderr: () => stderr };
  };
  const nextLine = async <T>({ lines, stderr }: Started): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`no line: ${stderr()}`);
    return JSON.parse(value) as T;
  };
  const exitOf = async ({ child }: Started): Promise<number | null> => {
    if (child.exitCode === null) await once(child, 'exit');
    return child.exitCode;
  };
  const processes = () =>
    JSON.parse(readFileSync(join(directory, 'anvil.pid'), 'utf8')) as { guard: number; anvil: number };
  const headOf = async (rpcUrl: string) =>
    Number(await createDevnetRpc(rpcUrl).call<string>('eth_blockNumber'));

  it('says where it is, trades by the clock, and ends with 0 and no process left on SIGTERM', async () => {
    const started = start('--data-dir', directory, '--rate', '20', '--seed-actions', '30');
    const ready = await nextLine<Ready>(started);
    expect(ready).toMatchObject({
      chainId: 31_337,
      market: expect.stringMatching(/^0x[0-9a-f]{40}$/) as string,
    });
    expect(ready.collections).toHaveLength(2);
    const head = await headOf(ready.rpcUrl);
    await until(async () => (await headOf(ready.rpcUrl)) > head + 2);
    const { guard, anvil } = processes();
    started.child.kill('SIGTERM');
    expect(await nextLine(started)).toMatchObject({ done: true });
    expect(await exitOf(started)).toBe(0);
    expect([guard, anvil].filter(isAlive)).toEqual([]);
    expect(started.stderr()).toBe('');
  });

  it('leaves no process behind and loses nothing when it is killed', async () => {
    const args = ['--data-dir', directory, '--rate', '50', '--seed-actions', '30'];
    const killed = start(...args);
    const { rpcUrl } = await nextLine<Ready>(killed);
    await until(async () => (await headOf(rpcUrl)) > 3);
    const seen = await headOf(rpcUrl);
    const { guard, anvil } = processes();
    killed.child.kill('SIGKILL');
    await until(() => !isAlive(guard) && !isAlive(anvil));

    const expectedFile = join(directory, 'expected.json');
    const again = start(...args, '--actions', '20', '--expected', expectedFile, '--exit');
    const second = await nextLine<Ready>(again);
    expect(await headOf(second.rpcUrl)).toBeGreaterThanOrEqual(seen);
    const { actions } = await nextLine<{ actions: number }>(again);
    expect(actions).toBeGreaterThan(50);
    expect(await exitOf(again)).toBe(0);
    const expected = JSON.parse(readFileSync(expectedFile, 'utf8')) as { actions: number };
    expect(expected.actions).toBe(actions);
  });

  it('ends with 1, and with anvil, when its guard is killed', async () => {
    const started = start('--data-dir', directory, '--rate', '0');
    await nextLine<Ready>(started);
    const { guard, anvil } = processes();
    process.kill(guard, 'SIGKILL');
    expect(await exitOf(started)).toBe(1);
    expect(started.stderr()).toContain("the chain's process ended (SIGKILL)");
    await until(() => !isAlive(anvil));
    rmSync(join(directory, 'anvil.pid'));
  });

  it('leaves nothing of a temporary chain, killed or not', async () => {
    const stopped = start('--script', '5', '--exit');
    const { directory: first } = await nextLine<Ready>(stopped);
    expect(await exitOf(stopped)).toBe(0);
    expect(existsSync(first)).toBe(false);
    const killed = start('--script', '5');
    const { directory: second } = await nextLine<Ready>(killed);
    expect(existsSync(second)).toBe(true);
    killed.child.kill('SIGKILL');
    await until(() => !existsSync(second));
  });

  it('runs a script of exactly so many actions, on demand', async () => {
    const started = start('--data-dir', directory, '--script', '40', '--seed', '9', '--exit');
    await nextLine<Ready>(started);
    expect(await nextLine(started)).toMatchObject({ done: true, actions: 40 });
    expect(await exitOf(started)).toBe(0);
  });

  it('names every option that cannot be used, before it starts anything', async () => {
    const started = start('--data-dir', directory, '--rate', 'fast', '--port', '70000', '--per-block', '3');
    expect(await exitOf(started)).toBe(1);
    for (const name of ['--rate', '--port', '--per-block']) expect(started.stderr()).toContain(name);
    const help = start('--help');
    expect((await help.lines.next()).value).toContain('A local EVM chain');
    expect(await exitOf(help)).toBe(0);
  });
});
