import { setMaxListeners } from 'node:events';
import type { SubjectMessage } from '@imart/core';
import { RPC_POOL_DEFAULTS } from '@imart/endpoints';
import { waitMs } from '@imart/pipeline';
import { silentLogger, type LogFields } from '@imart/runtime';
import { canonicalAddress } from '../address';
import { createAptosSubject, type AptosSubject } from '../createAptosSubject';
import { AptosDecodeError } from '../errors';
import type { AptosMarket } from '../market';
import { createHandleSource, type HandleSourceOptions } from '../source/handleSource';
import type { LedgerSource } from '../source/ledgerSource';
import { createRestSource, type RestSourceOptions } from '../source/restSource';
import { createStreamSource, type StreamSourceOptions } from '../source/streamSource';
import type { AptosSubjectOptions } from '../subject/options';
import { startFakeFullnode, type FakeFullnode, type FakeFullnodeOptions } from './fakeFullnode';
import { createFakeLedger, type FakeEvent, type FakeLedger } from './fakeLedger';
import { startFakeStream, type FakeStream, type FakeStreamOptions } from './fakeStream';
import type { LedgerStore } from './ledgerStore';

const MARKET = canonicalAddress('0xca11');

/** An event that the market of specs knows; `id` names its token. */
export const burnEvent = (id: number | string): FakeEvent => ({
  type: '0xca11::market::Burn',
  data: { id: String(id), price: '18446744073709551616' },
});

/** A market with one event, which fails on a token named `poison`. */
export const burnMarket: AptosMarket = {
  name: 'burns',
  eventTypes: [`${MARKET}::market::Burn`],
  translate({ data }, transaction, emit) {
    const { id } = data;
    if (typeof id !== 'string' || id === 'poison') throw new AptosDecodeError('is no id', 'data.id');
    emit('token', `${MARKET}:${id}`, 'TokenBurned', {
      from: transaction.sender ?? MARKET,
      standard: 'erc721',
    });
  },
};

/** A ledger with one event of the market in every third transaction, its token named by the version. */
export function ledgerOf(transactions: number, name?: string): FakeLedger {
  const ledger = createFakeLedger(4, name);
  extend(ledger, transactions);
  return ledger;
}

export function extend(ledger: FakeLedger, transactions: number): void {
  for (let i = 0; i < transactions; i++) {
    const version = ledger.head + 1n;
    if (version % 3n === 0n) ledger.add({ events: [burnEvent(String(version))] });
    else ledger.add(version % 3n === 1n ? { kind: 'blockMetadata' } : { kind: 'stateCheckpoint' });
  }
}

/** The versions whose event the log should have, of a ledger made by {@link ledgerOf}. */
export function versionsOfEvents(from: number, to: number): bigint[] {
  const versions: bigint[] = [];
  for (let version = from; version <= to; version++) if (version % 3 === 0) versions.push(BigInt(version));
  return versions;
}

/** Subjects over fake nodes, with time that runs faster than the clock. */
export interface LedgerKit {
  readonly lines: readonly { level: string; message: string; fields: LogFields | undefined }[];
  readonly logger: typeof silentLogger;
  /** How many times faster time runs. */
  readonly speed: number;
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  node(ledger: FakeLedger, options?: FakeFullnodeOptions): Promise<FakeFullnode>;
  restSource(nodes: readonly { readonly url: string }[], options?: Partial<RestSourceOptions>): LedgerSource;
  handleSource(
    nodes: readonly { readonly url: string }[],
    handles: HandleSourceOptions['handles'],
    options?: Partial<HandleSourceOptions>,
  ): LedgerSource;
  stream(ledger: FakeLedger, options?: FakeStreamOptions): Promise<FakeStream>;
  streamSource(
    servers: readonly { readonly url: string }[],
    options?: Partial<StreamSourceOptions>,
  ): LedgerSource;
  subject(source: LedgerSource, options?: Partial<AptosSubjectOptions>): AptosSubject;
  /** Takes messages from where the store is, until it is told to end. */
  read(
    subject: AptosSubject,
    store: LedgerStore,
    onMessage?: (message: SubjectMessage) => boolean | void | Promise<boolean | void>,
  ): Promise<void>;
  /** What is to be closed with the nodes and subjects. */
  closing(close: () => unknown): void;
  close(): Promise<void>;
}

export function createLedgerKit(speed = 100): LedgerKit {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const closers: (() => unknown)[] = [];
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const log = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  const logger = {
    ...silentLogger,
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
  };
  const now = (): number => performance.now() * speed;
  const wait = (ms: number, signal: AbortSignal): Promise<void> => waitMs(ms / speed, signal);
  return {
    lines,
    logger,
    speed,
    now,
    wait,
    closing: (close) => void closers.push(close),
    async node(ledger, options) {
      const node = await startFakeFullnode(ledger, options);
      closers.push(() => node.close());
      return node;
    },
    restSource: (nodes, options = {}) =>
      createRestSource({
        ...RPC_POOL_DEFAULTS,
        subjectId: 'aptos:4',
        urls: nodes.map(({ url }) => url),
        chainId: 4,
        apiKey: null,
        timeoutMs: 10_000,
        inFlightMax: 8,
        answerBytesMax: 64 * 1024 * 1024,
        pollIntervalMs: 1_000,
        catchUpPollIntervalMs: 5_000 * speed,
        catchUpDistanceVersions: 1_000,
        pageMax: 100,
        pagesInFlightMax: 4,
        logger,
        random: () => 0.5,
        now,
        wait,
        ...options,
      }),
    handleSource: (nodes, handles, options = {}) =>
      createHandleSource({
        ...RPC_POOL_DEFAULTS,
        subjectId: 'aptos:4',
        urls: nodes.map(({ url }) => url),
        chainId: 4,
        apiKey: null,
        timeoutMs: 10_000,
        inFlightMax: 8,
        answerBytesMax: 64 * 1024 * 1024,
        pollIntervalMs: 1_000,
        catchUpDistanceVersions: 1_000,
        logger,
        random: () => 0.5,
        now,
        wait,
        handles,
        ...options,
      }),
    async stream(ledger, options) {
      const stream = await startFakeStream(ledger, options);
      closers.push(() => stream.close());
      return stream;
    },
    streamSource: (servers, options = {}) =>
      createStreamSource({
        ...RPC_POOL_DEFAULTS,
        subjectId: 'aptos:4',
        urls: servers.map(({ url }) => url),
        chainId: 4,
        apiKey: null,
        messageBytesMax: 64 * 1024 * 1024,
        timeoutMs: 10_000 * speed,
        silenceMs: 20_000 * speed,
        pollIntervalMs: 1_000,
        failBackIntervalMs: 60_000,
        batchMax: 1_000,
        logger,
        random: () => 0.5,
        now,
        wait,
        ...options,
      }),
    subject(source, options = {}) {
      const subject = createAptosSubject({
        chainId: 4,
        source,
        markets: [burnMarket],
        wait,
        ...options,
      });
      closers.push(() => subject.close());
      return subject;
    },
    async read(subject, store, onMessage = () => undefined) {
      for await (const message of subject.messages(store.resumePoint(), ending.signal)) {
        store.take(message);
        if (message.kind === 'append') subject.executed(message.toSeqNo);
        if ((await onMessage(message)) === true) return;
      }
    },
    async close() {
      ending.abort(new Error('the test is over'));
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
