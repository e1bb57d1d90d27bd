import { UNDECODABLE, WorkerError, type Event, type SubjectId } from '@imart/core';
import { evmSeqNo } from './seqNo';
import type { RangeData } from './fetch/fetchRange';
import { createLogFilter, type FollowedMarketplace } from './follow';
import type { EvmLog } from './log';
import type { EmitMarketEvent, Marketplace } from './marketplace';
import { createTranslator, StrayEventError, type Translation } from './translate';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const SALE = word(0x5a1e);
const MOVE = word(0x303e);
const MADE = word(0x3ade);
const subjectId = 'eip155:1' as SubjectId;

function log(
  blockNumber: number,
  logIndex: number,
  from: number,
  topic: string,
  rest: Partial<EvmLog> = {},
): EvmLog {
  return {
    address: address(from),
    topics: [topic],
    data: '0x',
    blockNumber,
    blockHash: word(blockNumber),
    transactionHash: word(1_000_000 + blockNumber * 100 + (rest.transactionIndex ?? 0)),
    transactionIndex: 0,
    logIndex,
    ...rest,
  };
}

const marketplace = (name: string, topics: string[], changes: Partial<Marketplace> = {}): Marketplace => ({
  name,
  contracts: () => [],
  topics,
  needsReceipt: () => false,
  translate: ({ logs }, emit) => {
    for (const one of logs) say(emit, one, name);
  },
  ...changes,
});

/** An event that names who said it. */
const say = (emit: EmitMarketEvent, one: EvmLog, name: string) =>
  (emit as (log: EvmLog, type: string, id: string, name: string, data: unknown) => void)(
    one,
    'order',
    name,
    'OrderListed',
    one.logIndex,
  );

function translate(followed: FollowedMarketplace[], logs: EvmLog[]): Translation {
  const filter = createLogFilter({ marketplaces: followed, discovered: [], seqNo: evmSeqNo });
  return createTranslator({ subjectId, chain: { chainId: 1, wrappedNative: null }, filter, seqNo: evmSeqNo })(
    dataOf(logs),
  );
}

const dataOf = (logs: EvmLog[]) =>
  ({
    logs,
    receipts: new Map(),
    timestamps: new Map(logs.map(({ blockNumber }) => [blockNumber, blockNumber * 12])),
  }) as unknown as RangeData;
const outline = (events: readonly Event[]) =>
  events.map(({ seqNo, aggregateId, name }) => {
    const { position, index, part } = evmSeqNo.decode(seqNo);
    return `${position}/${index}/${part} ${name === UNDECODABLE ? name : aggregateId}`;
  });

describe('logs become events', () => {
  it('at the place of their log, with where and when it happened', () => {
    const { events } = translate(
      [{ marketplace: marketplace('a', [SALE]), contracts: [address(1)] }],
      [log(7, 3, 1, SALE)],
    );
    expect(events).toEqual([
      {
        subjectId,
        seqNo: evmSeqNo.encode(7n, 3, 0),
        aggregateType: 'order',
        aggregateId: 'a',
        name: 'OrderListed',
        data: 3,
        source: {
          position: 7n,
          index: 3,
          txHash: word(1_000_700),
          blockHash: word(7),
          timeUs: 84_000_000n,
          address: address(1),
        },
      },
    ]);
  });

  it('of several marketplaces in the order of the logs, then of the names, however they are configured', () => {
    const followed = [
      { marketplace: marketplace('b', [SALE, MOVE]), contracts: [address(1), address(2)] },
      { marketplace: marketplace('a', [SALE]), contracts: [address(1)] },
    ];
    const logs = [log(1, 0, 1, SALE), log(1, 1, 2, MOVE), log(1, 4, 1, SALE)];
    const expected = ['1/0/0 a', '1/0/1 b', '1/1/0 b', '1/4/0 a', '1/4/1 b'];
    expect(outline(translate(followed, logs).events)).toEqual(expected);
    expect(outline(translate([...followed].reverse(), logs).events)).toEqual(expected);
  });

  it('are the same however the transactions are divided into ranges', () => {
    const make = () => [
      {
        marketplace: marketplace('maker', [MADE], {
          discover: () => [{ address: address(9), standard: 'erc721' }],
        }),
        contracts: [address(1)],
      },
      { marketplace: marketplace('tokens', [MOVE]), contracts: [], discovered: true },
    ];
    const logs = [
      log(1, 0, 9, MOVE),
      log(1, 1, 1, MADE),
      log(1, 2, 9, MOVE),
      log(2, 0, 9, MOVE),
      log(3, 5, 9, MOVE),
    ];
    const whole = translate(make(), logs);
    expect(outline(whole.events)).toEqual(['1/1/0 maker', '1/2/0 tokens', '2/0/0 tokens', '3/5/0 tokens']);
    expect(whole.foreign).toBe(1);
    expect(whole.discovered).toEqual([
      { address: address(9), kind: 'erc721', discoveredAt: evmSeqNo.encode(1n, 1, 0) },
    ]);

    const filter = createLogFilter({ marketplaces: make(), discovered: [], seqNo: evmSeqNo });
    const inParts = createTranslator({
      subjectId,
      chain: { chainId: 1, wrappedNative: null },
      filter,
      seqNo: evmSeqNo,
    });
    const parts = [1, 2, 3].map((block) =>
      inParts(dataOf(logs.filter(({ blockNumber }) => blockNumber === block))),
    );
    expect(parts.flatMap(({ events }) => events)).toEqual(whole.events);
  });

  it('show a marketplace all its logs of a transaction, and no others', () => {
    const shown: number[][] = [];
    const see = marketplace('a', [SALE], {
      translate: ({ logs }) => void shown.push(logs.map(({ logIndex }) => logIndex)),
    });
    const second = { transactionIndex: 1 };
    translate(
      [
        { marketplace: see, contracts: [address(1)] },
        { marketplace: marketplace('b', [MOVE]), contracts: 'all' },
      ],
      [
        log(1, 0, 1, SALE),
        log(1, 1, 5, MOVE),
        log(1, 2, 1, SALE),
        log(1, 3, 1, SALE, second),
        log(1, 4, 2, SALE, second),
      ],
    );
    expect(shown).toEqual([[0, 2], [3]]);
  });
});

