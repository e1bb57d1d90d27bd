import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { aptosMarketplaces } from '@imart/chain-aptos';
import { evmMarketplaces } from '@imart/chain-evm';
import { apiConfig } from '../../apps/api/src/config';
import { aptosWorkerConfig, aptosWorkerSettings } from '../../apps/aptos-worker/src/config';
import { evmWorkerConfig, evmWorkerSettings } from '../../apps/evm-worker/src/config';
import { loadPurchaseWorkerConfig, purchaseWorkerConfig } from '../../apps/purchase-worker/src/config';
import { readIgnoreRules } from './ignoreRules';
import { readRecipe, type Image } from './imageRecipe';

const ROOT = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const recipe = readRecipe(read('docker/Dockerfile'));
const sees = readIgnoreRules(read('.dockerignore'));
const image = (name: string): Image => {
  const found = recipe.get(name);
  if (found === undefined) throw new Error(`there is no image ${name}`);
  return found;
};

/** Chain ids that an image exists for. */
const CHAINS: Readonly<Record<string, number>> = { eth: 1, bsc: 56, polygon: 137, opbnb: 204, zksync: 324 };
const IMAGES = [
  ...Object.keys(CHAINS).map((chain) => `evm-worker-${chain}`),
  'evm-worker',
  'aptos-worker',
  'purchase-worker',
  'api',
];
const SETTINGS = {
  api: apiConfig,
  'aptos-worker': aptosWorkerConfig,
  'purchase-worker': purchaseWorkerConfig,
};

describe("the images' recipe", () => {
  it('is a valid Dockerfile', () => {
    expect(validate(read('docker/Dockerfile'))).toEqual([]);
  });

  it('has the images that compose and the documents name', () => {
    expect([...recipe.keys()].sort()).toEqual([...IMAGES, 'build', 'manifests', 'runtime'].sort());
  });

  it('is made on a Node that the program supports, the same in every stage, named exactly', () => {
    const bases = new Set([...recipe.values()].map(({ base }) => base));
    expect(bases.size).toBe(1);
    const [, version = ''] = /^node:(\d+\.\d+\.\d+)-bookworm-slim$/.exec([...bases][0] ?? '') ?? [];
    const number = (text: string): number => {
      const [major = 0, minor = 0] = text.split('.').map(Number);
      return major * 1_000 + minor;
    };
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    expect(number(version)).toBeGreaterThanOrEqual(number(engines.node.replace('>=', '')));
    expect(version.split('.')[0]).toBe(read('.nvmrc').trim().split('.')[0]);
  });

  it('copies only what is there and what .dockerignore lets through', () => {
    const fromHere = [...recipe.values()].flatMap(({ files }) => files).filter(({ stage }) => stage === null);
    expect(fromHere.length).toBeGreaterThan(5);
    for (const { from } of fromHere) {
      expect([from, existsSync(join(ROOT, from)), from === '.' || sees(from)]).toEqual([from, true, true]);
    }
  });

  it('copies from the build only what the build makes', () => {
    const made = [...recipe.values()].flatMap(({ files }) => files).filter(({ stage }) => stage === 'build');
    const places = new Set(made.map(({ from }) => from));
    expect([...places].sort()).toEqual([
      '/src/dist/api/main.cjs',
      '/src/dist/api/prisma',
      '/src/dist/api/static',
      '/src/dist/aptos-worker/main.cjs',
      '/src/dist/aptos-worker/prisma',
      '/src/dist/evm-worker/main.cjs',
      '/src/dist/evm-worker/prisma',
      '/src/dist/imart/main.cjs',
      '/src/dist/purchase-worker/main.cjs',
      '/src/dist/purchase-worker/prisma',
    ]);
  });

  it('has no secret, no repository, no build and no test in the directory that is built', () => {
    const hidden = [
      '.git/config',
      '.env',
      'docker/.env',
      'docker/eth.env',
      '.data/postgres/x',
      'node_modules/pg/index.js',
    ];
    const more = [
      'apps/api/.env',
      'libs/core/node_modules/x',
      'dist/api/main.cjs',
      'apps/api/src/createServer.int.spec.ts',
    ];
    for (const path of [...hidden, 'libs/storage/src/generated/client.ts', 'docs/api.md']) {
      expect([path, sees(path)]).toEqual([path, false]);
    }
    expect(more.map(sees)).toEqual([false, false, false, false]);
    // Everything that a bundle is made of is seen.
    const tracked = execFileSync(
      'git',
      ['ls-files', 'apps', 'libs', 'prisma', 'package.json', 'package-lock.json'],
      {
        cwd: ROOT,
        encoding: 'utf8',
      },
    );
    const missing = tracked
      .split('\n')
      .filter((path) => path !== '' && !/\.(spec|bench)\.ts$/.test(path) && !sees(path));
    expect(missing).toEqual([]);
  });

  it.each(IMAGES)(
    'runs %s without rights, without a shell before it, and says whether it is alive',
    (name) => {
      const { user, entrypoint, healthcheck, stopSignal, env, ports, workdir } = image(name);
      expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
      // The program itself is process 1: a shell would keep signals from it.
      expect([entrypoint?.[0], entrypoint?.at(-1), workdir]).toEqual(['node', '/app/main.cjs', '/app']);
      expect(healthcheck?.command).toEqual(['node', '/app/healthcheck.cjs']);
      expect(stopSignal).toBe('SIGTERM');
      expect(ports).toEqual([env['WORKER_PORT'] ?? env['PORT']]);
      expect(env['WORKER_HOST'] ?? env['HOST']).toBe('0.0.0.0');
      expect(env['NODE_ENV']).toBe('production');
    },
  );

  it.each(IMAGES)('runs %s with the flags of Node that `serve` runs its program with', (name) => {
    const app = existsSync(join(ROOT, 'apps', name)) ? name : 'evm-worker';
    const { nx } = JSON.parse(read(`apps/${app}/package.json`)) as {
      nx: { targets: { serve: { command: string } } };
    };
    const [node, ...words] = nx.targets.serve.command.split(' ');
    const flags = words.slice(0, -1);
    // What is short-lived of a chain's run of events fits the young generation.
    const ofChains = ['--max-semi-space-size=32', '--min-semi-space-size=32'];
    expect(flags).toEqual(/^(evm|aptos)-worker/.test(app) ? ofChains : []);
    expect(image(name).entrypoint).toEqual([node, ...flags, '/app/main.cjs']);
  });

  it('sets only what is a setting of the program', () => {
    const known = (schema: Readonly<Record<string, { readonly name: string }>>): string[] => [
      'NODE_ENV',
      ...Object.values(schema).map((setting) => setting.name),
    ];
    for (const name of IMAGES) {
      const names = known(SETTINGS[name as keyof typeof SETTINGS] ?? evmWorkerConfig);
      expect([name, Object.keys(image(name).env).filter((key) => !names.includes(key))]).toEqual([name, []]);
    }
  });

  it.each(Object.entries(CHAINS))(
    'has an image for %s that needs nothing but endpoints',
    async (chain, id) => {
      const { env } = image(`evm-worker-${chain}`);
      const { config } = await evmWorkerSettings.loadConfig([], {
        ...env,
        RPC_URLS: 'http://127.0.0.1:8545',
      });
      expect(config.chainId).toBe(BigInt(id));
      // Every marketplace that is known to be on this chain.
      const known = evmMarketplaces
        .filter(({ contracts }) => contracts(id).length > 0)
        .map(({ name }) => name);
      expect(config.markets?.map(({ name }) => name)).toEqual(known);
      expect(config.finalityDepthBlocks).toBeGreaterThanOrEqual(30);
    },
  );

  it('has an image for Aptos that needs nothing but endpoints', async () => {
    const { env } = image('aptos-worker');
    const { config } = await aptosWorkerSettings.loadConfig([], {
      ...env,
      APTOS_URLS: 'http://127.0.0.1:8080/v1',
    });
    expect(config.chainId).toBe(1n);
    // Every marketplace that is known to be on mainnet.
    const known = aptosMarketplaces.filter(({ packageOn }) => packageOn(1) !== null).map(({ name }) => name);
    expect(config.markets?.map(({ name }) => name)).toEqual(known);
  });

  it('has an image for purchases that needs nothing but a database', () => {
    const { config } = loadPurchaseWorkerConfig({
      ...image('purchase-worker').env,
      DATABASE_URL: 'postgres://db/x',
    });
    expect([config.host, config.port, config.services.length]).toEqual(['0.0.0.0', 9464, 6]);
  });

  it('has no sleeping setting: the image for other chains says nothing of a chain', () => {
    const { env } = image('evm-worker');
    expect(Object.keys(env).sort()).toEqual(['LOG_DIR', 'NODE_ENV', 'WORKER_HOST', 'WORKER_PORT']);
  });

  it('has a command line that can be run', () => {
    expect(statSync(join(ROOT, 'docker/imart')).mode & 0o111).not.toBe(0);
    for (const name of ['evm-worker-eth', 'aptos-worker', 'purchase-worker']) {
      const copied = image(name).files.find(({ to }) => to === '/usr/local/bin/imart');
      expect([name, copied?.chmod]).toEqual([name, '755']);
    }
    expect(read('docker/imart')).toContain('exec node /app/imart/main.cjs "$@"');
  });
});

