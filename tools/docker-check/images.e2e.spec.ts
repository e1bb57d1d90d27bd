import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeFullnode, type FakeFullnode } from '../../libs/chain-aptos/src/testing/fakeFullnode';
import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { isRedisInstalled } from '../../libs/stream/src/testing/redisServer';
import { processesOf } from '../e2e/processesOf';
import { until } from '../e2e/until';
import { createScriptedMarket } from '../replay-fullnode/src/scriptedMarket';
import { freePort } from '../start/freePort';
import { readComposeFile } from './composeFile';
import { inBuildStage, runBuildStage, type BuildStage } from './buildStage';
import {
  canRunContainers,
  CONTAINER_UID,
  createContainer,
  type Container,
  type RunningContainer,
} from './container';
import { readRecipe, type Image } from './imageRecipe';

const ROOT = join(__dirname, '../..');
const DOCKER = join(ROOT, 'docker');
const recipe = readRecipe(readFileSync(join(DOCKER, 'Dockerfile'), 'utf8'));
const compose = readComposeFile(join(DOCKER, 'compose.yml'), { POSTGRES_PASSWORD: 'word' });
const image = (name: string): Image => recipe.get(name) as Image;
const OPS_TOKEN = 'the-token-of-the-operators';

const missing = [
  ...(canRunContainers() ? [] : ['making a container by hand takes Linux and root']),
  ...(isRedisInstalled() ? [] : ['redis-server is not installed']),
];
const possible = missing.length === 0;
// Not to the console: jest does not show it of a file that is skipped as a whole.
if (!possible) process.stderr.write(`images are not run: ${missing.join('; ')}\n`);

/**
 * There is no Docker engine where these specs run. What an engine would do is done by hand: the stage that builds, in an empty
 * directory; then each image's files, user, settings, entry point and health check, in namespaces of their own, on this
 * machine's libc and Node instead of the base image's.
 */
