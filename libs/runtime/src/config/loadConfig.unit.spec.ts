import { ConfigError } from '@imart/core';
import { z } from 'zod';
import { defineConfig, defineSetting } from './defineConfig';
import { loadConfig } from './loadConfig';
import { renderConfigTable, renderEnvExample } from './renderConfig';
import {
  bigInteger,
  flag,
  integer,
  listOf,
  oneOf,
  port,
  text,
  url,
  zodValue,
  type ValueType,
} from './valueTypes';

const schema = defineConfig({
  rpcUrls: defineSetting({
    name: 'RPC_URLS',
    type: listOf(url('http', 'https')),
    secret: true,
    meaning: 'Where the chain is read.',
    example: 'https://rpc.example/v2/KEY',
    group: 'Chain',
  }),
  startBlock: defineSetting({
    name: 'START_BLOCK',
    type: bigInteger({ min: 0n }),
    unit: 'blocks',
    optional: true,
    meaning: 'The first block.',
    group: 'Chain',
  }),
  pollIntervalMs: defineSetting({
    name: 'POLL_INTERVAL_MS',
    type: integer({ min: 10, max: 60_000 }),
    unit: 'ms',
    default: '1000',
    meaning: 'How often | the head is asked for.',
    group: 'Chain',
  }),
  databaseUrl: defineSetting({
    name: 'DATABASE_URL',
    type: url('postgres', 'postgresql'),
    secret: true,
    optional: true,
    meaning: 'The database.',
  }),
  marketName: defineSetting({
    name: 'MARKET_NAME',
    type: text,
    optional: true,
    requiredWhen: 'where the chain is read',
    meaning: 'The market.',
    example: 'imart',
  }),
  apiPort: defineSetting({
    name: 'API_PORT',
    type: port,
    default: '3000',
    meaning: 'Where the API listens.',
  }),
});