describe('what cannot be decoded', () => {
  const broken = marketplace('a', [SALE], {
    translate: ({ logs }, emit) => {
      for (const one of logs) {
        if (one.data === '0xbad')
          throw new WorkerError('the price is missing', { code: 'X', disposition: 'park' });
        say(emit, one, 'a');
      }
    },
  });

  it('keeps its place with its raw log: all of that marketplace in that transaction, nothing else (D7)', () => {
    const bad = log(1, 2, 1, SALE, { data: '0xbad' });
    const { events, undecodable } = translate(
      [
        { marketplace: broken, contracts: [address(1)] },
        { marketplace: marketplace('b', [SALE, MOVE]), contracts: 'all' },
      ],
      [log(1, 0, 1, SALE), log(1, 1, 2, MOVE), bad, log(1, 3, 1, SALE, { transactionIndex: 1 })],
    );
    expect(outline(events)).toEqual([
      '1/0/0 Undecodable',
      '1/0/1 b',
      '1/1/0 b',
      '1/2/0 Undecodable',
      '1/2/1 b',
      '1/3/0 a',
      '1/3/1 b',
    ]);
    expect(undecodable).toBe(2);
    const event = events[3] as Event;
    expect(event).toMatchObject({
      aggregateType: 'undecodable',
      aggregateId: String(event.seqNo),
      data: { reason: 'a: the price is missing', raw: JSON.stringify(bad) },
    });
  });

  it('does not take the other logs of its transaction with it where each means what it means alone', () => {
    const independent = { ...broken, independentLogs: true };
    const { events } = translate(
      [{ marketplace: independent, contracts: [address(1)] }],
      [log(1, 0, 1, SALE), log(1, 2, 1, SALE, { data: '0xbad' })],
    );
    expect(outline(events)).toEqual(['1/0/0 a', '1/2/0 Undecodable']);
  });

  it('is counted and skipped when its contract is followed only because all are (D7)', () => {
    const independent = { ...broken, independentLogs: true };
    const { events, malformed, undecodable } = translate(
      [{ marketplace: independent, contracts: 'all' }],
      [log(1, 0, 1, SALE), log(1, 2, 7, SALE, { data: '0xbad' })],
    );
    expect(outline(events)).toEqual(['1/0/0 a']);
    expect({ malformed, undecodable }).toEqual({ malformed: 1, undecodable: 0 });
  });

  it('is also what a marketplace fails at without saying why', () => {
    const faulty = marketplace('a', [SALE], {
      translate: () => (undefined as unknown as { x: () => void }).x(),
    });
    const { events } = translate([{ marketplace: faulty, contracts: [address(1)] }], [log(1, 0, 1, SALE)]);
    expect(outline(events)).toEqual(['1/0/0 Undecodable']);
  });

  it('is not what a marketplace stops for', () => {
    const stopping = marketplace('a', [SALE], {
      translate: () => {
        throw new WorkerError('no', { code: 'X', disposition: 'stop' });
      },
    });
    expect(() =>
      translate([{ marketplace: stopping, contracts: [address(1)] }], [log(1, 0, 1, SALE)]),
    ).toThrow('no');
  });

  it('stands at the last places that fit when the log index does not', () => {
    const { events } = translate(
      [{ marketplace: marketplace('a', [SALE]), contracts: [address(1)] }],
      [log(1, 0, 1, SALE), log(1, 131_072, 1, SALE), log(1, 131_073, 1, SALE), log(2, 0, 1, SALE)],
    );
    expect(outline(events)).toEqual([
      '1/0/0 a',
      '1/131071/15360 Undecodable',
      '1/131071/15361 Undecodable',
      '2/0/0 a',
    ]);
    expect(events.every((event, i) => i === 0 || event.seqNo > (events[i - 1] as Event).seqNo)).toBe(true);
  });

  it('stands at the last part when one log has more events than parts', () => {
    const many = marketplace('a', [SALE], {
      translate: ({ logs }, emit) => {
        for (let i = 0; i < 16_385; i++) say(emit, logs[0] as EvmLog, 'a');
      },
    });
    const { events } = translate([{ marketplace: many, contracts: [address(1)] }], [log(1, 0, 1, SALE)]);
    expect(events).toHaveLength(16_384);
    expect(outline(events).at(-1)).toBe('1/0/16383 Undecodable');
  });

  it('is not an event for a log of somebody else: that is a fault of the code', () => {
    const stray = marketplace('a', [SALE], { translate: (_, emit) => say(emit, log(1, 9, 9, MOVE), 'a') });
    expect(() => translate([{ marketplace: stray, contracts: [address(1)] }], [log(1, 0, 1, SALE)])).toThrow(
      StrayEventError,
    );
  });
});

