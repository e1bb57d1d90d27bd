import { once } from 'node:events';
import fc from 'fast-check';
import type { FakeFullnode, FullnodeFault, FullnodeQuestion } from '../testing/fakeFullnode';
import { createFakeLedger } from '../testing/fakeLedger';
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

const pages = ({ questions }: FakeFullnode): FullnodeQuestion[] =>
  questions.filter(({ kind }) => kind === 'page');
/** A fault for the first so many questions of one kind. */
const first =
  (times: number, kind: FullnodeQuestion['kind'], fault: FullnodeFault) =>
  (question: FullnodeQuestion): FullnodeFault | undefined =>
    question.kind === kind && question.count < times ? fault : undefined;

/** Reads everything up to a version, and proves that the log is whole. */
async function readAll(
  nodes: readonly FakeFullnode[],
  last: number,
  sourceOptions: Parameters<LedgerKit['restSource']>[1] = {},
  store = createLedgerStore(),
): Promise<LedgerStore> {
  await readWhole(kit, kit.restSource(nodes, sourceOptions), last, store);
  return store;
}

describe('a ledger read by REST', () => {
  it('is read whole and in order, several pages on their way', async () => {
    const node = await kit.node(ledgerOf(2_000));
    const all = new AbortController();
    node.rules.push(({ kind, count }) => {
      if (kind !== 'page' || count > 3) return undefined;
      // The first page is the last one to be answered.
      const until = count === 0 ? once(all.signal, 'abort') : undefined;
      if (count === 3) setImmediate(() => all.abort());
      return until === undefined ? {} : { until };
    });
    await readAll([node], 1_999);
    expect(pages(node).length).toBe(20);
    expect(
      pages(node)
        .slice(0, 4)
        .map(({ start }) => start),
    ).toEqual([0n, 100n, 200n, 300n]);
  });

  it('says where an event stands, by version, index and part', async () => {
    const ledger = ledgerOf(0);
    ledger.add({ events: [{ type: '0x1::a::B', data: {} }, burnEvent('one'), burnEvent('two')] });
    const store = createLedgerStore();
    await kit.read(kit.subject(kit.restSource([await kit.node(ledger)]), { endVersion: 0n }), store);
    expect(store.events.map(({ seqNo }) => seqNo)).toEqual([1n << 13n, 2n << 13n]);
    expect(store.events[0]).toMatchObject({
      subjectId: 'aptos:4',
      name: 'TokenBurned',
      source: { position: 0n, index: 1, timeUs: ledger.timestampUs(0n) },
    });
    expect(store.events[0]?.source.blockHash).toMatch(/^0x[0-9a-f]{64}$/);
  });

  it('adds nothing of a transaction that failed, and counts it', async () => {
    const ledger = ledgerOf(0);
    ledger.add({ events: [burnEvent('never')], success: false });
    ledger.add({ events: [burnEvent('once')] });
    const store = createLedgerStore();
    const subject = kit.subject(kit.restSource([await kit.node(ledger)]), { endVersion: 1n });
    await kit.read(subject, store);
    expect(store.events.map(({ aggregateId }) => aggregateId)).toEqual([expect.stringMatching(/:once$/)]);
    expect(subject.stats()).toMatchObject({ transactions: 2, failedTransactions: 1 });
  });

  it('keeps an event that nobody can decode at its place, and everything beside it (Q18)', async () => {
    const ledger = ledgerOf(0);
    ledger.add({ events: [burnEvent('one'), burnEvent('poison'), burnEvent('two')] });
    const store = createLedgerStore();
    const subject = kit.subject(kit.restSource([await kit.node(ledger)]), { endVersion: 0n });
    await kit.read(subject, store);
    expect(store.events.map(({ name }) => name)).toEqual(['TokenBurned', 'Undecodable', 'TokenBurned']);
    const [, event] = store.events;
    expect(event?.data).toMatchObject({ reason: 'burns: data.id: is no id' });
    expect(JSON.parse((event?.data as { raw: string }).raw)).toMatchObject({
      index: 1,
      data: '{"id":"poison","price":"18446744073709551616"}',
    });
    expect(subject.stats().undecodableEvents).toBe(1);
  });

  it(`gives the same from any page sizes, short pages and restarts at any message (Q1, Q9, Q22, seed ${seed})`, async () => {
    const ledger = ledgerOf(700);
    const node = await kit.node(ledger);
    let pageMax = 100;
    node.rules.push(() => ({ pageMax: 1 + ((pageMax = (pageMax * 31 + 7) % 97) % 97) }));
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      async (size, inFlight, restarts) => {
        const store = createLedgerStore();
        const options = { pageMax: size, pagesInFlightMax: inFlight };
        for (const messages of restarts) {
          let left = messages;
          const subject = kit.subject(kit.restSource([node], options), { endVersion: 699n });
          await kit.read(subject, store, () => --left === 0);
        }
        await kit.read(kit.subject(kit.restSource([node], options), { endVersion: 699n }), store);
        expect(versions(store)).toEqual(versionsOfEvents(0, 699));
      },
    );
    await fc.assert(property, { seed, numRuns: 8 });
  });

  it('ends at once when it is told to, with requests on their way (Q20)', async () => {
    const node = await kit.node(ledgerOf(500));
    node.rules.push(({ kind }) => (kind === 'page' ? { hang: true } : undefined));
    const ending = new AbortController();
    const messages = kit
      .subject(kit.restSource([node]))
      .messages(createLedgerStore().resumePoint(), ending.signal);
    expect((await messages[Symbol.asyncIterator]().next()).value).toMatchObject({ kind: 'heartbeat' });
    const waiting = messages[Symbol.asyncIterator]().next();
    ending.abort(new Error('enough'));
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('stops reading while too much is not executed (Q17)', async () => {
    const node = await kit.node(ledgerOf(3_000));
    const subject = kit.subject(kit.restSource([node]), { eventsAheadMax: 100, messageEventsMax: 50 });
    const ending = new AbortController();
    const store = createLedgerStore();
    const messages = subject.messages(store.resumePoint(), ending.signal)[Symbol.asyncIterator]();
    while (subject.stats().eventsAhead <= 100) store.take((await messages.next()).value as never);
    const waiting = messages.next();
    let came = false;
    void waiting.then(() => (came = true));
    const asked = pages(node).length;
    await kit.wait(5_000, ending.signal);
    expect(came).toBe(false);
    expect(pages(node).length).toBeLessThanOrEqual(asked + 4);
    expect(subject.stats().eventsAhead).toBeLessThan(300);
    subject.executed(store.events.at(-1)?.seqNo as never);
    store.take((await waiting).value as never);
    ending.abort(new Error('enough'));
  });

  it('sends the key as a bearer token, keeps what the URL has behind it, and logs neither', async () => {
    const node = await kit.node(ledgerOf(3));
    node.rules.push(first(2, 'page', { status: 503, body: 'try https://node/v1?key=SECRET' }));
    const source = kit.restSource([{ url: `${node.url}?tenant=7` }], { apiKey: 'SECRET' });
    await kit.read(kit.subject(source, { endVersion: 2n }), createLedgerStore());
    expect(node.questions.every(({ headers }) => headers.authorization === 'Bearer SECRET')).toBe(true);
    expect(pages(node)[0]?.path).toBe('/v1/transactions?start=0&limit=3&tenant=7');
    expect(JSON.stringify(kit.lines)).not.toMatch(/SECRET|tenant/);
    expect(kit.lines.length).toBeGreaterThan(0);
  });
});

describe('a node that cannot be believed', () => {
  it.each<[string, FullnodeFault]>([
    ['an empty page below its head (P1)', { body: '[]' }],
    ['a page with a version left out (P18)', { page: (page) => page.filter((_, i) => i !== 3) }],
    ['a page that begins elsewhere (P18)', { page: (page) => page.slice(1) }],
    ['a version twice (P11)', { page: (page) => [...page.slice(0, 5), page[4], ...page.slice(5, -1)] }],
    ['versions out of order (P11)', { page: (page) => [...page].reverse() }],
    [
      'more than was asked for (P11)',
      {
        page: (page) => [
          ...page,
          ...page.map((one) => ({
            ...one,
            version: String(BigInt(one['version'] as string) + BigInt(page.length)),
          })),
        ],
      },
    ],
    [
      'a transaction without success (P11)',
      { page: (page) => page.map((one) => ({ ...one, success: null })) },
    ],
    ['a gateway page with status 200 (P15)', { body: '<html>busy</html>' }],
    ['an object instead of a page (P15)', { body: '{}' }],
    ['an answer that breaks off (P15)', { breakOff: 'within' }],
    ['what is no gzip (P15)', { headers: { 'content-encoding': 'gzip' } }],
    ['an internal error', { status: 500, body: '{"message":"oops","error_code":"internal_error"}' }],
    ['a connection that is closed', { breakOff: 'before' }],
  ])('is asked again after %s, and nothing of it is used', async (_, fault) => {
    const node = await kit.node(ledgerOf(450));
    node.rules.push(first(3, 'page', fault));
    await readAll([node], 449);
  });

  it('is left when it gives nothing that can be believed, and there is no other (P11)', async () => {
    const node = await kit.node(ledgerOf(50));
    node.rules.push(({ kind }) => (kind === 'page' ? { page: (page) => page.slice(1) } : undefined));
    const store = createLedgerStore();
    await expect(kit.read(kit.subject(kit.restSource([node])), store)).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      disposition: 'stop',
      message: expect.stringMatching(/versions 0\.\.49: .*version 1 stands where 0 should/) as string,
    });
    expect(store.next).toBe(0n);
  });

  it('leaves its work to another one', async () => {
    const ledger = ledgerOf(450);
    const [bad, good] = [await kit.node(ledger), await kit.node(ledger)];
    bad.rules.push(({ kind }) => (kind === 'page' ? { page: (page) => page.slice(1) } : undefined));
    await readAll([bad, good], 449);
    expect(pages(good).length).toBeGreaterThan(0);
  });
});

