import {
  evmSeqNo,
  type AppendMessage,
  type BlockRef,
  type ResumePoint,
  type SubjectMessage,
} from '@imart/core';
import { waitMs } from '@imart/pipeline';
import { silentLogger, type LogFields } from '@imart/runtime';
import { once, setMaxListeners } from 'node:events';
import { WebSocketServer } from 'ws';
import { createEvmSubject, type EvmSubject } from './createEvmSubject';
import type { FollowedMarketplace } from './follow';
import type { EmitMarketEvent, Marketplace, MarketTransaction } from './marketplace';
import type { EvmSubjectOptions } from './subject/options';
import { createFakeChain, quantity, type FakeBlock, type FakeChain, type FakeLog } from './testing/fakeChain';
import { receiptsOf, startFakeRpc, type FakeRpc, type FakeRpcRules } from './testing/fakeRpc';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const SALE = word(0x5a1e);
const MOVE = word(0x303e);
const MADE = word(0x3ade);
const MARKET = address(1);
const FACTORY = address(2);
const sale: FakeLog = { address: MARKET, topics: [SALE] };
/** A log of another transaction than the one before. */
const inTx = (tx: number, log: FakeLog = sale): FakeLog => ({ ...log, tx });

const seen: MarketTransaction[] = [];
const market = (changes: Partial<Marketplace> = {}): Marketplace => ({
  name: 'market',
  contracts: () => [],
  topics: [SALE],
  needsReceipt: () => false,
  translate: (transaction, emit) => {
    seen.push(transaction);
    for (const log of transaction.logs) {
      (emit as (...event: unknown[]) => ReturnType<EmitMarketEvent>)(
        log,
        'order',
        `${log.blockNumber}/${log.logIndex}`,
        'OrderListed',
        {},
      );
    }
  },
  ...changes,
});
const ofMarket: FollowedMarketplace = { marketplace: market(), contracts: [MARKET] };

const nodes: FakeRpc[] = [];
const subjects: EvmSubject[] = [];
const abort = { controller: new AbortController() };
const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];

