import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredIn, loadAptosMarketplace, MarketFileError } from './loadMarketplace';
import { aptosMarketplaces, findAptosMarketplace } from './index';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'imart-aptos-market-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const listing = { means: 'list', key: ['$token', '$seller'], token: { v1: 'token_id' }, seller: 'seller' };
const usable = { name: 'mine', packages: { 1: '0xab' }, events: { 'market::Listed': listing } };
const fileWith = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const problemsOf = (marketplace: unknown): readonly string[] => {
  try {
    declaredIn({ marketplace }, 'x.json');
  } catch (error) {
    if (error instanceof MarketFileError) return error.problems;
    throw error;
  }
  return [];
};

describe('loading a marketplace', () => {
  it('takes a declaration from JSON and from JavaScript', async () => {
    const files = [
      fileWith('a.json', JSON.stringify(usable)),
      fileWith('b.cjs', `module.exports = { marketplace: ${JSON.stringify(usable)} };`),
    ];
    for (const file of files) {
      const marketplace = await loadAptosMarketplace(file);
      expect(marketplace.name).toBe('mine');
      expect(marketplace.packageOn(1)).toBe(`0x${'ab'.padStart(64, '0')}`);
      expect(marketplace.packageOn(2)).toBeNull();
      expect(marketplace.at('0x1').eventTypes).toEqual([`0x${'1'.padStart(64, '0')}::market::Listed`]);
    }
  });

  it.each([
    ['of another kind', 'a.ts', '', /its name must end in/],
    ['that is no JSON', 'a.json', '{', /it cannot be read/],
    ['that throws', 'a.cjs', 'throw new Error("no")', /it cannot be read: no/],
    ['without a declaration', 'a.cjs', 'module.exports = {}', /no object named "marketplace"/],
  ])('refuses a file %s', async (_what, name, text, message) => {
    const refused = loadAptosMarketplace(fileWith(name, text));
    await expect(refused).rejects.toMatchObject({
      code: 'MARKETPLACE_FILE',
      disposition: 'stop',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a file that is not there', async () => {
    await expect(loadAptosMarketplace(join(directory, 'none.json'))).rejects.toThrow('there is no such file');
  });
});

describe('a declaration', () => {
  it('is usable when it says what it must', () => {
    expect(problemsOf(usable)).toEqual([]);
  });

  const event = (changes: object) => ({
    ...usable,
    events: { 'market::Listed': { ...listing, ...changes } },
  });
  it.each([
    ['a name', { ...usable, name: 'Mine' }, /\.name is "Mine"/],
    ['known fields', { ...usable, extra: 1 }, /\.extra is not known/],
    ['packages by chain', { ...usable, packages: ['0x1'.repeat(40)] }, /\.packages is/],
    ['addresses', { ...usable, packages: { 1: 'nowhere' } }, /\.packages\.1 is "nowhere"/],
    ['events', { ...usable, events: {} }, /\.events is {}/],
    ['types of events', { ...usable, events: { Listed: listing } }, /must be module::Struct/],
    ['a meaning', event({ means: 'sell' }), /\.means is "sell"/],
    ['a key', event({ key: [] }), /\.key is \[\]/],
    ['known fields of an event', event({ colour: 'x' }), /\.colour is not known/],
    ['a seller of a listing', event({ seller: undefined }), /\.seller is missing; list needs it/],
    ['a token of a listing', event({ token: undefined }), /\.token is missing/],
    ['a token’s places', event({ token: { object: 5 } }), /\.token\.object is 5/],
    ['known places of a token', event({ token: { v3: 'x' } }), /\.token\.v3 is not known/],
    ['a token’s names', event({ token: { v1: { creator: 'c' } } }), /\.token\.v1\.collection is missing/],
    ['a collection’s places', event({ collection: { v1: 'x' } }), /\.collection\.v1 is "x"/],
    ['a path of a price', event({ price: 5 }), /\.price is 5/],
    [
      'a resource’s type',
      event({ price: { resource: 'X', at: 'a', path: 'b' } }),
      /\.price\.resource is "X"/,
    ],
    ['what a price is of', event({ pricePer: 'piece' }), /\.pricePer is "piece"/],
    ['fees', event({ fees: 'all' }), /\.fees is "all"/],
    ['an account of fees', event({ feeAccount: 'x' }), /\.feeAccount is "x"/],
    ['a unit of time', event({ expiresAt: { value: 'x', unit: 'days' } }), /\.expiresAt\.unit is "days"/],
    [
      'a moment to count from',
      event({ expiresAt: { value: 'x', unit: 's', after: { value: 'y' } } }),
      /after\.unit/,
    ],
    ['when it closes', event({ closes: false }), /\.closes is false/],
    ['what stands alongside', event({ alongside: 1 }), /\.alongside is 1/],
    ['who makes an offer', event({ means: 'offer', seller: 'seller' }), /\.buyer is missing; offer needs it/],
    ['handles of events', { ...usable, handles: 'all' }, /\.handles is "all"/],
    [
      'places of handles',
      { ...usable, handles: { Events: 'market::Listed' } },
      /must be module::Struct\/field/,
    ],
    [
      'known events of handles',
      { ...usable, handles: { 'm::E/f': 'm::Sold' } },
      /is "m::Sold"; it must be one of/,
    ],
    ['what its key names', event({ key: ['$buyer'] }), /\.buyer is missing; the key has \$buyer/],
  ])('must have %s', (_what, declaration, problem) => {
    const problems = problemsOf(declaration);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toMatch(problem);
  });
});

describe('the marketplaces of this library', () => {
  it('are known by their names, each once', () => {
    const names = aptosMarketplaces.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const marketplace of aptosMarketplaces) {
      expect(findAptosMarketplace(marketplace.name)).toBe(marketplace);
    }
    expect(findAptosMarketplace('toString')).toBeUndefined();
  });

  it('have events of their own for every handle that they name', () => {
    for (const marketplace of aptosMarketplaces) {
      const { eventTypes, handles = [] } = marketplace.at('0xab');
      for (const { resource, field, type } of handles) {
        expect(`${resource}/${field}`).toMatch(/^0x[0-9a-f]{64}::\w+::\w+\/\w+$/);
        expect(eventTypes).toContain(type);
      }
    }
  });

  it('name their types of events in canonical form', () => {
    for (const marketplace of aptosMarketplaces) {
      for (const type of marketplace.at('0xAB').eventTypes) {
        expect(type).toMatch(/^0x[0-9a-f]{64}::\w+::\w+$/);
      }
    }
  });
});
