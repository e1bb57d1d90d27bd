import { aptos } from '@aptos-labs/aptos-protos';
import fc from 'fast-check';
import { NO_ACCOUNT } from '../address';
import { AptosDecodeError } from '../errors';
import { plainTransaction } from '../testing/plain';
import { protoJsonToRest } from '../testing/protoJsonToRest';
import { describeAptosRecordings, readRecordedJson, recordedTransactions } from '../testing/recordings.spec';
import { readProtoJsonTransaction } from './protoJsonTransaction';
import { readRestPage, readRestTransaction } from './restTransaction';
import { WireReader } from './wire';
import { readWireResponse, readWireTransaction } from './wireTransaction';

const { Transaction } = aptos.transaction.v1;
const { TransactionsResponse } = aptos.indexer.v1;
const encode = (json: unknown): Buffer =>
  Buffer.from(Transaction.encode(Transaction.fromJSON(json)).finish());
const seed = Date.now() % 2 ** 31;

describeAptosRecordings('the three formats of recorded transactions', () => {
  const recordings = [...recordedTransactions()];

  it.each(recordings)('%s is the same transaction in each', (_, json) => {
    const fromJson = plainTransaction(readProtoJsonTransaction(json));
    // The reference encoder is older than validator transactions, and drops their events.
    if ((json as { type: string }).type !== 'TRANSACTION_TYPE_VALIDATOR')
      expect(plainTransaction(readWireTransaction(encode(json)))).toEqual(fromJson);
    expect(plainTransaction(readRestTransaction(protoJsonToRest(json)))).toEqual(fromJson);
  });

  it('are many transactions with events and changes of every kind', () => {
    const read = recordings.map(([, json]) => readProtoJsonTransaction(json));
    expect(read).toHaveLength(26);
    expect(read.flatMap(({ events }) => events).length).toBeGreaterThan(100);
    expect(new Set(read.flatMap((transaction) => transaction.changes().map(({ kind }) => kind)))).toEqual(
      new Set(['written-resource', 'deleted-resource', 'written-table-item', 'deleted-table-item']),
    );
  });

  it('say of a failed transaction that it failed', () => {
    const json = readRecordedJson('stream/mainnet_407418623_user_txn_single_key_secp256k1_ecdsa.json');
    const { version, success, hash, timestampUs } = readWireTransaction(encode(json));
    expect([version, success, timestampUs]).toEqual([407_418_623n, false, 1_705_397_708_981_259n]);
    expect(hash).toBe('0x497f0505f355730a4eb277210a9b836acf2e17c756972b9134b2a46135945761');
  });

  it('keep the raw data of an event as the same text', () => {
    for (const [, json] of recordings) {
      const texts = (transaction: { events: readonly { rawData(): string }[] }) =>
        transaction.events.map((event) => event.rawData());
      const expected = texts(readProtoJsonTransaction(json));
      expect(texts(readRestTransaction(protoJsonToRest(json)))).toEqual(expected);
    }
  });

  it('have an owner-less module event, and a handle event with its place', () => {
    const json = readRecordedJson('tokens/transactions/3020266695_token_v1_offer_module_event.json');
    const event = readWireTransaction(encode(json)).events.find(({ type }) => type.endsWith('::Offer'));
    expect(event).toMatchObject({ account: NO_ACCOUNT, creationNumber: 0n, sequenceNumber: 0n });
  });
});