beforeEach(() => {
  abort.controller = new AbortController();
  setMaxListeners(0, abort.controller.signal);
  lines.length = 0;
  seen.length = 0;
});
afterEach(async () => {
  abort.controller.abort(new Error('the test is over'));
  for (const subject of subjects.splice(0)) subject.close();
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

async function node(chain: FakeChain, rules: FakeRpcRules = {}): Promise<FakeRpc> {
  const started = await startFakeRpc(chain, rules);
  nodes.push(started);
  return started;
}

function subjectOf(rpcs: readonly FakeRpc[], options: Partial<EvmSubjectOptions> = {}): EvmSubject {
  const log = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  const subject = createEvmSubject({
    chainId: 1,
    rpcUrls: rpcs.map(({ url }) => url),
    marketplaces: [ofMarket],
    wrappedNative: null,
    logger: {
      ...silentLogger,
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    },
    wsUrl: null,
    random: () => 0.5,
    // A clock a hundred times as fast: what would take seconds takes milliseconds.
    now: () => performance.now() * 100,
    wait: (ms, signal) => waitMs(ms / 100, signal),
    finalityPollIntervalMs: 0,
    catchUpPollIntervalMs: 1e9,
    ...options,
  });
  subjects.push(subject);
  return subject;
}

const fromStart: ResumePoint = { nextPosition: 0n, window: [], finalizedPosition: null, discovered: [] };

/** Everything up to the end, or up to the message that is waited for. */
async function take(
  subject: EvmSubject,
  resume: ResumePoint = fromStart,
  until: (message: SubjectMessage, all: readonly SubjectMessage[]) => boolean = () => false,
): Promise<SubjectMessage[]> {
  const messages: SubjectMessage[] = [];
  for await (const message of subject.messages(resume, abort.controller.signal)) {
    messages.push(message);
    if (message.kind === 'append') subject.executed(message.toSeqNo);
    if (until(message, messages)) break;
  }
  return messages;
}

const appends = (messages: readonly SubjectMessage[]) =>
  messages.filter((m): m is AppendMessage => m.kind === 'append');
const places = (messages: readonly SubjectMessage[]) =>
  appends(messages).flatMap(({ events }) => events.map(({ source }) => `${source.position}/${source.index}`));

/** What a clean pass over the chain gives. */
const placesOf = (chain: FakeChain, to = chain.head) =>
  chain.blocks
    .slice(0, to + 1)
    .flatMap((block) => (block?.logs ?? []).map((_, i) => `${block?.number}/${i}`));

/** A chain in which every third block has a sale or two. */
function busyChain(length: number): FakeChain {
  const chain = createFakeChain();
  while (chain.head < length)
    chain.mine(chain.head % 3 === 0 ? [sale, inTx(1)] : chain.head % 7 === 0 ? [sale] : []);
  return chain;
}

/** That ranges follow each other, and that their blocks do. */
function expectContiguous(messages: readonly SubjectMessage[], from = 0n): void {
  let next = from;
  for (const { fromPosition, toPosition, toSeqNo, blocks } of appends(messages)) {
    expect(fromPosition).toBe(next);
    expect(toSeqNo).toBe(evmSeqNo.last(toPosition));
    expect(blocks.at(-1)?.position).toBe(toPosition);
    next = toPosition + 1n;
  }
}

describe('reading a chain to its end', () => {
  it('gives every log at its place, in contiguous ranges, then ends', async () => {
    const chain = busyChain(300);
    const rpc = await node(chain);
    const messages = await take(
      subjectOf([rpc], { endBlock: 300n, ranges: { firstBlocks: 20, maxBlocks: 30 } }),
    );
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
    expect(messages.at(-1)).toEqual({ kind: 'end', atPosition: 300n });
    expect(messages.find(({ kind }) => kind === 'heartbeat')).toMatchObject({
      head: { position: 300n, hash: chain.blocks[300]?.hash },
    });
    const event = appends(messages)[0]?.events[0];
    expect(event?.source).toMatchObject({
      timeUs: BigInt((chain.blocks[1] as FakeBlock).timestamp) * 1_000_000n,
      blockHash: chain.blocks[1]?.hash,
    });
  });

  it('remembers every block above finality, and of the others the last of each range', async () => {
    const chain = busyChain(200);
    const rpc = await node(chain, { finalized: 150 });
    const messages = await take(
      subjectOf([rpc], { endBlock: 200n, ranges: { firstBlocks: 40, maxBlocks: 40 } }),
    );
    const remembered = appends(messages).flatMap(({ blocks }) => blocks);
    expect(remembered.filter(({ position }) => position > 150n).map(({ position }) => position)).toEqual(
      Array.from({ length: 50 }, (_, i) => BigInt(151 + i)),
    );
    expect(remembered.filter(({ position }) => position <= 150n).map(({ position }) => position)).toEqual([
      39n,
      79n,
      119n,
      150n,
    ]);
    expect(messages.filter(({ kind }) => kind === 'finalize')).toEqual([
      { kind: 'finalize', upToSeqNo: evmSeqNo.last(150n), position: 150n },
    ]);
  });

  it('tells catching up from following', async () => {
    const rpc = await node(busyChain(200), { finalized: 150 });
    const messages = await take(
      subjectOf([rpc], { endBlock: 200n, catchUpDistanceBlocks: 32, unfinalizedRangeBlocksMax: 10 }),
    );
    expect(appends(messages).every(({ toPosition, catchingUp }) => catchingUp === toPosition < 168n)).toBe(
      true,
    );
    expect(appends(messages).some(({ catchingUp }) => !catchingUp)).toBe(true);
  });

  it('asks for no header of a block whose logs tell its time', async () => {
    const chain = busyChain(300);
    const rpc = await node(chain, { blockTimestamps: true });
    const messages = await take(
      subjectOf([rpc], { endBlock: 200n, ranges: { firstBlocks: 50, maxBlocks: 50 } }),
    );
    expect(places(messages)).toEqual(placesOf(chain, 200));
    // Two for each range, block 0 apart, and those of the head and of finality.
    expect(rpc.count('eth_getBlockByNumber')).toBeLessThanOrEqual(2 * 5 + 4);
    expect(appends(messages)[0]?.events[0]?.source.timeUs).toBe(
      BigInt((chain.blocks[1] as FakeBlock).timestamp) * 1_000_000n,
    );
  });

  it('looks at the head now and then while it reads, and says what is final', async () => {
    const chain = busyChain(100);
    const rpc = await node(chain, { finalized: 100 });
    const messages = await take(
      subjectOf([rpc], {
        endBlock: 100n,
        catchUpPollIntervalMs: 0,
        ranges: { firstBlocks: 20, maxBlocks: 20 },
      }),
    );
    const kinds = messages.map((message) =>
      message.kind === 'finalize' ? `final ${message.position}` : message.kind,
    );
    expect(kinds).toEqual([
      ...[19, 39, 59, 79, 99, 100].flatMap((to) => ['heartbeat', 'append', `final ${to}`]),
      'end',
    ]);
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('waits for an end beyond the head, saying so once', async () => {
    const chain = busyChain(20);
    const rpc = await node(chain);
    const messages = await take(subjectOf([rpc], { endBlock: 23n }), fromStart, ({ kind }) => {
      if (
        kind === 'heartbeat' &&
        rpc.count('eth_chainId') > 0 &&
        chain.head < 25 &&
        lines.some(({ message }) => message.startsWith('END_BLOCK'))
      )
        chain.mine([sale]);
      return false;
    });
    expect(messages.at(-1)).toEqual({ kind: 'end', atPosition: 23n });
    expect(lines.filter(({ message }) => message.startsWith('END_BLOCK'))).toEqual([
      { level: 'info', message: expect.any(String) as string, fields: { head: 20, block: 23 } },
    ]);
  });
});

describe('a provider with limits', () => {
  it.each<[string, FakeRpcRules]>([
    ['on blocks', { blocksMax: 7 }],
    ['on logs', { logsMax: 5 }],
    ['on both', { blocksMax: 50, logsMax: 9 }],
  ])('%s is asked for what it gives (P9)', async (_, rules) => {
    const chain = busyChain(300);
    const rpc = await node(chain, rules);
    const messages = await take(subjectOf([rpc], { endBlock: 300n, ranges: { firstBlocks: 200 } }));
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
  });

  it('whose suggestion is what was asked is asked for half (P9)', async () => {
    const chain = busyChain(100);
    const rpc = await node(chain, {
      onCall: (method, [filter]) => {
        const { fromBlock, toBlock } = (filter ?? {}) as { fromBlock: string; toBlock: string };
        if (method !== 'eth_getLogs' || Number(toBlock) - Number(fromBlock) < 3) return undefined;
        return {
          error: {
            code: -32602,
            message: `query exceeds max results 20000, retry with the range ${Number(fromBlock)}-${Number(toBlock)}`,
          },
        };
      },
    });
    const messages = await take(subjectOf([rpc], { endBlock: 100n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('that cuts its answers without a word is found out', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 60; i++) chain.mine([sale, inTx(1), inTx(2)]);
    const rpc = await node(chain, { silentCap: 100 });
    const messages = await take(subjectOf([rpc], { endBlock: 60n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it.each([true, false])(
    'too small for one block is asked for its receipts, or by halves of the question (receipts: %p)',
    async (hasReceipts) => {
      const chain = createFakeChain();
      const logs = [1, 2, 3, 4].flatMap((n) => [
        inTx(n, { address: address(n), topics: [SALE] }),
        inTx(n, { address: address(n), topics: [MOVE] }),
      ]);
      chain.mine(logs);
      const rpc = await node(chain, {
        logsMax: 1,
        ...(hasReceipts
          ? {}
          : {
              onCall: (method) =>
                method === 'eth_getBlockReceipts'
                  ? { error: { code: -32601, message: 'method not found' } }
                  : undefined,
            }),
      });
      const marketplaces = [
        { marketplace: market({ topics: [SALE, MOVE] }), contracts: [1, 2, 3, 4].map(address) },
      ];
      const messages = await take(subjectOf([rpc], { endBlock: 1n, marketplaces }));
      expect(places(messages)).toEqual(['1/0', '1/1', '1/2', '1/3', '1/4', '1/5', '1/6', '1/7']);
      expect(rpc.count('eth_getBlockReceipts')).toBeGreaterThan(0);
    },
  );

  it('on its rate is asked later for the same, not for less (P10)', async () => {
    const chain = busyChain(50);
    let refusals = 3;
    const rpc = await node(chain, {
      onCall: (method) =>
        method === 'eth_getLogs' && refusals-- > 0
          ? { error: { code: -32005, message: 'request rate limited' } }
          : undefined,
    });
    await take(subjectOf([rpc], { endBlock: 40n, finalityDepthBlocks: 5, useFinalizedTag: false }));
    const ranges = rpc.calls
      .filter(({ method }) => method === 'eth_getLogs')
      .map(({ params }) => (params[0] as { toBlock: string }).toBlock);
    expect(new Set(ranges)).toEqual(new Set([quantity(40)]));
  });
});

describe('an answer that cannot be right', () => {
  const heals = (times: number, broken: NonNullable<FakeRpcRules['changeResult']>): FakeRpcRules => {
    let left = times;
    return {
      changeResult: (method, params, result) => {
        const changed = left > 0 ? broken(method, params, result) : result;
        if (changed !== result) left--;
        return changed;
      },
    };
  };
  const first = (result: unknown) => (result as Record<string, unknown>[])[0];
  const isLogs = (method: string, result: unknown) =>
    method === 'eth_getLogs' && Array.isArray(result) && result.length > 0;

  it.each<[string, NonNullable<FakeRpcRules['changeResult']>]>([
    [
      'has a log twice (P11)',
      (method, _, result) => (isLogs(method, result) ? [...(result as unknown[]), first(result)] : result),
    ],
    [
      'has a log of another block (P11)',
      (method, _, result) => (isLogs(method, result) ? [{ ...first(result), blockNumber: '0x999' }] : result),
    ],
    [
      'has a log of another branch (P11)',
      (method, _, result) =>
        isLogs(method, result)
          ? [{ ...first(result), blockHash: word(9) }, ...(result as unknown[]).slice(1)]
          : result,
    ],
    ['is no list', (method, _, result) => (isLogs(method, result) ? { 0: 1 } : result)],
    [
      'has a header of another height',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x4'
          ? { ...(result as object), number: '0x5' }
          : result,
    ],
    [
      'has a header of another branch',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x4'
          ? { ...(result as object), hash: word(9) }
          : result,
    ],
    [
      'has headers that do not follow each other',
      (method, [number], result) =>
        method === 'eth_getBlockByNumber' && number === '0x5'
          ? { ...(result as object), parentHash: word(9) }
          : result,
    ],
    [
      'lacks the last block: its logs are not believed (P1)',
      (method, [number], result) => (method === 'eth_getBlockByNumber' && number === '0x1e' ? null : result),
    ],
  ])('%s, and is asked for again', async (_, broken) => {
    const chain = busyChain(30);
    const rpc = await node(chain, heals(4, broken));
    const messages = await take(subjectOf([rpc], { endBlock: 30n }));
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
    for (const { source } of appends(messages).flatMap(({ events }) => events)) {
      expect(source.blockHash).toBe(chain.blocks[Number(source.position)]?.hash);
    }
  });

  it('is asked for elsewhere (P1)', async () => {
    const chain = busyChain(30);
    const lagging = await node(chain, {
      head: 12,
      changeResult: (_, [tag], result) =>
        tag === 'latest' ? { ...(result as object), number: '0x1e' } : result,
    });
    const good = await node(chain);
    const messages = await take(subjectOf([lagging, good], { endBlock: 30n }));
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('stops the worker when it stays so, and names the blocks', async () => {
    const rpc = await node(busyChain(30), {
      changeResult: (method, _, result) =>
        isLogs(method, result) ? [...(result as unknown[]), first(result)] : result,
    });
    await expect(
      take(subjectOf([rpc], { endBlock: 30n, rpc: { refusedAnswersMax: 5 } })),
    ).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      disposition: 'stop',
      message: expect.stringMatching(/blocks 1\.\.30.*5 attempts.*twice/) as string,
    });
  });

  it('does not end the reading when it is a page of a gateway, or nothing at all (P3, P15)', async () => {
    const chain = busyChain(30);
    let count = 0;
    const rpc = await node(chain, {
      onHttp: () =>
        (++count * 7) % 5 < 2
          ? { status: count % 2 === 1 ? 502 : 200, body: '<html>Bad Gateway</html>' }
          : undefined,
    });
    expect(places(await take(subjectOf([rpc], { endBlock: 30n })))).toEqual(placesOf(chain));
  });

  it('leaves out removed logs of another branch and malformed ones, counted by reason (P12, D7)', async () => {
    const chain = createFakeChain();
    chain.mine([sale, inTx(1), inTx(2)]);
    chain.mine();
    const rpc = await node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result)
          ? (result as object[]).map((log, i) =>
              i === 0
                ? { ...log, blockHash: word(9), removed: true }
                : i === 1
                  ? { ...log, topics: [SALE, ''] }
                  : log,
            )
          : result,
    });
    const subject = subjectOf([rpc], { endBlock: 2n });
    const messages = await take(subject);
    expect(places(messages)).toEqual(['1/2']);
    expect(appends(messages).reduce((sum, append) => sum + append.sourceRecords, 0)).toBe(3);
    expect(subject.stats().skippedLogs).toEqual({ removed: 1, topics: 1 });
  });

  it('has malformed logs: the first one of each fault and endpoint is told with its place, all are counted (D7)', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 3; i++) chain.mine([sale, inTx(1), inTx(2)]);
    const rpc = await node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result)
          ? (result as Record<string, unknown>[]).map((log) =>
              log['logIndex'] === '0x0'
                ? { ...log, data: '0x1' }
                : log['logIndex'] === '0x1'
                  ? { ...log, transactionHash: { not: 'a hash' } }
                  : log,
            )
          : result,
    });
    const subject = subjectOf([rpc], { endBlock: 3n });
    expect(places(await take(subject))).toEqual(['1/2', '2/2', '3/2']);
    expect(subject.stats().skippedLogs).toEqual({ data: 3, transaction: 3 });
    const told = lines.filter(({ level, message }) => level === 'warn' && message.includes('left out'));
    const endpoint = expect.stringContaining('rpc#1') as string;
    expect(told.map(({ fields }) => fields)).toEqual([
      { reason: 'data', endpoint, block: '0x1', transaction: chain.blocks[1]?.logs[0]?.['transactionHash'] },
      { reason: 'transaction', endpoint, block: '0x1', transaction: 'unknown' },
    ]);
  });

  it.each([
    ['above finality', null],
    ['below it, where the block is asked for', 5],
  ])('marks a log of a block of the chain as removed: it is read again, %s (P12)', async (_, finalized) => {
    const chain = createFakeChain();
    chain.mine();
    chain.mine([sale, inTx(1)]);
    for (let i = 0; i < 3; i++) chain.mine();
    const removed = (method: string, _params: unknown, result: unknown) =>
      isLogs(method, result)
        ? (result as object[]).map((log, i) => (i === 0 ? { ...log, removed: true } : log))
        : result;
    const settings = finalized === null ? {} : { finalityDepthBlocks: 0 };
    const rpc = await node(chain, { ...heals(2, removed), finalized });
    expect(places(await take(subjectOf([rpc], { endBlock: 5n, ...settings })))).toEqual(['2/0', '2/1']);

    const always = await node(chain, { changeResult: removed, finalized });
    const reading = take(subjectOf([always], { endBlock: 5n, ...settings, rpc: { refusedAnswersMax: 3 } }));
    await expect(reading).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringContaining('marked as removed with block 2') as string,
    });
  });

  describe('and that lacks logs of a block', () => {
    /** A bloom that holds everything, or only the market and its topic. */
    const full = () => `0x${'f'.repeat(512)}`;
    const omit = (rules: { once: boolean }): NonNullable<FakeRpcRules['changeResult']> => {
      let omitted = false;
      return (method, [filter], result) => {
        if (!isLogs(method, result) || 'blockHash' in (filter as object) || (rules.once && omitted))
          return result;
        omitted = true;
        return [];
      };
    };
    it('is found out by the bloom, by the hash of the block (P2)', async () => {
      const chain = busyChain(10);
      const rpc = await node(chain, { bloom: full, changeResult: omit({ once: true }) });
      expect(places(await take(subjectOf([rpc], { endBlock: 10n })))).toEqual(placesOf(chain));
      const still = await node(chain, { bloom: full, changeResult: omit({ once: false }) });
      const reading = take(subjectOf([still], { endBlock: 10n, rpc: { refusedAnswersMax: 3 } }));
      await expect(reading).rejects.toMatchObject({ code: 'RPC_ANSWER_REFUSED' });
    });

    it('is believed after a second look, or at once where blooms are not to be trusted', async () => {
      const rpc = await node(createFakeChain(11), { bloom: full });
      const subject = subjectOf([rpc], { endBlock: 10n });
      await take(subject);
      expect(subject.stats().bloomAlarms).toBe(10);
      const trusting = subjectOf([rpc], { endBlock: 10n, checkBlooms: false });
      await take(trusting);
      expect(trusting.stats().bloomAlarms).toBe(0);
    });
  });

  it('may come in any order: the order is ours', async () => {
    const chain = busyChain(50);
    const rpc = await node(chain, {
      changeResult: (method, _, result) =>
        isLogs(method, result) ? [...(result as unknown[])].reverse() : result,
    });
    expect(places(await take(subjectOf([rpc], { endBlock: 50n })))).toEqual(placesOf(chain));
  });

  it.each([
    ['one block at a time', 1],
    ['all at once', 50],
  ])(
    'may count logs by transaction where one block does not show it: after a block that did, all are places, read %s',
    async (_, unfinalizedRangeBlocksMax) => {
      const chain = createFakeChain();
      const foreign = { ...sale, address: address(77) };
      const notShown = [foreign, foreign, inTx(1)];
      chain.mine(notShown);
      chain.mine([sale, inTx(1)]);
      chain.mine(notShown);
      chain.mine();
      chain.mine(notShown);
      const perTransaction = (logs: readonly Record<string, unknown>[]) =>
        logs.map((log) => ({
          ...log,
          logIndex: quantity(
            Number(log['logIndex']) -
              Number(
                chain.blocks[Number(log['blockNumber'])]?.logs.find(
                  (first) => first['transactionHash'] === log['transactionHash'],
                )?.['logIndex'],
              ),
          ),
        }));
      let asked = 0;
      const rpc = await node(chain, {
        // The block that shows it is answered after those behind it, which are read at the same time.
        onCall: (method, [filter]) =>
          method === 'eth_getLogs' && (filter as { fromBlock?: string }).fromBlock === '0x2' && asked++ < 3
            ? { error: { code: -32603, message: 'internal error' } }
            : undefined,
        changeResult: (method, _params, result) => {
          if (method === 'eth_getLogs') return perTransaction(result as Record<string, unknown>[]);
          if (method !== 'eth_getBlockReceipts') return result;
          return (result as { logs: Record<string, unknown>[] }[]).map((receipt) => ({
            ...receipt,
            logs: perTransaction(receipt.logs),
          }));
        },
      });
      const messages = await take(subjectOf([rpc], { endBlock: 5n, unfinalizedRangeBlocksMax }));
      expect(places(messages)).toEqual(['1/0', '2/0', '2/1', '3/2', '5/2']);
    },
  );

  it('may count logs by transaction: then the index is the place in the block', async () => {
    const chain = createFakeChain();
    chain.mine([sale, { ...sale, address: address(77) }, inTx(1), inTx(1), inTx(2)]);
    const perTransaction = (log: Record<string, unknown>): Record<string, unknown> => ({
      ...log,
      logIndex: quantity([0, 1, 0, 1, 0][Number(log['logIndex'])] as number),
    });
    const rpc = await node(chain, {
      changeResult: (method, _, result) => {
        if (method === 'eth_getLogs') return (result as Record<string, unknown>[]).map(perTransaction);
        if (method !== 'eth_getBlockReceipts') return result;
        return (result as { logs: Record<string, unknown>[] }[]).map((receipt) => ({
          ...receipt,
          logs: receipt.logs.map(perTransaction),
        }));
      },
    });
    expect(places(await take(subjectOf([rpc], { endBlock: 1n })))).toEqual(['1/0', '1/2', '1/3', '1/4']);
  });
});

describe('receipts', () => {
  const marketplaces = [
    { marketplace: market({ needsReceipt: (log) => log.data === '0x01' }), contracts: [MARKET] },
  ];
  const chainWithReceipts = () => {
    const chain = createFakeChain();
    chain.mine([
      sale,
      inTx(1, { ...sale, data: '0x01' }),
      inTx(1, { address: address(50), topics: [MOVE] }),
      inTx(2),
    ]);
    return chain;
  };

  it('are fetched for the transactions that need them, whole, whoever emitted the logs', async () => {
    const chain = chainWithReceipts();
    const rpc = await node(chain);
    await take(subjectOf([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.map(({ address: by }) => by) ?? null)).toEqual([
      null,
      [MARKET, address(50)],
      null,
    ]);
    expect(rpc.count('eth_getTransactionReceipt')).toBe(1);
  });

  it.each([
    ['logs are numbered through the block and receipts by transaction', 'eth_getTransactionReceipt', [1, 2]],
    ['logs are numbered by transaction and receipts through the block', 'eth_getLogs', [0, 1]],
  ])('have the numbers of the logs that were asked for where %s', async (_, byTransaction, expected) => {
    const chain = createFakeChain();
    const foreign = { address: address(50), topics: [MOVE] };
    chain.mine([{ ...foreign, tx: 0 }, inTx(1, { ...sale, data: '0x01' }), inTx(1, foreign)]);
    const fromTransaction = (log: Record<string, unknown>) => ({
      ...log,
      logIndex: quantity(Number(log['logIndex']) - 1),
    });
    const rpc = await node(chain, {
      changeResult: (method, _params, result) => {
        if (method !== byTransaction) return result;
        if (Array.isArray(result)) return (result as Record<string, unknown>[]).map(fromTransaction);
        const receipt = result as { logs: Record<string, unknown>[] };
        return { ...receipt, logs: receipt.logs.map(fromTransaction) };
      },
    });
    await take(subjectOf([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ logs }) => logs.map(({ logIndex }) => logIndex))).toEqual([expected.slice(0, 1)]);
    expect(seen[0]?.receipt?.logs.map(({ logIndex }) => logIndex)).toEqual(expected);
  });

  it('come from their block when they cannot be had singly', async () => {
    const rpc = await node(chainWithReceipts(), {
      onCall: (method) =>
        method === 'eth_getTransactionReceipt'
          ? { error: { code: -32601, message: 'the method is not available' } }
          : undefined,
    });
    await take(subjectOf([rpc], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.length ?? null)).toEqual([null, 2, null]);
  });

  it('that are null or short are asked for again, elsewhere (P3)', async () => {
    const chain = chainWithReceipts();
    const broken = await node(chain, {
      changeResult: (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? null
          : method === 'eth_getBlockReceipts'
            ? [receiptsOf(chain.blocks[1] as FakeBlock)[0]]
            : result,
    });
    await take(subjectOf([broken, await node(chain)], { endBlock: 1n, marketplaces }));
    expect(seen.map(({ receipt }) => receipt?.logs.length ?? null)).toEqual([null, 2, null]);
  });

  it('that are nowhere to be had stop the worker: never half a transaction', async () => {
    const rpc = await node(chainWithReceipts(), {
      changeResult: (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? { ...(result as object), logs: [] }
          : method === 'eth_getBlockReceipts'
            ? []
            : method === 'eth_getBlockByNumber'
              ? { ...(result as object), transactions: [] }
              : result,
    });
    const reading = take(subjectOf([rpc], { endBlock: 1n, marketplaces, rpc: { refusedAnswersMax: 3 } }));
    await expect(reading).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringContaining('no receipt with all of them') as string,
    });
    expect(seen).toEqual([]);
  });
});

describe('collections that a factory creates', () => {
  const child = (n: number) => address(0x1000 + n);
  const made = (n: number): FakeLog => ({ address: FACTORY, topics: [MADE], data: child(n) });
  const moved = (n: number): FakeLog => ({ address: child(n), topics: [MOVE] });
  const marketplaces = (): FollowedMarketplace[] => [
    {
      marketplace: market({
        name: 'factory',
        topics: [MADE],
        discover: (log) => [{ address: log.data, standard: 'erc721' }],
      }),
      contracts: [FACTORY],
    },
    { marketplace: market({ name: 'tokens', topics: [MOVE] }), contracts: [], discovered: true },
  ];

  function chainWithChildren(): FakeChain {
    const chain = createFakeChain();
    for (let i = 1; i <= 120; i++) {
      if (i % 20 === 5) chain.mine([moved(i), made(i), moved(i)]);
      else chain.mine(i % 20 > 5 ? [moved(i - (i % 20) + 5), moved(5)] : [moved(999)]);
    }
    return chain;
  }

  it.each([1, 3, 10, 500])(
    'are followed from their creation on, in ranges of %i blocks',
    async (firstBlocks) => {
      const chain = chainWithChildren();
      const rpc = await node(chain, { finalized: 120 });
      const messages = await take(
        subjectOf([rpc], {
          endBlock: 120n,
          marketplaces: marketplaces(),
          rangesInFlightMax: 4,
          ranges: { firstBlocks, maxBlocks: firstBlocks },
        }),
      );
      const expected = chain.blocks.flatMap((block) => {
        const number = block?.number ?? 0;
        if (number % 20 === 5) return [`${number}/1`, `${number}/2`];
        if (number % 20 > 5) return [`${number}/0`, ...(number > 5 ? [`${number}/1`] : [])];
        return [];
      });
      // Blocks 6..19 hold two logs of the first child.
      expect(places(messages)).toEqual(expected);
      expect(
        appends(messages)
          .flatMap(({ discovered }) => discovered)
          .map(({ address: of }) => of),
      ).toEqual([5, 25, 45, 65, 85, 105].map(child));
      expectContiguous(messages);
    },
  );

  it('are followed after a restart', async () => {
    const chain = chainWithChildren();
    const rpc = await node(chain);
    const discovered = [{ address: child(5), kind: 'erc721', discoveredAt: evmSeqNo.encode(5n, 1, 0) }];
    const messages = await take(subjectOf([rpc], { endBlock: 10n, marketplaces: marketplaces() }), {
      ...fromStart,
      nextPosition: 4n,
      discovered,
    });
    expect(places(messages)).toEqual([
      '5/1',
      '5/2',
      '6/0',
      '6/1',
      '7/0',
      '7/1',
      '8/0',
      '8/1',
      '9/0',
      '9/1',
      '10/0',
      '10/1',
    ]);
    expect(appends(messages).flatMap((append) => append.discovered)).toEqual([]);
  });

  it('need no queries of their own when every contract is followed', async () => {
    const rpc = await node(chainWithChildren());
    const [factory, tokens] = marketplaces() as [FollowedMarketplace, FollowedMarketplace];
    const messages = await take(
      subjectOf([rpc], { endBlock: 30n, marketplaces: [factory, { ...tokens, contracts: 'all' }] }),
    );
    expect(places(messages).filter((place) => place.startsWith('5/'))).toEqual(['5/0', '5/1', '5/2']);
    expect(appends(messages).flatMap(({ discovered }) => discovered)).toHaveLength(2);
  });
});

describe('the head', () => {
  /** Reads until a block is there, mining the next ones as it goes. */
  const followTo = (
    subject: EvmSubject,
    to: bigint,
    onMessage: (message: SubjectMessage) => void = () => undefined,
    resume = fromStart,
  ) =>
    take(subject, resume, (message) => {
      onMessage(message);
      return message.kind === 'append' && message.toPosition >= to;
    });

  it('is followed block by block, each remembered with its parent', async () => {
    const chain = busyChain(10);
    const rpc = await node(chain);
    const messages = await followTo(subjectOf([rpc]), 30n, ({ kind }) => {
      if (kind === 'heartbeat') chain.mine([sale]);
    });
    expectContiguous(messages);
    const blocks = appends(messages).flatMap((append) => append.blocks);
    expect(blocks.map(({ hash }) => hash)).toEqual(
      chain.blocks.slice(0, blocks.length).map((block) => block?.hash),
    );
    expect(blocks.slice(1).every(({ parentHash }, i) => parentHash === (blocks[i] as BlockRef).hash)).toBe(
      true,
    );
    expect(appends(messages).at(-1)?.catchingUp).toBe(false);
  });

  it('may be invented: what nobody serves is not read (P5)', async () => {
    const chain = busyChain(10);
    let invented = true;
    const rpc = await node(chain, {
      changeResult: (_, [tag], result) =>
        tag === 'latest' && invented ? { ...(result as object), number: '0x40', hash: word(5) } : result,
    });
    const messages = await followTo(subjectOf([rpc]), 10n, ({ kind }) => {
      if (kind === 'heartbeat' && rpc.count('eth_getLogs') > 2) invented = false;
    });
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('may stand above heights that have no block (P17)', async () => {
    const chain = createFakeChain(5);
    for (let i = 0; i < 30; i++) {
      if (i % 4 === 1) chain.skipHeight();
      else chain.mine([sale]);
    }
    chain.mine();
    for (const finalized of [0, chain.head]) {
      const rpc = await node(chain, { finalized });
      const messages = await take(
        subjectOf([rpc], {
          endBlock: BigInt(chain.head),
          ranges: { firstBlocks: 3, maxBlocks: 3 },
          unfinalizedRangeBlocksMax: 3,
        }),
      );
      expect(places(messages)).toEqual(placesOf(chain));
      expectContiguous(messages);
    }
  });

  it('is known at once when a websocket announces it', async () => {
    const chain = busyChain(5);
    const rpc = await node(chain);
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    try {
      const mine = (): void => {
        const { number, hash, parentHash, timestamp } = chain.mine([sale]);
        const result = { number: quantity(number), hash, parentHash, timestamp: quantity(timestamp) };
        for (const client of server.clients)
          client.send(JSON.stringify({ method: 'eth_subscription', params: { result } }));
      };
      const subscribed = new Promise<string>((resolve) =>
        server.on('connection', (socket) =>
          socket.once('message', (data: Buffer) => resolve(data.toString('utf8'))),
        ),
      );
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      // It polls once, and never again.
      const subject = subjectOf([rpc], { wsUrl: `ws://127.0.0.1:${port}`, pollIntervalMs: 1e9 });
      const messages = await followTo(subject, 9n, (message) => {
        if (message.kind === 'append' && message.toPosition >= 5n) void subscribed.then(mine);
      });
      expect(await subscribed).toContain('newHeads');
      expectContiguous(messages);
      expect(messages.filter(({ kind }) => kind === 'heartbeat')).toHaveLength(1);
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  it('is found by polling when the websocket is silent (P13)', async () => {
    const chain = busyChain(5);
    const rpc = await node(chain);
    const subject = subjectOf([rpc], { wsUrl: rpc.url.replace('http', 'ws') });
    const messages = await followTo(subject, 8n, ({ kind }) => {
      if (kind === 'heartbeat') chain.mine([sale]);
    });
    expectContiguous(messages);
  });
});

describe('finality', () => {
  const finalized = (messages: readonly SubjectMessage[]) =>
    messages.flatMap((message) => (message.kind === 'finalize' ? [message.position] : []));
  const beat = async (
    chain: FakeChain,
    rules: FakeRpcRules,
    options: Partial<EvmSubjectOptions>,
    steps: ((rpc: FakeRpc) => void)[],
  ) => {
    const rpc = await node(chain, rules);
    let beats = 0;
    return take(subjectOf([rpc], options), fromStart, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      steps[beats++]?.(rpc);
      return beats > steps.length + 1;
    });
  };

  it('follows the tag, and never goes back (P7)', async () => {
    const messages = await beat(busyChain(100), { finalized: 50 }, {}, [
      () => undefined,
      ({ rules }) => (rules.finalized = 40),
      ({ rules }) => (rules.finalized = null),
      ({ rules }) => (rules.finalized = 70),
      () => undefined,
    ]);
    expect(finalized(messages)).toEqual([50n, 70n]);
  });

  it.each<[string, FakeRpcRules]>([
    ['null', { finalized: null }],
    [
      'an error',
      {
        onCall: (_, [tag]) =>
          tag === 'finalized' ? { error: { code: -39001, message: 'Unknown block' } } : undefined,
      },
    ],
    [
      'not supported',
      {
        onCall: (_, [tag]) =>
          tag === 'finalized' ? { error: { code: -32601, message: 'unsupported' } } : undefined,
      },
    ],
  ])('is by depth where the tag is %s (P7)', async (_, rules) => {
    expect(
      finalized(await beat(busyChain(100), rules, { finalityDepthBlocks: 12 }, [() => undefined])),
    ).toEqual([88n]);
  });

  it('is by depth when that is asked for', async () => {
    expect(
      finalized(
        await beat(busyChain(100), {}, { finalityDepthBlocks: 3, useFinalizedTag: false }, [() => undefined]),
      ),
    ).toEqual([97n]);
  });

  it('is not believed above the head (P8)', async () => {
    const chain = busyChain(100);
    const rules: FakeRpcRules = { head: 60, finalized: 90 };
    const messages = await beat(chain, rules, {}, [
      () => undefined,
      ({ rules: now }) => (now.finalized = 20),
      () => undefined,
    ]);
    expect(finalized(messages)).toEqual([20n]);
    expect(lines.some(({ level, message }) => level === 'warn' && message.includes('finalized'))).toBe(true);
  });

  it('is at most what was read, and the first block is a block (P7)', async () => {
    expect(
      finalized(await beat(busyChain(100), { finalized: 80 }, { endBlock: 30n }, [() => undefined])),
    ).toEqual([30n]);
    expect(finalized(await beat(busyChain(100), { finalized: 0 }, {}, [() => undefined]))).toEqual([0n]);
  });
});

describe('who the chain is', () => {
  const { signal } = new AbortController();

  it('needs a stated hash where nobody has the first block, which must agree where somebody has', async () => {
    const chain = busyChain(3);
    const rpc = await node(chain, {
      changeResult: (_, [number], result) => (number === '0x0' ? null : result),
    });
    await expect(subjectOf([rpc]).identify(signal)).rejects.toMatchObject({ code: 'GENESIS_UNAVAILABLE' });
    expect(await subjectOf([rpc], { genesisHash: word(7) }).identify(signal)).toMatchObject({
      genesisHash: word(7),
    });
    await expect(
      subjectOf([await node(chain)], { genesisHash: word(7) }).identify(signal),
    ).rejects.toMatchObject({ code: 'WRONG_GENESIS' });
  });
});
