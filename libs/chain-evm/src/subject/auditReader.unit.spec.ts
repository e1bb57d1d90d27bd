import { type DiscoveredContract } from '@imart/core';
import { evmSeqNo } from '../seqNo';
import { waitMs, type RangeReading, type RangeRequest } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import type { FollowedMarketplace } from '../follow';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import { createFakeChain, type FakeChain, type FakeLog } from '../testing/fakeChain';
import { startFakeRpc, type FakeRpc, type FakeRpcRules } from '../testing/fakeRpc';
import { createAuditReader, type AuditReader, type AuditReaderOptions } from './auditReader';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const SALE = word(0x5a1e);
const MOVE = word(0x303e);
const MADE = word(0x3ade);
const MARKET = address(1);
const FACTORY = address(2);
const CHILD = address(0xc1);
const sale: FakeLog = { address: MARKET, topics: [SALE] };
const moved: FakeLog = { address: CHILD, topics: [MOVE] };
const made: FakeLog = { address: FACTORY, topics: [MADE] };

const emitting = (name: string, topics: readonly string[], more: Partial<Marketplace> = {}): Marketplace => ({
  name,
  contracts: () => [],
  topics,
  needsReceipt: () => false,
  translate: ({ logs }, emit) => {
    for (const log of logs) {
      (emit as (...event: unknown[]) => ReturnType<EmitMarketEvent>)(log, 'order', log.address, name, {});
    }
  },
  ...more,
});
const followed: readonly FollowedMarketplace[] = [
  { marketplace: emitting('sale', [SALE]), contracts: [MARKET] },
  {
    marketplace: emitting('made', [MADE], { discover: () => [{ address: CHILD, standard: 'erc721' }] }),
    contracts: [FACTORY],
  },
  { marketplace: emitting('moved', [MOVE]), contracts: [], discovered: true },
];

const open: { nodes: FakeRpc[]; readers: AuditReader[] } = { nodes: [], readers: [] };
afterEach(async () => {
  for (const reader of open.readers.splice(0)) reader.close();
  await Promise.all(open.nodes.splice(0).map((node) => node.close()));
});

async function node(chain: FakeChain, rules: FakeRpcRules = {}): Promise<FakeRpc> {
  const started = await startFakeRpc(chain, rules);
  open.nodes.push(started);
  return started;
}

function readerOf(nodes: readonly FakeRpc[], options: Partial<AuditReaderOptions> = {}): AuditReader {
  const reader = createAuditReader({
    chainId: 1,
    rpcUrls: nodes.map(({ url }) => url),
    marketplaces: followed,
    wrappedNative: null,
    logger: silentLogger,
    random: () => 0.5,
    now: () => performance.now() * 100,
    wait: (ms, signal) => waitMs(ms / 100, signal),
    ...options,
  });
  open.readers.push(reader);
  return reader;
}

const never = new AbortController().signal;
const read = (reader: AuditReader, request: Partial<RangeRequest> = {}): Promise<RangeReading> =>
  reader.readRange({ fromPosition: 0n, toPosition: 19n, depth: 'thorough', known: [], ...request }, never);
const placesOf = ({ events }: Pick<RangeReading, 'events'>) =>
  events.map(({ source }) => `${source.position}/${source.index}`);

/** Sales in blocks 3, 6 ..., the collection made in block 5, moved from then on; once before, which is nobody's. */
function chainOf(blocks = 20): FakeChain {
  const chain = createFakeChain();
  for (let number = 1; number < blocks; number++) {
    const logs: FakeLog[] = [];
    if (number % 3 === 0) logs.push(sale);
    if (number === 4) logs.push({ ...moved, tx: 1 });
    if (number === 5) logs.push(made, moved);
    if (number > 5 && number % 4 === 0) logs.push({ ...moved, tx: 1 });
    chain.mine(logs);
  }
  return chain;
}
const ALL = ['3/0', '5/0', '5/1', '6/0', '8/0', '9/0', '12/0', '12/1', '15/0', '16/0', '18/0'];
const CHILD_MADE: DiscoveredContract = {
  address: CHILD,
  kind: 'erc721',
  discoveredAt: evmSeqNo.encode(5n, 0, 0),
};