describeAptosRecordings('recorded pages of a fullnode', () => {
  it('are read whole', () => {
    const page = readRecordedJson(
      'rest/get_transactions_returns_last_page_when_start_version_is_not_specified.json',
    );
    const read = readRestPage(JSON.stringify(page));
    expect(read.map(({ version }) => version)).toEqual(Array.from({ length: 25 }, (_, i) => BigInt(36 + i)));
    const user = read[2];
    expect(user).toMatchObject({
      success: true,
      sender: '0x000000000000000000000000000000000000000000000000000000000a550c18',
    });
    for (const transaction of read) expect(plainTransaction(transaction)).toBeDefined();
  });

  it('are read with their events and changes', () => {
    const page = readRecordedJson(
      'rest/get_transactions_output_user_transaction_with_entry_function_payload.json',
    ) as readonly { readonly version: string; readonly events?: readonly object[] }[];
    const read = readRestPage(JSON.stringify(page));
    expect(read.map(({ version }) => String(version))).toEqual(page.map(({ version }) => version));
    expect(read.map(({ events }) => events.length)).toEqual(page.map(({ events = [] }) => events.length));
    // Of one resource those who recorded it have left the fields out; of changes only what is looked at is read.
    const resources = read.flatMap((transaction) =>
      transaction.changes().flatMap((change) => (change.kind === 'written-resource' ? [change] : [])),
    );
    const [omitted, whole] = [true, false].map((is) =>
      resources.filter(({ type }) => type.endsWith('::StateStorageUsage') === is),
    ) as [typeof resources, typeof resources];
    expect([omitted.length, whole.length]).toEqual([1, 8]);
    expect(() => omitted[0]?.data).toThrow(AptosDecodeError);
    for (const { data } of whole) expect(Object.keys(data)).not.toEqual([]);
  });

  it('are refused when they are no page', () => {
    const refusal = readRecordedJson('rest/get_transactions_with_zero_limit.json');
    expect(() => readRestPage(JSON.stringify(refusal))).toThrow(AptosDecodeError);
    expect(() => readRestPage('<html>')).toThrow(AptosDecodeError);
  });
});

const name = fc.stringMatching(/^[a-z][A-Za-z0-9_]{0,12}$/);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const address = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => `0x${value.toString(16)}`);
const typeName = fc.tuple(address, name, name).map((parts) => parts.join('::'));
const jsonText = fc
  .dictionary(name, fc.oneof(fc.string(), fc.boolean(), fc.nat(), fc.array(fc.string())))
  .map((value) => JSON.stringify(value));
const event = fc.record({
  key: fc.record({ creationNumber: u64, accountAddress: address }),
  sequenceNumber: u64,
  typeStr: typeName,
  data: jsonText,
});
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const change = fc.oneof(
  fc.record({ writeResource: fc.record({ address, typeStr: typeName, data: jsonText, stateKeyHash: hash }) }),
  fc.record({ deleteResource: fc.record({ address, typeStr: typeName }) }),
  fc.record({
    writeTableItem: fc.record({
      handle: address,
      key: fc.string(),
      data: fc.record({ key: jsonText, keyType: typeName, value: jsonText, valueType: typeName }),
    }),
  }),
  fc.record({
    deleteTableItem: fc.record({ handle: address, data: fc.record({ key: jsonText, keyType: typeName }) }),
  }),
  fc.record({ writeModule: fc.record({ address, stateKeyHash: hash }) }),
);
const transaction = fc
  .record({
    timestamp: fc.record({
      seconds: fc.bigInt({ min: 0n, max: 2n ** 40n }),
      nanos: fc.integer({ min: 0, max: 999_999_999 }),
    }),
    version: u64,
    epoch: u64,
    blockHeight: u64,
    info: fc.record({
      hash,
      stateChangeHash: hash,
      accumulatorRootHash: hash,
      gasUsed: u64,
      success: fc.boolean(),
      vmStatus: fc.string(),
      changes: fc.array(change, { maxLength: 6 }),
    }),
    payload: fc.constantFrom('user', 'blockMetadata', 'genesis', 'stateCheckpoint'),
    sender: address,
    events: fc.array(event, { maxLength: 8 }),
  })
  .map(({ payload, sender, events, ...rest }) => ({
    ...rest,
    [payload]:
      payload === 'stateCheckpoint'
        ? {}
        : payload === 'user'
          ? { request: { sender, sequenceNumber: 7n, signature: { type: 1 } }, events }
          : { events },
  }));

