// npm run imart -- COMMAND: the operator's command line, built when it is not there or older than its sources. A command that folds
// anew must do so with the program as it is now.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bundle = join(root, 'dist', 'imart', 'main.cjs');

/** When a file below these was last written, in ms. */
function lastWritten(...folders) {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [
      folder,
      ...readdirSync(folder, { recursive: true }).map((file) => join(folder, file)),
    ])
    .reduce((latest, file) => Math.max(latest, statSync(file).mtimeMs), 0);
}

function sourceFolders() {
  const libs = readdirSync(join(root, 'libs')).map((lib) => join(root, 'libs', lib, 'src'));
  return [...libs, join(root, 'apps', 'imart', 'src'), join(root, 'prisma')];
}

if (!existsSync(bundle) || lastWritten(...sourceFolders()) > statSync(bundle).mtimeMs) {
  const { buildApp } = await import('./build.mjs');
  await buildApp('imart');
}
createRequire(import.meta.url)(bundle);
