import fc from 'fast-check';
import { hasRecordings, readRecording } from '../testing/recordedBlocks';
import type { EvmLog } from '../log';
import { readBlock, readReceipt } from './canonicalBlock';
import { createLogReader, type RawLog } from './canonicalLog';
import { blocksToRenumber, compareLogs, findDuplicate, mergeLogs, sortLogs } from './logOrder';
import { parseQuantity } from './quantity';

const word = (digit: string) => `0x${digit.repeat(64)}`;
const raw: RawLog = {
  address: '0xAbCdEf0123456789aBcDeF0123456789abcdef01',
  topics: [word('A'), word('b')],
  data: '0xFF',
  blockNumber: '0x10',
  blockHash: word('C'),
  transactionHash: word('d'),
  transactionIndex: '0x2',
  logIndex: '0x3',
  removed: false,
};
const read = (changes: Partial<RawLog>) => createLogReader().read({ ...raw, ...changes });

describe('a log in canonical form', () => {
  it('is in lower case, its places numbers (D5)', () => {
    expect(read({})).toEqual({
      address: '0xabcdef0123456789abcdef0123456789abcdef01',
      topics: [word('a'), word('b')],
      data: '0xff',
      blockNumber: 16,
      blockHash: word('c'),
      transactionHash: word('d'),
      transactionIndex: 2,
      logIndex: 3,
    });
  });

  it.each([
    [
      'missing indexes are zero (proto3)',
      { logIndex: undefined, transactionIndex: undefined },
      { logIndex: 0, transactionIndex: 0 },
    ],
    ['empty data is none', { data: '' }, { data: '0x' }],
    ['absent data is none', { data: undefined }, { data: '0x' }],
    ['numbers may be decimal', { blockNumber: '16', logIndex: 3 }, { blockNumber: 16, logIndex: 3 }],
    ['numbers may have leading zeros', { blockNumber: '0x0010' }, { blockNumber: 16 }],
    ['an anonymous log has no topics', { topics: [] }, { topics: [] }],
  ])('%s', (_, changes, expected) => {
    expect(read(changes)).toMatchObject(expected);
  });

  it.each([
    ['removed', { removed: true }],
    ['pending', { blockHash: null }],
    ['pending', { blockNumber: null }],
    ['pending', { logIndex: null }],
    ['topics', { topics: [word('a'), ''] }],
    ['topics', { topics: ['0x12'] }],
    ['topics', { topics: [word('a'), word('a'), word('a'), word('a'), word('a')] }],
    ['topics', { topics: undefined }],
    ['address', { address: '0x12' }],
    ['address', { address: undefined }],
    ['data', { data: '0x123' }],
    ['data', { data: 'hello' }],
    ['block', { blockNumber: '0x' }],
    ['block', { blockHash: '0x12' }],
    ['transaction', { transactionHash: 5 }],
    ['transaction', { transactionIndex: '-1' }],
    ['log-index', { logIndex: '0x1ffffffffffffffff' }],
  ])('there is none, for the reason "%s" (D7, P12)', (reason, changes) => {
    expect(read(changes as Partial<RawLog>)).toBe(reason);
  });

  it('does not depend on the logs read before', () => {
    const reader = createLogReader();
    const other = { ...raw, blockNumber: '0x11', blockHash: word('1'), transactionHash: word('2') };
    for (const log of [raw, other, raw, { ...raw, blockHash: 'bad' }, raw, other]) {
      expect(reader.read(log)).toEqual(createLogReader().read(log));
    }
  });

  it('reads the time of its block where the log tells it', () => {
    const reader = createLogReader();
    reader.read({ ...raw, blockTimestamp: '0x65' });
    expect(reader.lastTimestamp).toBe(101);
    reader.read(raw);
    expect(reader.lastTimestamp).toBeNull();
  });
});

(hasRecordings() ? it : it.skip)('survives the recorded logs of zkSync that are malformed (D7)', () => {
  const outcomes = ['log-parsing-error', 'address-out-of-range'].map((file) => {
    const receipt = JSON.parse(readRecording(`zksync/${file}.json`)) as { logs: Record<string, unknown>[] };
    const reader = createLogReader();
    return receipt.logs.map(({ index, ...log }) => reader.read({ ...log, logIndex: index }));
  });
  expect(outcomes.flat().filter((outcome) => outcome === 'topics').length).toBeGreaterThan(0);
  expect(outcomes.flat().every((outcome) => typeof outcome === 'object' || outcome === 'topics')).toBe(true);
});