describe('whose a log is', () => {
  const filterOf = (marketplaces: FollowedMarketplace[]) =>
    createLogFilter({ marketplaces, discovered: [], seqNo: evmSeqNo, addressesPerQueryMax: 2 });

  it('is decided by contract and topic: look-alikes of other contracts are foreign', () => {
    const filter = filterOf([{ marketplace: marketplace('a', [SALE]), contracts: [address(1)] }]);
    expect(filter.owners(log(1, 0, 1, SALE))).toEqual([0]);
    expect(filter.owners(log(1, 0, 2, SALE))).toEqual([]);
    expect(filter.owners(log(1, 0, 1, MOVE))).toEqual([]);
    expect(filter.owners({ ...log(1, 0, 1, MOVE), topics: [] })).toEqual([]);
  });

  it('counts topics where an ERC-20 event looks the same (D6)', () => {
    const filter = filterOf([
      { marketplace: marketplace('tokens', [MOVE]), contracts: 'all', topicCount: 4 },
    ]);
    const topics = [MOVE, word(1), word(2), word(3)];
    expect(filter.owners({ ...log(1, 0, 1, MOVE), topics })).toEqual([0]);
    expect(filter.owners({ ...log(1, 0, 1, MOVE), topics: topics.slice(0, 3) })).toEqual([]);
    expect(filter.queries()).toEqual([{ topics: [[MOVE], null, null, null] }]);
  });

  it('is asked for in as many queries as addresses need', () => {
    const filter = filterOf([
      { marketplace: marketplace('a', [SALE]), contracts: [address(1), address(2), address(3)] },
      { marketplace: marketplace('tokens', [MOVE]), contracts: [], discovered: true },
    ]);
    expect(filter.queries().map((query) => query.address)).toEqual([[address(1), address(2)], [address(3)]]);
    expect(filter.queries()[0]?.topics).toEqual([[SALE]]);
    filter.follow({ address: address(8), standard: 'erc721' }, log(5, 2, 1, MADE));
    expect(filter.queries().map((query) => query.address)).toEqual([
      [address(1), address(2)],
      [address(3), address(8)],
    ]);
    expect(filter.queries()[0]?.topics).toEqual([[SALE, MOVE]]);
    expect(filter.childQueries([address(8)])).toEqual([{ address: [address(8)], topics: [[MOVE]] }]);
    expect(filter.childrenAfter(0)).toEqual([address(8)]);
    expect(filter.owners(log(5, 2, 8, MOVE))).toEqual([]);
    expect(filter.owners(log(5, 3, 8, MOVE))).toEqual([1]);
    expect(filter.follow({ address: address(8), standard: 'erc721' }, log(6, 0, 1, MADE))).toBeNull();
  });
});