describe('a second reading', () => {
  it.each(['quick', 'thorough', 'whole'] as const)(
    'has every event of the range, and what they named, whether it is known or not: %s',
    async (depth) => {
      const reader = readerOf([await node(chainOf())]);
      for (const known of [[], [CHILD_MADE]]) {
        const reading = await read(reader, { depth, known });
        expect(placesOf(reading)).toEqual(ALL);
        expect(reading.discovered).toEqual([CHILD_MADE]);
        expect(reading.blocks).toHaveLength(depth === 'quick' ? 1 : 20);
        expect(reading.blocks.at(-1)?.position).toBe(19n);
      }
    },
  );

  it('follows what was discovered before the range, and nothing that is discovered after it', async () => {
    const reader = readerOf([await node(chainOf())]);
    const later = await read(reader, { fromPosition: 10n, known: [CHILD_MADE] });
    expect(placesOf(later)).toEqual(['12/0', '12/1', '15/0', '16/0', '18/0']);
    expect(later.discovered).toEqual([]);
    const unknown = await read(reader, { fromPosition: 10n, known: [] });
    expect(placesOf(unknown)).toEqual(['12/0', '15/0', '18/0']);
    const earlier = await read(reader, { toPosition: 4n, known: [CHILD_MADE] });
    expect(placesOf(earlier)).toEqual(['3/0']);
  });

  it('follows a contract from its true place, when it was known from a later one only', async () => {
    const reader = readerOf([await node(chainOf())]);
    const late = { ...CHILD_MADE, discoveredAt: evmSeqNo.encode(12n, 1, 0) };
    for (const depth of ['quick', 'thorough', 'whole'] as const) {
      const reading = await read(reader, { depth, known: [late] });
      expect(placesOf(reading)).toEqual(ALL);
      expect(reading.discovered).toEqual([CHILD_MADE]);
    }
  });

  it('tells which contracts it would have heard of', async () => {
    const reader = readerOf([await node(chainOf())]);
    const { follows } = await read(reader, { toPosition: 4n });
    expect([MARKET, FACTORY, CHILD, address(77)].map(follows)).toEqual([true, true, false, false]);
    expect((await read(reader)).follows(CHILD)).toBe(true);
  });

  it('skips heights that the chain skips, at its ends too (P17)', async () => {
    const chain = createFakeChain();
    for (let i = 1; i < 10; i++) chain.mine([sale]);
    for (let i = 0; i < 3; i++) chain.skipHeight();
    for (let i = 13; i < 16; i++) chain.mine([sale]);
    const reader = readerOf([await node(chain)]);
    for (const depth of ['quick', 'thorough', 'whole'] as const) {
      const whole = await read(reader, { depth, fromPosition: 8n, toPosition: 14n });
      expect(placesOf(whole)).toEqual(['8/0', '9/0', '13/0', '14/0']);
      const ends = await read(reader, { depth, fromPosition: 8n, toPosition: 11n });
      expect(placesOf(ends)).toEqual(['8/0', '9/0']);
      expect(ends.toPosition).toBe(11n);
      expect(placesOf(await read(reader, { depth, fromPosition: 11n, toPosition: 13n }))).toEqual(['13/0']);
      expect(placesOf(await read(reader, { depth, fromPosition: 10n, toPosition: 12n }))).toEqual([]);
    }
  });

  it.each(['right', 'asked', 'inverted', 'beyond'] as const)(
    'is made in parts where the provider gives only so much at once, whatever it suggests: %s (P9)',
    async (suggests) => {
      for (const limit of [{ blocksMax: 3 }, { logsMax: 2 }]) {
        const reader = readerOf([await node(chainOf(), { ...limit, suggests })]);
        for (const depth of ['quick', 'thorough'] as const) {
          expect(placesOf(await read(reader, { depth }))).toEqual(ALL);
        }
      }
    },
  );

  it('is not made of what a node says that does not have the blocks: it is asked elsewhere, or not believed (P1)', async () => {
    const lagging = await node(chainOf(), { lag: 10 });
    expect(placesOf(await read(readerOf([lagging, await node(chainOf())])))).toEqual(ALL);
    for (const depth of ['quick', 'thorough', 'whole'] as const) {
      await expect(read(readerOf([lagging]), { depth })).rejects.toMatchObject({ code: 'BLOCK_NOT_SERVED' });
    }
  });

  it('does not take a block that is not served for one that does not exist (P3)', async () => {
    const at = await node(chainOf());
    const reader = readerOf([at]);
    at.rules.withheld = [12];
    for (const depth of ['quick', 'thorough', 'whole'] as const) {
      for (const [fromPosition, toPosition] of [
        [9n, 12n],
        [12n, 14n],
      ] as const) {
        await expect(read(reader, { depth, fromPosition, toPosition })).rejects.toMatchObject({
          code: 'BLOCK_NOT_SERVED',
        });
      }
    }
    delete at.rules.withheld;
    expect(placesOf(await read(reader, { fromPosition: 9n, toPosition: 12n }))).toEqual(['9/0', '12/0']);
  });
});

