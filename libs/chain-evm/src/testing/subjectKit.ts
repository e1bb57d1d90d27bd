import type { SubjectMessage } from '@imart/core';
import { waitMs } from '@imart/pipeline';
import { silentLogger, type LogFields } from '@imart/runtime';
import { setMaxListeners } from 'node:events';
import { createEvmSubject, type EvmSubject } from '../createEvmSubject';
import type { FollowedMarketplace } from '../follow';
import type { EmitMarketEvent, Marketplace } from '../marketplace';
import type { EvmSubjectOptions } from '../subject/options';
import type { FakeChain, FakeLog } from './fakeChain';
import { startFakeRpc, type FakeRpc, type FakeRpcOptions, type FakeRpcRules } from './fakeRpc';
import type { MessageStore } from './messageStore';

export const word = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
export const address = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;

export const SALE = word(0x5a1e);
export const MOVE = word(0x303e);
export const MADE = word(0x3ade);
export const MARKET = address(1);
export const FACTORY = address(2);
/** A log of the market that every subject here follows. */
export const sale: FakeLog = { address: MARKET, topics: [SALE] };
/** A log of a transaction of its block, by number. */
export const inTx = (tx: number, log: FakeLog = sale): FakeLog => ({ ...log, tx });
/** The n-th collection that the factory may create; what it does then, and its creation. */
export const child = (n: number): string => address(0x1000 + n);
export const made = (n: number): FakeLog => ({ address: FACTORY, topics: [MADE], data: child(n) });
export const moved = (n: number): FakeLog => ({ address: child(n), topics: [MOVE] });

/** A marketplace of these topics: each log is an event of its own. */
export const marketplace = (
  name: string,
  topics: string[],
  more: Partial<Marketplace> = {},
): Marketplace => ({
  name,
  contracts: () => [],
  topics,
  needsReceipt: () => false,
  translate: ({ logs }, emit) => {
    for (const log of logs) {
      const id = `${log.blockNumber}/${log.logIndex}`;
      (emit as (...event: unknown[]) => ReturnType<EmitMarketEvent>)(log, 'order', id, 'OrderListed', {});
    }
  },
  ...more,
});

/** A market, a factory, and the collections that it creates. */
export const followed: readonly FollowedMarketplace[] = [
  { marketplace: marketplace('market', [SALE]), contracts: [MARKET] },
  {
    marketplace: marketplace('factory', [MADE], {
      discover: (log) => [{ address: log.data, standard: 'erc721' }],
    }),
    contracts: [FACTORY],
  },
  { marketplace: marketplace('tokens', [MOVE]), contracts: [], discovered: true },
];

/** What a plain pass over the chain gives: the oracle. As {@link MessageStore.places}. */
export function placesOn(chain: FakeChain, from = 0): string[] {
  const known = new Set<string>();
  return chain.blocks.flatMap((block) =>
    (block?.logs ?? []).flatMap((log, index) => {
      const [topic] = log['topics'] as string[];
      const by = log['address'] as string;
      if (by === FACTORY && topic === MADE) known.add(log['data'] as string);
      const own = by === MARKET || by === FACTORY || (topic === MOVE && known.has(by));
      return own && (block?.number ?? 0) >= from ? [`${block?.number}/${index} ${block?.hash}`] : [];
    }),
  );
}

interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export interface SubjectKit {
  readonly lines: readonly LoggedLine[];
  /** The lines whose message has this text. */
  told(text: string): readonly LoggedLine[];
  /** Aborted by {@link end}. */
  readonly signal: AbortSignal;
  /** How many times as fast as time its subjects' clocks go. */
  readonly speed: number;
  node(chain: FakeChain, rules?: FakeRpcRules, options?: FakeRpcOptions): Promise<FakeRpc>;
  subject(rpcs: readonly FakeRpc[], options?: Partial<EvmSubjectOptions>): EvmSubject;
  /** Takes in messages from where the store is, until it is told to end. */
  read(
    subject: EvmSubject,
    store: MessageStore,
    onMessage: (message: SubjectMessage) => boolean | void | Promise<boolean | void>,
  ): Promise<void>;
  /**
   * Does one step after the other, each when all of the chain has been read, and returns when all of it has been read after
   * the last one.
   */
  atRest(
    subject: EvmSubject,
    store: MessageStore,
    chain: FakeChain,
    steps: readonly (() => unknown)[],
  ): Promise<void>;
  /** Ends readings. */
  end(): void;
  /** Ends readings, closes subjects and nodes. */
  close(): Promise<void>;
}

/** Whether everything that the chain has now was read. */
export function isRead(chain: FakeChain, store: MessageStore): boolean {
  const last = chain.blocks.findLast((block) => block !== null);
  return store.next > chain.head && store.resumePoint().window.at(-1)?.hash === last?.hash;
}

export function createSubjectKit(speed = 100): SubjectKit {
  const lines: LoggedLine[] = [];
  const nodes: FakeRpc[] = [];
  const subjects: EvmSubject[] = [];
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const log = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });

  const read: SubjectKit['read'] = async (subject, store, onMessage) => {
    for await (const message of subject.messages(store.resumePoint(), ending.signal)) {
      store.take(message);
      if (message.kind === 'append') subject.executed(message.toSeqNo);
      if ((await onMessage(message)) === true) return;
    }
  };
  return {
    lines,
    told: (text) => lines.filter(({ message }) => message.includes(text)),
    signal: ending.signal,
    speed,
    read,
    async node(chain, rules, options) {
      const started = await startFakeRpc(chain, rules, options);
      nodes.push(started);
      return started;
    },
    subject(rpcs, options = {}) {
      const subject = createEvmSubject({
        chainId: 1,
        rpcUrls: rpcs.map(({ url }) => url),
        marketplaces: followed,
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
        now: () => performance.now() * speed,
        wait: (ms, signal) => waitMs(ms / speed, signal),
        finalityPollIntervalMs: 0,
        ...options,
        // Time that answers really take is not sped up.
        reorg: { voteMs: 5_000 * speed, voteGraceMs: 2_000 * speed, ...options.reorg },
        rpc: { timeoutMs: 10_000, ...options.rpc },
      });
      subjects.push(subject);
      return subject;
    },
    async atRest(subject, store, chain, steps) {
      const left = [...steps];
      await read(subject, store, async () => {
        if (!isRead(chain, store)) return false;
        const step = left.shift();
        if (step === undefined) return true;
        await step();
        return false;
      });
    },
    end: () => ending.abort(new Error('the test is over')),
    async close() {
      ending.abort(new Error('the test is over'));
      for (const subject of subjects.splice(0)) subject.close();
      await Promise.all(nodes.splice(0).map((node) => node.close()));
    },
  };
}
