import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { addressOf, encodeLog, receiptWith, translateReceipts } from '../testing/translation';
import { imartMarket } from './imartMarket';
import { loadMarketplace, marketplaceIn, MarketplaceFileError } from './loadMarketplace';

const ROOT = resolve(__dirname, '../../../..');
const TOPIC = `0x${'ab'.repeat(32)}`;
const valid = {
  name: 'my-market',
  contracts: () => [{ address: addressOf(1) }],
  topics: [TOPIC],
  needsReceipt: () => false,
  translate: () => undefined,
};

function problemsOf(exported: unknown): readonly string[] {
  try {
    marketplaceIn(exported, './my-market.js');
  } catch (error) {
    if (error instanceof MarketplaceFileError) return error.problems;
    throw error;
  }
  return [];
}

describe('marketplaceIn', () => {
  it('accepts a marketplace exported by name, or by name of a default export', () => {
    expect(problemsOf({ marketplace: valid })).toEqual([]);
    expect(problemsOf({ default: { marketplace: valid } })).toEqual([]);
    expect(marketplaceIn({ marketplace: valid }, 'x.js').name).toBe('my-market');
  });

  it.each([[undefined], [null], [{}], [{ marketplace: 5 }], [{ market: valid }]])(
    'refuses exports %j',
    (exported) => {
      expect(problemsOf(exported)).toEqual(['it exports no object named "marketplace"']);
    },
  );

  it.each([
    [{ name: undefined }, 'marketplace.name is missing; it must be lower-case letters, digits, "-" and "."'],
    [
      { name: 'My Market' },
      'marketplace.name is "My Market"; it must be lower-case letters, digits, "-" and "."',
    ],
    [{ topics: [] }, 'marketplace.topics is []; it must list the first topic of every event'],
    [
      { topics: [TOPIC, '0xAB'] },
      'marketplace.topics[1] is "0xAB"; it must be 0x and 64 lower-case hex digits',
    ],
    [{ contracts: 5 }, 'marketplace.contracts is 5; it must be a function'],
    [
      { contracts: () => 5 },
      'marketplace.contracts(1) returns 5; it must return a list, empty where it is not deployed',
    ],
    [
      { contracts: () => [{ address: '0xABC' }] },
      'marketplace.contracts(1)[0].address is "0xABC"; it must be 0x and 40 lower-case hex digits',
    ],
    [
      {
        contracts: () => {
          throw new Error('no such chain');
        },
      },
      'marketplace.contracts(1) throws: no such chain; it must return a list for every chain id',
    ],
    [{ needsReceipt: true }, 'marketplace.needsReceipt is true; it must be a function'],
    [{ translate: undefined }, 'marketplace.translate is missing; it must be a function'],
    [{ discover: [] }, 'marketplace.discover is []; it must be a function, or absent'],
  ])('names the field of a wrong %j', (wrong, problem) => {
    expect(problemsOf({ marketplace: { ...valid, ...wrong } })).toEqual([problem]);
  });

  it('names all problems and the file at once', () => {
    const wrong = { marketplace: { name: 5, topics: [1], contracts: () => [] } };
    expect(problemsOf(wrong)).toHaveLength(4);
    expect(() => marketplaceIn(wrong, './my-market.js')).toThrow(
      expect.objectContaining({
        code: 'MARKETPLACE_FILE',
        disposition: 'stop',
        message: expect.stringMatching(
          /\.\/my-market\.js[^]*name[^]*topics\[0\][^]*needsReceipt[^]*translate/,
        ),
      }),
    );
  });
});

