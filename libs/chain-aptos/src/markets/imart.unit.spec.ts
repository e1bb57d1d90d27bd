import { type TradeRow } from '@imart/market';
import { canonicalAddress, ZERO_ADDRESS } from '../address';
import { expectSameInAnyBatching } from '../testing/anyBatching.spec';
import { describeAptosRecordings, readRecordedJson } from '../testing/recordings.spec';
import { foldEvents, transactionWith, translateTransactions, type ToldEvent } from '../testing/translation';
import type { AptosRecord, AptosTransaction } from '../transaction';
import { imart } from './imart';
import { imartCreation } from './imartCreation';
import { v1CollectionId, v1Token } from './tokenIds';

interface RestEvent {
  readonly version: string;
  readonly guid: { readonly account_address: string };
  readonly type: string;
  readonly data: AptosRecord & { readonly offer_id: string };
}

const events = (file: string): readonly RestEvent[] =>
  readRecordedJson(`imart/${file}`) as readonly RestEvent[];

describeAptosRecordings('IMart’s market, over the recorded listings and delistings', () => {
  const lists = events('list_token_events.json');
  const delists = events('delist_token_events.seq0-5.json');
  const market = imart.at(lists[0]?.guid.account_address ?? '');

  /** One transaction of each event, in the order of the ledger, whatever order the handles were read in. */
  const translated = translateTransactions(
    [market],
    [...lists, ...delists]
      .map(({ version, guid, type, data }): AptosTransaction =>
        transactionWith(BigInt(version), [{ type, account: guid.account_address, data }]),
      )
      .sort((a, b) => (a.version < b.version ? -1 : 1)),
  );
  const { rows, activities } = foldEvents(translated);
  const trades = rows as readonly TradeRow[];
  const idsOf = (status: string): bigint[] =>
    trades
      .filter((row) => row.status === status)
      .map((row) => row.nonce as bigint)
      .sort((a, b) => Number(a - b));

  it('makes 25 listings, of which the 6 delistings take down those of the same token and seller', () => {
    expect([lists.length, delists.length]).toEqual([25, 6]);
    expect(trades).toHaveLength(25);
    expect(idsOf('CANCELED')).toEqual([7n, 10n, 13n, 16n, 19n, 22n]);
    expect(idsOf('LISTING')).toEqual([
      2n,
      3n,
      4n,
      5n,
      6n,
      9n,
      12n,
      15n,
      18n,
      21n,
      24n,
      28n,
      30n,
      32n,
      34n,
      36n,
      38n,
      40n,
      42n,
    ]);
    expect(activities.map(({ kind }) => kind).sort()).toEqual([
      ...delists.map(() => 'CANCEL'),
      ...lists.map(() => 'LIST'),
    ]);
  });

  it('takes no listing for expired, however its lock is written', () => {
    expect(lists.map(({ data }) => data['locked_until_secs'])).toContain('2666339963012358');
    expect(new Set(trades.map((row) => row.expiresAtUs))).toEqual(new Set([null]));
  });

  it('names coin, parties and token in canonical form', () => {
    expect(trades.find((row) => row.nonce === 2n)).toMatchObject({
      market: 'imart',
      currency: ZERO_ADDRESS,
      price: 1n,
      quantity: 1n,
      escrow: true,
      maker: canonicalAddress('0x6e8817db82d333337175f9760da0cdc8b4b3ad51e2cff9bcc6113d6a12835f8'),
      ...(({ collection, tokenId, standard }) => ({ collection, tokenId, standard }))(
        v1Token({
          creator: '0x6e8817db82d333337175f9760da0cdc8b4b3ad51e2cff9bcc6113d6a12835f8',
          collection: 'test',
          name: 'test',
          version: 0n,
        }),
      ),
    });
  });

  it('gives the same in any batching, and of what is read twice', () => {
    expectSameInAnyBatching(translated);
  });
});

const PACKAGE = canonicalAddress('0x73545d');
const market = imart.at('0x73545d');
const SELLER = canonicalAddress('0x5e');
const OTHER = canonicalAddress('0x0e');
const BUYER = canonicalAddress('0xb0');
const tokenId = {
  property_version: '0',
  token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
};
const coin = {
  account_address: '0x1',
  module_name: `0x${Buffer.from('usd').toString('hex')}`,
  struct_name: `0x${Buffer.from('USD').toString('hex')}`,
};
const common = { coin_type_info: coin, timestamp: '1666339963012358', token_id: tokenId };

