import {
  type AppendMessage,
  type BlockRef,
  type DiscoveredContract,
  type ResumePoint,
  type SubjectMessage,
} from '@imart/core';
import { evmSeqNo } from './seqNo';
import { waitMs } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import { seededRandom } from '@imart/testing';
import fc from 'fast-check';
import { createEvmSubject } from './createEvmSubject';
import type { FollowedMarketplace } from './follow';
import type { Marketplace } from './marketplace';
import { createFakeChain, type FakeChain, type FakeLog } from './testing/fakeChain';
import { startFakeRpc, type FakeRpc, type FakeRpcRules } from './testing/fakeRpc';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const [SALE, MOVE, MADE] = [word(1), word(2), word(3)];
const [MARKET, FACTORY] = [address(1), address(2)];
const child = (n: number) => address(0x100 + n);

const naming = (name: string, topics: string[], changes: Partial<Marketplace> = {}): Marketplace => ({
  name,
  contracts: () => [],
  topics,
  needsReceipt: () => false,
  translate: ({ logs, receipt }, emit) => {
    for (const log of logs) {
      const whole = receipt === null ? '' : ` of ${receipt.logs.length}`;
      (emit as (...event: unknown[]) => void)(log, 'order', `${name}${whole}`, 'OrderListed', {});
    }
  },
  ...changes,
});
const marketplaces: FollowedMarketplace[] = [
  {
    marketplace: naming('market', [SALE], { needsReceipt: (log) => log.data === '0x01' }),
    contracts: [MARKET],
  },
  {
    marketplace: naming('factory', [MADE], {
      discover: (log) => [{ address: log.data, standard: 'erc721' }],
    }),
    contracts: [FACTORY],
  },
  { marketplace: naming('tokens', [MOVE]), contracts: [], discovered: true },
];

const someLog: fc.Arbitrary<FakeLog> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ address: MARKET, topics: [SALE] }) },
  { weight: 1, arbitrary: fc.constant({ address: MARKET, topics: [SALE], data: '0x01' }) },
  { weight: 1, arbitrary: fc.nat(5).map((n) => ({ address: FACTORY, topics: [MADE], data: child(n) })) },
  { weight: 4, arbitrary: fc.nat(5).map((n) => ({ address: child(n), topics: [MOVE] })) },
  // Look-alikes.
  { weight: 1, arbitrary: fc.constant({ address: address(66), topics: [SALE] }) },
  { weight: 1, arbitrary: fc.constant({ address: address(66), topics: [MADE], data: child(1) }) },
);
const someBlock = fc
  .array(fc.record({ log: someLog, newTx: fc.boolean() }), { maxLength: 4 })
  .map((entries) => {
    let tx = 0;
    return entries.map(({ log, newTx }) => ({ ...log, tx: newTx ? ++tx : tx }));
  });

/** What a plain pass over the chain gives: the oracle. */
function expectedOf(chain: FakeChain): string[] {
  const known = new Set<string>();
  const expected: string[] = [];
  for (const block of chain.blocks) {
    const logs = block?.logs ?? [];
    const inTx = (hash: unknown) => logs.filter((log) => log['transactionHash'] === hash);
    logs.forEach((log, index) => {
      const [by, topic, tx] = [log['address'], (log['topics'] as string[])[0], log['transactionHash']];
      const at = `${block?.number}/${index}`;
      if (by === MARKET && topic === SALE) {
        const own = inTx(tx);
        const whole = own.some((other) => other['address'] === MARKET && other['data'] === '0x01');
        expected.push(`${at} market${whole ? ` of ${own.length}` : ''}`);
      }
      if (by === FACTORY && topic === MADE) {
        expected.push(`${at} factory`);
        known.add(log['data'] as string);
      } else if (topic === MOVE && known.has(by as string)) expected.push(`${at} tokens`);
    });
  }
  return expected;
}

/** How often a node fails: a range of many calls, any of which may fail, would come to its end by chance alone. */
const FAULTS_MAX = 60;

/** A node that fails for a while, in ways that change nothing but the time it takes. */
function faulty(random: () => number, rules: FakeRpcRules, faults: number): FakeRpcRules {
  let left = FAULTS_MAX;
  const unlucky = (): boolean => left > 0 && random() < faults && left-- > 0;
  return {
    ...rules,
    onHttp: () =>
      !unlucky()
        ? undefined
        : random() < 0.5
          ? { status: 502, body: '<html>Bad Gateway</html>' }
          : { status: 429, body: 'slow down' },
    onCall: (method) =>
      method !== 'eth_chainId' && unlucky()
        ? { error: { code: -32603, message: 'internal error' } }
        : undefined,
    changeResult: (method, [tag], result) => {
      if (method === 'eth_getLogs' && Array.isArray(result) && result.length > 0) {
        if (unlucky()) return [...(result as unknown[]), result[0] as unknown];
        return random() < 0.3 ? [...(result as unknown[])].reverse() : result;
      }
      if (method === 'eth_getBlockByNumber' && tag !== 'latest' && unlucky()) return null;
      return method === 'eth_getTransactionReceipt' && unlucky() ? null : result;
    },
  };
}