describe('numbers', () => {
  it.each([
    ['0x0', 0],
    ['0x00ff', 255],
    ['12', 12],
    [7, 7],
  ])('%p is %p', (value, expected) => {
    expect(parseQuantity(value)).toBe(expected);
  });
  it.each(['', '0x', '-1', '1.5', '0xzz', ' 1', null, undefined, 1.5, -1, '0x20000000000001', {}])(
    '%p is none',
    (value) => {
      expect(parseQuantity(value)).toBeNull();
    },
  );
});

describe('a block header', () => {
  const header = { number: '0x5', hash: word('a'), parentHash: word('b'), timestamp: '0x64' };
  it('is refused when it is of another height, or incomplete', () => {
    expect(readBlock(header, 5)).toMatchObject({ number: 5, timestamp: 100, logsBloom: null });
    expect(readBlock(header, 6)).toBeNull();
    expect(readBlock({ ...header, hash: null }, 5)).toBeNull();
    expect(readBlock(null, 5)).toBeNull();
  });
});

describe('a receipt', () => {
  it('is refused when it does not say of which block it is', () => {
    expect(readReceipt(null)).toBe('there is no receipt');
    expect(typeof readReceipt({ transactionHash: word('a'), logs: [] })).toBe('string');
    expect(typeof readReceipt({ transactionHash: word('a'), blockHash: word('b'), blockNumber: '0x1' })).toBe(
      'string',
    );
  });
});

const logs = fc.array(
  fc
    .tuple(fc.nat(3), fc.nat(3), fc.nat(5), fc.nat(2))
    .map(([blockNumber, transactionIndex, logIndex, content]): EvmLog => ({
      address: '0x1',
      topics: [],
      data: `0x0${content}`,
      blockNumber,
      blockHash: `${blockNumber}`,
      transactionHash: `${blockNumber}-${transactionIndex}`,
      transactionIndex,
      logIndex,
    })),
  { maxLength: 40 },
);
const key = (log: EvmLog) => JSON.stringify(log);

describe('the order of logs', () => {
  it('is that of the chain, whatever order they come in', () => {
    fc.assert(
      fc.property(logs, (list) => {
        const sorted = sortLogs([...list]);
        for (let i = 1; i < sorted.length; i++) {
          expect(compareLogs(sorted[i - 1] as EvmLog, sorted[i] as EvmLog)).toBeLessThanOrEqual(0);
        }
        expect(sorted.map(key).sort()).toEqual(list.map(key).sort());
      }),
      { verbose: 1 },
    );
  });

  it('finds a log that is there twice, and nothing else (P11)', () => {
    fc.assert(
      fc.property(logs, (list) => {
        const twice = new Set(list.map(key)).size < list.length;
        expect(findDuplicate(sortLogs([...list])) !== null).toBe(twice);
      }),
      { verbose: 1 },
    );
  });

  it('keeps one of what several queries brought', () => {
    fc.assert(
      fc.property(logs, logs, (a, b) => {
        const unique = (list: EvmLog[]) =>
          sortLogs([...new Map(list.map((log) => [key(log), log])).values()]);
        const merged = mergeLogs([unique(a), unique(b)]);
        expect(merged.map(key).sort()).toEqual([...new Set([...a, ...b].map(key))].sort());
      }),
      { verbose: 1 },
    );
  });

  it('names the blocks in which an index says nothing of the place', () => {
    const at = (blockNumber: number, transactionIndex: number, logIndex: number): EvmLog => ({
      address: '0x1',
      topics: [],
      data: '0x',
      blockNumber,
      blockHash: '',
      transactionHash: '',
      transactionIndex,
      logIndex,
    });
    expect(blocksToRenumber([at(1, 0, 0), at(1, 0, 1), at(1, 3, 2), at(2, 0, 0)])).toEqual([]);
    expect(blocksToRenumber([at(1, 0, 0), at(1, 1, 0), at(1, 2, 0), at(2, 0, 5), at(2, 1, 3)])).toEqual([
      1, 2,
    ]);
  });
});
