import type { CollectionRow } from '@imart/market';
import { canonicalAddress } from '../address';
import { foldEvents, transactionWith, translateTransactions, written } from '../testing/translation';
import type { AptosChange } from '../transaction';
import { tokens } from './tokens';

const market = tokens.at('0x3');
const COLLECTION = canonicalAddress('0xc0');
const words = { creator: '0xc4', name: 'Things', description: 'd', uri: 'u' };
const collection = (more: object = {}): AptosChange =>
  written('0xc0', '0x4::collection::Collection', { ...words, ...more });
const mint = (token: string) => ({
  type: '0x4::collection::Mint',
  data: { collection: '0xc0', index: { value: '1' }, token },
});
const mutation = {
  type: '0x4::collection::Mutation',
  data: { mutated_field_name: 'uri', collection: '0xc0' },
};
const oldMutation = {
  type: '0x4::collection::MutationEvent',
  account: COLLECTION,
  data: { mutated_field_name: 'uri' },
};

type Told = readonly [events: Parameters<typeof transactionWith>[1], changes: readonly AptosChange[]];
const events = (...told: readonly Told[]) =>
  translateTransactions(
    [market],
    told.map(([of, changes], i) => transactionWith(BigInt(i + 1), of, changes)),
  );
const rows = (...told: readonly Told[]) =>
  foldEvents(events(...told)).rows.filter((row): row is CollectionRow => row.table === 'collections');

describe('a collection of the second standard', () => {
  it('is described once by a transaction that mints several of its tokens, with its first', () => {
    const told = events([[mint('0xb1'), mint('0xb2')], [collection()]]);
    expect(told.map(({ name }) => name)).toEqual(['TokenMinted', 'CollectionDescribed', 'TokenMinted']);
    expect(told[1]).toMatchObject({ aggregateType: 'collection', aggregateId: COLLECTION });
  });

  it('is not described by a transaction that did not write it', () => {
    expect(events([[mint('0xb1')], []]).map(({ name }) => name)).toEqual(['TokenMinted']);
  });

  it.each([
    ['a fixed supply', written('0xc0', '0x4::collection::FixedSupply', { max_supply: '9' }), 9n],
    [
      'a concurrent supply',
      written('0xc0', '0x4::collection::ConcurrentSupply', {
        current_supply: { max_value: '9', value: '1' },
      }),
      9n,
    ],
    [
      'a concurrent supply without a limit',
      written('0xc0', '0x4::collection::ConcurrentSupply', {
        current_supply: { max_value: '18446744073709551615', value: '1' },
      }),
      null,
    ],
    [
      'an unlimited supply',
      written('0xc0', '0x4::collection::UnlimitedSupply', { current_supply: '1' }),
      null,
    ],
  ])('may have as many tokens as %s says', (_name, supply, maximum) => {
    expect(rows([[mint('0xb1')], [collection(), supply]])).toMatchObject([
      {
        ...{ address: COLLECTION, standard: 'aptos-v2', creator: canonicalAddress('0xc4'), name: 'Things' },
        ...{ description: 'd', uri: 'u', maximum },
      },
    ]);
  });

  it.each([
    ['its module', mutation],
    ['its handle', oldMutation],
  ])('has other words from when %s says so; saying the same again changes nothing', (_name, changed) => {
    const told: Told[] = [
      [[mint('0xb1')], [collection()]],
      [[mint('0xb2')], [collection()]],
    ];
    expect(rows(...told)).toMatchObject([{ uri: 'u', version: 1 }]);
    expect(rows(...told, [[changed], [collection({ uri: 'v' })]])).toMatchObject([{ uri: 'v', version: 2 }]);
  });
});
