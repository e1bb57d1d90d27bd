import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { applyPatch, type Patch } from './patch';

/** A copy of the working tree, for changes that nobody else should see. */
export interface ScratchTree {
  readonly root: string;
  /** Changes files. @returns how to change them back. @throws {PatchDoesNotApply} and then nothing is changed. */
  apply(patches: readonly Patch[]): () => void;
  remove(): void;
}

/** What is made, not committed, and needed by the code. */
const GENERATED = ['libs/storage/src/generated'];

/** Copies what git knows of or would add; the installed packages are shared. */
export function createScratchTree(source: string): ScratchTree {
  const root = mkdtempSync(join(tmpdir(), 'imart-mutants-'));
  // A suite that has just been ended may still be writing.
  const remove = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  try {
    copyTree(source, root);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    root,
    apply(patches) {
      const before = new Map<string, string>();
      const after = new Map<string, string>();
      for (const patch of patches) {
        const path = join(root, patch.file);
        const text = after.get(path) ?? readFileSync(path, 'utf8');
        if (!before.has(path)) before.set(path, text);
        after.set(path, applyPatch(text, patch));
      }
      for (const [path, text] of after) writeFileSync(path, text);
      return () => before.forEach((text, path) => writeFileSync(path, text));
    },
    remove,
  };
}

function copyTree(source: string, root: string): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: source,
    encoding: 'utf8',
  }).split('\0');
  for (const file of [...files, ...GENERATED]) {
    if (file === '' || !existsSync(join(source, file))) continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(source, file), join(root, file), { recursive: true });
  }
  symlinkSync(join(source, 'node_modules'), join(root, 'node_modules'));
}
