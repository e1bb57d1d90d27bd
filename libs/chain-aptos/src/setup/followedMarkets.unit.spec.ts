import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalAddress } from '../address';
import { findAptosMarketplace } from '../markets';
import { aptosSettingProblems, followedAptosMarkets, followedAptosText } from './followedMarkets';
import { aptosMarketEntry, type AptosMarketEntry } from './marketSetting';

const entries = (text: string): readonly AptosMarketEntry[] => text.split(',').map(aptosMarketEntry.parse);
const problemsOf = async (environment: Record<string, string>): Promise<readonly string[]> =>
  (await aptosSettingProblems(environment)).map(({ setting, problem }) => `${setting}: ${problem}`);

describe('one entry of MARKETS', () => {
  it.each([
    ['wapal', { name: 'wapal', isFile: false, packageAddress: null }],
    ['imart:0xAB', { name: 'imart', isFile: false, packageAddress: canonicalAddress('0xab') }],
    ['./mine.json', { name: './mine.json', isFile: true, packageAddress: null }],
    ['mine.cjs:0x1', { name: 'mine.cjs', isFile: true, packageAddress: canonicalAddress('0x1') }],
  ])('%s is read', (text, expected) => {
    expect(aptosMarketEntry.parse(text)).toEqual(expected);
  });

  it.each([
    ['', /names no marketplace/],
    [':0x1', /names no marketplace/],
    ['imart:0x', /is not an address/],
    ['imart:0xg1', /is not an address/],
    [`imart:0x${'1'.repeat(65)}`, /is not an address/],
    ['IMart', /is not a marketplace's name/],
    ['imart:here', /is not a marketplace's name/],
  ])('%j is refused', (text, problem) => {
    expect(() => aptosMarketEntry.parse(text)).toThrow(problem);
  });
});

describe('what the settings say to follow', () => {
  let directory: string;
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const listing = { means: 'list', key: ['$token', '$seller'], token: { v1: 'token_id' }, seller: 'seller' };
  const declared = (packages: object): string =>
    JSON.stringify({ name: 'mine', packages, events: { 'market::Listed': listing } });
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'imart-aptos-followed-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is the same in whatever order and however often it is written', async () => {
    const one = await followedAptosMarkets(1, entries('wapal,imart:0xb,tokens,imart:0xa'));
    const other = await followedAptosMarkets(1, entries('imart:0xa,tokens:0x4,imart:0xb,imart:0xA,wapal'));
    const text = followedAptosText(one);
    expect(one.map(({ market }) => market.name)).toEqual(['imart', 'imart', 'tokens', 'wapal']);
    expect(other.map(({ market }) => market.eventTypes)).toEqual(one.map(({ market }) => market.eventTypes));
    expect(text).toBe(
      [
        `imart:${canonicalAddress('0xa')}`,
        `imart:${canonicalAddress('0xb')}`,
        `tokens:${canonicalAddress('0x3')}`,
        `wapal:${findAptosMarketplace('wapal')?.packageOn(1)}`,
      ].join(','),
    );
  });

  it('is followed once where its events have one place, whatever package is written', async () => {
    const followed = await followedAptosMarkets(1, entries('tokens:0x5,tokens,tokens:0x4'));
    expect(followed.map(({ market }) => market.name)).toEqual(['tokens']);
  });

  it('is refused with every marketplace whose package on this network is not known', async () => {
    const refused = followedAptosMarkets(2, entries('tokens,wapal,topaz,imart:0x1'));
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG',
      problems: [
        { setting: 'MARKETS', problem: expect.stringContaining('where wapal is on network 2 is not known') },
        { setting: 'MARKETS', problem: expect.stringContaining('write topaz:0x... with its package') },
      ],
    });
  });

  it('is wrong where a name is nobody’s, and where a package is known nowhere; the rest waits for the network', async () => {
    expect(await problemsOf({ MARKETS: 'tokens,wapal,topaz:0x1' })).toEqual([]);
    expect(await problemsOf({ MARKETS: 'opensea,imart-curation,Wrong' })).toEqual([
      expect.stringMatching(/^MARKETS: there is no marketplace 'opensea'; there are tokens, imart, /),
      'MARKETS: where imart-curation is published is not known; write imart-curation:0x... with its package',
    ]);
    expect(await problemsOf({ MARKETS: 'wapal', CHAIN_ID: '2' })).toEqual([
      'MARKETS: where wapal is on network 2 is not known; write wapal:0x... with its package',
    ]);
    expect(await problemsOf({ MARKETS: 'wapal', CHAIN_ID: '1' })).toEqual([]);
  });

  it('has marketplaces of files, each of which is told when it cannot be used', async () => {
    const mine = file('mine.json', declared({ 4: '0xcafe' }));
    expect(followedAptosText(await followedAptosMarkets(4, entries(mine)))).toBe(
      `mine:${canonicalAddress('0xcafe')}`,
    );
    // A file may know networks that we do not.
    expect(await problemsOf({ MARKETS: mine })).toEqual([]);
    expect(await problemsOf({ MARKETS: mine, CHAIN_ID: '5' })).toEqual([
      expect.stringContaining('where mine is on network 5 is not known'),
    ]);
    const broken = file('broken.json', '{');
    expect(await problemsOf({ MARKETS: `${broken},${join(directory, 'none.json')}` })).toEqual([
      expect.stringMatching(/^MARKETS: .*broken\.json.*it cannot be read/s),
      expect.stringMatching(/^MARKETS: .*none\.json.*there is no such file/s),
    ]);
  });
});
