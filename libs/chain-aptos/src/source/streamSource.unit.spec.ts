import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import type { ResumePoint } from '@imart/core';
import { createFakeLedger } from '../testing/fakeLedger';
import type { FakeStream, StreamFault, StreamQuestion } from '../testing/fakeStream';
import {
  burnEvent,
  createLedgerKit,
  extend,
  ledgerOf,
  versionsOfEvents,
  type LedgerKit,
} from '../testing/ledgerKit';
import { createLedgerStore, type LedgerStore } from '../testing/ledgerStore';
import { readWhole, versions } from '../testing/readWhole.spec';

const seed = Date.now() % 2 ** 31;
let kit: LedgerKit;
beforeEach(() => {
  kit = createLedgerKit();
});
afterEach(() => kit.close());

const first =
  (times: number, fault: StreamFault) =>
  ({ count }: StreamQuestion): StreamFault | undefined =>
    count < times ? fault : undefined;

async function readAll(
  servers: readonly FakeStream[],
  last: number,
  sourceOptions: Parameters<LedgerKit['streamSource']>[1] = {},
  store = createLedgerStore(),
): Promise<LedgerStore> {
  await readWhole(kit, kit.streamSource(servers, sourceOptions), last, store);
  return store;
}

describe('a ledger read by its gRPC stream', () => {
  it('gives what it gives by REST', async () => {
    const ledger = ledgerOf(3_000);
    const byStream = await readAll([await kit.stream(ledger)], 2_999);
    const byRest = createLedgerStore();
    const source = kit.restSource([await kit.node(ledger)]);
    await kit.read(kit.subject(source, { endVersion: 2_999n }), byRest);
    expect(byStream.events).toEqual(byRest.events);
    // Where one range ends and the next begins is up to each source: of what is remembered, the end is the same.
    const ended = ({ window, ...point }: ResumePoint): unknown => ({ ...point, last: window.at(-1)?.hash });
    expect(ended(byStream.resumePoint())).toEqual(ended(byRest.resumePoint()));
  });

  it(`gives the same from any messages, cuts and restarts (Q1, Q9, Q22, seed ${seed})`, async () => {
    const ledger = ledgerOf(700);
    const server = await kit.stream(ledger);
    let rotation = 1;
    server.rules.push(() => {
      rotation = (rotation * 31 + 7) % 97;
      return rotation % 3 === 0
        ? { endAfter: 1 + (rotation % 5) }
        : rotation % 3 === 1
          ? { fail: { code: status.UNAVAILABLE, details: 'gone', after: 1 + (rotation % 4) } }
          : undefined;
    });
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 120 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      async (batchMax, restarts) => {
        const store = createLedgerStore();
        for (const messages of restarts) {
          let left = messages;
          const subject = kit.subject(kit.streamSource([server], { batchMax }), { endVersion: 699n });
          await kit.read(subject, store, () => --left === 0);
        }
        await kit.read(kit.subject(kit.streamSource([server], { batchMax }), { endVersion: 699n }), store);
        expect(versions(store)).toEqual(versionsOfEvents(0, 699));
      },
    );
    await fc.assert(property, { seed, numRuns: 6 });
  });

  it('reads no further ahead than a few messages while its consumer is busy (Q17)', async () => {
    const ledger = createFakeLedger();
    for (let i = 0; i < 4_000; i++)
      ledger.add({ events: [{ type: '0x1::a::B', data: { x: 'y'.repeat(5_000) } }] });
    const server = await kit.stream(ledger, { batchMax: 10 });
    const ending = new AbortController();
    const source = kit.streamSource([server]);
    const items = source.read({ from: 0n, after: null, to: null }, ending.signal);
    await items.next();
    let before = -1;
    while (server.messages !== before) {
      before = server.messages;
      await kit.wait(20_000, ending.signal);
    }
    expect(server.messages).toBeLessThan(390);
    ending.abort(new Error('enough'));
    await items.return(undefined);
    source.close();
  });

  it('ends at once when it is told to (Q20)', async () => {
    const server = await kit.stream(ledgerOf(10));
    server.rules.push(() => ({ silentAfter: 0 }));
    const ending = new AbortController();
    const subject = kit.subject(kit.streamSource([server]));
    const waiting = subject
      .messages(createLedgerStore().resumePoint(), ending.signal)
      [Symbol.asyncIterator]()
      .next();
    while (server.questions.length === 0) await kit.wait(100, ending.signal);
    ending.abort(new Error('enough'));
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('sends the key as a bearer token, and never logs it', async () => {
    const server = await kit.stream(ledgerOf(10));
    server.rules.push(
      first(2, { fail: { code: status.UNAVAILABLE, details: 'see https://me:SECRET@host/x' } }),
    );
    await readAll([server], 9, { apiKey: 'SECRET' });
    expect(new Set(server.questions.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer SECRET']),
    );
    expect(JSON.stringify(kit.lines)).not.toContain('SECRET');
    expect(kit.lines.length).toBeGreaterThan(0);
  });
});

describe('a stream that fails', () => {
  it('goes on at the last version that was read, which is asked for again (P13)', async () => {
    const server = await kit.stream(ledgerOf(500), { batchMax: 50 });
    server.rules.push(first(3, { fail: { code: status.UNAVAILABLE, details: 'gone', after: 2 } }));
    await readAll([server], 499);
    expect(server.questions.map(({ start }) => start)).toEqual([0n, 99n, 198n, 297n]);
    expect(server.questions.at(-1)?.transactions).toBe(203n);
  });

  it('that its server ends now and then is opened again at the same one', async () => {
    const ledger = ledgerOf(500);
    const [server, backup] = [await kit.stream(ledger, { batchMax: 50 }), await kit.stream(ledger)];
    server.rules.push(first(3, { endAfter: 2 }));
    await readAll([server, backup], 499);
    expect(server.questions).toHaveLength(4);
    expect(backup.questions).toHaveLength(0);
  });

  it('falls silent, and is opened anew (P13)', async () => {
    const server = await kit.stream(ledgerOf(500), { batchMax: 50 });
    server.rules.push(first(2, { silentAfter: 3 }));
    await readAll([server], 499, { silenceMs: 20_000 });
    expect(server.questions).toHaveLength(3);
  });

  it('gives no first message, and is opened anew (P13)', async () => {
    const server = await kit.stream(ledgerOf(500));
    server.rules.push(first(2, { silentAfter: 0 }));
    await readAll([server], 499, { timeoutMs: 20_000 });
    expect(server.questions).toHaveLength(3);
  });

  it('is left for a backup, and come back to when it serves again', async () => {
    const ledger = ledgerOf(300);
    const [server, backup] = [await kit.stream(ledger, { batchMax: 50 }), await kit.stream(ledger)];
    let isDown = true;
    server.rules.push(({ count }) =>
      isDown
        ? { fail: { code: status.UNAVAILABLE, details: 'down', after: count === 0 ? 2 : 0 } }
        : undefined,
    );
    const store = createLedgerStore();
    const source = kit.streamSource([server, backup], { failBackIntervalMs: 5_000 });
    await kit.read(kit.subject(source), store, (message) => {
      if (message.kind !== 'heartbeat' || store.next < ledger.head) return false;
      if (backup.questions.length > 0 && server.questions.length > 3) isDown = false;
      extend(ledger, 1);
      // An endless stream at the first server: it is in use again.
      return server.questions.filter(({ transactions }) => transactions === null).length > 1 && !isDown;
    });
    expect(versions(store)).toEqual(versionsOfEvents(0, Number(store.next) - 1));
    expect(backup.questions).toHaveLength(1);
    expect(kit.lines).toContainEqual(
      expect.objectContaining({ message: 'an endpoint that is preferred is back' }),
    );
  });

  it('is asked less often when it complains of too many requests (P10)', async () => {
    const server = await kit.stream(ledgerOf(50));
    server.rules.push(first(3, { fail: { code: status.RESOURCE_EXHAUSTED, details: 'quota' } }));
    await readAll([server], 49);
    expect(kit.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ code: 'RPC_RATE_LIMITED' }) as object }),
    );
    expect(server.questions.at(-1)?.batchSize).toBe(1_000);
  });

  it('that sends too large a message is asked for smaller ones (Q17)', async () => {
    const ledger = createFakeLedger();
    for (let i = 0; i < 60; i++)
      ledger.add({ events: [{ type: '0x1::a::B', data: { x: 'y'.repeat(20_000) } }] });
    const server = await kit.stream(ledger);
    const store = createLedgerStore();
    const source = kit.streamSource([server], { messageBytesMax: 300_000 });
    await kit.read(kit.subject(source, { endVersion: 59n }), store);
    expect(store.next).toBe(60n);
  });

  it('stops when no key is accepted, or it is no such server', async () => {
    const server = await kit.stream(ledgerOf(50));
    server.rules.push(() => ({ fail: { code: status.UNAUTHENTICATED, details: 'no key' } }));
    await expect(readAll([server], 49)).rejects.toMatchObject({
      code: 'RPC_METHOD_UNSUPPORTED',
      disposition: 'stop',
    });
  });
});

