import type { ResumePoint } from '@imart/core';
import { createAptosSubject } from './createAptosSubject';
import { readProtoJsonTransaction } from './read/protoJsonTransaction';
import type { LedgerBatch, LedgerPulse, LedgerSource } from './source/ledgerSource';
import { aptosSubjectId } from './subject/options';
import { burnMarket, createLedgerKit, ledgerOf, type LedgerKit } from './testing/ledgerKit';
import { createLedgerStore } from './testing/ledgerStore';
import type { FakeLedger } from './testing/fakeLedger';

let kit: LedgerKit;
beforeEach(() => {
  kit = createLedgerKit();
});
afterEach(() => kit.close());

const { signal } = new AbortController();
const batchOf = (ledger: FakeLedger, versions: readonly number[], catchingUp = false): LedgerBatch => ({
  kind: 'batch',
  transactions: versions.map((version) => readProtoJsonTransaction(ledger.at(BigInt(version)))),
  catchingUp,
});

/** A source that gives what it is told to, whatever it was asked for. */
function sourceOf(
  items: readonly (LedgerBatch | LedgerPulse)[],
  ledger: FakeLedger | null = null,
): LedgerSource {
  return {
    chainId: () => Promise.resolve(4),
    transaction: (version) => {
      const json = ledger?.at(version);
      return Promise.resolve(json === undefined ? null : readProtoJsonTransaction(json));
    },
    async *read() {
      yield* items;
    },
    stats: () => [],
    close: () => undefined,
  };
}
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('an Aptos subject', () => {
  it.each([
    ['left out', [range(0, 3), range(5, 8)], 4n, 5n],
    ['given twice', [range(0, 3), range(3, 8)], 4n, 3n],
    ['left out inside a batch', [[0, 1, 3]], 2n, 3n],
    ['before the first one', [range(1, 3)], 0n, 1n],
  ])('stops when a version is %s, whatever source it is (P18)', async (_, batches, expected, actual) => {
    const ledger = ledgerOf(20);
    const store = createLedgerStore();
    const source = sourceOf(batches.map((versions) => batchOf(ledger, versions)));
    await expect(kit.read(kit.subject(source), store)).rejects.toMatchObject({
      code: 'VERSION_GAP',
      disposition: 'stop',
      fields: { expected, actual },
    });
    expect(store.next).toBeLessThanOrEqual(expected);
  });

  it('gathers what it catches up with into messages of thousands, and hands on the rest in time', async () => {
    const ledger = ledgerOf(300);
    const batches = Array.from({ length: 30 }, (_, i) => batchOf(ledger, range(i * 10, i * 10 + 9), true));
    const sizes: bigint[] = [];
    const subject = kit.subject(sourceOf(batches), { messageVersionsMax: 100 });
    await kit.read(subject, createLedgerStore(), (message) => {
      if (message.kind === 'append') sizes.push(message.toPosition - message.fromPosition + 1n);
    });
    expect(sizes).toEqual([110n, 110n, 80n]);
  });

  it('gives the event loop a turn after each batch, also when all of them are there already', async () => {
    const ledger = ledgerOf(300);
    const batches = Array.from({ length: 30 }, (_, i) => batchOf(ledger, range(i * 10, i * 10 + 9), true));
    let turns = 0;
    let timer = setImmediate(function count() {
      turns++;
      timer = setImmediate(count);
    });
    try {
      const store = createLedgerStore();
      await kit.read(kit.subject(sourceOf(batches)), store);
      expect(store.next).toBe(300n);
    } finally {
      clearImmediate(timer);
    }
    expect(turns).toBeGreaterThanOrEqual(29);
  });

  it('hands on what it has when the source falls silent', async () => {
    const ledger = ledgerOf(30);
    const silent = new AbortController();
    const source: LedgerSource = {
      ...sourceOf([]),
      async *read() {
        yield batchOf(ledger, range(0, 9), true);
        await new Promise<void>((resolve) => silent.signal.addEventListener('abort', () => resolve()));
      },
    };
    const store = createLedgerStore();
    await kit.read(kit.subject(source), store, (message) => {
      if (message.kind === 'append') silent.abort();
    });
    expect(store.next).toBe(10n);
  });

  it('refuses a resume point that contradicts itself (Q22)', async () => {
    const resume: ResumePoint = {
      nextPosition: 5n,
      window: [{ position: 3n, hash: '0x1', parentHash: '', timeUs: 0n }],
      finalizedPosition: null,
      discovered: [],
    };
    const subject = kit.subject(sourceOf([]));
    await expect(subject.messages(resume, signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'RESUME_POINT',
    });
  });
});

describe('who a ledger is', () => {
  const identify = (chainId: number, source: LedgerSource, genesisHash: string | null = null) =>
    createAptosSubject({ chainId, source, markets: [burnMarket], genesisHash }).identify(signal);

  it('is the root of its first transaction, so that a network that was started anew is another one', async () => {
    const roots = await Promise.all(
      ['one', 'two'].map((name) => identify(4, sourceOf([], ledgerOf(3, name)))),
    );
    expect(roots.map(({ subjectId }) => subjectId)).toEqual([aptosSubjectId(4), aptosSubjectId(4)]);
    expect(roots[0]?.genesisHash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(roots[0]?.genesisHash).not.toBe(roots[1]?.genesisHash);
  });

  it('is the chain id for the public networks, whose beginning is pruned', async () => {
    const source = { ...sourceOf([]), chainId: () => Promise.resolve(1) };
    expect(await identify(1, source)).toEqual({ subjectId: 'aptos:1', genesisHash: 'mainnet' });
  });

  it('is what was stated where nobody has the first transaction, and is asked for otherwise', async () => {
    const stated = `0x${'A'.repeat(64)}`;
    expect((await identify(4, sourceOf([]), stated)).genesisHash).toBe(stated.toLowerCase());
    await expect(identify(4, sourceOf([]))).rejects.toMatchObject({ code: 'GENESIS_UNAVAILABLE' });
    await expect(identify(4, sourceOf([], ledgerOf(1)), stated)).rejects.toMatchObject({
      code: 'WRONG_GENESIS',
    });
  });

  it('is not another chain (P14)', async () => {
    await expect(identify(5, sourceOf([]))).rejects.toMatchObject({
      code: 'WRONG_CHAIN',
      disposition: 'stop',
    });
  });
});
