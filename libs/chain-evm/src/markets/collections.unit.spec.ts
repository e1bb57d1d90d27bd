import { type BalanceRow, type MarketEvent } from '@imart/market';
import fc from 'fast-check';
import type { EvmLog } from '../log';
import { hasRecordings, readRecording, recordedReceipts } from '../testing/recordedBlocks';
import { addressOf, encodeLog, foldEvents, receiptWith, translateReceipts } from '../testing/translation';
import { createCollections } from './collections';
import { ZERO_ADDRESS } from '../zeroAddress';

const NFT = addressOf(0x721);
const MULTI = addressOf(0x1155);
const KITTIES = addressOf(0xca7);
const HALF = addressOf(0x3a1f);
const PUNKS = '0xb47e3cd837ddf8e4c57f05d70ab865de6e193bbb';
const [ALICE, BOB, OPERATOR] = [1, 2, 3].map(addressOf) as [string, string, string];
const FOLLOWED = [NFT, MULTI, KITTIES, HALF, PUNKS];

const collections = createCollections({ unindexedContracts: new Set([KITTIES, HALF]) });
const translate = (...logs: EvmLog[]): MarketEvent[] =>
  translateReceipts(collections, FOLLOWED, [receiptWith(1, logs)]);

const transfer = (from: string, to: string, id: bigint, token = NFT): EvmLog =>
  encodeLog(token, 'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)', [
    from,
    to,
    id,
  ]);
const erc20Like = (token: string, value = 5n): EvmLog =>
  encodeLog(token, 'Transfer(address indexed from, address indexed to, uint256 value)', [ALICE, BOB, value]);
const single = (from: string, to: string, id: bigint, value: bigint): EvmLog =>
  encodeLog(
    MULTI,
    'TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
    [OPERATOR, from, to, id, value],
  );
const batch = (from: string, to: string, ids: bigint[], values: bigint[]): EvmLog =>
  encodeLog(
    MULTI,
    'TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
    [OPERATOR, from, to, ids, values],
  );
const shortly = (events: readonly MarketEvent[]) =>
  events.map(({ name, aggregateId, data }) => [name, aggregateId, data]);

describe('transfers of ERC-721 tokens', () => {
  it('mint, move and burn', () => {
    const max = 2n ** 256n - 1n;
    const events = translate(
      transfer(ZERO_ADDRESS, ALICE, max),
      transfer(ALICE, BOB, max),
      transfer(BOB, ZERO_ADDRESS, max),
    );
    expect(shortly(events)).toEqual([
      ['TokenMinted', `${NFT}:${max}`, { to: ALICE, standard: 'erc721' }],
      ['TokenTransferred', `${NFT}:${max}`, { from: ALICE, to: BOB, standard: 'erc721' }],
      ['TokenBurned', `${NFT}:${max}`, { from: BOB, standard: 'erc721' }],
    ]);
    expect(foldEvents(events).rows).toMatchObject([{ table: 'tokens', owner: null, transferCount: 1 }]);
  });

  it('to oneself are transfers, and from nobody to nobody are nothing (D8)', () => {
    expect(
      translate(transfer(ALICE, ALICE, 1n), transfer(ZERO_ADDRESS, ZERO_ADDRESS, 1n)).map(({ name }) => name),
    ).toEqual(['TokenTransferred']);
  });

  it('are not those of an ERC-20, which have one topic less (D6)', () => {
    expect(translate(erc20Like(NFT))).toEqual([]);
  });

  it.each([
    [
      'only the parties indexed',
      encodeLog(HALF, 'Transfer(address indexed from, address indexed to, uint256 tokenId)', [
        ALICE,
        BOB,
        5n,
      ]),
    ],
    [
      'nothing indexed',
      encodeLog(KITTIES, 'Transfer(address from, address to, uint256 tokenId)', [ALICE, BOB, 5n]),
    ],
    ['all indexed after all', transfer(ALICE, BOB, 5n, KITTIES)],
  ])('of contracts configured so are read with %s', (_, log) => {
    expect(shortly(translate(log))).toEqual([
      ['TokenTransferred', `${log.address}:5`, { from: ALICE, to: BOB, standard: 'erc721' }],
    ]);
  });

  it('do not concern CryptoPunks, even configured so', () => {
    const punks = createCollections({ unindexedContracts: new Set([PUNKS]) });
    expect(translateReceipts(punks, [PUNKS], [receiptWith(1, [erc20Like(PUNKS, 1n)])])).toEqual([]);
  });
});

