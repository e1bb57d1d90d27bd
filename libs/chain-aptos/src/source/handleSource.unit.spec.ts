import fc from 'fast-check';
import type { FakeFullnode, FullnodeFault, FullnodeQuestion } from '../testing/fakeFullnode';
import { createFakeLedger, type FakeLedger } from '../testing/fakeLedger';
import { CONTRACT_HANDLES, CONTRACT_NODE, contractMarket, createContract } from '../testing/contract';
import { createLedgerKit, type LedgerKit } from '../testing/ledgerKit';
import { createLedgerStore, type LedgerStore } from '../testing/ledgerStore';
import type { HandleSourceOptions } from './handleSource';

const seed = Date.now() % 2 ** 31;
let kit: LedgerKit;
beforeEach(() => {
  kit = createLedgerKit();
});
afterEach(() => kit.close());

const take = async (
  node: FakeFullnode,
  last: bigint,
  store = createLedgerStore(),
  options: Partial<HandleSourceOptions> = {},
): Promise<LedgerStore> => {
  const source = kit.handleSource([node], CONTRACT_HANDLES, options);
  await kit.read(kit.subject(source, { markets: [contractMarket], endVersion: last }), store);
  expect(store.next).toBe(last + 1n);
  return store;
};
const takeWhole = async (ledger: FakeLedger, last: bigint, start = 0n): Promise<LedgerStore> => {
  const store = createLedgerStore(start);
  const source = kit.restSource([await kit.node(ledger)]);
  await kit.read(kit.subject(source, { markets: [contractMarket], endVersion: last }), store);
  return store;
};
const first =
  (times: number, kind: FullnodeQuestion['kind'], fault: FullnodeFault) =>
  (question: FullnodeQuestion): FullnodeFault | undefined =>
    question.kind === kind && question.count < times ? fault : undefined;