const told = (type: string, data: object): ToldEvent => ({
  type: `${PACKAGE}::${type}`,
  account: PACKAGE,
  data: { ...common, ...data } as AptosRecord,
});
const list = (module: string, seller: string, offer_id: string, price = '5'): ToldEvent =>
  told(`${module}::ListTokenEvent`, { offer_id, price, seller, token_amount: '1', locked_until_secs: '0' });
const buy = (module: string, seller: string, offer_id: string): ToldEvent =>
  told(`${module}::BuyTokenEvent`, {
    offer_id,
    price: '5',
    coin_amount: '5',
    buyer: BUYER,
    seller,
    token_amount: '1',
  });
const delist = (module: string, seller: string, offer_id: string): ToldEvent =>
  told(`${module}::DelistTokenEvent`, { offer_id, seller, token_amount: '1' });

const fold = (...transactions: (readonly ToldEvent[])[]) =>
  foldEvents(
    translateTransactions(
      [market],
      transactions.map((one, i) => transactionWith(BigInt(i + 1), one)),
    ),
  );
const statuses = ({ rows }: ReturnType<typeof fold>) =>
  (rows as readonly TradeRow[]).map(({ maker, nonce, status }) => [maker, nonce, status]);

describe.each(['FixedMarket', 'fixed_price_market'])('IMart’s market, by its module %s', (module) => {
  it('sells the one listing of the seller, not every listing of the token', () => {
    const folded = fold([list(module, SELLER, '2'), list(module, OTHER, '3')], [buy(module, SELLER, '4')]);
    expect(statuses(folded)).toEqual([
      [SELLER, 2n, 'SOLD'],
      [OTHER, 3n, 'LISTING'],
    ]);
    expect(folded.activities.at(-1)).toMatchObject({
      kind: 'SALE',
      from: SELLER,
      to: BUYER,
      price: 5n,
      currency: `${canonicalAddress('0x1')}::usd::USD`,
    });
  });

  it('takes down by token and seller, and sells what was listed after, in one transaction', () => {
    const folded = fold(
      [list(module, SELLER, '7')],
      [delist(module, SELLER, '8'), list(module, SELLER, '9', '6'), buy(module, SELLER, '10')],
    );
    expect(statuses(folded)).toEqual([
      [SELLER, 7n, 'CANCELED'],
      [SELLER, 9n, 'SOLD'],
    ]);
  });

  it('ends the newest of two listings of one seller, then the older one', () => {
    const both = [list(module, SELLER, '28'), list(module, SELLER, '30')];
    expect(statuses(fold(both, [buy(module, SELLER, '31')]))).toEqual([
      [SELLER, 28n, 'LISTING'],
      [SELLER, 30n, 'SOLD'],
    ]);
    expect(statuses(fold(both, [buy(module, SELLER, '31')], [delist(module, SELLER, '32')]))).toEqual([
      [SELLER, 28n, 'CANCELED'],
      [SELLER, 30n, 'SOLD'],
    ]);
  });

  it('keeps a delisting of which the listing was not seen', () => {
    expect(statuses(fold([delist(module, SELLER, '8')]))).toEqual([[SELLER, null, 'CANCELED']]);
  });
});