(possible || process.env['CI'] === 'true' ? describe : describe.skip)('the images', () => {
  let build: BuildStage;
  let server: TestServer;
  let databaseUrl: string;
  let redis: ChildProcess;
  let redisUrl: string;
  let redisDir: string;
  const containers: Container[] = [];
  const others: ChildProcess[] = [];
  const nodes: FakeFullnode[] = [];

  beforeAll(async () => {
    build = runBuildStage(image('build').runs);
    server = await startTestServer();
    databaseUrl = (await server.createDatabase()).url;
    // Redis as compose.yml starts it, elsewhere.
    const port = await freePort(0);
    redisDir = mkdtempSync(join(tmpdir(), 'imart-test-redis-'));
    const [program = '', ...words] = compose.services['redis']?.command ?? [];
    redis = spawn(program, [...words, '--port', String(port), '--bind', '127.0.0.1', '--dir', redisDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await said(redis, /Ready to accept connections/);
    redisUrl = `redis://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    for (const container of containers) container.remove();
    for (const child of [redis, ...others]) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    for (const node of nodes) await node.close();
    await server?.stop();
    build?.remove();
    if (redisDir !== undefined) rmSync(redisDir, { recursive: true, force: true });
  });

  function container(name: string): Container {
    const made = createContainer(image(name), (stage, path) =>
      stage === null ? join(ROOT, path) : inBuildStage(build, path),
    );
    containers.push(made);
    return made;
  }

  /** What compose.yml gives a program, with this machine's servers, and a port that is free here. */
  async function settingsOf(name: string): Promise<Record<string, string>> {
    const environment = compose.services[name]?.environment ?? {};
    const here: Readonly<Record<string, string>> = {
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      SESSION_REDIS_URL: `${redisUrl}/1`,
    };
    return {
      ...environment,
      ...Object.fromEntries(Object.entries(here).filter(([setting]) => setting in environment)),
      [name === 'api' ? 'PORT' : 'WORKER_PORT']: String(await freePort(0)),
    };
  }

  async function isHealthy(one: Container, name: string, settings: Record<string, string>): Promise<string> {
    const check = one.start(image(name).healthcheck?.command ?? [], settings);
    const { code } = await check.ended;
    return code === 0 ? 'healthy' : check.said().trim();
  }

  /** `docker stop`: SIGTERM to process 1, and what it ends with. */
  async function stopped(
    program: RunningContainer,
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    program.signal('SIGTERM');
    return program.ended;
  }

  const chain = async (id: number): Promise<string> => {
    const child = spawn(anvil(), ['--port', '0', '--chain-id', String(id), '--no-mining'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    others.push(child);
    const [, address = ''] = await said(child, /Listening on (127\.0\.0\.1:\d+)/);
    return `http://${address}`;
  };

  const CHAINS = { eth: 1, bsc: 56, polygon: 137, opbnb: 204, zksync: 324 };

  it.each(Object.entries(CHAINS))(
    'of the worker for %s follows its chain with endpoints as its only setting, is healthy, and ends in order when it is stopped',
    async (name, id) => {
      const service = `evm-worker-${name}`;
      const one = container(service);
      const settings: Record<string, string> = { ...(await settingsOf(service)), RPC_URLS: await chain(id) };
      expect(await isHealthy(one, service, settings)).toMatch(/^unhealthy: /);

      const worker = one.start(image(service).entrypoint ?? [], settings);
      const [following = ''] = await worker.untilSaid(/\{[^\n]*"message":"following"[^\n]*\}/);
      expect(JSON.parse(following)).toMatchObject({ subject: `eip155:${id}` });
      expect(await isHealthy(one, service, settings)).toBe('healthy');
      const ready = await fetch(`http://127.0.0.1:${settings['WORKER_PORT']}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([200, expect.any(String)]);
      expect(await stopped(worker)).toEqual({ code: 0, signal: null });
      expect(worker.said()).toContain('"message":"shut down"');
    },
    300_000,
  );

  it('of the worker for Aptos follows its network with endpoints as its only setting, is healthy, and ends in order when it is stopped', async () => {
    // Of mainnet's id.
    const { ledger } = createScriptedMarket({ chainId: 1, transactions: 20, seed: 1 });
    const node = await startFakeFullnode(ledger);
    nodes.push(node);
    const one = container('aptos-worker');
    const settings = { ...(await settingsOf('aptos-worker')), APTOS_URLS: node.url };
    const worker = one.start(image('aptos-worker').entrypoint ?? [], settings);
    const [following = ''] = await worker.untilSaid(/\{[^\n]*"message":"following"[^\n]*\}/);
    expect(JSON.parse(following)).toMatchObject({ subject: 'aptos:1' });
    expect(await isHealthy(one, 'aptos-worker', settings)).toBe('healthy');
    expect(await stopped(worker)).toEqual({ code: 0, signal: null });
    const help = one.start(['imart', 'parked', 'list'], settings);
    expect([(await help.ended).code, help.said()]).toEqual([0, 'nothing is parked\n']);
  }, 300_000);

  it('of the API serves its pages, documents and jobs, is healthy, and ends in order when it is stopped', async () => {
    const one = container('api');
    const settings: Record<string, string> = { ...(await settingsOf('api')), OPS_TOKEN };
    const api = one.start(image('api').entrypoint ?? [], settings);
    await api.untilSaid(/"message":"listening"/);
    expect(await isHealthy(one, 'api', settings)).toBe('healthy');
    const origin = `http://127.0.0.1:${settings['PORT']}`;
    const get = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
      const answer = await fetch(`${origin}${path}`, { headers });
      return [answer.status, await answer.text()];
    };
    expect((await get('/readyz'))[0]).toBe(200);
    const [status, text] = await get('/v1/status');
    expect(status).toBe(200);
    const { subjects } = JSON.parse(text) as { subjects: { subject: string }[] };
    expect(subjects.map(({ subject }) => subject)).toContain('eip155:1');

    const [, docs] = await get('/docs');
    const script = /src="([^"]*swagger-ui-bundle\.js)"/.exec(docs)?.[1] ?? '';
    expect((await get(new URL(script, `${origin}/docs/`).pathname))[0]).toBe(200);

    const authorization = `Bearer ${OPS_TOKEN}`;
    expect((await get('/ops/jobs/'))[0]).toBe(401);
    const [, board] = await get('/ops/jobs/', { authorization });
    const asset = /src="(static\/js\/main[^"]+)"/.exec(board)?.[1] ?? '';
    expect((await get(`/ops/jobs/${asset}`, { authorization }))[0]).toBe(200);
    const [, queues] = await get('/ops/jobs/api/queues', { authorization });
    expect((JSON.parse(queues) as { queues: { name: string }[] }).queues.map(({ name }) => name)).toContain(
      '{market.eip155.1.lane-0}',
    );
    expect(await stopped(api)).toEqual({ code: 0, signal: null });
  }, 300_000);

  it('of the API takes commands and purchases, and that of purchases decides these, when they are asked to', async () => {
    const one = container('api');
    // In place of a mount: the volume is seen at its own path.
    cpSync(join(ROOT, 'tools/examples/allowlist.cjs'), join(one.logDir, 'allowlist.cjs'));
    const settings: Record<string, string> = {
      ...(await settingsOf('api')),
      PURCHASES: 'true',
      AGGREGATES: '/var/log/imart/allowlist.cjs',
    };
    const api = one.start(image('api').entrypoint ?? [], settings);
    await api.untilSaid(/"message":"takes commands"/);
    await api.untilSaid(/"message":"listening"/);

    const other = container('purchase-worker');
    const purchaseSettings = await settingsOf('purchase-worker');
    const worker = other.start(image('purchase-worker').entrypoint ?? [], purchaseSettings);
    await worker.untilSaid(/"message":"working on purchases"/);
    expect(await isHealthy(other, 'purchase-worker', purchaseSettings)).toBe('healthy');
    const imart = async (...words: readonly string[]): Promise<string> => {
      const run = other.start(['imart', ...words], purchaseSettings);
      expect([words[0], (await run.ended).code]).toEqual([words[0], 0]);
      return run.said();
    };
    const terms = ['--name', 'Art', '--supply', '2', '--price', '1.5', '--currency', 'APT', '--opens', 'now'];
    await imart('sale', 'create', 'art', ...terms);
    await imart('sale', 'approve', 'art');
    const made = await imart('keys', 'create', '--name', 'shop', '--scope', 'purchases:write');
    const [key = ''] = /imart_[0-9a-f]{16}_[\w-]{43}/.exec(made) ?? [];

    const origin = `http://127.0.0.1:${settings['PORT']}`;
    const answer = await fetch(`${origin}/v1/purchases`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ productId: 'art', quantity: 1 }),
    });
    expect(answer.status).toBe(202);
    const { href } = (await answer.json()) as { href: string };
    await until('it is decided', async () => {
      const told = (await (await fetch(`${origin}${href}`)).json()) as { status: string };
      return told.status === 'confirmed';
    });
    expect(await stopped(worker)).toEqual({ code: 0, signal: null });
    expect(await stopped(api)).toEqual({ code: 0, signal: null });
  }, 300_000);

  it('of a worker tells in its volume why it has stopped, and can write nowhere else', async () => {
    const one = container('evm-worker-eth');
    const settings = { ...(await settingsOf('evm-worker-eth')), RPC_URLS: await chain(31337) };
    const worker = one.start(image('evm-worker-eth').entrypoint ?? [], settings);
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    const file = join(one.logDir, 'evm-worker-eth/error.log');
    expect(readFileSync(file, 'utf8')).toContain('WRONG_CHAIN');
    expect(statSync(file).uid).toBe(CONTAINER_UID);

    const script =
      "for (const place of ['/app/x', '/x', '/usr/local/bin/x', '/etc/x']) { try { require('fs').writeFileSync(place, ''); console.log('wrote', place); } catch (error) { console.log(error.code); } }" +
      "console.log(process.getuid(), process.pid, process.cwd()); require('fs').writeFileSync('/tmp/x', '');";
    const attempt = one.start(['node', '-e', script], settings);
    expect((await attempt.ended).code).toBe(0);
    expect(attempt.said()).toMatch(/^((EROFS|EACCES|EPERM)\n){4}1000 1 \/app\n$/);
  }, 300_000);

  it('of a worker has the operator’s command line, with the settings of its container', async () => {
    const one = container('evm-worker-eth');
    const settings = await settingsOf('evm-worker-eth');
    const help = one.start(['imart', '--help'], settings);
    expect((await help.ended).code).toBe(0);
    expect(help.said()).toContain('usage: imart COMMAND');
    const replay = one.start(['imart', 'replay'], settings);
    expect([(await replay.ended).code, replay.said()]).toEqual([
      0,
      expect.stringContaining('verified and switched'),
    ]);
  }, 300_000);

  it('says what is missing, and ends with 2, when a worker has no endpoints', async () => {
    const one = container('evm-worker-polygon');
    const worker = one.start(
      image('evm-worker-polygon').entrypoint ?? [],
      await settingsOf('evm-worker-polygon'),
    );
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.said()).toContain('RPC_URLS');
  }, 300_000);

  it('leave no process behind when a container is removed while its program runs', async () => {
    const one = container('evm-worker');
    // A word that no other process has.
    const word = `container-${process.pid}-${Date.now()}`;
    const script = `process.on('SIGTERM', () => undefined); setInterval(() => '${word}', 1_000); console.log('runs')`;
    const program = one.start(['node', '-e', script], {});
    await program.untilSaid(/runs/);
    expect(processesOf(word).some(({ command }) => command.startsWith('node -e'))).toBe(true);
    one.remove();
    await program.ended;
    await until('nothing of it runs', () => processesOf(word).length === 0);
  }, 300_000);

  it('have everything that the build leaves beside a bundle, and nothing of node_modules', () => {
    const used = (app: string): string[] =>
      [...recipe.values()]
        .flatMap(({ files }) => files)
        .filter(({ stage, from }) => stage === 'build' && from.startsWith(`/src/dist/${app}/`))
        .map(({ from }) => from.slice(`/src/dist/${app}/`.length));
    const made = (app: string): string[] =>
      readdirSync(join(build.dir, 'dist', app)).filter((file) => file !== 'main.cjs.map');
    for (const worker of ['evm-worker', 'aptos-worker', 'purchase-worker', 'api'])
      expect(made(worker).sort()).toEqual([...new Set(used(worker))].sort());
    // The command line finds the worker's tables beside it.
    expect(made('imart').filter((file) => file !== 'prisma')).toEqual([...new Set(used('imart'))]);
    const sizes = ['evm-worker', 'aptos-worker', 'purchase-worker', 'api', 'imart'].map((app) => [
      app,
      statSync(join(build.dir, 'dist', app, 'main.cjs')).size < 12_000_000,
    ]);
    expect(sizes).toEqual([
      ['evm-worker', true],
      ['aptos-worker', true],
      ['purchase-worker', true],
      ['api', true],
      ['imart', true],
    ]);
  });
});

async function said(child: ChildProcess, pattern: RegExp): Promise<RegExpMatchArray> {
  let text = '';
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`did not say ${pattern.source}:\n${text}`)), 60_000);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${text}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = pattern.exec(text);
      if (found === null) return;
      clearTimeout(late);
      resolve(found);
    });
  });
}

function anvil(): string {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const path = join(createRequire(__filename).resolve(`${name}/package.json`), '..', 'bin', 'anvil');
  if (!existsSync(path)) throw new Error(`anvil is not installed: ${path}`);
  return path;
}