/** A storage in memory: what it knows decides where the subject goes on. */
function createStore() {
  const events: string[] = [];
  let window: BlockRef[] = [];
  const discovered: DiscoveredContract[] = [];
  let nextPosition = 0n;
  let finalizedPosition: bigint | null = null;
  return {
    events,
    discovered,
    resumePoint: (): ResumePoint => ({ nextPosition, window, finalizedPosition, discovered }),
    take(message: SubjectMessage): void {
      if (message.kind === 'append') append(message);
      if (message.kind === 'finalize') {
        expect(message.position).toBeGreaterThan(finalizedPosition ?? -1n);
        finalizedPosition = message.position;
        const { position } = message;
        window = window.filter((block, i) => block.position >= position || i === window.length - 1);
      }
    },
  };

  function append(message: AppendMessage): void {
    expect(message.fromPosition).toBe(nextPosition);
    let last = -1n;
    for (const { seqNo, aggregateId } of message.events) {
      expect(seqNo).toBeGreaterThan(last);
      last = seqNo;
      const { position, index, part } = evmSeqNo.decode(seqNo);
      expect([position >= message.fromPosition, position <= message.toPosition, part]).toEqual([
        true,
        true,
        0,
      ]);
      events.push(`${position}/${index} ${aggregateId}`);
    }
    nextPosition = message.toPosition + 1n;
    window.push(...message.blocks);
    discovered.push(...message.discovered);
  }
}

const settings = fc.record({
  blocks: fc.array(someBlock, { minLength: 1, maxLength: 120 }),
  seed: fc.integer(),
  faults: fc.constantFrom(0, 0.02, 0.1),
  nodes: fc.integer({ min: 1, max: 2 }),
  rules: fc.record(
    {
      blocksMax: fc.integer({ min: 1, max: 40 }),
      logsMax: fc.integer({ min: 1, max: 30 }),
      blockTimestamps: fc.boolean(),
      reverseBatches: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  finalityDepthBlocks: fc.nat(100),
  rangesInFlightMax: fc.integer({ min: 1, max: 5 }),
  firstBlocks: fc.integer({ min: 1, max: 60 }),
  unfinalizedRangeBlocksMax: fc.integer({ min: 1, max: 20 }),
  // Appends after which the process ends, one after the other; then it runs to the end.
  crashes: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
});

it('gives the same events in any batching, under passing faults, with one or several endpoints, over restarts', async () => {
  await fc.assert(
    fc.asyncProperty(
      settings,
      async ({ blocks, seed, faults, nodes, rules, crashes, firstBlocks, ...options }) => {
        const chain = createFakeChain();
        for (const logs of blocks) chain.mine(logs);
        const random = seededRandom(seed).next;
        const started: FakeRpc[] = [];
        for (let i = 0; i < nodes; i++)
          started.push(await startFakeRpc(chain, faulty(random, rules, faults)));
        const store = createStore();
        try {
          for (const appends of [...crashes, Number.POSITIVE_INFINITY]) {
            const subject = createEvmSubject({
              ...options,
              chainId: 1,
              rpcUrls: started.map(({ url }) => url),
              wsUrl: null,
              marketplaces,
              wrappedNative: null,
              endBlock: BigInt(chain.head),
              useFinalizedTag: false,
              ranges: { firstBlocks, maxBlocks: 60, targetLogs: 50 },
              rpc: { refusedAnswersMax: 1_000, retry: { firstMs: 10, maxMs: 100 } },
              logger: silentLogger,
              random,
              now: () => performance.now() * 100,
              wait: (ms, signal) => waitMs(ms / 100, signal),
            });
            let left = appends;
            for await (const message of subject.messages(store.resumePoint(), new AbortController().signal)) {
              store.take(message);
              if (message.kind === 'append') subject.executed(message.toSeqNo);
              if (message.kind === 'append' && --left <= 0) break;
            }
            subject.close();
          }
        } finally {
          await Promise.all(started.map((node) => node.close()));
        }
        expect(store.events).toEqual(expectedOf(chain));
        const made = new Set(store.discovered.map(({ address: of }) => of));
        expect(made.size).toBe(store.discovered.length);
      },
    ),
    // One that comes to no end names its seed.
    { verbose: 1, numRuns: 60, timeout: 60_000, endOnFailure: true },
  );
});
