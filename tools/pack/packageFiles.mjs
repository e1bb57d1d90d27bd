// Runs before and after `npm pack` in a directory of libs/: adds what a package carries and the repository has only
// once, and removes it again.
//   node ../../tools/pack/packageFiles.mjs add|remove
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const lib = process.cwd();
const { files } = JSON.parse(readFileSync(join(lib, 'package.json'), 'utf8'));
/** Migrations and views go with the package that applies them. */
const shared = ['LICENSE', ...(files.includes('prisma') ? ['prisma'] : [])];

for (const name of shared) {
  if (process.argv[2] === 'add') cpSync(join(root, name), join(lib, name), { recursive: true });
  else if (process.argv[2] === 'remove') rmSync(join(lib, name), { recursive: true });
  else throw new Error('packageFiles: add or remove?');
}