describe('a node that lags', () => {
  it('gives short pages, whose rest is asked for before what follows (P18)', async () => {
    const node = await kit.node(ledgerOf(450));
    node.rules.push(({ kind, count }) => (kind === 'page' && count % 2 === 0 ? { pageMax: 30 } : undefined));
    await readAll([node], 449);
  });

  it('is asked for pages of the size that it gives', async () => {
    const node = await kit.node(ledgerOf(1_500), { pageMax: 40 });
    await readAll([node], 1_499);
    const sizes = pages(node).map(({ limit }) => limit);
    expect(sizes.slice(-20).every((size) => size === 40 || size === 20)).toBe(true);
  });

  it('is waited for when its head goes backwards, and taken for no other ledger (P4, P18)', async () => {
    const ledger = ledgerOf(300);
    const node = await kit.node(ledger);
    const store = createLedgerStore();
    let behind = 0;
    await kit.read(kit.subject(kit.restSource([node])), store, (message) => {
      if (message.kind !== 'heartbeat' || store.next < 300n) return false;
      behind++;
      if (behind === 1) node.rules.push(() => ({ head: 100n }));
      if (behind === 4) {
        node.rules.length = 0;
        extend(ledger, 50);
      }
      return store.next === 350n;
    });
    expect(store.heads).toContain(100n);
    expect(versions(store)).toEqual(versionsOfEvents(0, 349));
  });

  it('refuses what lies beyond its own head, and is waited for (P5)', async () => {
    const ledger = ledgerOf(300);
    const [far, near] = [await kit.node(ledger), await kit.node(ledger)];
    // The first one announces a head, and does not have it for a while; the other one lags.
    let asked = 0;
    far.rules.push(({ kind }) => (kind === 'page' && ++asked <= 4 ? { head: 199n } : undefined));
    near.rules.push(({ kind }) => (kind === 'page' && asked <= 4 ? { head: 149n } : undefined));
    await readAll([far, near], 299);
  });

  it('is asked for the last version that was read until it has it (P3)', async () => {
    const node = await kit.node(ledgerOf(30));
    const store = await readAll([node], 19);
    node.rules.push(first(4, 'version', { head: 10n }));
    await readAll([node], 29, {}, store);
  });
});