describe('transfers of ERC-1155 tokens', () => {
  it('are one event for each of the two balances, the sender’s first', () => {
    const events = translate(single(ALICE, BOB, 7n, 40n));
    expect(shortly(events)).toEqual([
      ['TokenSent', `${MULTI}:7:${ALICE}`, { to: BOB, quantity: 40n }],
      ['TokenReceived', `${MULTI}:7:${BOB}`, { from: ALICE, quantity: 40n }],
    ]);
    expect(events.every(({ aggregateType }) => aggregateType === 'balance')).toBe(true);
  });

  it('from or to nobody are one event', () => {
    const events = translate(single(ZERO_ADDRESS, ALICE, 7n, 4n), single(ALICE, ZERO_ADDRESS, 7n, 4n));
    expect(shortly(events)).toEqual([
      ['TokenReceived', `${MULTI}:7:${ALICE}`, { from: ZERO_ADDRESS, quantity: 4n }],
      ['TokenSent', `${MULTI}:7:${ALICE}`, { to: ZERO_ADDRESS, quantity: 4n }],
    ]);
  });

  it('to oneself leave the balance as it was (D8)', () => {
    const events = translate(single(ZERO_ADDRESS, ALICE, 7n, 4n), single(ALICE, ALICE, 7n, 3n));
    expect(events).toHaveLength(3);
    expect(foldEvents(events).rows).toMatchObject([{ owner: ALICE, quantity: 4n }]);
  });

  it('in a batch are summed by id, in order of first occurrence, and nothing is nothing (D8)', () => {
    expect(shortly(translate(batch(ALICE, BOB, [9n, 2n, 9n, 5n], [1n, 3n, 10n, 0n])))).toEqual([
      ['TokenSent', `${MULTI}:9:${ALICE}`, { to: BOB, quantity: 11n }],
      ['TokenReceived', `${MULTI}:9:${BOB}`, { from: ALICE, quantity: 11n }],
      ['TokenSent', `${MULTI}:2:${ALICE}`, { to: BOB, quantity: 3n }],
      ['TokenReceived', `${MULTI}:2:${BOB}`, { from: ALICE, quantity: 3n }],
    ]);
    expect(
      translate(
        batch(ALICE, BOB, [], []),
        single(ALICE, BOB, 1n, 0n),
        single(ZERO_ADDRESS, ZERO_ADDRESS, 1n, 5n),
      ),
    ).toEqual([]);
  });

  it('with more ids than values are parked (D7)', () => {
    expect(() => translate(batch(ALICE, BOB, [1n, 2n], [1n]))).toThrow(
      expect.objectContaining({ code: 'EVENT_DECODE', disposition: 'park' }),
    );
  });

  it('neither make nor lose tokens: balances sum up to what was minted less what was burned', () => {
    const account = fc.constantFrom(ZERO_ADDRESS, ALICE, BOB, OPERATOR);
    const moves = fc.array(
      fc.record({
        from: account,
        to: account,
        parts: fc.array(fc.tuple(fc.bigInt(0n, 3n), fc.bigInt(0n, 2n ** 128n)), { maxLength: 6 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(moves, (list) => {
        const logs = list.map(({ from, to, parts }) =>
          batch(
            from,
            to,
            parts.map(([id]) => id),
            parts.map(([, value]) => value),
          ),
        );
        if (logs.length === 0) return;
        const expected = new Map<string, bigint>();
        const add = (owner: string, id: bigint, value: bigint): void => {
          if (owner === ZERO_ADDRESS) return;
          expected.set(`${owner} ${id}`, (expected.get(`${owner} ${id}`) ?? 0n) + value);
        };
        for (const { from, to, parts } of list) {
          for (const [id, value] of parts) {
            add(from, id, -value);
            add(to, id, value);
          }
        }
        const actual = new Map(
          (foldEvents(translate(...logs)).rows as BalanceRow[]).map((row) => [
            `${row.owner} ${row.tokenId}`,
            row.quantity,
          ]),
        );
        for (const key of new Set([...expected.keys(), ...actual.keys()])) {
          expect([key, actual.get(key) ?? 0n]).toEqual([key, expected.get(key) ?? 0n]);
        }
      }),
    );
  });
});

(hasRecordings() ? describe : describe.skip)('transfers in recorded blocks', () => {
  it('are the 9 ERC-721 transfers that another tool found in two blocks, and none of its 282 ERC-20 ones', () => {
    const expected = readRecording('etl-17173049/expected_token_transfers.json')
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as Record<
            'token_address' | 'from_address' | 'to_address' | 'transaction_hash',
            string
          > & { value: unknown; log_index: number },
      );
    const receipts = recordedReceipts().filter(
      ({ blockNumber }) => blockNumber === 17173049 || blockNumber === 17173050,
    );
    const everything = [...new Set(receipts.flatMap(({ logs }) => logs.map(({ address }) => address)))];
    const events = translateReceipts(
      createCollections({ unindexedContracts: new Set() }),
      everything,
      receipts,
    );
    const tokens = events.filter(({ aggregateType }) => aggregateType === 'token');
    expect(tokens).toHaveLength(9);
    for (const { name, source, data } of tokens) {
      const row = expected.find(
        (one) => one.transaction_hash === source.txHash && one.log_index === source.index,
      );
      const from = 'from' in data ? data.from : ZERO_ADDRESS;
      const to = 'to' in data ? data.to : ZERO_ADDRESS;
      expect([name, row?.token_address, row?.from_address, row?.to_address]).toEqual([
        name,
        source.address,
        from,
        to,
      ]);
    }
    expect(expected).toHaveLength(291);
  });

  it('follow every token of the recorded blocks to its last owner', () => {
    const receipts = recordedReceipts();
    const everything = [...new Set(receipts.flatMap(({ logs }) => logs.map(({ address }) => address)))];
    const events = translateReceipts(
      createCollections({ unindexedContracts: new Set() }),
      everything,
      receipts,
    );
    const { rows } = foldEvents(events);
    const last = new Map<string, string>();
    for (const { logs } of receipts) {
      for (const { address, topics } of logs) {
        if (topics.length !== 4 || !topics[0]?.startsWith('0xddf252ad')) continue;
        last.set(`${address}:${BigInt(topics[3] ?? '0')}`, `0x${(topics[2] ?? '').slice(-40)}`);
      }
    }
    const owners = new Map(
      rows.flatMap((row) =>
        row.table === 'tokens' ? [[`${row.collection}:${row.tokenId}`, row.owner ?? ZERO_ADDRESS]] : [],
      ) as [string, string][],
    );
    expect(owners.size).toBeGreaterThan(500);
    expect(owners).toEqual(last);
  });
});