describe('a node that omits logs (P2)', () => {
  const omitted = (places: readonly string[]) => (log: Readonly<Record<string, unknown>>) =>
    places.includes(`${Number(log['blockNumber'])}/${Number(log['logIndex'])}`);

  it('is believed by a quick reading, and found out by the blooms of its headers in a thorough one', async () => {
    const reader = readerOf([await node(chainOf(), { omits: omitted(['6/0', '16/0']) })]);
    expect(placesOf(await read(reader, { depth: 'quick' }))).toEqual(
      ALL.filter((place) => !['6/0', '16/0'].includes(place)),
    );
    const thorough = await read(reader);
    expect(placesOf(thorough)).toEqual(ALL);
    expect(thorough.wholeBlocks).toBe(2);
  });

  it('is found out when it tells a part of a block that no bloom shows, by the hash of the block, with one endpoint too', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 6; i++) chain.mine([sale, { ...sale, tx: 1 }, made, { ...moved, tx: 2 }, moved]);
    const all = Array.from({ length: 6 }, (_, i) => [0, 1, 2, 3, 4].map((index) => `${i + 1}/${index}`));
    const at = await node(chain, { omits: omitted(['2/1', '3/0', '5/4']) });
    const request = { toPosition: 6n };
    for (const checkBlooms of [true, false]) {
      const reader = readerOf([at], { checkBlooms });
      expect(placesOf(await read(reader, { ...request, depth: 'quick' }))).not.toContain('2/1');
      const thorough = await read(reader, request);
      expect(placesOf(thorough)).toEqual(all.flat());
      expect(thorough.wholeBlocks).toBe(3);
    }
  });

  it.each([
    ['does not know the question', { code: -32601, message: 'the method is not supported' }],
    ['has too many logs', { code: -32005, message: 'query returned more than 1 results' }],
  ])('has its blocks read whole when, asked for them by their hash, it %s', async (_, error) => {
    const at = await node(chainOf(), { omits: omitted(['12/0']) });
    at.rules.onCall = (method, [filter]) =>
      method === 'eth_getLogs' && 'blockHash' in (filter as object) ? { error } : undefined;
    const reading = await read(readerOf([at]));
    expect(placesOf(reading)).toEqual(ALL);
    // Block 4 among them: it has a log of what is a collection from block 5 on.
    expect(reading.wholeBlocks).toBe(new Set(ALL.map((place) => place.split('/')[0])).size + 1);
  });

  it('is not believed when what it tells of a block alone is of another one', async () => {
    const at = await node(chainOf());
    let lies = 1;
    at.rules.changeResult = (method, [filter], result) =>
      method === 'eth_getLogs' && 'blockHash' in (filter as object) && lies-- > 0
        ? (result as object[]).map((log) => ({ ...log, blockHash: word(0xbad) }))
        : result;
    const reading = await read(readerOf([at]));
    expect(placesOf(reading)).toEqual(ALL);
    expect(lies).toBeLessThan(0);
    expect(reading.wholeBlocks).toBe(0);
  });

  it('may omit the log that made a contract known: its own logs are found too', async () => {
    const reader = readerOf([await node(chainOf(), { omits: omitted(['5/0']) })]);
    expect(placesOf(await read(reader, { depth: 'quick' }))).not.toContain('8/0');
    const reading = await read(reader);
    expect(placesOf(reading)).toEqual(ALL);
    expect(reading.discovered).toEqual([CHILD_MADE]);
  });

  it('is found out where blooms say nothing only by another endpoint, or by reading every block whole', async () => {
    const bloom = () => `0x${'0'.repeat(512)}`;
    const faulty = await node(chainOf(), { omits: omitted(['6/0']), bloom });
    expect(placesOf(await read(readerOf([faulty])))).not.toContain('6/0');
    const sound = await node(chainOf(), { bloom });
    expect(placesOf(await read(readerOf([faulty, sound], { lastFirst: true })))).toEqual(ALL);
    const reader = readerOf([faulty]);
    const whole = await read(reader, { depth: 'whole' });
    expect(placesOf(whole)).toEqual(ALL);
    expect(whole.wholeBlocks).toBe(20);
  });

  it('is not suspected where blooms are not to be looked at', async () => {
    const reader = readerOf([await node(chainOf(), { bloom: () => `0x${'f'.repeat(512)}` })], {
      checkBlooms: false,
    });
    expect((await read(reader)).wholeBlocks).toBe(0);
  });

  it('may have no receipts of blocks, only those of transactions', async () => {
    const at = await node(chainOf(), { omits: omitted(['6/0', '12/1']) });
    at.rules.onCall = (method) =>
      method === 'eth_getBlockReceipts'
        ? { error: { code: -32601, message: 'the method eth_getBlockReceipts does not exist' } }
        : undefined;
    const reader = readerOf([at]);
    expect(placesOf(await read(reader))).toEqual(ALL);
    expect(placesOf(await read(reader, { depth: 'whole' }))).toEqual(ALL);
    expect(at.count('eth_getTransactionReceipt')).toBeGreaterThan(10);
  });
});

