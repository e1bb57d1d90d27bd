import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(__dirname, '../..');
const PREFIX = 'worker-under-test-';
/** Bundles of other states of the sources are removed after so long: another run may still use them. */
const ABANDONED_AFTER_MS = 3_600_000;

/** When anything the bundle is made of changed last, in ms since 1970. */
function lastChange(): number {
  const newest = (path: string): number => {
    const { mtimeMs } = statSync(path);
    if (!statSync(path).isDirectory()) return mtimeMs;
    return readdirSync(path)
      .filter((name) => !/^(node_modules|dist)$|\.spec\.ts$/.test(name))
      .reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
  };
  return ['apps/evm-worker', 'libs', 'prisma', 'tools/build.mjs', 'tsconfig.base.json']
    .map((path) => newest(join(ROOT, path)))
    .reduce((a, b) => Math.max(a, b), 0);
}

/**
 * The worker as it is shipped, bundled from the sources as they are now: the path of its main file. Built once for each
 * state of the sources, into a directory of its own, so that test processes may ask for it at the same time.
 * @throws what the build printed.
 */
export function workerBundle(): string {
  const name = `${PREFIX}${Math.round(lastChange()).toString(36)}`;
  const directory = join(ROOT, 'dist', name);
  const main = join(directory, 'main.cjs');
  if (existsSync(main)) {
    utimesSync(directory, new Date(), new Date());
    return main;
  }
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  for (const other of readdirSync(join(ROOT, 'dist'))) {
    const path = join(ROOT, 'dist', other);
    if (!other.startsWith(PREFIX) || Date.now() - statSync(path).mtimeMs < ABANDONED_AFTER_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
  const unfinished = `${name}.${process.pid}`;
  const script =
    `import { buildTool } from ${JSON.stringify(pathToFileURL(join(ROOT, 'tools/build.mjs')).href)};` +
    `await buildTool(${JSON.stringify(unfinished)}, 'apps/evm-worker/src/main.ts');`;
  const build = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (build.status !== 0) throw new Error(`the worker cannot be built: ${build.stderr}`);
  cpSync(join(ROOT, 'prisma'), join(ROOT, 'dist', unfinished, 'prisma'), { recursive: true });
  try {
    renameSync(join(ROOT, 'dist', unfinished), directory);
  } catch (error) {
    // Another test process was quicker.
    rmSync(join(ROOT, 'dist', unfinished), { recursive: true, force: true });
    if (!existsSync(main)) throw error;
  }
  return main;
}
