// npm run test:gaps: readers of the whole log miss nothing and see nothing twice (E6), for as long as one likes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { messageOf } from '@imart/core';
import { readGapOptions, USAGE, type GapOptions } from './options';

const ROOT = join(__dirname, '../..');
const SPECS = ['readers', 'restored'].map((name) => `libs/storage/src/commands/${name}.int.spec.ts`);

async function main(): Promise<number> {
  let options: GapOptions;
  try {
    options = readGapOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  const { seconds, seed, databaseUrl, help } = options;
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const jest = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/jest/bin/jest.js'), ...SPECS, '--selectProjects', 'int', '--runInBand'],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        IMART_GAP_TEST_MS: String(seconds * 1_000),
        IMART_TEST_SEED: String(seed),
        ...(databaseUrl === null ? {} : { IMART_TEST_DATABASE_URL: databaseUrl }),
      },
      stdio: 'inherit',
    },
  );
  const [code] = (await once(jest, 'exit')) as [number | null];
  if (code !== 0) process.stdout.write(`again: npm run test:gaps -- --seconds ${seconds} --seed ${seed}\n`);
  return code === 0 ? 0 : 1;
}

void main().then((code) => (process.exitCode = code));
