import { marketEntry } from '@imart/chain-evm';
import { ConfigError } from '@imart/core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evmWorkerSettings } from './config';

const { readsChain } = evmWorkerSettings;
const load = (environment: Record<string, string>) => evmWorkerSettings.loadConfig([], environment);

const ADDRESS = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const usable = { RPC_URLS: 'http://127.0.0.1:8545', MARKETS: `imart:${ADDRESS}` };

async function problemsOf(environment: Record<string, string>): Promise<readonly string[]> {
  try {
    await load(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.setting}: ${p.problem}`);
    throw error;
  }
  return [];
}

describe('settings of the EVM worker', () => {
  it('needs endpoints and markets, and has a default for the rest', async () => {
    const { config } = await load(usable);
    expect(config.rpcUrls).toEqual(['http://127.0.0.1:8545']);
    expect(config.role).toBe('all');
    expect(config.markets).toEqual([{ name: 'imart', isFile: false, address: ADDRESS }]);
    expect(config.collections).toEqual({ kind: 'factories' });
    expect(config.lanes).toBe(1);
    expect(config.endPosition).toBeUndefined();
  });

  it('reports all problems at once', async () => {
    const problems = await problemsOf({
      MARKETS: 'opensea,imart:0x12',
      START_BLOCK: 'now',
      LANES: '0',
      END_BLOCK: '9',
      GENESIS_HASH: '0x12',
      COLLECTIONS: 'some',
      DATABASE_URL: 'mysql://root@localhost/x',
    });
    expect(problems.map((p) => p.split(':')[0])).toEqual([
      'RPC_URLS',
      'GENESIS_HASH',
      'START_BLOCK',
      'MARKETS',
      'COLLECTIONS',
      'DATABASE_URL',
      'LANES',
      'MARKETS',
    ]);
    expect(problems.at(-1)).toContain("no marketplace 'opensea'");
  });

  it('needs neither endpoints nor markets to execute what others read, and the same as ever for the other roles', async () => {
    const { config } = await load({ ROLE: 'apply' });
    expect([config.role, config.rpcUrls, config.markets]).toEqual(['apply', undefined, undefined]);
    expect(readsChain(config)).toBe(false);
    for (const ROLE of ['ingest', 'all']) {
      expect((await problemsOf({ ROLE })).map((p) => p.split(':')[0])).toEqual(['RPC_URLS', 'MARKETS']);
      expect(readsChain((await load({ ...usable, ROLE })).config)).toBe(true);
    }
  });

  it('does not load the marketplaces that an environment for all roles names, where they are not needed', async () => {
    await load({ ...usable, ROLE: 'apply', MARKETS: './not-there.js' });
    expect(await problemsOf({ ...usable, MARKETS: './not-there.js' })).toHaveLength(1);
  });

  it('refuses a role that there is not', async () => {
    expect(await problemsOf({ ...usable, ROLE: 'reader' })).toEqual([
      "ROLE: must be one of all, ingest, apply, got 'reader'",
    ]);
  });

  it('takes the role of the arguments before that of the environment', async () => {
    const { config } = await evmWorkerSettings.loadConfig([['ROLE', 'apply']], { ...usable, ROLE: 'ingest' });
    expect(config.role).toBe('apply');
  });

  it('names an unknown marketplace and the known ones', async () => {
    expect(await problemsOf({ ...usable, MARKETS: 'opensea' })).toEqual([
      expect.stringMatching(/^MARKETS: there is no marketplace 'opensea'; there are .*seaport-1\.5/),
    ]);
  });

  it('refuses an END_BLOCK before START_BLOCK', async () => {
    expect(await problemsOf({ ...usable, START_BLOCK: '10', END_BLOCK: '9' })).toEqual([
      'END_BLOCK: 9 lies before START_BLOCK 10',
    ]);
  });

  it('takes a GENESIS_HASH of 0x and 64 hex digits only', async () => {
    const hash = `0x${'aB'.repeat(32)}`;
    const { config } = await load({ ...usable, GENESIS_HASH: hash });
    expect(config.genesisHash).toBe(hash.toLowerCase());
    for (const wrong of [hash.slice(2), `${hash}0`, hash.slice(0, -1), `${hash.slice(0, -1)}g`]) {
      expect(await problemsOf({ ...usable, GENESIS_HASH: wrong })).toEqual([
        expect.stringMatching(/^GENESIS_HASH: must be 0x and 64 hex digits/),
      ]);
    }
  });

  it('never repeats the text of a secret', async () => {
    const problems = await problemsOf({
      ...usable,
      RPC_URLS: 'ftp://user:hunter2@host',
      DATABASE_URL: 'hunter2',
    });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('hunter2');
    const { shown } = await load({ ...usable, RPC_URLS: 'https://host.example/v3/hunter2' });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it.each([
    ['seaport-1.5', { name: 'seaport-1.5', isFile: false, address: null }],
    [
      `imart:${ADDRESS.toUpperCase().replace('0X', '0x')}`,
      { name: 'imart', isFile: false, address: ADDRESS },
    ],
  ])('reads the marketplace %s', async (entry, expected) => {
    expect((await load({ ...usable, MARKETS: entry })).config.markets).toEqual([expected]);
  });

  it('takes what looks like a path for a file', () => {
    expect(marketEntry.parse(`./my-market.js:${ADDRESS}`)).toEqual({
      name: './my-market.js',
      isFile: true,
      address: ADDRESS,
    });
  });

  it.each([
    ['all', { kind: 'all' }],
    ['factories', { kind: 'factories' }],
    [
      `${ADDRESS}, 0x06012C8CF97BEaD5deAe237070F9587f8E7A266d:unindexed`,
      {
        kind: 'listed',
        collections: [
          { address: ADDRESS, unindexed: false },
          { address: '0x06012c8cf97bead5deae237070f9587f8e7a266d', unindexed: true },
        ],
      },
    ],
  ])('reads the collections %s', async (setting, expected) => {
    expect((await load({ ...usable, COLLECTIONS: setting })).config.collections).toEqual(expected);
  });

  it('points out a name that looks mistyped', async () => {
    expect((await load({ ...usable, END_BLOK: '5' })).warnings.join()).toContain('END_BLOCK');
  });
});

describe('marketplaces of the settings', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'imart-markets-'));
    const file = (name: string, text: string): void => writeFileSync(join(directory, name), text);
    const topic = `0x${'11'.repeat(32)}`;
    const marketplace = (contracts: string): string =>
      `exports.marketplace = { name: 'own', topics: ['${topic}'], contracts: ${contracts}, needsReceipt: () => false, translate() {} };`;
    file('anywhere.cjs', marketplace(`() => [{ address: '${ADDRESS}' }]`));
    file('nowhere.cjs', marketplace('() => []'));
    file('picky.cjs', marketplace("(id) => { if (id !== 1) throw new Error('never heard of'); return []; }"));
    file('syntax.cjs', 'exports.marketplace = {');
    file('other.cjs', 'exports.market = {};');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each([
    'imart',
    'mixverse',
    'single-collective',
    'multiple-collective',
    'imart-curation',
    'imart-commission-pool',
    'imart-lottery',
  ])('%s, which is known on no chain, needs an address', async (name) => {
    expect(await problemsOf({ ...usable, MARKETS: name })).toEqual([
      `MARKETS: where ${name} is deployed is not known; write ${name}:0x... with its address`,
    ]);
    expect(await problemsOf({ ...usable, MARKETS: `${name}:${ADDRESS}` })).toEqual([]);
  });

  it('that are known on some chain wait for the chain, unless CHAIN_ID tells it', async () => {
    const markets = { ...usable, MARKETS: 'seaport-1.5,blur-v2,imart:' + ADDRESS };
    expect(await problemsOf(markets)).toEqual([]);
    expect(await problemsOf({ ...markets, CHAIN_ID: '1' })).toEqual([]);
    expect(await problemsOf({ ...markets, CHAIN_ID: '137' })).toEqual([
      'MARKETS: where blur-v2 is on chain 137 is not known; write blur-v2:0x... with its address',
    ]);
  });

  it('of files: each that cannot be used is told, together with all other problems', async () => {
    const path = (name: string): string => join(directory, name);
    const names = ['missing.cjs', 'syntax.cjs', 'other.cjs', 'anywhere.cjs', 'nowhere.cjs'];
    const problems = await problemsOf({
      ...usable,
      MARKETS: [...names.map(path), 'opensea', 'imart', 'x:0x12'].join(','),
      START_BLOCK: '10',
      END_BLOCK: '9',
      LANES: '0',
    });
    expect(problems).toEqual([
      expect.stringMatching(/^MARKETS: item 8 .*is not an address/),
      expect.stringContaining('LANES: '),
      'END_BLOCK: 9 lies before START_BLOCK 10',
      expect.stringMatching(/^MARKETS: .*missing\.cjs.*there is no such file/s),
      expect.stringMatching(/^MARKETS: .*syntax\.cjs.*it cannot be run/s),
      expect.stringMatching(/^MARKETS: .*other\.cjs.*exports no object named "marketplace"/s),
      expect.stringMatching(/^MARKETS: there is no marketplace 'opensea'/),
      expect.stringMatching(/^MARKETS: where imart is deployed is not known/),
    ]);
  });

  it('of files are asked where they are when CHAIN_ID tells the chain', async () => {
    const markets = (name: string) => ({ ...usable, MARKETS: join(directory, name), CHAIN_ID: '5' });
    expect(await problemsOf(markets('anywhere.cjs'))).toEqual([]);
    expect(await problemsOf(markets('nowhere.cjs'))).toEqual([
      expect.stringContaining('where own is on chain 5 is not known'),
    ]);
    expect(await problemsOf(markets('picky.cjs'))).toEqual([
      expect.stringMatching(/^MARKETS: .*picky\.cjs: never heard of/),
    ]);
  });
});
