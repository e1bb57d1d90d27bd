import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiConfig } from '../../apps/api/src/config';
import { aptosWorkerConfig } from '../../apps/aptos-worker/src/config';
import { evmWorkerConfig } from '../../apps/evm-worker/src/config';
import { purchaseWorkerConfig } from '../../apps/purchase-worker/src/config';
import { readComposeFile, secondsOf, type ComposeService } from './composeFile';
import { readRecipe } from './imageRecipe';

const DOCKER = join(__dirname, '../../docker');
const compose = readComposeFile(join(DOCKER, 'compose.yml'), { POSTGRES_PASSWORD: 'word' });
const recipe = readRecipe(readFileSync(join(DOCKER, 'Dockerfile'), 'utf8'));
const services = Object.entries(compose.services);
const programs = services.filter(([, service]) => service.build !== undefined);
const workers = programs.filter(([name]) => name !== 'api');
const SCHEMAS: Readonly<Record<string, Readonly<Record<string, { readonly name: string }>>>> = {
  api: apiConfig,
  'aptos-worker': aptosWorkerConfig,
  'purchase-worker': purchaseWorkerConfig,
};
/** The settings of the program that a service runs. */
const schemaOf = (name: string): Readonly<Record<string, { readonly name: string }>> =>
  SCHEMAS[name] ?? evmWorkerConfig;
const service = (name: string): ComposeService => compose.services[name] as ComposeService;

