import { ConfigError } from '@imart/core';
import { loadEvmWorkerConfig } from './config';

const ADDRESS = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const usable = { RPC_URLS: 'http://127.0.0.1:8545', MARKETS: `imart:${ADDRESS}` };

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadEvmWorkerConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.setting}: ${p.problem}`);
    throw error;
  }
  return [];
}

describe('settings of the EVM worker', () => {
  it('needs endpoints and markets, and has a default for the rest', () => {
    const { config } = loadEvmWorkerConfig(usable);
    expect(config.rpcUrls).toEqual(['http://127.0.0.1:8545']);
    expect(config.markets).toEqual([{ name: 'imart', isFile: false, address: ADDRESS }]);
    expect(config.collections).toEqual({ kind: 'factories' });
    expect(config.lanes).toBe(1);
    expect(config.endBlock).toBeUndefined();
  });

  it('reports all problems at once', () => {
    const problems = problemsOf({
      MARKETS: 'opensea,imart:0x12',
      START_BLOCK: 'now',
      LANES: '0',
      COLLECTIONS: 'some',
      DATABASE_URL: 'mysql://root@localhost/x',
    });
    expect(problems.map((p) => p.split(':')[0])).toEqual([
      'RPC_URLS',
      'START_BLOCK',
      'MARKETS',
      'COLLECTIONS',
      'DATABASE_URL',
      'LANES',
    ]);
  });

  it('names an unknown marketplace and the known ones', () => {
    expect(problemsOf({ ...usable, MARKETS: 'opensea' })).toEqual([
      expect.stringMatching(/^MARKETS: there is no marketplace 'opensea'; there are .*seaport-1\.5/),
    ]);
  });

  it('refuses an END_BLOCK before START_BLOCK', () => {
    expect(problemsOf({ ...usable, START_BLOCK: '10', END_BLOCK: '9' })).toEqual([
      'END_BLOCK: 9 lies before START_BLOCK 10',
    ]);
  });

  it('never repeats the text of a secret', () => {
    const problems = problemsOf({ ...usable, RPC_URLS: 'ftp://user:hunter2@host', DATABASE_URL: 'hunter2' });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('hunter2');
    const { shown } = loadEvmWorkerConfig({ ...usable, RPC_URLS: 'https://host.example/v3/hunter2' });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it.each([
    ['seaport-1.5', { name: 'seaport-1.5', isFile: false, address: null }],
    [
      `imart:${ADDRESS.toUpperCase().replace('0X', '0x')}`,
      { name: 'imart', isFile: false, address: ADDRESS },
    ],
    [`./my-market.js:${ADDRESS}`, { name: './my-market.js', isFile: true, address: ADDRESS }],
  ])('reads the marketplace %s', (entry, expected) => {
    expect(loadEvmWorkerConfig({ ...usable, MARKETS: entry }).config.markets).toEqual([expected]);
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
  ])('reads the collections %s', (setting, expected) => {
    expect(loadEvmWorkerConfig({ ...usable, COLLECTIONS: setting }).config.collections).toEqual(expected);
  });

  it('points out a name that looks mistyped', () => {
    expect(loadEvmWorkerConfig({ ...usable, END_BLOK: '5' }).warnings.join()).toContain('END_BLOCK');
  });
});