describe('a pruned node', () => {
  const prunes = ({ kind }: FullnodeQuestion): FullnodeFault | undefined =>
    kind === 'other' ? undefined : { oldest: 200n };

  it('stops the subject with a clear message, and is never skipped over (P18)', async () => {
    const node = await kit.node(ledgerOf(300));
    node.rules.push(prunes);
    const store = createLedgerStore();
    await expect(kit.read(kit.subject(kit.restSource([node])), store)).rejects.toMatchObject({
      code: 'RPC_PRUNED',
      disposition: 'stop',
      message: expect.stringMatching(/version 0 is pruned, min available version is 200/) as string,
    });
    expect(store.next).toBe(0n);
  });

  it.each<[string, FullnodeFault]>([
    ['a 410 without bounds', { status: 410, body: '{}', headers: { 'x-aptos-ledger-oldest-version': '' } }],
    ['a 404 with bounds', { status: 404, body: '{}', headers: { 'x-aptos-ledger-oldest-version': '9' } }],
    [
      'a 500 that says so',
      {
        status: 500,
        body: '{"message":"Transaction at version 0 is pruned"}',
        headers: { 'x-aptos-ledger-oldest-version': '' },
      },
    ],
  ])('is known by %s (P18)', async (_, fault) => {
    const node = await kit.node(ledgerOf(30));
    node.rules.push(({ kind }) => (kind === 'page' ? fault : undefined));
    await expect(kit.read(kit.subject(kit.restSource([node])), createLedgerStore())).rejects.toMatchObject({
      code: 'RPC_PRUNED',
    });
  });

  it('leaves its work to one that has everything', async () => {
    const ledger = ledgerOf(300);
    const [pruned, archive] = [await kit.node(ledger), await kit.node(ledger)];
    pruned.rules.push(prunes);
    await readAll([pruned, archive], 299);
  });

  it('whose last version is the last one that was read is read on, with a warning', async () => {
    const node = await kit.node(ledgerOf(300));
    const store = await readAll([node], 199);
    node.rules.push(prunes);
    await readAll([node], 299, {}, store);
    expect(kit.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { version: 199n } }));
  });
});