describe('the protobuf wire, read by hand', () => {
  it(`gives what the reference gives (seed ${seed})`, () => {
    const property = fc.property(transaction, (fields) => {
      const message = Transaction.fromPartial(fields as Parameters<typeof Transaction.fromPartial>[0]);
      const bytes = Buffer.from(Transaction.encode(message).finish());
      const json: unknown = JSON.parse(JSON.stringify(Transaction.toJSON(Transaction.decode(bytes))));
      expect(plainTransaction(readWireTransaction(bytes))).toEqual(
        plainTransaction(readProtoJsonTransaction(json)),
      );
    });
    fc.assert(property, { seed, numRuns: 300 });
  });

  it(`reads every transaction of a message, wherever it lies (seed ${seed})`, () => {
    const property = fc.property(fc.array(transaction, { maxLength: 4 }), u64, (all, chainId) => {
      const response = TransactionsResponse.fromPartial({ transactions: all, chainId } as Parameters<
        typeof TransactionsResponse.fromPartial
      >[0]);
      const bytes = Buffer.from(TransactionsResponse.encode(response).finish());
      const read = readWireResponse(bytes);
      expect(read.chainId).toBe(chainId);
      expect(read.transactions.map(plainTransaction)).toEqual(
        (response.transactions as Parameters<typeof Transaction.encode>[0][]).map((message) =>
          plainTransaction(readWireTransaction(Buffer.from(Transaction.encode(message).finish()))),
        ),
      );
    });
    fc.assert(property, { seed, numRuns: 100 });
  });

  it('goes over fields that it does not know, of every kind', () => {
    const known = Transaction.encode(
      Transaction.fromPartial({ version: 5n, info: { success: true } }),
    ).finish();
    // Fields 22 (message), 30 (varint), 31 (fixed 64), 100 (fixed 32).
    const unknown = [
      0xb2, 1, 2, 8, 7, 0xf0, 1, 0x96, 1, 0xf9, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xa5, 6, 1, 2, 3, 4,
    ];
    const read = readWireTransaction(Buffer.from([...unknown, ...known, ...unknown]));
    expect(read).toMatchObject({ version: 5n, success: true, events: [] });
    expect(readWireResponse(Buffer.alloc(0))).toEqual({ transactions: [], chainId: null });
  });

  it(`refuses what breaks off, and never reads on beyond its end (seed ${seed})`, () => {
    const property = fc.property(transaction, fc.nat(), (fields, cut) => {
      const message = Transaction.fromPartial(fields as Parameters<typeof Transaction.fromPartial>[0]);
      const bytes = Buffer.from(Transaction.encode(message).finish());
      const part = bytes.subarray(0, cut % bytes.length);
      try {
        plainTransaction(readWireTransaction(part));
      } catch (error) {
        expect(error).toBeInstanceOf(AptosDecodeError);
      }
    });
    fc.assert(property, { seed, numRuns: 300 });
    for (const bytes of [
      [0x0a, 5, 1],
      [0x0a],
      [0x10],
      [0x07],
      [0x03],
      [0x10, ...Array<number>(11).fill(0x80)],
      [0x09, 1],
    ])
      expect(() => readWireTransaction(Buffer.from(bytes))).toThrow(AptosDecodeError);
    expect(() => new WireReader(Buffer.alloc(2), 0, 3)).toThrow(AptosDecodeError);
  });
});

describe('what a source may not say', () => {
  const rest = (fields: object) => ({
    version: '1',
    hash: '0x1',
    accumulator_root_hash: '0x2',
    success: true,
    timestamp: '3',
    events: [],
    ...fields,
  });
  const eventWith = (data: unknown) =>
    readRestTransaction(
      rest({
        events: [
          {
            guid: { creation_number: '0', account_address: '0x0' },
            sequence_number: '0',
            type: '0x1::a::B',
            data,
          },
        ],
      }),
    ).events[0];

  it.each([
    ['a version that is no text', { version: 1 }],
    ['a version above 64 bits', { version: '18446744073709551616' }],
    ['no hash', { hash: null }],
    ['no success', { success: 'true' }],
    ['a negative time', { timestamp: '-1' }],
  ])('%s', (_, fields) => {
    expect(() => readRestTransaction(rest(fields))).toThrow(AptosDecodeError);
  });

  it('a number that JSON has rounded', () => {
    expect(() => eventWith(JSON.parse('{"price": 9007199254740993}'))?.data).toThrow(/is not exact/);
    expect(() => eventWith({ part: 0.5 })?.data).toThrow(AptosDecodeError);
    expect(
      eventWith({ price: '340282366920938463463374607431768211455', small: 4_294_967_295 })?.data,
    ).toEqual({
      price: '340282366920938463463374607431768211455',
      small: 4_294_967_295,
    });
  });

  it('data that is no struct', () => {
    for (const data of [null, [], 'x', 7]) expect(() => eventWith(data)?.data).toThrow(AptosDecodeError);
  });

  it('data without end', () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
    expect(() => eventWith(deep)?.data).toThrow(/nested/);
  });
});
