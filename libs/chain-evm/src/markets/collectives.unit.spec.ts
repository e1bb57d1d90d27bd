import { Interface } from 'ethers';
import type { EvmLog } from '../log';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { multipleCollective, singleCollective } from './collectives';

const FACTORY = addressOf(0xfac);
const ROOT = '0xabcdef0000000000000000000000000000000001';
const [CREATOR, PAYEE, OTHER] = [1, 2, 3].map(addressOf) as [string, string, string];
const SIGNATURE =
  'CollectionCreated(address root, address creator, string name, string category, string[] tags, string description, string uri, address[] payees, uint256[] royalties, uint64 maximum)';

const created = (name: string, maximum = 10n): EvmLog =>
  encodeLog(FACTORY, SIGNATURE, [
    ROOT,
    CREATOR,
    name,
    'art',
    ['a', 'b,c'],
    'what it is',
    'ipfs://x',
    [PAYEE, OTHER],
    [250n, 2n ** 200n],
    maximum,
  ]);

const translate = (market: typeof singleCollective, log: EvmLog) =>
  translateReceipts(market, [FACTORY], [receiptWith(1, [log])]);

describe('collective factories', () => {
  it.each([
    [singleCollective, 'single-collective', 'erc721'],
    [multipleCollective, 'multiple-collective', 'erc1155'],
  ] as const)('%#: say what was created and that it is to be followed', (market, name, standard) => {
    expect(market.name).toBe(name);
    expect(market.discover?.(created('Name'))).toEqual([{ address: ROOT, standard }]);
    const events = translate(market, created('Name'));
    expect(events).toMatchObject([
      { name: 'CollectionCreated', aggregateType: 'collection', aggregateId: ROOT },
    ]);
    expect(foldEvents(events).rows).toMatchObject([
      {
        table: 'collections',
        address: ROOT,
        factory: FACTORY,
        standard,
        creator: CREATOR,
        name: 'Name',
        nameBytes: null,
        category: 'art',
        tags: ['a', 'b,c'],
        description: 'what it is',
        uri: 'ipfs://x',
        royalties: [
          { payee: PAYEE, rate: 250n },
          { payee: OTHER, rate: 2n ** 200n },
        ],
        maximum: 10n,
      },
    ]);
  });

  it('have no limit when the maximum is 0, and the largest one exactly (D3)', () => {
    expect(translate(singleCollective, created('n', 0n))[0]).toMatchObject({ data: { maximum: null } });
    expect(translate(singleCollective, created('n', 2n ** 64n - 1n))[0]).toMatchObject({
      data: { maximum: 2n ** 64n - 1n },
    });
  });

  it('mend a name that is no text, and keep its bytes (D1)', () => {
    // The same data with the name's type called bytes, to hold what no string may.
    const bytes = '0x610062ff63';
    const asBytes = new Interface([`event ${SIGNATURE.replace('string name', 'bytes name')}`]);
    const { data } = asBytes.encodeEventLog('CollectionCreated', [
      ROOT,
      CREATOR,
      bytes,
      'art',
      [],
      '',
      '',
      [],
      [],
      0n,
    ]);
    const [event] = translate(singleCollective, { ...created('x'), data });
    expect(event).toMatchObject({ data: { name: 'a\uFFFDb\uFFFDc', nameBytes: bytes } });
  });

  it('discover nothing in a log that cannot be decoded, which parks', () => {
    const broken = { ...created('x'), data: '0x00' };
    expect(singleCollective.discover?.(broken)).toEqual([]);
    expect(() => translate(singleCollective, broken)).toThrow(
      expect.objectContaining({ disposition: 'park' }),
    );
  });
});
