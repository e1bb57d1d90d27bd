import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { chainNames } from './chainNames';

const ROOT = join(__dirname, '..');

/** What runs the same whatever chain is followed. */
const CHAINLESS = [
  'core',
  'market',
  'pipeline',
  'storage',
  'event-service',
  'purchase',
  'stream',
  'worker',
  'runtime',
];

/** Names of token standards are stored, and are the standard's, not a chain's: in this one file, which gives each its traits. */
const STANDARDS = 'libs/market/src/tokenStandards.ts';

const isProgram = (path: string): boolean =>
  path.endsWith('.ts') &&
  !/\.(?:spec|features|bench|test-d|d)\.ts$|\/(?:generated|testing|dist)\//.test(path);

const sources = CHAINLESS.flatMap((lib) =>
  readdirSync(join(ROOT, 'libs', lib, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => relative(ROOT, join(ROOT, 'libs', lib, 'src', path)))
    .filter(isProgram),
);

const namesIn = (path: string): readonly string[] =>
  chainNames(readFileSync(join(ROOT, path), 'utf8')).map(({ line, text }) => `${path}:${line} ${text}`);

describe('the libs that serve every chain', () => {
  it('name none of them', () => {
    expect(sources.length).toBeGreaterThan(150);
    expect(sources.filter((path) => path !== STANDARDS).flatMap(namesIn)).toEqual([]);
  });

  it('have the names of token standards in one file', () => {
    expect(sources).toContain(STANDARDS);
    expect(namesIn(STANDARDS).length).toBeGreaterThan(3);
  });
});

describe('a name of a chain', () => {
  it.each([
    ["const CODECS = new Map([['eip155', codec]]);", "'eip155'"],
    ['export const APTOS_SEQ_NO_LAYOUT = 1;', 'APTOS_SEQ_NO_LAYOUT'],
    ['use(evmSeqNo);', 'evmSeqNo'],
    ['const isEvm = true;', 'isEvm'],
    ["if (standard === 'erc721') stop();", "'erc721'"],
    ['const text = `aptos:${id}`;', '`aptos:${'],
    ['const priceWei = 1n;', 'priceWei'],
    [`const NATIVE = '0x${'0'.repeat(40)}';`, `'0x${'0'.repeat(40)}'`],
    [`const NOBODY = '0x${'0'.repeat(64)}';`, `'0x${'0'.repeat(64)}'`],
  ])('is found: %s', (source, text) => {
    expect(chainNames(`// first\n${source}`)).toEqual([{ line: 2, text }]);
  });

  it.each([
    '/** Of `eip155:1` or `aptos:1`. */ export const a = 1;',
    'const octopus = weight + evmx;',
    "const hash = '0x00';",
  ])('is not seen in %s', (source) => {
    expect(chainNames(source)).toEqual([]);
  });
});
