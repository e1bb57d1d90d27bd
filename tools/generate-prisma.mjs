// Generates the Prisma client into libs/storage/src/generated. Runs after every `npm install`, offline too.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const schema = join(root, 'prisma', 'schema.prisma');

function fail(message) {
  console.error(`generate-prisma: ${message}`);
  process.exit(1);
}

if (!existsSync(schema)) fail(`${schema} is missing: the checkout is not complete`);

let prisma;
try {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('prisma/package.json');
  prisma = join(dirname(manifest), require(manifest).bin.prisma);
} catch {
  fail('the package prisma is not installed; install with development dependencies');
}

const result = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema, '--no-hints'], {
  cwd: root,
  encoding: 'utf8',
  env: {
    ...process.env,
    // `generate` never runs the schema engine, but the command line would download one first, and fail without internet.
    PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? '/bin/true',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
});
if (result.error) fail(`prisma generate did not run: ${result.error.message}`);
if (result.status !== 0) {
  fail(`prisma generate failed with exit code ${result.status}\n${result.stdout}${result.stderr}`);
}
