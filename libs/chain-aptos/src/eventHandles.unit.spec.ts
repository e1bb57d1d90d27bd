import { aptos } from '@aptos-labs/aptos-protos';
import type { Event, SubjectId } from '@imart/core';
import { canonicalAddress } from './address';
import { createEventFilter } from './eventFilter';
import { imart } from './markets/imart';
import { imartCreation } from './markets/imartCreation';
import { imartCuration } from './markets/imartCuration';
import { wapal } from './markets/wapal';
import { readProtoJsonTransaction } from './read/protoJsonTransaction';
import type { ReadTransaction } from './read/readEvent';
import { readRestTransaction } from './read/restTransaction';
import { readWireTransaction } from './read/wireTransaction';
import { aptosSeqNo } from './seqNo';
import { createFakeLedger, type FakeEvent, type ProtoJson } from './testing/fakeLedger';
import { protoJsonToRest } from './testing/protoJsonToRest';
import { createTranslator } from './translate';

// The package's address has a zero in front, as the chain writes it in some places and leaves it out in others.
const PACKAGE = `0x0${'7'.repeat(63)}`;
const SHORT = `0x${'7'.repeat(63)}`;
const HANDLE = 21;
const token_id = {
  property_version: '0',
  token_data_id: { creator: '0xc4', collection: 'Things', name: 'Thing' },
};
const timestamp = '1666339963012358';
const trade = { offer_id: '1', seller: '0x5e', timestamp, token_amount: '1', token_id };
const offer = { coin_owner: '0xb0', timestamp, token_id, event_id: '1' };
const collection = {
  creator: '0xc4',
  category: 'art',
  tags: [],
  name: 'Things',
  description: 'd',
  uri: 'u',
  payees: [],
  royalties: [],
  maximum: '0',
};
const exhibition = {
  id: '1',
  token_id,
  gallery_id: '1',
  price: '5',
  url: 'u',
  detail: 'd',
  timestamp: '1666339963',
};
const gallery = {
  ...exhibition,
  event_type: 'GalleryCreated',
  owner: '0xb0',
  space_type: 'art',
  name: 'G',
  metadata_uri: 'u',
  payees: [],
  commission_rates: [],
};
const proposal = {
  ...exhibition,
  event_type: 'OfferCreated',
  source: '0x5e',
  destination: '0xb0',
  offer_start_at: '1',
  offer_expired_at: '2',
  exhibit_expired_at: '3',
};
const exhibit = {
  ...exhibition,
  event_type: 'ExhibitListed',
  origin: '0x5e',
  curator: '0xb0',
  owner: '0x5e',
  expiration: '3',
  location: 'l',
};

/** Every handle of IMart's package, with what an event of it says and what that means. */
const HANDLES: readonly (readonly [string, string, object, string])[] = [
  ['FixedMarket::FixedMarketEvents', 'list_token_events', { ...trade, price: '5' }, 'OrderListed'],
  ['fixed_price_market::FixedMarketEvents', 'list_token_events', { ...trade, price: '5' }, 'OrderListed'],
  ['fixed_price_market::FixedMarketEvents', 'delist_token_events', trade, 'OrderCancelled'],
  [
    'fixed_price_market::FixedMarketEvents',
    'buy_token_events',
    { ...trade, coin_amount: '5', buyer: '0xb0' },
    'OrderFilled',
  ],
  [
    'offer::OfferEvents',
    'offer_token_events',
    { ...offer, coin_amount_per_token: '7', token_amount: '1', expiration_time: '60' },
    'OfferCreated',
  ],
  [
    'offer::OfferEvents',
    'accept_offer_events',
    { ...offer, coin_amount_per_token: '7', token_amount: '1', token_owner: '0x5e', is_offer_end: true },
    'OfferAccepted',
  ],
  ['offer::OfferEvents', 'cancel_offer_events', { ...offer, coin_amount: '7' }, 'OfferCancelled'],
  ['creation::CreationEvents', 'collection_created_events', collection, 'CollectionCreated'],
  [
    'creation::CreationEvents',
    'token_created_events',
    { creator: '0xc4', name: 'Thing', description: 'd', uri: 'u', token_id },
    'TokenDescribed',
  ],
  ['curation::CurationEvents', 'gallery_events', gallery, 'GalleryChanged'],
  ['curation::CurationEvents', 'offer_events', proposal, 'CurationOfferChanged'],
  ['curation::CurationEvents', 'exhibit_events', exhibit, 'ExhibitChanged'],
];