describe('blocks read whole', () => {
  it('have what their receipts have, and tell which logs nobody follows', async () => {
    const chain = createFakeChain();
    chain.mine([sale, { address: address(77), topics: [SALE] }, made]);
    chain.skipHeight();
    chain.mine([moved]);
    const reader = readerOf([await node(chain, { omits: () => true })]);
    const [first, skipped, second] = await reader.readBlocks([1n, 2n, 3n], [CHILD_MADE], never);
    expect(first?.events.map(({ source }) => source.index)).toEqual([0, 2]);
    expect(first?.discovered).toEqual([{ ...CHILD_MADE, discoveredAt: evmSeqNo.encode(1n, 2, 0) }]);
    expect([0, 1, 2, 3].map((index) => first?.isForeign(index))).toEqual([false, true, false, false]);
    expect(skipped).toMatchObject({ block: null, events: [] });
    expect(second?.block?.hash).toBe(chain.blocks[3]?.hash);
    expect(second?.events).toEqual([]);
    expect(second?.isForeign(0)).toBe(true);
  });
});

it('counts how often it is told that it asks too often', async () => {
  const at = await node(chainOf());
  const reader = readerOf([at]);
  let refusals = 2;
  at.rules.onHttp = () => (refusals-- > 0 ? { status: 429, body: '' } : undefined);
  await read(reader);
  expect(reader.rateLimited).toBe(2);
});