describe('a stream that cannot be believed', () => {
  it.each<[string, StreamFault]>([
    [
      'leaves a version out (P18)',
      { message: (all, i) => (i === 2 ? all.filter((_, at) => at !== 3) : all) },
    ],
    ['leaves out the first one (P18)', { message: (all) => all.slice(1) }],
    ['gives one twice (P11)', { message: (all, i) => (i === 2 ? [...all, ...all.slice(-1)] : all) }],
    [
      'gives a message twice (P11)',
      {
        message: (() => {
          let before: Parameters<NonNullable<StreamFault['message']>>[0] = [];
          return (all, i) => (i === 2 ? before : (before = all));
        })(),
      },
    ],
    ['mixes their order (P11)', { message: (all, i) => (i === 2 ? [...all].reverse() : all) }],
    ['sends what is no message (P15)', { bytes: (i) => (i === 2 ? Buffer.from('<html>') : undefined) }],
    ['does not say which chain it is', { chainId: null }],
  ])('is opened anew when it %s, and nothing of it is used', async (_, fault) => {
    const server = await kit.stream(ledgerOf(450), { batchMax: 50 });
    server.rules.push(first(3, fault));
    await readAll([server], 449);
    expect(server.questions.length).toBeGreaterThan(3);
  });

  it.each([1, 50])(
    'stops the subject when it never says the version that is next (P18, %p a message)',
    async (batchMax) => {
      const server = await kit.stream(ledgerOf(450), { batchMax });
      server.rules.push(() => ({ message: (all) => all.filter(({ version }) => version !== '123') }));
      const store = createLedgerStore();
      await expect(kit.read(kit.subject(kit.streamSource([server])), store)).rejects.toMatchObject({
        code: 'RPC_ANSWER_REFUSED',
        disposition: 'stop',
        message: expect.stringMatching(/version 124 stands where 123 should/) as string,
      });
      expect(store.next).toBeLessThanOrEqual(123n);
      expect(server.questions.length).toBeLessThan(60);
    },
  );

  it('stops the subject with a clear message when it has pruned what is next (P18)', async () => {
    const server = await kit.stream(ledgerOf(450));
    server.rules.push(() => ({
      fail: { code: status.NOT_FOUND, details: 'version 0 is pruned, oldest version is 200' },
    }));
    await expect(readAll([server], 449)).rejects.toMatchObject({ code: 'RPC_PRUNED', disposition: 'stop' });
  });

  it('is waited for when it lags (P4, P18)', async () => {
    const ledger = ledgerOf(300);
    const server = await kit.stream(ledger, { batchMax: 50 });
    server.rules.push(({ count }) =>
      count === 0
        ? { fail: { code: status.UNAVAILABLE, details: 'gone', after: 4 } }
        : count < 3
          ? { head: 120n }
          : undefined,
    );
    await readAll([server], 299, { timeoutMs: 20_000 });
  });
});

