import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { listLibs, ROOT } from './libs';

// An empty project elsewhere on the machine installs the packages as a user would, and uses them. Nothing is downloaded:
// packages of others are links to those that the repository has installed.

const libs = listLibs().filter((lib) => lib.hasEntry);
let project: string;

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm, started by npm, would take settings of the outer one.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))),
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} fails:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}

const tsc = (...args: string[]): string =>
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...args], project);

/** Every package of others that ours need, and what a TypeScript user has anyway. */
function foreignPackages(): string[] {
  const names = libs.flatMap((lib) => Object.keys(lib.manifest.dependencies));
  return [...new Set([...names, '@types/node'])].filter((name) => !name.startsWith('@imart/')).sort();
}

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'imart-pack-')));
  run(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', ...libs.map((lib) => lib.path)],
    ROOT,
  );
  run('npm', ['pack', '--pack-destination', project, ...libs.map((lib) => lib.path)], ROOT);
  const tarballs = libs.map(({ manifest: { name, version } }) => [
    name,
    `file:./${name.replace('@', '').replace('/', '-')}-${version}.tgz`,
  ]);
  const links = foreignPackages().map((name) => [name, `file:${join(ROOT, 'node_modules', name)}`]);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      name: 'consumer',
      private: true,
      dependencies: Object.fromEntries([...tarballs, ...links]),
    }),
  );
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], project);
  mkdirSync(join(project, 'src'));
  for (const file of ['consumer.ts', 'consumer.mjs']) {
    cpSync(join(__dirname, 'consumer', file), join(project, 'src', file));
  }
}, 240_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Files below a directory, with `/`, relative to it. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

/** The compiler's settings of a project that is strict and checks the declarations that it gets. */
const STRICT = [
  '--strict',
  '--target',
  'es2022',
  '--lib',
  'es2023',
  '--types',
  'node',
  '--preserveSymlinks',
  'false',
];

describe('the packed packages', () => {
  it.each(libs.map((lib) => lib.manifest.name))(
    '%s has its code, types, licence and readme, and no specs',
    (name) => {
      const files = filesBelow(join(project, 'node_modules', name));
      expect(files).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js']),
      );
      expect(
        files.filter((file) => /\.(spec|bench)\.|(^|\/)testing\/|tsbuildinfo|^src\//.test(file)),
      ).toEqual([]);
    },
  );

  it('name every package of others that their code and types import', () => {
    for (const { manifest } of libs) {
      const directory = join(project, 'node_modules', manifest.name);
      const imported = filesBelow(join(directory, 'dist'))
        .filter((file) => /\.(js|d\.ts)$/.test(file))
        .flatMap((file) => [
          ...readFileSync(join(directory, 'dist', file), 'utf8').matchAll(
            /(?:\brequire\(|\bfrom |\bimport\()["']([^."'][^"']*)["']/g,
          ),
        ])
        .map(([, specifier = '']) =>
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter((name) => !name.startsWith('node:') && !BUILT_IN.has(name));
      const undeclared = [...new Set(imported)].filter((name) => manifest.dependencies[name] === undefined);
      expect({ package: manifest.name, undeclared }).toEqual({ package: manifest.name, undeclared: [] });
    }
  });

  it('carry the migrations and views of the repository', () => {
    const packed = join(project, 'node_modules/@imart/storage/prisma');
    const original = join(ROOT, 'prisma');
    expect(filesBelow(packed).sort()).toEqual(filesBelow(original).sort());
    for (const file of filesBelow(original)) {
      expect(readFileSync(join(packed, file), 'utf8')).toBe(readFileSync(join(original, file), 'utf8'));
    }
  });

  it('leave nothing in the repository that was added for packing', () => {
    for (const lib of libs) {
      expect(readdirSync(lib.path)).not.toEqual(expect.arrayContaining(['LICENSE']));
      expect(readdirSync(lib.path)).not.toEqual(expect.arrayContaining(['prisma']));
    }
  });

  it('give their types to a program resolved as node does, which then runs', () => {
    tsc(...STRICT, '--module', 'nodenext', '--outDir', 'out', 'src/consumer.ts');
    expect(run(process.execPath, ['out/consumer.js'], project)).toContain('consumer.ts used the packages');
  });

  it('give their types to a program resolved as bundlers do', () => {
    tsc(...STRICT, '--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit', 'src/consumer.ts');
  });

  it('have types that are checked: a wrong use does not compile', () => {
    const wrong = `import { evmSeqNo } from '@imart/chain-evm';\nexport const n: number = evmSeqNo.encode(1n, 0, 0);\n`;
    writeFileSync(join(project, 'src', 'wrong.ts'), wrong);
    expect(() => tsc(...STRICT, '--module', 'nodenext', '--noEmit', 'src/wrong.ts')).toThrow('TS2322');
  });

  it('can be imported by name from an ES module, and only through their entry point', () => {
    expect(run(process.execPath, ['src/consumer.mjs'], project)).toContain('consumer.mjs used the packages');
  });
});

/** Built into node, under their older names. */
const BUILT_IN = new Set(['buffer', 'crypto', 'fs', 'os', 'path', 'process', 'url', 'util']);
