import { ConfigError } from '@imart/core';
import { loadApiConfig } from './config';

const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    loadApiConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.setting}: ${p.problem}`);
    throw error;
  }
  return [];
};

describe('settings of the API', () => {
  it('need nothing; without OPS_TOKEN there is nothing for operators', () => {
    const { config } = loadApiConfig({});
    expect([config.opsToken, config.redisUrl, config.port]).toEqual([undefined, undefined, 3000]);
    expect(loadApiConfig({ OPS_TOKEN: '' }).config.opsToken).toBeUndefined();
  });

  it.each([
    [{ COMMAND_MARKER: 'redis', AGGREGATES: 'a.cjs' }, 'COMMAND_MARKER: redis needs REDIS_URL; set it, or'],
    [
      { COMMAND_MARKER: 'redis', REDIS_URL: 'redis://host' },
      'COMMAND_MARKER: redis is for commands, and AGGREGATES',
    ],
    [{ COMMAND_MARKER: 'memory' }, 'COMMAND_MARKER: must be one of postgres, redis'],
  ])('refuse markers that cannot be kept: %j', (environment, says) => {
    expect(problemsOf(environment)).toEqual([expect.stringContaining(says)]);
  });

  it('keep markers in the database, also beside a Redis, unless they are told otherwise', () => {
    expect(loadApiConfig({ REDIS_URL: 'redis://host' }).config.commandMarker).toBe('postgres');
  });

  it('ask for a key of whoever buys, unless they say otherwise', () => {
    expect(loadApiConfig({ PURCHASES: 'true' }).config.purchasesOpen).toBe(false);
    expect(loadApiConfig({ PURCHASES: 'true', PURCHASES_OPEN: 'true' }).config.purchasesOpen).toBe(true);
  });

  it.each(['short', '15-characters-x', 'a token with spaces in it'])(
    'refuse an OPS_TOKEN that can be guessed or mistyped, without repeating it: %s',
    (token) => {
      const problems = problemsOf({ OPS_TOKEN: token });
      expect(problems).toEqual([
        expect.stringMatching(/^OPS_TOKEN: must have at least 16 characters and no spaces/),
      ]);
      expect(problems.join()).not.toContain(token);
    },
  );

  it('never show the token, nor the password of Redis', () => {
    const { config, shown, secrets } = loadApiConfig({
      OPS_TOKEN: 'hunter2-hunter2-hunter2',
      REDIS_URL: 'redis://:hunter2@host:6379',
    });
    expect(config.opsToken).toBe('hunter2-hunter2-hunter2');
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(secrets.join()).toContain('hunter2-hunter2-hunter2');
  });
});