describe('another ledger', () => {
  it('of another chain id stops the subject (P14)', async () => {
    const node = await kit.node(ledgerOf(30));
    node.rules.push(() => ({ headers: { 'x-aptos-chain-id': '5' } }));
    await expect(kit.read(kit.subject(kit.restSource([node])), createLedgerStore())).rejects.toMatchObject({
      code: 'WRONG_CHAIN',
      disposition: 'stop',
    });
  });

  it('is never used after a fail-over, not one answer of it (P14)', async () => {
    const wrong = createFakeLedger(9, 'wrong');
    extend(wrong, 900);
    const [good, bad] = [await kit.node(ledgerOf(900)), await kit.node(wrong)];
    good.rules.push(({ kind, count }) =>
      kind === 'page' && count % 3 === 2 ? { breakOff: 'before' } : undefined,
    );
    await readAll([good, bad], 899);
    expect(kit.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ code: 'WRONG_CHAIN' }) as object,
      }),
    );
  });

  it('under the same chain id is refused at a restart, whatever its length (devnet)', async () => {
    const store = await readAll([await kit.node(ledgerOf(100))], 99);
    const renewed = await kit.node(ledgerOf(500, 'renewed'));
    await expect(kit.read(kit.subject(kit.restSource([renewed])), store)).rejects.toMatchObject({
      code: 'LEDGER_REPLACED',
      disposition: 'stop',
      fields: expect.objectContaining({ version: 99n }) as object,
    });
    expect(store.next).toBe(100n);
  });

  it('that takes its place while it is read is refused once it is long enough (devnet)', async () => {
    const ledger = ledgerOf(100);
    const node = await kit.node(ledger);
    const renewed = ledgerOf(50, 'renewed');
    const store = createLedgerStore();
    const reading = kit.read(kit.subject(kit.restSource([node])), store, (message) => {
      if (message.kind !== 'heartbeat' || store.next < 100n) return;
      if (node.rules.length === 0) node.rules.push(() => ({ ledger: renewed }));
      else extend(renewed, 40);
    });
    await expect(reading).rejects.toMatchObject({ code: 'LEDGER_REPLACED' });
    expect(store.next).toBe(100n);
    expect(store.heads).toContain(49n);
  });

  it('that takes its place while nobody answers is refused as well (devnet)', async () => {
    const node = await kit.node(ledgerOf(100));
    const renewed = ledgerOf(400, 'renewed');
    const store = createLedgerStore();
    let down = 0;
    const reading = kit.read(kit.subject(kit.restSource([node])), store, (message) => {
      if (message.kind === 'heartbeat' && store.next === 100n && node.rules.length === 0)
        node.rules.push(() => (down++ < 2 ? { breakOff: 'before' } : { ledger: renewed }));
    });
    await expect(reading).rejects.toMatchObject({ code: 'LEDGER_REPLACED' });
    expect(store.next).toBe(100n);
  });
});