describe('a stream of another ledger', () => {
  it('of another chain id is refused (P14)', async () => {
    const server = await kit.stream(ledgerOf(30));
    server.rules.push(() => ({ chainId: 5 }));
    await expect(readAll([server], 29)).rejects.toMatchObject({ code: 'WRONG_CHAIN', disposition: 'stop' });
  });

  it('is never used after a fail-over, not one message of it (P14)', async () => {
    const wrong = createFakeLedger(9, 'wrong');
    for (let i = 0; i < 900; i++) wrong.add({ events: [burnEvent(i)] });
    const [good, bad] = [await kit.stream(ledgerOf(900), { batchMax: 50 }), await kit.stream(wrong)];
    good.rules.push(first(4, { fail: { code: status.UNAVAILABLE, details: 'gone', after: 2 } }));
    await readAll([good, bad], 899);
    expect(bad.questions.length).toBeGreaterThan(0);
  });

  it('under the same chain id is refused, at a restart and while it is read (devnet)', async () => {
    const server = await kit.stream(ledgerOf(100), { batchMax: 50 });
    const store = await readAll([server], 99);
    const renewed = ledgerOf(500, 'renewed');
    server.rules.push(() => ({ ledger: renewed }));
    await expect(kit.read(kit.subject(kit.streamSource([server])), store)).rejects.toMatchObject({
      code: 'LEDGER_REPLACED',
      disposition: 'stop',
    });
    server.rules.length = 0;
    server.rules.push(({ start }) =>
      start === 0n ? { fail: { code: status.UNAVAILABLE, details: 'gone', after: 1 } } : { ledger: renewed },
    );
    const fresh = createLedgerStore();
    await expect(kit.read(kit.subject(kit.streamSource([server])), fresh)).rejects.toMatchObject({
      code: 'LEDGER_REPLACED',
    });
    expect(fresh.next).toBe(50n);
  });

  it('is told from the one that was followed by its first transaction', async () => {
    const one = kit.subject(kit.streamSource([await kit.stream(ledgerOf(3))]));
    const other = kit.subject(kit.streamSource([await kit.stream(ledgerOf(3, 'renewed'))]));
    const { signal } = new AbortController();
    const [a, b] = [await one.identify(signal), await other.identify(signal)];
    expect(a.genesisHash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(a.genesisHash).not.toBe(b.genesisHash);
  });
});
