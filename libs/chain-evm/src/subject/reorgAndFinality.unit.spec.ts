import { ancestors, busyChain, expectChain, mine } from '../testing/busyChain';
import { createFakeChain, type FakeChain } from '../testing/fakeChain';
import { createMessageStore, type MessageStore } from '../testing/messageStore';
import { createSubjectKit, isRead, placesOn, type SubjectKit } from '../testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

describe('a chain that takes back what is final (R7)', () => {
  const readAll = async (chain: FakeChain, store: MessageStore, finalized: number): Promise<void> => {
    await kit.atRest(kit.subject([await kit.node(chain, { finalized })]), store, chain, []);
  };

  it('stops with both hashes and the command that mends it; nothing is given', async () => {
    const chain = busyChain(60);
    const store = createMessageStore();
    const rpc = await kit.node(chain, { finalized: 0 });
    const old = chain.canonical();
    const kinds: string[] = [];
    const reading = kit.read(kit.subject([rpc]), store, (message) => {
      kinds.push(message.kind);
      if (message.kind === 'append' && message.toPosition === 60n) rpc.rules.finalized = 50;
      if (message.kind === 'finalize' && message.position === 50n) {
        chain.takeBack(15);
        mine(chain, 20);
      }
      return false;
    });
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'REORG_TOO_DEEP',
      disposition: 'stop',
      fields: {
        position: 46n,
        storedHash: old[46]?.hash,
        seenHash: chain.blocks[46]?.hash,
        finalized: 50n,
        ancestor: 45n,
      },
      message: expect.stringContaining('imart rewind --subject eip155:1 --to-block 45') as string,
    });
    expect(store.invalidations).toEqual([]);
    expect(kinds.at(-1)).toBe('heartbeat');
    expect(store.next).toBe(61n);
  });

  it('at the start, when no remembered block is left: says what to look for', async () => {
    const chain = busyChain(60);
    const store = createMessageStore();
    await readAll(chain, store, 50);
    chain.takeBack(15);
    mine(chain, 20);
    const reading = kit.read(kit.subject([await kit.node(chain, { finalized: 50 })]), store, () => false);
    await expect(reading).rejects.toMatchObject({
      code: 'REORG_TOO_DEEP',
      fields: { position: 50n, ancestor: null },
      message: expect.stringMatching(/--to-block N, N being a block below 50/) as string,
    });
    expect(store.next).toBe(61n);
  });

  it('is not believed of one endpoint against another one, however long it says so (P6)', async () => {
    const chain = busyChain(60);
    const store = createMessageStore();
    await readAll(chain, store, 50);
    const other = busyChain(60);
    other.takeBack(30);
    mine(other, 40);
    const rpcs = [await kit.node(other, { finalized: 50 }), await kit.node(chain, { finalized: 50 })];
    const subject = kit.subject(rpcs, { reorg: { disagreementMs: 500 } });
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind === 'heartbeat') mine(chain);
      return kind === 'heartbeat' && ++beats >= 40;
    });
    expect(store.invalidations).toEqual([]);
    expect(store.places).toEqual(placesOn(chain).slice(0, store.places.length));
    expect(subject.stats()).toMatchObject({ providerDisagreements: 1, endpointsDisagreeing: 1 });
  });

  it('is believed of one endpoint only after it has said so for a while', async () => {
    const chain = busyChain(60);
    const store = createMessageStore();
    await readAll(chain, store, 50);
    const kept = chain.canonical();
    chain.takeBack(15);
    mine(chain, 20);
    const rpc = await kit.node(chain, { finalized: 50 });
    const subject = kit.subject([rpc], { reorg: { aloneMs: 1e9 } });
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind === 'heartbeat' && ++beats === 10) {
        // Until then nothing is read on.
        expect(rpc.count('eth_getLogs')).toBe(0);
        chain.switchTo(kept);
        mine(chain);
      }
      return isRead(chain, store);
    });
    expectChain(store, chain);
    expect(store.invalidations).toEqual([]);
  });
});

describe('finality', () => {
  it('is of a block by its hash: a branch that is no longer the chain is not made final (P8, R7)', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain, { finalized: 5 });
    const store = createMessageStore();
    const subject = kit.subject([rpc]);
    let step = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind === 'heartbeat' && step === 0 && isRead(chain, store)) {
        step = 1;
        chain.takeBack(5);
        mine(chain, 40);
        rpc.rules.finalized = 50;
        // Nothing above what was read can be had for a while.
        rpc.rules.withheld = Array.from({ length: 40 }, (_, i) => 31 + i);
      } else if (kind === 'heartbeat' && step > 0 && ++step === 6) {
        expect(store.finalized).toBe(5n);
        delete rpc.rules.withheld;
      }
      return step > 6 && isRead(chain, store) && store.finalized !== 5n;
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([25]);
    expect(store.finalized).toBe(50n);
  });

  it('names a block that is remembered, also where the height has none (P17)', async () => {
    const chain = createFakeChain(20);
    mine(chain, 5);
    chain.skipHeight();
    mine(chain, 10);
    const rpc = await kit.node(chain, { finalized: null });
    const store = createMessageStore();
    // By depth, the skipped height would be the final one.
    await kit.atRest(kit.subject([rpc], { finalityDepthBlocks: 10 }), store, chain, [
      () => {
        chain.takeBack(10);
        mine(chain, 12);
      },
    ]);
    expect(store.finalized).toBe(24n);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([24]);
  });

  it('that cannot be true is counted (P8)', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain, { head: 20, finalized: 25 });
    const store = createMessageStore();
    const subject = kit.subject([rpc]);
    await kit.read(
      subject,
      store,
      ({ kind }) => kind === 'heartbeat' && subject.stats().refusedFinality >= 2,
    );
    expect(store.finalized).toBeNull();
  });
});
