// npm run imart -- COMMAND: the operator's command line, built when needed.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildApp } from './build.mjs';

const bundle = join(import.meta.dirname, '..', 'dist', 'imart', 'main.cjs');
if (!existsSync(bundle)) await buildApp('imart');
createRequire(import.meta.url)(bundle);