describe(`a contract read by its event handles (seed ${seed})`, () => {
  it('gives what reading every transaction gives, and reads only those with events', async () => {
    const { ledger } = createContract(500);
    const node = await kit.node(ledger, CONTRACT_NODE);
    const store = await take(node, 499n);
    expect(store.events).toEqual((await takeWhole(ledger, 499n)).events);
    expect(store.events.length).toBeGreaterThan(300);
    expect(node.questions.filter(({ kind }) => kind === 'page')).toHaveLength(0);
    expect(node.questions.filter(({ kind }) => kind === 'version').length).toBeLessThan(120);
  });

  it('gives the same from any start, over any restarts (Q1, Q22)', async () => {
    const { ledger } = createContract(400);
    const node = await kit.node(ledger, CONTRACT_NODE);
    const whole = (await takeWhole(ledger, 399n)).events;
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: 399 }),
      fc.array(fc.integer({ min: 0, max: 399 }), { maxLength: 3 }),
      async (start, stops) => {
        const store = createLedgerStore(BigInt(start));
        for (const stop of stops.sort((a, b) => a - b))
          if (BigInt(stop) >= store.next) await take(node, BigInt(stop), store);
        if (store.next < 400n) await take(node, 399n, store);
        expect(store.events).toEqual(whole.filter(({ source }) => source.position >= BigInt(start)));
      },
    );
    await fc.assert(property, { seed, numRuns: 12 });
  });

  it('goes no further than every handle is proven to, where nodes are not equally far (P4, P18)', async () => {
    const { ledger } = createContract(300);
    const node = await kit.node(ledger, CONTRACT_NODE);
    // One handle is asked at a node that lags.
    node.rules.push(({ kind, path, count }) =>
      kind === 'events' && path.includes('/buy') && count < 12 ? { head: BigInt(20 * count) } : undefined,
    );
    expect((await take(node, 299n)).events).toEqual((await takeWhole(ledger, 299n)).events);
  });

  it('finds where to go on whichever looks a node answers that lags (P4, P6, P18)', async () => {
    const { ledger } = createContract(400);
    const node = await kit.node(ledger, CONTRACT_NODE);
    const whole = (await takeWhole(ledger, 399n)).events;
    let looks = 0;
    let lags: readonly (number | null)[] = [];
    node.rules.push(({ kind }) => {
      const head = kind === 'events' ? lags[looks++] : null;
      return head === null || head === undefined ? undefined : { head: BigInt(head) };
    });
    const from = async (start: number, heads: readonly (number | null)[]): Promise<void> => {
      [looks, lags] = [0, heads];
      const store = await take(node, 399n, createLedgerStore(BigInt(start)));
      expect(store.events).toEqual(whole.filter(({ source }) => source.position >= BigInt(start)));
    };
    // At each look alone, behind where it starts and above it.
    for (let look = 0; look < 14; look++)
      for (const head of [0, 100, 199, 230]) await from(200, [...Array<null>(look).fill(null), head]);
    const lag = fc.option(fc.integer({ min: 0, max: 399 }));
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 399 }),
      fc.array(lag, { maxLength: 30 }),
      from,
    );
    await fc.assert(property, { seed, numRuns: 15 });
  });

  it('waits where every look is answered by a node that lags, and goes on when one has caught up (P4, P6)', async () => {
    const { ledger } = createContract(400);
    const node = await kit.node(ledger, CONTRACT_NODE);
    let lagging = 0;
    node.rules.push(({ kind }) => (kind === 'events' && lagging++ < 25 ? { head: 120n } : undefined));
    const store = await take(node, 399n, createLedgerStore(200n));
    expect(lagging).toBeGreaterThan(25);
    expect(store.events).toEqual((await takeWhole(ledger, 399n, 200n)).events);
  });

  it('stops when a node never has an event that others are said to follow (P1)', async () => {
    const { ledger } = createContract(400);
    const node = await kit.node(ledger, CONTRACT_NODE);
    node.rules.push(({ kind, start }) => (kind === 'events' && start !== null ? { body: '[]' } : undefined));
    await expect(take(node, 399n, createLedgerStore(200n))).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringMatching(/event \d+ is not there, though event \d+ is/) as string,
    });
  });

  it('takes what is pruned for older than its start only where the node has all from there on (P18)', async () => {
    const { ledger } = createContract(400);
    const node = await kit.node(ledger, CONTRACT_NODE);
    // Of two nodes behind one address, one has pruned more.
    let oldest = 0n;
    node.rules.push(({ kind }) => (kind === 'events' ? { oldest } : undefined));
    // Some of each handle, or all: then it says that there is nothing.
    for (oldest of [250n, 399n])
      await expect(take(node, 399n, createLedgerStore(200n))).rejects.toMatchObject({ code: 'RPC_PRUNED' });
    oldest = 200n;
    const store = await take(node, 399n, createLedgerStore(200n));
    expect(store.events).toEqual((await takeWhole(ledger, 399n, 200n)).events);
  });

  it('goes on with the first event after a silence in which all that were before it were pruned (P18)', async () => {
    const ledger = createFakeLedger();
    const buy = (sequenceNumber: number) => ({
      events: [
        { type: '0xca11::market::buy', account: '0xca11', creationNumber: 5, sequenceNumber, data: {} },
      ],
    });
    for (let i = 0; i < 50; i++) ledger.add(buy(i));
    while (ledger.head < 299n) ledger.add({ kind: 'stateCheckpoint' });
    const node = await kit.node(ledger, CONTRACT_NODE);
    let oldest = 150n;
    node.rules.push(() => ({ oldest }));
    const store = createLedgerStore(200n);
    const source = kit.handleSource([node], CONTRACT_HANDLES);
    const subject = kit.subject(source, { markets: [contractMarket] });
    await kit.read(subject, store, (message) => {
      if (message.kind === 'heartbeat' && store.next === 300n && ledger.head === 299n)
        for (const sequenceNumber of [50, 51]) ledger.add(buy(sequenceNumber));
      return store.events.length === 2;
    });
    expect(store.events.map(({ source: { position } }) => position)).toEqual([300n, 301n]);
    // But not where those that are pruned are not all known.
    oldest = 301n;
    await expect(take(node, 301n, createLedgerStore(290n))).rejects.toMatchObject({ code: 'RPC_PRUNED' });
  });

  it('misses nothing of nodes that give less than was asked for (P18)', async () => {
    const { ledger } = createContract(300);
    const node = await kit.node(ledger, CONTRACT_NODE);
    const { events } = await takeWhole(ledger, 299n);
    let sizes: readonly number[] = [100];
    node.rules.push(({ kind, count }) =>
      kind === 'events' ? { pageMax: sizes[count % sizes.length] as number } : undefined,
    );
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
      async (chosen) => {
        sizes = chosen;
        expect((await take(node, 299n)).events).toEqual(events);
      },
    );
    await fc.assert(property, { seed, numRuns: 6 });
  });

  const times = (count: number, field: 'list' | 'buy') => Array<'list' | 'buy'>(count).fill(field);
  it.each<[string, number, (version: number) => readonly ('list' | 'buy')[]]>([
    ['one after the other', 300, (version) => times(10, version < 150 ? 'list' : 'buy')],
    ['in turns', 1_000, (version) => times(1, version % 2 === 0 ? 'list' : 'buy')],
    ['together, more of one', 600, () => [...times(7, 'list'), 'buy']],
  ])('keeps no more than some pages of handles whose events come %s', async (_, versions, fieldsAt) => {
    const ledger = createFakeLedger();
    const sequence = { list: 0, buy: 0 };
    for (let version = 0; version < versions; version++)
      ledger.add({
        events: fieldsAt(version).map((field) => ({
          type: `0xca11::market::${field}`,
          account: '0xca11',
          creationNumber: field === 'list' ? 4 : 5,
          sequenceNumber: sequence[field]++,
          data: {},
        })),
      });
    const node = await kit.node(ledger, CONTRACT_NODE);
    const given = { list: 0, buy: 0 };
    node.rules.push(({ kind, path }) => {
      const field = path.includes('/list') ? 'list' : 'buy';
      const page = (events: Record<string, unknown>[]) => {
        given[field] += events.length;
        return events;
      };
      return kind === 'events' ? { page } : undefined;
    });
    let most = 0;
    const store = createLedgerStore();
    const source = kit.handleSource([node], CONTRACT_HANDLES);
    const subject = kit.subject(source, { markets: [contractMarket], endVersion: BigInt(versions) - 1n });
    await kit.read(subject, store, () => {
      most = Math.max(most, given.list + given.buy - store.events.length);
    });
    expect(store.events).toHaveLength(sequence.list + sequence.buy);
    // Two pages of each, and what is left of a version.
    expect(most).toBeLessThanOrEqual(2 * 2 * 100 + 20);
  });

  it.each<[string, FullnodeQuestion['kind'], FullnodeFault]>([
    ['leaves an event out (P2)', 'events', { page: (page) => page.filter((_, i) => i !== 3) }],
    ['gives events out of order (P11)', 'events', { page: (page) => [...page].reverse() }],
    ['begins elsewhere (P18)', 'events', { page: (page) => page.slice(1) }],
    ['gives no list (P15)', 'events', { body: '{}' }],
    ['gives what is no JSON (P15)', 'events', { body: '<html>' }],
    ['does not say how far it is', 'events', { headers: { 'x-aptos-ledger-version': '' } }],
    ['fails', 'events', { status: 503 }],
    [
      'gives another transaction',
      'version',
      { body: '{"version":"7","hash":"","accumulator_root_hash":"","success":true}' },
    ],
    ['lacks a version (P3)', 'version', { status: 404, body: '{"error_code":"transaction_not_found"}' }],
  ])('asks again when a node %s, and uses nothing of it', async (_, kind, fault) => {
    const { ledger } = createContract(300);
    const node = await kit.node(ledger, CONTRACT_NODE);
    node.rules.push(first(4, kind, fault));
    expect((await take(node, 299n)).events).toEqual((await takeWhole(ledger, 299n)).events);
  });

  it('stops when a transaction never has the event that its handle says it has', async () => {
    const { ledger } = createContract(60);
    const node = await kit.node(ledger, CONTRACT_NODE);
    const empty = (version: bigint) =>
      JSON.stringify({
        version: String(version),
        hash: '',
        accumulator_root_hash: '',
        success: true,
        events: [],
      });
    node.rules.push(({ kind, start }) =>
      kind === 'version' && start !== null ? { body: empty(start) } : undefined,
    );
    await expect(take(node, 59n)).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      message: expect.stringMatching(/event \d+ of .* is not in it/) as string,
    });
  });

  it('stops when an event turns up where it was said that there is none (P1)', async () => {
    const { ledger, grow } = createContract(200);
    const node = await kit.node(ledger, CONTRACT_NODE);
    let lies = true;
    node.rules.push(({ kind, path }) =>
      lies && kind === 'events' && path.includes('/buy') ? { body: '[]' } : undefined,
    );
    const store = createLedgerStore();
    const subject = kit.subject(kit.handleSource([node], CONTRACT_HANDLES), { markets: [contractMarket] });
    const reading = kit.read(subject, store, (message) => {
      if (message.kind !== 'heartbeat' || store.next !== 200n || !lies) return;
      lies = false;
      grow(40);
    });
    await expect(reading).rejects.toMatchObject({
      code: 'RPC_ANSWER_REFUSED',
      disposition: 'stop',
      message: expect.stringMatching(/event 0 is of version 0, of which it was said/) as string,
    });
    expect(store.next).toBe(200n);
  });

  it('stops when the next event or version is pruned (P18)', async () => {
    const { ledger } = createContract(300);
    const node = await kit.node(ledger, CONTRACT_NODE);
    node.rules.push(() => ({ oldest: 150n }));
    for (const start of [0n, 50n, 149n]) {
      await expect(take(node, 299n, createLedgerStore(start))).rejects.toMatchObject({
        code: 'RPC_PRUNED',
        disposition: 'stop',
      });
    }
    const store = await take(node, 299n, createLedgerStore(200n));
    expect(store.events).toEqual((await takeWhole(ledger, 299n, 200n)).events);
  });

  it('goes on without the transactions where those are pruned, as bare events of a subject of its own (P18)', async () => {
    const { ledger } = createContract(300);
    const node = await kit.node(ledger, CONTRACT_NODE);
    node.rules.push(({ kind, start }) =>
      kind === 'version' && start !== 0n ? { status: 410, body: '{}', oldest: 250n } : undefined,
    );
    const source = kit.handleSource([node], CONTRACT_HANDLES, { bare: true });
    const subject = kit.subject(source, { markets: [contractMarket], bareEvents: true, endVersion: 299n });
    const store = createLedgerStore();
    await kit.read(subject, store);
    expect(subject.id).toBe('aptos:4-events');
    const placeless = ({ events }: LedgerStore) =>
      events.map(({ aggregateId, source: { position } }) => `${position} ${aggregateId}`).sort();
    expect(placeless(store)).toEqual(placeless(await takeWhole(ledger, 299n)));
    // Two handles in one version: that of the first handle comes first, whatever the transaction's order was.
    const together = store.events.filter(({ source: { position } }) => position === 35n);
    expect(together.map(({ aggregateId, source: { index } }) => [aggregateId.split(':')[0], index])).toEqual([
      ['list', 0],
      ['list', 1],
      ['buy', 2],
    ]);
    expect(store.events.every(({ source: { txHash, blockHash } }) => txHash === '' && blockHash === '')).toBe(
      true,
    );
  });

  it.each([
    ['seconds', '1700000123', 1_700_000_123_000_000n],
    ['milliseconds', '1700000123456', 1_700_000_123_456_000n],
    ['microseconds', '1700000123456789', 1_700_000_123_456_789n],
    ['something else', '17', 0n],
  ])('has of bare events the time that they tell, in %s', async (_, timestamp, expected) => {
    const ledger = createFakeLedger();
    const event = { type: '0xca11::market::list', account: '0xca11', creationNumber: 4 };
    ledger.add({ events: [{ ...event, sequenceNumber: 0, data: { timestamp } }] });
    ledger.add({ events: [{ ...event, sequenceNumber: 1, data: {} }] });
    const source = kit.handleSource([await kit.node(ledger, CONTRACT_NODE)], CONTRACT_HANDLES, {
      bare: true,
    });
    const subject = kit.subject(source, { markets: [contractMarket], bareEvents: true, endVersion: 1n });
    const store = createLedgerStore();
    await kit.read(subject, store);
    expect(store.events.map(({ source: { timeUs } }) => timeUs)).toEqual([expected, expected]);
  });

  it('refuses another ledger (P14, devnet)', async () => {
    const node = await kit.node(createContract(100).ledger, CONTRACT_NODE);
    const store = await take(node, 99n);
    const renewed = await kit.node(createContract(300, 'renewed').ledger, CONTRACT_NODE);
    await expect(take(renewed, 299n, store)).rejects.toMatchObject({ code: 'LEDGER_REPLACED' });
    await expect(take(node, 99n, createLedgerStore(), { chainId: 9 })).rejects.toMatchObject({
      code: 'WRONG_CHAIN',
    });
  });
});
