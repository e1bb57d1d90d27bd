import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const ROOT = join(__dirname, '../..');

/** Apps as they are shipped, bundled from the sources as they are now. */
export interface Bundle {
  /** Path of the main file. */
  readonly main: string;
  remove(): void;
}

/** Bundles an app into a directory of this process. @throws what the build printed. */
export function bundleApp(app: 'evm-worker' | 'aptos-worker' | 'purchase-worker' | 'api' | 'imart'): Bundle {
  return bundleProgram(app, `apps/${app}/src/main.ts`);
}

/** The same of any program. @param entryPoint from the repository's root. */
export function bundleProgram(called: string, entryPoint: string): Bundle {
  const name = `${called}-under-e2e-${process.pid}`;
  const directory = join(ROOT, 'dist', name);
  const script =
    `import { buildTool } from ${JSON.stringify(pathToFileURL(join(ROOT, 'tools/build.mjs')).href)};` +
    `await buildTool(${JSON.stringify(name)}, ${JSON.stringify(entryPoint)});`;
  const build = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  if (build.status !== 0) {
    remove();
    throw new Error(`${called} cannot be built: ${build.stderr}`);
  }
  cpSync(join(ROOT, 'prisma'), join(directory, 'prisma'), { recursive: true });
  return { main: join(directory, 'main.cjs'), remove };
}