const handle = (creation: number): object => ({
  counter: '1',
  guid: { id: { addr: SHORT, creation_num: String(creation) } },
});
/** A resource with a field of its own before and behind the one that is asked for. */
const resource = (struct: string, field: string, creation = HANDLE): ProtoJson => ({
  type: 'TYPE_WRITE_RESOURCE',
  writeResource: {
    address: SHORT,
    stateKeyHash: '',
    typeStr: `${SHORT}::${struct}`,
    data: JSON.stringify({
      first_events: handle(HANDLE - 1),
      [field]: handle(creation),
      last_events: handle(HANDLE + 1),
      counter: '5',
    }),
  },
});
const unheardOf = (struct: string, data: object): FakeEvent => ({
  type: `${SHORT}::${struct.split('::')[0]}::NobodyGuessedThis`,
  account: PACKAGE,
  creationNumber: HANDLE,
  sequenceNumber: 0,
  data,
});

const markets = [imart, imartCreation, imartCuration].map((one) => one.at(PACKAGE));

function read(transaction: ReadTransaction, followed = markets) {
  const told: string[] = [];
  const translator = createTranslator({
    subjectId: 'aptos:4' as SubjectId,
    filter: createEventFilter(followed),
    seqNo: aptosSeqNo,
    onUnknownType: (type, version) => void told.push(`${version} ${type}`),
  });
  const events: Event[] = [];
  translator.translate(transaction, events);
  translator.translate(transaction, []);
  return { events, told, unknown: Object.fromEntries(translator.stats.unknownEvents) };
}

const { Transaction } = aptos.transaction.v1;
const FORMATS = [
  [
    'protobuf',
    (json: unknown) =>
      readWireTransaction(Buffer.from(Transaction.encode(Transaction.fromJSON(json)).finish())),
  ],
  ['protobuf’s JSON', (json: unknown) => readProtoJsonTransaction(json)],
  ['REST', (json: unknown) => readRestTransaction(protoJsonToRest(json as ProtoJson))],
] as const;

describe.each(FORMATS)('an event whose type nobody knows, read as %s', (_format, readOne) => {
  const transactionOf = (event: FakeEvent, changes: readonly ProtoJson[]): ReadTransaction => {
    const ledger = createFakeLedger();
    return readOne(ledger.at(ledger.add({ events: [event], changes })));
  };

  it.each(HANDLES)('of the handle %s/%s is known by it', (struct, field, data, name) => {
    const transaction = transactionOf(unheardOf(struct, data), [resource(struct, field)]);
    const { events, told, unknown } = read(transaction);
    expect(events.map((event) => event.name)).toEqual([name]);
    expect([told, unknown]).toEqual([[], {}]);
  });

  const [struct, field, data] = HANDLES[0] as (typeof HANDLES)[number];
  const typeName = `${PACKAGE}::FixedMarket::NobodyGuessedThis`;

  it.each<[string, readonly ProtoJson[]]>([
    ['of a handle beside it', [resource(struct, field, HANDLE + 7)]],
    ['of a field that is no handle of ours', [resource(struct, 'cancel_everything_events')]],
    ['of a handle in a resource of another name', [resource('FixedMarket::Other', field)]],
    ['of a transaction that does not write its handle', []],
  ])('%s is counted, told once, and means nothing', (_what, changes) => {
    const transaction = transactionOf(unheardOf(struct, data), changes);
    expect(read(transaction)).toEqual({
      events: [],
      told: [`0 ${typeName}`],
      unknown: { [typeName]: 2 },
    });
  });

  it('is parked as it came when it does not say what its handle’s events say (D4)', () => {
    const { events } = read(transactionOf(unheardOf(struct, {}), [resource(struct, field)]));
    expect(events).toMatchObject([
      { name: 'Undecodable', data: { raw: expect.stringContaining('NobodyGuessedThis') } },
    ]);
  });

  it('is left alone when its package is not followed', () => {
    const foreign = { ...unheardOf(struct, data), type: '0x9::FixedMarket::NobodyGuessedThis' };
    expect(read(transactionOf(foreign, [resource(struct, field)]))).toEqual({
      events: [],
      told: [],
      unknown: {},
    });
  });

  it('is counted for a market that says nothing of handles, too, by its type without arguments', () => {
    const at = canonicalAddress('0x584b');
    const event = { type: '0x584b::events::NewsEvent<0x1::a::A>', data: {} };
    const { unknown } = read(transactionOf(event, []), [wapal.at(at)]);
    expect(unknown).toEqual({ [`${at}::events::NewsEvent`]: 2 });
  });
});
