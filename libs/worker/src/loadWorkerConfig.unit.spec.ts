import { ConfigError, type ConfigProblem } from '@imart/core';
import { defineConfig, defineSetting, renderConfigTable, url, type Environment } from '@imart/runtime';
import { loadWorkerConfig } from './loadWorkerConfig';
import { engineSettings, positionSettings, readsChain, roleSettings, whereChainIsRead } from './settings';
import { positionWords } from './words';

const schema = defineConfig({
  ...roleSettings,
  nodeUrl: whereChainIsRead(
    defineSetting({
      name: 'NODE_URL',
      type: url('http', 'https'),
      meaning: 'A node.',
      example: 'http://node',
    }),
  ),
  ...positionSettings(positionWords('version'), 2n ** 36n - 1n),
  ...engineSettings,
});
const usable = { NODE_URL: 'http://127.0.0.1:1' };

const load = (
  environment: Environment,
  chainProblems: (environment: Environment) => Promise<readonly ConfigProblem[]> = async () => [],
) => loadWorkerConfig({ schema, chainProblems }, environment);

async function problemsOf(...args: Parameters<typeof load>): Promise<readonly string[]> {
  const error: unknown = await load(...args).catch((cause: unknown) => cause);
  return error instanceof ConfigError ? error.problems.map((p) => `${p.setting}: ${p.problem}`) : [];
}

describe('settings of a worker', () => {
  it('have a default for what is not of the chain', async () => {
    const { config } = await load(usable);
    expect([config.role, config.lanes, config.startPosition, config.endPosition]).toEqual([
      'all',
      1,
      0n,
      undefined,
    ]);
  });

  it('are named by what the chain calls its positions', async () => {
    const { config } = await load({ ...usable, START_VERSION: '5', END_VERSION: '68719476735' });
    expect([config.startPosition, config.endPosition]).toEqual([5n, 68_719_476_735n]);
    expect(await problemsOf({ ...usable, END_VERSION: '68719476736' })).toEqual([
      expect.stringMatching(/^END_VERSION: /),
    ]);
    expect(await problemsOf({ ...usable, START_VERSION: '10', END_VERSION: '9' })).toEqual([
      'END_VERSION: 9 lies before START_VERSION 10',
    ]);
  });

  it('need what the chain is read with only where it is read', async () => {
    for (const ROLE of ['all', 'ingest']) {
      expect(await problemsOf({ ROLE })).toEqual([
        'NODE_URL: is required: http or https URL, for example http://node',
      ]);
      expect(readsChain((await load({ ...usable, ROLE })).config)).toBe(true);
    }
    const { config } = await load({ ROLE: 'apply' });
    expect([config.nodeUrl, readsChain(config)]).toEqual([undefined, false]);
    expect(renderConfigTable(schema)).toMatch(/`NODE_URL` .* required where ROLE is all or ingest /);
  });

  it('are told with all problems at once, those of the chain last, and these only where it is read', async () => {
    const chainProblems = async (): Promise<readonly ConfigProblem[]> => [
      { setting: 'MARKETS', problem: 'there is no such market' },
    ];
    const wrong = { LANES: '0', START_VERSION: '2', END_VERSION: '1' };
    expect(await problemsOf(wrong, chainProblems)).toEqual([
      expect.stringMatching(/^NODE_URL: is required/),
      expect.stringMatching(/^LANES: /),
      'END_VERSION: 1 lies before START_VERSION 2',
      'MARKETS: there is no such market',
    ]);
    expect(await problemsOf(usable, chainProblems)).toEqual(['MARKETS: there is no such market']);
    expect(await problemsOf({ ...wrong, ROLE: 'apply' }, chainProblems)).toEqual([
      expect.stringMatching(/^LANES: /),
      'END_VERSION: 1 lies before START_VERSION 2',
    ]);
  });
});