/** Settings of a file that is copied and filled in: those that are set, and those that are only shown. */
const settingsOf = (file: string): string[] =>
  [...readFileSync(join(DOCKER, file), 'utf8').matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(
    ([, name = '']) => name,
  );

describe('compose.yml', () => {
  it('wants a password for PostgreSQL, and says where to put it', () => {
    expect(() => readComposeFile(join(DOCKER, 'compose.yml'), {})).toThrow(
      'POSTGRES_PASSWORD: set POSTGRES_PASSWORD in docker/.env',
    );
  });

  it('has a service for every image of a chain, purchases and the API', () => {
    expect(programs.map(([name]) => name).sort()).toEqual(
      [...recipe.keys()]
        .filter((name) => /^(evm-worker-.+|aptos-worker|purchase-worker|api)$/.test(name))
        .sort(),
    );
    for (const [name, { build, image }] of programs) {
      expect([build?.target, build?.dockerfile, build?.context]).toEqual([name, 'docker/Dockerfile', '..']);
      expect(image).toBe(`imart/${name}:latest`);
      expect(existsSync(join(DOCKER, build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    }
  });

  it('starts no worker that was not asked for: naming one starts it with PostgreSQL and Redis, when they are healthy', () => {
    for (const [name, { profiles }] of workers)
      expect([name, profiles?.length]).toEqual([name, name === 'purchase-worker' ? 1 : 2]);
    expect(services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name)).toEqual([
      'postgres',
      'redis',
      'api',
    ]);
    for (const [name, { depends_on }] of programs) {
      expect([name, depends_on]).toEqual([
        name,
        { postgres: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } },
      ]);
    }
    expect(
      [service('postgres').healthcheck, service('redis').healthcheck].every((check) => check !== undefined),
    ).toBe(true);
  });

  it('gives programs no right that they do not need, and a place for their logs', () => {
    for (const [name, one] of programs) {
      expect([name, one.read_only, one.cap_drop, one.security_opt]).toEqual([
        name,
        true,
        ['ALL'],
        ['no-new-privileges:true'],
      ]);
      expect(one.volumes).toEqual(['logs:/var/log/imart']);
      expect(one.environment?.['LOG_DIR']).toBe(`/var/log/imart/${name}`);
    }
  });

  it('restarts everything, rotates every log, and lets a program finish what it does', () => {
    for (const [name, one] of services) {
      expect([name, one.restart, one.logging?.driver]).toEqual([name, 'unless-stopped', 'json-file']);
      expect(one.logging?.options).toEqual({ 'max-size': '50m', 'max-file': '5' });
    }
    const graceSeconds = Number(evmWorkerConfig.graceMs.default) / 1_000;
    for (const [name, one] of programs) {
      expect([name, secondsOf(one.stop_grace_period) > graceSeconds]).toEqual([name, true]);
    }
  });

  it('keeps data in volumes that are declared', () => {
    const used = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0] as string),
    );
    const named = used.filter((source) => !source.startsWith('.'));
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const source of used.filter((one) => one.startsWith('.'))) {
      expect([source, existsSync(join(DOCKER, source))]).toEqual([source, true]);
    }
  });

  it('shows nothing to the network that was not asked for', () => {
    for (const [name, { ports = [] }] of services) {
      for (const port of ports)
        expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:\d+:\d+$/)]);
    }
    expect(services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual([
      'api',
      'prometheus',
      'grafana',
    ]);
  });

  it('runs a Redis that keeps jobs (Q4)', () => {
    const words = (service('redis').command ?? []).join(' ');
    expect(words).toContain('--maxmemory-policy noeviction');
    expect(words).toContain('--appendonly yes');
  });

  it('sets only what is a setting of the program', () => {
    for (const [name, { environment = {} }] of programs) {
      const known = Object.values(schemaOf(name)).map((setting) => setting.name);
      expect([name, Object.keys(environment).filter((key) => !known.includes(key))]).toEqual([name, []]);
    }
  });

  it('gives programs that work together the same servers', () => {
    const [api, worker, purchases] = ['api', 'evm-worker-eth', 'purchase-worker'].map(
      (name) => service(name).environment ?? {},
    );
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'CACHE_REDIS_URL']) {
      expect([name, api?.[name]]).toEqual([name, worker?.[name]]);
    }
    for (const name of ['DATABASE_URL', 'SESSION_REDIS_URL']) {
      expect([name, api?.[name]]).toEqual([name, purchases?.[name]]);
    }
    // What has an end is not put among the jobs.
    expect(api?.['SESSION_REDIS_URL']).toBe(`${api?.['REDIS_URL']}/1`);
    const elsewhere = readComposeFile(join(DOCKER, 'compose.yml'), {
      POSTGRES_PASSWORD: 'word',
      CACHE_REDIS_URL: 'redis://cache:6379',
    });
    for (const name of ['api', 'evm-worker-eth', 'aptos-worker'])
      expect(elsewhere.services[name]?.environment?.['CACHE_REDIS_URL']).toBe('redis://cache:6379');
  });

  it('lets the API be given whatever purchases, commands, notifications and the cache need', () => {
    const settable = [...settingsOf('api.env.example'), ...Object.keys(service('api').environment ?? {})];
    const needed = ['PURCHASES', 'SESSION_REDIS_URL', 'AGGREGATES', 'NOTIFICATIONS_TOKEN', 'CACHE_REDIS_URL'];
    expect(needed.filter((name) => !settable.includes(name))).toEqual([]);
    expect(service('api').environment?.['PURCHASES_OPEN']).toBeUndefined();
  });

  it('reads each program’s settings from a file of its own, whose example has settings of the program', () => {
    for (const [name, { env_file }] of programs) {
      const known = Object.values(schemaOf(name)).map((setting) => setting.name);
      const file = `${name.replace(/^evm-worker-|-worker$/g, '')}.env`;
      expect(env_file).toEqual([{ path: file, required: false }]);
      const settings = settingsOf(`${file}.example`);
      if (/^(evm|aptos)-/.test(name))
        expect(settings).toContain(name === 'aptos-worker' ? 'APTOS_URLS' : 'RPC_URLS');
      expect(settings.filter((setting) => !known.includes(setting))).toEqual([]);
      // What every service has is said in compose.yml, and would win over the file.
      expect(
        settings.filter((setting) => Object.hasOwn(compose.services[name]?.environment ?? {}, setting)),
      ).toEqual([]);
    }
  });

  it('names every variable that it reads in .env.example, and no other', () => {
    const text = readFileSync(join(DOCKER, 'compose.yml'), 'utf8');
    const read = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name));
    expect([...new Set(settingsOf('.env.example'))].sort()).toEqual([...read].sort());
  });

  const plugin = spawnSync('docker', ['compose', 'version']).status === 0;
  (plugin ? it : it.skip)('is accepted by Docker Compose', () => {
    const check = spawnSync(
      'docker',
      ['compose', '-f', join(DOCKER, 'compose.yml'), '--profile', '*', 'config', '--quiet'],
      {
        encoding: 'utf8',
        env: { ...process.env, POSTGRES_PASSWORD: 'word' },
      },
    );
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });
});

describe('the reader of compose files', () => {
  it.each([
    ['30s', 30],
    ['2m', 120],
    [undefined, Number.NaN],
    ['1h', Number.NaN],
  ])('reads the duration %p as %p seconds', (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
});