describe('the reader of recipes', () => {
  it.each([
    ['FROM node:20', 'every stage has a name'],
    ['FROM node:20 AS a\nCMD ["x"]', 'does not know'],
    ['FROM node:20 AS a\nENTRYPOINT node x', 'must be a list of words'],
  ])('refuses what it does not understand: %j', (text, problem) => {
    expect(() => readRecipe(text)).toThrow(problem);
  });

  it('gives a stage what the stage has that it begins with, in order', () => {
    const stages = readRecipe(
      'ARG B=base:1\nFROM ${B} AS one\nENV A=1 C="x y"\nWORKDIR /w\nCOPY a b/ /t/\nFROM one AS two\nENV A=2\nCOPY --from=one --chmod=755 /x ./y\n',
    );
    expect(stages.get('two')).toMatchObject({ base: 'base:1', env: { A: '2', C: 'x y' }, workdir: '/w' });
    expect(stages.get('two')?.files).toEqual([
      { stage: null, from: 'a', to: '/t/a', chmod: null },
      { stage: null, from: 'b/', to: '/t/', chmod: null },
      { stage: 'one', from: '/x', to: '/w/y', chmod: '755' },
    ]);
    expect(stages.get('one')?.env).toEqual({ A: '1', C: 'x y' });
  });
});

describe('the reader of .dockerignore', () => {
  it.each([
    ['*\n!a', 'a/b', true],
    ['*\n!a', 'b', false],
    ['*\n!a\n**/x', 'a/b/x', false],
    ['*\n!a\n**/x', 'a/x/c', false],
    ['*.md', 'b/c.md', true],
    ['**/*.md', 'b/c.md', false],
    ['a/b\n!a/b/c', 'a/b/c', true],
    ['# note\n\na?', 'ab', false],
    ['a', 'ab', true],
  ])('reads %j: %s is %p', (text, path, seen) => {
    expect(readIgnoreRules(text)(path)).toBe(seen);
  });
});
