import { ConfigError } from '@imart/core';
import { aptosWorkerSettings } from './config';

const { readsChain } = aptosWorkerSettings;
const load = (environment: Record<string, string>) => aptosWorkerSettings.loadConfig([], environment);

const PACKAGE = '0xa11ce';
const usable = { APTOS_URLS: 'https://node.example/v1', MARKETS: `imart:${PACKAGE}` };

async function problemsOf(environment: Record<string, string>): Promise<readonly string[]> {
  try {
    await load(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.setting}: ${p.problem}`);
    throw error;
  }
  return [];
}

describe('settings of the Aptos worker', () => {
  it('needs endpoints and markets, and has a default for the rest', async () => {
    const { config } = await load(usable);
    expect(config.urls).toEqual(['https://node.example/v1']);
    expect([config.role, config.source, config.lanes, config.startPosition]).toEqual(['all', 'rest', 1, 0n]);
    expect([config.endPosition, config.chainId, config.apiKey]).toEqual([undefined, undefined, undefined]);
    expect(config.markets).toEqual([
      { name: 'imart', isFile: false, packageAddress: `0x${'a11ce'.padStart(64, '0')}` },
    ]);
  });

  it('reports all problems at once', async () => {
    const problems = await problemsOf({
      APTOS_SOURCE: 'handles',
      MARKETS: 'opensea,imart:here',
      CHAIN_ID: '256',
      START_VERSION: 'now',
      LANES: '0',
      DATABASE_URL: 'mysql://root@localhost/x',
    });
    expect(problems.map((p) => p.split(':')[0])).toEqual([
      'APTOS_URLS',
      'CHAIN_ID',
      'START_VERSION',
      'MARKETS',
      'DATABASE_URL',
      'LANES',
      'APTOS_HANDLES',
      'MARKETS',
    ]);
    expect(problems.at(-1)).toContain("no marketplace 'opensea'");
  });

  it('needs neither endpoints nor markets to execute what others read, and the same as ever for the other roles', async () => {
    const { config } = await load({ ROLE: 'apply' });
    expect([config.role, config.urls, config.markets, readsChain(config)]).toEqual([
      'apply',
      undefined,
      undefined,
      false,
    ]);
    for (const ROLE of ['ingest', 'all']) {
      expect((await problemsOf({ ROLE })).map((p) => p.split(':')[0])).toEqual(['APTOS_URLS', 'MARKETS']);
      expect(readsChain((await load({ ...usable, ROLE })).config)).toBe(true);
    }
  });

  it('refuses an END_VERSION before START_VERSION', async () => {
    expect(await problemsOf({ ...usable, START_VERSION: '10', END_VERSION: '9' })).toEqual([
      'END_VERSION: 9 lies before START_VERSION 10',
    ]);
  });

  it('asks for handles where APTOS_SOURCE reads by them, and nowhere else', async () => {
    const by = { ...usable, APTOS_SOURCE: 'handles' };
    expect(await problemsOf(by)).toEqual(['APTOS_HANDLES: is required where APTOS_SOURCE is handles']);
    expect(await problemsOf({ ...by, APTOS_HANDLES: '0x1a::FixedMarket::Events/list' })).toEqual([]);
    expect(await problemsOf({ ...usable, APTOS_SOURCE: 'grpc' })).toEqual([]);
  });

  it('never repeats the text of a secret', async () => {
    const secrets = { APTOS_URLS: 'ftp://user:hunter2@host', DATABASE_URL: 'hunter2' };
    const problems = await problemsOf({ ...usable, ...secrets });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('hunter2');
    const { shown } = await load({
      ...usable,
      APTOS_URLS: 'https://node.example/v1/hunter2',
      APTOS_API_KEY: 'hunter2',
    });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it('takes what stands in the arguments before the environment', async () => {
    const { config } = await aptosWorkerSettings.loadConfig([['ROLE', 'apply']], {
      ...usable,
      ROLE: 'ingest',
    });
    expect(config.role).toBe('apply');
  });

  it('points out a name that looks mistyped', async () => {
    expect((await load({ ...usable, END_VERSIO: '5' })).warnings.join()).toContain('END_VERSION');
  });
});
