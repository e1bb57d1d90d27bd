import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrograms, type Program, type Programs } from '../e2e/programs';
import { until } from '../e2e/until';

const ROOT = join(__dirname, '../..');

let programs: Programs;
let directory: string;

beforeEach(() => {
  programs = createPrograms();
  directory = mkdtempSync(join(tmpdir(), 'imart-faults-spec-'));
  // A server that root starts runs as another user.
  chmodSync(directory, 0o755);
});
afterEach(async () => {
  await programs.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
});

const start = (...args: string[]): Program =>
  programs.start({
    name: 'test:faults',
    args: ['--import', 'tsx', join(ROOT, 'tools/faults/main.ts'), ...args],
    env: { TMPDIR: directory },
    cwd: ROOT,
    patienceMs: 200_000,
  });

/** What its servers, programs and tests have in its directory for files. */
const left = (): string[] => readdirSync(directory).filter((name) => name.startsWith('imart-'));

describe('test:faults', () => {
  it('ends in the middle of its histories when it is interrupted', async () => {
    const program = start('--no-rows', '--histories', '1000000', '--full-histories', '0');
    await program.line((text) => text.startsWith('histories from seed'), 'the first seed');
    program.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
  });

  it('leaves no server, no program and no file when a history of the whole worker is interrupted', async () => {
    const program = start('--no-rows', '--histories', '0', '--full-histories', '1000');
    await until('a worker is there', () =>
      Promise.resolve(
        !program.isRunning() ||
          left().some(
            (name) => name.startsWith('imart-test-e2e-') && readdirSync(join(directory, name)).length > 0,
          ),
      ),
    );
    expect(left().some((name) => name.startsWith('imart-test-postgres-'))).toBe(true);
    program.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 143, signal: null });
    expect(left()).toEqual([]);
  });

  it('says what cannot be meant, and ends with 2', async () => {
    const program = start('--rows', 'P1,P99');
    expect(await program.ended).toEqual({ code: 2, signal: null });
    expect(program.said()).toBe('test:faults: there is no row P99; see --help\n');
  });
});
