import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { readIgnoreRules, type SeesPath } from './ignoreRules';

const ROOT = join(__dirname, '../..');

/** What the stage `build` of the recipe leaves behind. */
export interface BuildStage {
  /** What is `/src` in that stage. */
  readonly dir: string;
  remove(): void;
}

/**
 * Does by hand what the stage `build` does: copies what `.dockerignore` lets through into an empty directory, and runs the
 * commands there. The packages are those that are installed here instead of those of `npm ci`: that needs a registry.
 *
 * @param runs the stage's commands; those of npm are left out.
 * @throws {Error} with what a command printed.
 */
export function runBuildStage(runs: readonly string[]): BuildStage {
  const dir = mkdtempSync(join(tmpdir(), 'imart-build-stage-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  try {
    const sees = readIgnoreRules(readFileSync(join(ROOT, '.dockerignore'), 'utf8'));
    copySeen('', dir, sees);
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    for (const command of runs.filter((run) => !/\bnpm ci\b/.test(run))) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
        cwd: dir,
        encoding: 'utf8',
        timeout: 120_000,
      });
      if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`);
    }
    return { dir, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Copies the files that are let through, with the directories that they are in. Packages are never let through. */
function copySeen(directory: string, target: string, sees: SeesPath): void {
  for (const entry of readdirSync(join(ROOT, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name === 'node_modules' || entry.name === '.git') continue;
    if (entry.isDirectory()) copySeen(path, target, sees);
    else if (sees(path)) {
      mkdirSync(dirname(join(target, path)), { recursive: true });
      cpSync(join(ROOT, path), join(target, path));
    }
  }
}

/** Where what a stage holds under `/src` is. */
export function inBuildStage({ dir }: BuildStage, path: string): string {
  return join(dir, relative('/src', path));
}