describe('IMart’s offers', () => {
  const create = (event_id: string, expiration_time = '60'): ToldEvent =>
    told('offer::OfferTokenEvent', {
      coin_amount_per_token: '7',
      coin_owner: BUYER,
      event_id,
      expiration_time,
      token_amount: '2',
    });
  const accept = (is_offer_end: boolean): ToldEvent =>
    told('offer::AcceptOfferEvent', {
      is_offer_end,
      coin_owner: BUYER,
      token_owner: SELLER,
      token_amount: '1',
      coin_amount_per_token: '7',
      event_id: '3',
      expiration_time: '60',
    });
  const cancel = told('offer::CancelOfferEvent', { coin_amount: '14', coin_owner: BUYER, event_id: '4' });

  it('expire seconds after a moment in microseconds (D10)', () => {
    expect(fold([create('1')]).rows).toMatchObject([
      {
        table: 'offers',
        maker: BUYER,
        price: 14n,
        quantity: 2n,
        expiresAtUs: 1_666_340_023_012_358n,
        escrow: false,
      },
    ]);
  });

  it.each(['0', '9223372036854775808', '18446744073709551615'])(
    'never expire when their time is %s s: none, or longer than any calendar (D3, D10)',
    (time) => expect(fold([create('1', time)]).rows).toMatchObject([{ expiresAtUs: null }]),
  );

  it('are taken in parts until they end', () => {
    const part = fold([create('1')], [accept(false)]);
    expect(part.rows).toMatchObject([{ status: 'CREATED', filledQuantity: 1n, taker: SELLER }]);
    expect(part.activities.at(-1)).toMatchObject({ kind: 'SALE', from: SELLER, to: BUYER, price: 7n });
    expect(fold([create('1')], [accept(true)]).rows).toMatchObject([{ status: 'ACCEPTED' }]);
    expect(fold([create('1')], [accept(false)], [accept(true)]).rows).toMatchObject([
      { status: 'ACCEPTED', filledQuantity: 2n },
    ]);
  });

  it('stand open as long as the market says that they have not ended', () => {
    expect(fold([create('1')], [accept(false)], [accept(false)]).rows).toMatchObject([
      { status: 'CREATED', quantity: 2n, filledQuantity: 2n },
    ]);
  });

  it('that were not seen made stay open, of unknown size, until one is the end', () => {
    expect(fold([accept(false)]).rows).toMatchObject([
      { status: 'CREATED', maker: BUYER, quantity: null, filledQuantity: 1n },
    ]);
    const ended = fold([accept(false)], [accept(false), accept(true)]).rows;
    expect(ended).toHaveLength(1);
    expect(ended).toMatchObject([{ status: 'ACCEPTED', quantity: null, filledQuantity: 3n }]);
    expect(fold([accept(true)]).rows).toMatchObject([
      { status: 'ACCEPTED', quantity: 1n, filledQuantity: 1n },
    ]);
  });

  it('are cancelled, the newest first', () => {
    expect(
      (fold([create('1')], [create('2')], [cancel]).rows as readonly TradeRow[]).map((row) => [
        row.nonce,
        row.status,
      ]),
    ).toEqual([
      [1n, 'CREATED'],
      [2n, 'CANCELED'],
    ]);
  });
});

describe('IMart’s creation', () => {
  const collection = {
    creator: '0xc4',
    category: 'art',
    tags: ['a', 'b'],
    name: 'Things',
    description: 'd',
    uri: 'u',
    payees: ['0x1', '0x2'],
    royalties: ['5', '7'],
    maximum: '0',
  };
  const create = (data: object) =>
    foldEvents(
      translateTransactions(
        [imartCreation.at(PACKAGE)],
        [transactionWith(1n, [told('creation::CollectionCreatedEvent', data)])],
      ),
    ).rows;

  it('makes a collection under the id that every market names it by', () => {
    expect(create(collection)).toMatchObject([
      {
        table: 'collections',
        address: v1CollectionId('0xc4', 'Things'),
        factory: PACKAGE,
        creator: canonicalAddress('0xc4'),
        tags: ['a', 'b'],
        royalties: [
          { payee: canonicalAddress('0x1'), rate: 5n },
          { payee: canonicalAddress('0x2'), rate: 7n },
        ],
        maximum: null,
      },
    ]);
    expect(create({ ...collection, maximum: '10' })).toMatchObject([{ maximum: 10n }]);
  });

  it('parks payees and royalties that do not belong together', () => {
    expect(() => create({ ...collection, royalties: ['5'] })).toThrow('it has 2 payees and 1 royalties');
  });

  it('describes a token', () => {
    const event = told('creation::TokenCreatedEvent', {
      description: 'd',
      name: 'Thing',
      uri: 'u',
      creator: '0xc4',
    });
    const { rows } = foldEvents(
      translateTransactions([imartCreation.at(PACKAGE)], [transactionWith(1n, [event])]),
    );
    expect(rows).toMatchObject([
      {
        table: 'token_details',
        name: 'Thing',
        collectionName: 'Things',
        edition: 0n,
        description: 'd',
        uri: 'u',
      },
    ]);
  });
});