describe('events of a loaded marketplace', () => {
  const cancelled = { ...valid, topics: imartMarket.topics };
  const log = encodeLog(addressOf(1), 'Delisted(uint256 indexed orderId)', [7n]);
  const data = {
    market: 'my-market',
    side: 'listing',
    maker: null,
    items: [{ collection: addressOf(2), tokenId: 5n, quantity: 1n, standard: 'erc721' }],
    onlyIfOpen: false,
    onlyMaker: null,
    nonce: null,
    orderHash: null,
  };
  const emitting = (type: unknown, id: unknown, name: unknown, given: unknown, other?: unknown) => () =>
    translateReceipts(
      marketplaceIn(
        {
          marketplace: {
            ...cancelled,
            translate: (transaction: { logs: unknown[] }, emit: (...args: unknown[]) => void) =>
              emit(other ?? transaction.logs[0], type, id, name, given),
          },
        },
        './my-market.js',
      ),
      [addressOf(1)],
      [receiptWith(1, [log])],
    );

  it('pass when they are as MarketEventData says', () => {
    expect(emitting('order', 'x:1', 'OrderCancelled', data)()).toMatchObject([
      { name: 'OrderCancelled', data },
    ]);
  });

  it.each([
    ['an amount that is a number', 'order', 'x:1', 'OrderCancelled', { ...data, nonce: 5 }, /field "nonce"/],
    ['a missing field', 'order', 'x:1', 'OrderCancelled', { ...data, side: undefined }, /field "side"/],
    ['an unknown field', 'order', 'x:1', 'OrderCancelled', { ...data, colour: 5n }, /field "colour"/],
    ['an item without its fields', 'order', 'x:1', 'OrderCancelled', { ...data, items: [{}] }, /quantity/],
    ['items that are no list', 'order', 'x:1', 'OrderCancelled', { ...data, items: 5 }, /field "items"|list/],
    ['no data', 'order', 'x:1', 'OrderCancelled', undefined, /undefined/],
    ['an unknown event', 'order', 'x:1', 'OrderEaten', data, /unknown event "OrderEaten"/],
    ['an unknown aggregate type', 'listing', 'x:1', 'OrderCancelled', data, /aggregate type "listing"/],
    ['no aggregate id', 'order', undefined, 'OrderCancelled', data, /aggregate id is missing/],
  ])('park when they have %s', (_, type, id, name, given, message) => {
    expect(emitting(type, id, name, given)).toThrow(
      expect.objectContaining({
        code: 'MARKETPLACE_EVENT',
        disposition: 'park',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('park when their log is not the transaction’s', () => {
    expect(emitting('order', 'x:1', 'OrderCancelled', data, { ...log })).toThrow(/its log is not one of/);
  });

  it('park when the file throws, and ask for a receipt when it cannot say whether it needs one', () => {
    const fail = (): never => {
      throw new TypeError('no word 3');
    };
    const market = marketplaceIn(
      { marketplace: { ...valid, translate: fail, needsReceipt: fail, discover: fail } },
      'x.js',
    );
    expect(() =>
      translateReceipts({ ...market, topics: imartMarket.topics }, [addressOf(1)], [receiptWith(1, [log])]),
    ).toThrow(
      expect.objectContaining({
        code: 'MARKETPLACE_FAILED',
        disposition: 'park',
        message: expect.stringContaining('no word 3'),
      }),
    );
    expect(market.needsReceipt(log)).toBe(true);
    expect(market.discover?.(log)).toEqual([]);
  });
});

describe('loadMarketplace', () => {
  it.each([
    ['./my-market.ts', 'its name must end in .js, .cjs, .mjs'],
    ['./nowhere/my-market.js', 'there is no such file'],
  ])('refuses %s: %s', async (path, problem) => {
    await expect(loadMarketplace(path)).rejects.toThrow(problem);
    await expect(loadMarketplace(path)).rejects.toThrow(MarketplaceFileError);
  });

  // Jest runs modules in its own way: Node's loader is asked in a process of its own.
  it('loads CommonJS and ES modules, and says what is wrong with a file that does not run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'marketplaces 100% #'));
    const body = (name: string) =>
      `{ name: '${name}', contracts: () => [], topics: ['${TOPIC}'], needsReceipt: () => false, translate() {} }`;
    const files: Record<string, string> = {
      'common.cjs': `exports.marketplace = ${body('common')};`,
      'plain.js': `module.exports = { marketplace: ${body('plain')} };`,
      'computed.cjs': `module.exports = Object.assign({}, { ['market' + 'place']: ${body('computed')} });`,
      'module.mjs': `await 0; export const marketplace = ${body('module')};`,
      'default.mjs': `export default { marketplace: ${body('default')} };`,
      'empty.cjs': '',
      'throws.cjs': `throw new Error('no luck');`,
      'syntax.cjs': 'const = 5;',
    };
    try {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      const script = `
        const { loadMarketplace } = require(${JSON.stringify(join(__dirname, 'loadMarketplace.ts'))});
        const load = (file) => loadMarketplace(file).then((m) => m.name, (e) => e.code + ': ' + e.problems[0]);
        Promise.all(${JSON.stringify(Object.keys(files).map((file) => join(folder, file)))}.map(load))
          .then((results) => console.log(JSON.stringify(results)));`;
      const printed = execFileSync(process.execPath, ['--import', 'tsx', '--eval', script], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.base.json') },
      });
      expect(JSON.parse(printed)).toEqual([
        'common',
        'plain',
        'computed',
        'module',
        'default',
        'MARKETPLACE_FILE: it exports no object named "marketplace"',
        'MARKETPLACE_FILE: it cannot be run: no luck',
        expect.stringMatching(/^MARKETPLACE_FILE: it cannot be run: .*Unexpected/),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