describe('a node under strain', () => {
  it('that complains of too many requests is asked less often, for as much (P10)', async () => {
    const node = await kit.node(ledgerOf(900));
    node.rules.push(
      first(3, 'page', {
        status: 429,
        headers: { 'retry-after': '30' },
        body: '{"message":"compute units"}',
      }),
    );
    const started = kit.now();
    await readAll([node], 899);
    expect(kit.now() - started).toBeGreaterThan(29_000);
    expect(pages(node).every(({ limit }) => limit === 100)).toBe(true);
  });

  it('that is too slow for a page is asked for smaller ones, and for larger ones later (P9, P19)', async () => {
    const node = await kit.node(ledgerOf(3_000));
    node.rules.push(({ kind, limit, count }) =>
      kind === 'page' && count < 12 && (limit ?? 0) > 25 ? { hang: true } : undefined,
    );
    await readAll([node], 2_999, { timeoutMs: 300 });
    const sizes = pages(node).map(({ limit }) => limit ?? 0);
    expect(Math.min(...sizes.filter((size) => size > 0))).toBeLessThanOrEqual(25);
    expect(sizes.at(-2)).toBeGreaterThan(25);
    expect(node.open.most).toBeLessThanOrEqual(8);
  });

  it('that gives too large an answer is asked for a smaller one (Q17)', async () => {
    const ledger = ledgerOf(0);
    for (let i = 0; i < 60; i++)
      ledger.add({ changes: [], events: [{ type: '0x1::a::B', data: { x: 'y'.repeat(20_000) } }] });
    const node = await kit.node(ledger);
    const store = createLedgerStore();
    const source = kit.restSource([node], { answerBytesMax: 300_000 });
    await kit.read(kit.subject(source, { endVersion: 59n }), store);
    expect(store.next).toBe(60n);
  });

  it('never has more requests than allowed (P19)', async () => {
    const node = await kit.node(ledgerOf(4_000));
    const gate = new AbortController();
    node.rules.push(({ kind }) =>
      kind === 'page' && !gate.signal.aborted ? { until: once(gate.signal, 'abort') } : undefined,
    );
    const source = kit.restSource([node], { pagesInFlightMax: 50, inFlightMax: 3 });
    const reading = kit.read(kit.subject(source, { endVersion: 3_999n }), createLedgerStore());
    while (node.open.now < 3) await kit.wait(100, gate.signal);
    await kit.wait(3_000, gate.signal);
    expect(node.open.now).toBe(3);
    gate.abort();
    await reading;
    expect(node.open.most).toBe(3);
  });
});
