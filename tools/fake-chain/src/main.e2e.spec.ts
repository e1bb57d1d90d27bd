import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Expected } from '../../devnet/src/expected';
import { createPrograms, type Program } from '../../e2e/programs';
import type { FakeMarketPlaces } from './startFakeMarket';

const ROOT = join(__dirname, '..', '..', '..');
const MAIN = join(ROOT, 'tools', 'fake-chain', 'main.ts');

describe('the command', () => {
  const programs = createPrograms();
  const directory = mkdtempSync(join(tmpdir(), 'imart-fake-chain-spec-'));
  afterAll(async () => {
    await programs.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const start = (...args: string[]): Program =>
    programs.start({
      name: 'fake-chain',
      args: ['--import', 'tsx', MAIN, ...args],
      cwd: ROOT,
      patienceMs: 180_000,
    });
  const call = async (url: string, method: string, ...params: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(url, { method: 'POST', body });
    return ((await response.json()) as { result: unknown }).result;
  };

  it('serves a market by the clock, with reorgs and faults, says when it is ready and when mining has ended, and ends in order', async () => {
    const file = join(directory, 'expected.json');
    const program = start(
      ...[
        '--endpoints',
        '2',
        '--first-blocks',
        '10',
        '--block-time-ms',
        '20',
        '--blocks',
        '15',
        '--actions',
        '4',
      ],
      ...['--reorg-every', '3', '--reorg-depth', '4', '--finality-depth', '8', '--fault-rate', '0.3'],
      ...['--faults', 'html,reversedBatch', '--expected', file],
    );
    const ready = JSON.parse(
      await program.line((text) => text.includes('"rpcUrl"'), 'where it is'),
    ) as FakeMarketPlaces;
    expect(ready.rpcUrls).toHaveLength(2);
    expect(ready).toMatchObject({ chainId: 31_337, startBlock: 1, rpcUrl: ready.rpcUrls[0] });
    const done = JSON.parse(
      await program.line((text) => text.includes('"done"'), 'that mining has ended'),
    ) as { lastBlock: number };
    expect(done.lastBlock).toBeGreaterThanOrEqual(25);
    const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected;
    expect(expected.lastBlock).toBe(done.lastBlock);
    expect(expected.logs.length).toBeGreaterThan(50);
    program.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  it('does nothing by itself when it is told to be driven, and takes its orders over JSON-RPC', async () => {
    const program = start('--first-blocks', '3');
    const { rpcUrl } = JSON.parse(
      await program.line((text) => text.includes('"rpcUrl"'), 'where it is'),
    ) as FakeMarketPlaces;
    expect(await call(rpcUrl, 'fake_mine', { blocks: 2, actions: 3 })).toMatchObject({ head: 5 });
    expect(await call(rpcUrl, 'eth_blockNumber')).toBe('0x5');
    program.kill('SIGINT');
    expect((await program.ended).code).toBe(0);
  });

  it('names every option that cannot be used', async () => {
    const program = start('--port', 'x', '--faults', 'flood', '--seed=-1');
    expect((await program.ended).code).toBe(2);
    expect(program.said()).toMatch(/--port: x[^]*--seed: -1/);
    expect(program.said()).toContain('there is no fault flood');
    const help = start('--help');
    expect((await help.ended).code).toBe(0);
    expect(help.said()).toContain('--reorg-every');
  });
});