function problemsOf(env: Record<string, string>): Record<string, string> {
  try {
    loadConfig(schema, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return Object.fromEntries((error as ConfigError).problems.map((p) => [p.setting, p.problem]));
  }
  return {};
}

describe('loadConfig', () => {
  it('gives typed values, defaults, and undefined for what is optional; an empty text counts as absent', () => {
    const { config, warnings } = loadConfig(schema, {
      RPC_URLS: ' https://a.example/k , http://127.0.0.1:8545',
      START_BLOCK: '340282366920938463463374607431768211456',
      DATABASE_URL: '',
      HOME: '/root',
    });
    expect(config).toEqual({
      rpcUrls: ['https://a.example/k', 'http://127.0.0.1:8545'],
      startBlock: 2n ** 128n,
      pollIntervalMs: 1000,
      databaseUrl: undefined,
      apiPort: 3000,
    });
    expect(warnings).toEqual([]);
    const interval: number = config.pollIntervalMs;
    const start: bigint | undefined = config.startBlock;
    expect([interval, start]).toEqual([1000, 2n ** 128n]);
  });

  it('reports all problems at once, each with its setting', () => {
    expect(
      problemsOf({ RPC_URLS: 'ftp://a', START_BLOCK: '-1', POLL_INTERVAL_MS: '5s', API_PORT: '70000' }),
    ).toEqual({
      RPC_URLS: 'item 1 must be a URL that begins with http:// or https://',
      START_BLOCK: "must be an integer of at least 0, got '-1'",
      POLL_INTERVAL_MS: "must be an integer from 10 to 60000, got '5s'",
      API_PORT: "must be an integer from 0 to 65535, got '70000'",
    });
  });

  it('says what a missing setting looks like, and which mistyped name may have been meant', () => {
    expect(problemsOf({ RPC_URL: 'https://a.example/k' })).toEqual({
      RPC_URLS:
        'is required: list of http or https URL, separated by commas, for example https://rpc.example/v2/KEY',
      RPC_URL: 'is not a setting; did you mean RPC_URLS?',
    });
  });

  it('warns about a name that is nearly a setting, and not about others', () => {
    const env = {
      RPC_URLS: 'http://a',
      POLL_INTREVAL_MS: '5',
      PATH: '/bin',
      RPC_URLZ: 'http://b',
      start_block: '5',
    };
    expect(loadConfig(schema, env).warnings).toEqual([
      'POLL_INTREVAL_MS is not a setting; did you mean POLL_INTERVAL_MS?',
      'start_block is not a setting; did you mean START_BLOCK?',
    ]);
  });

  it('never repeats a secret: not in a problem, not in what is shown', () => {
    const secret = 'postgres://me:hunter22secret@db.example:5432/imart?sslmode=require';
    const broken = { RPC_URLS: 'https:// hunter22secret', DATABASE_URL: 'mysql://me:hunter22secret@db' };
    expect(Object.keys(problemsOf(broken))).toEqual(['RPC_URLS', 'DATABASE_URL']);
    expect(JSON.stringify(problemsOf(broken))).not.toContain('hunter22');
    const { shown, secrets } = loadConfig(schema, {
      RPC_URLS: 'https://a.example/v2/KEYKEYKEY',
      DATABASE_URL: secret,
    });
    expect(shown).toEqual({
      RPC_URLS: 'https://a.example/…',
      POLL_INTERVAL_MS: '1000',
      DATABASE_URL: 'postgres://db.example:5432/…',
      API_PORT: '3000',
    });
    expect(secrets).toEqual(['https://a.example/v2/KEYKEYKEY', secret]);
  });

  it('asks for what must hold between settings once each of them is valid', () => {
    const check = () => [{ setting: 'START_BLOCK', problem: 'is beyond END_BLOCK' }];
    expect(() => loadConfig(schema, { RPC_URLS: 'http://a' }, check)).toThrow(
      'START_BLOCK: is beyond END_BLOCK',
    );
    expect(() => loadConfig(schema, { RPC_URLS: 'nonsense' }, check)).not.toThrow('beyond');
  });
});

describe('defineConfig', () => {
  it('refuses a name that is defined twice and a default that is not a value', () => {
    const a = defineSetting({ name: 'A', type: text, meaning: '' });
    expect(() => defineConfig({ a, b: a })).toThrow('A is defined twice');
    const wrong = defineSetting({ name: 'B', type: integer(), default: 'x', meaning: '' });
    expect(() => defineConfig({ wrong })).toThrow('default of the setting B');
  });
});

describe('value types', () => {
  const bad = (type: ValueType<unknown>, value: string): string => {
    try {
      return `accepted ${String(type.parse(value))}`;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('accept what they name and nothing else', () => {
    expect(['true', 'YES', '0', 'off'].map((v) => flag.parse(v))).toEqual([true, true, false, false]);
    expect(bad(flag, 'maybe')).toBe('must be true or false');
    expect(oneOf('json', 'pretty').parse('json')).toBe('json');
    expect(bad(oneOf('json', 'pretty'), 'JSON')).toBe('must be one of json, pretty');
    expect(['1e3', '0x10', '1.5', '9007199254740993', ''].map((v) => bad(integer(), v))).toEqual(
      Array(5).fill('must be an integer'),
    );
    expect(bad(bigInteger({ max: 5n }), '6')).toBe('must be an integer of at most 5');
    expect(bad(listOf(text), 'a,,b')).toBe('item 2 is empty');
    expect(bad(listOf(integer()), '1,x,2,')).toBe('item 2 must be an integer; item 4 is empty');
    expect(bad(url('https'), 'https://')).toBe('must be a URL that begins with https://');
  });

  it('can be zod schemas', () => {
    const even = zodValue(
      'even number',
      z.coerce.number().refine((n) => n % 2 === 0, 'must be even'),
    );
    expect(even.parse('4')).toBe(4);
    expect(bad(even, '5')).toBe('must be even');
  });
});

describe('rendering', () => {
  it('gives an .env.example in which only what is required is not commented out', () => {
    expect(
      renderEnvExample(schema)
        .split('\n')
        .filter((line) => /^(# )?[A-Z_]+=/.test(line)),
    ).toEqual([
      'RPC_URLS=https://rpc.example/v2/KEY',
      '# START_BLOCK=',
      '# POLL_INTERVAL_MS=1000',
      '# DATABASE_URL=',
      'MARKET_NAME=imart',
      '# API_PORT=3000',
    ]);
    expect(renderEnvExample(schema)).toContain('# The market. (text; required where the chain is read)');
    expect(renderEnvExample(schema)).toContain('# Where the chain is read. (list of http or https URL');
  });

  it('gives a markdown table per group', () => {
    const table = renderConfigTable(schema);
    expect(table).toContain('### Chain\n\n| setting | type | unit | default | meaning |');
    expect(table).toContain(
      '| `POLL_INTERVAL_MS` | integer from 10 to 60000 | ms | `1000` | How often \\| the head is asked for. |',
    );
    expect(table).toContain('| required | Where the chain is read. Secret: never printed. |');
    expect(table).toContain('| required where the chain is read | The market. |');
  });
});
