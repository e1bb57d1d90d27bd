import { ancestors, busyChain, expectChain, mine } from '../testing/busyChain';
import type { Branch, FakeChain } from '../testing/fakeChain';
import { createMessageStore, type MessageStore } from '../testing/messageStore';
import { createSubjectKit, isRead, placesOn, type SubjectKit } from '../testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

describe('endpoints that contradict each other', () => {
  interface Branches {
    readonly chain: FakeChain;
    readonly other: FakeChain;
    readonly store: MessageStore;
  }
  /** All agree up to block 25; what is read first is `chain`. */
  const branches = async (): Promise<Branches> => {
    const [chain, other] = [busyChain(30), busyChain(30)];
    other.takeBack(5);
    mine(other, 7);
    const store = createMessageStore();
    await kit.atRest(kit.subject([await kit.node(chain, { finalized: 0 })]), store, chain, []);
    return { chain, other, store };
  };
  const grow = async (
    { chain, other, store }: Branches,
    subject: ReturnType<SubjectKit['subject']>,
    until: () => boolean,
  ): Promise<void> => {
    await kit.read(subject, store, ({ kind }) => {
      if (kind === 'heartbeat') {
        mine(chain);
        mine(other);
      }
      return until();
    });
  };
  const disagreementMs = 3_000;
  const settings = { reorg: { disagreementMs, disagreementLookMs: 200, aloneMs: 1_000, crossCheckMs: 500 } };
  const rules = () => ({ finalized: 0 });

  it('are told apart by the larger number, after a while; the rest is asked no more, and nothing flips back', async () => {
    const both = await branches();
    const { chain, other, store } = both;
    const rpcs = [
      await kit.node(chain, rules()),
      await kit.node(other, rules()),
      await kit.node(other, rules()),
    ];
    const subject = kit.subject(rpcs, settings);
    await grow(both, subject, () => store.invalidations.length > 0 && store.next > 60n);
    expect(ancestors(store)).toEqual([25]);
    const others = placesOn(other);
    expect(store.places.every((place) => others.includes(place))).toBe(true);
    expect(subject.stats()).toMatchObject({ reorgs: 1, endpointsDisagreeing: 1 });
    expect(kit.told('different branches')[0]?.fields).toMatchObject({ block: 26n, ancestor: 25n });
  });

  it('of equal number are told apart by the order of the setting, after a while', async () => {
    const both = await branches();
    const { chain, other, store } = both;
    const subject = kit.subject([await kit.node(other, rules()), await kit.node(chain, rules())], settings);
    const startedAt = performance.now() * kit.speed;
    await grow(both, subject, () => store.invalidations.length > 0 && store.next > 60n);
    expect(performance.now() * kit.speed - startedAt).toBeGreaterThan(disagreementMs);
    expect(ancestors(store)).toEqual([25]);
    expect(subject.stats()).toMatchObject({ reorgs: 1, providerDisagreements: 1, endpointsDisagreeing: 1 });
  });

  it('do not change what is read when the one it is read from was named first', async () => {
    const both = await branches();
    const { chain, other, store } = both;
    const subject = kit.subject([await kit.node(chain, rules()), await kit.node(other, rules())], settings);
    const until = performance.now() + (3 * disagreementMs) / kit.speed;
    await grow(both, subject, () => performance.now() > until && store.next > 60n);
    expect(store.invalidations).toEqual([]);
    expect(store.places).toEqual(placesOn(chain).slice(0, store.places.length));
  });

  it('and of which one then is away: the other one is not followed alone, however long (P6)', async () => {
    const both = await branches();
    const { chain, other, store } = both;
    const good = await kit.node(chain, rules());
    const subject = kit.subject([good, await kit.node(other, rules())], settings);
    await grow(both, subject, () => subject.stats().endpointsDisagreeing > 0);
    good.rules.down = true;
    const until = performance.now() + (10 * settings.reorg.aloneMs) / kit.speed;
    await grow(both, subject, () => performance.now() > until);
    good.rules.down = false;
    await kit.read(subject, store, () => isRead(chain, store));
    expect(store.invalidations).toEqual([]);
    expectChain(store, chain);
  });

  it('for a moment, because one learns of a reorg later, are followed when all agree; that is no disagreement', async () => {
    const chain = busyChain(30);
    const first = await kit.node(chain, rules());
    const second = await kit.node(chain, rules());
    const store = createMessageStore();
    const subject = kit.subject([first, second]);
    let beats = 0;
    let old: Branch = [];
    await kit.read(subject, store, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      beats++;
      if (beats === 3) {
        old = chain.canonical();
        second.rules.branch = old;
        chain.takeBack(3);
        mine(chain, 4);
      }
      if (beats === 5) delete second.rules.branch;
      return beats > 6 && isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([27]);
    expect(subject.stats()).toMatchObject({ reorgs: 1, providerDisagreements: 0, endpointsDisagreeing: 0 });
  });
});

describe('a reorg confirmed by a second endpoint', () => {
  it('is followed at once, and by itself only after repetition', async () => {
    const looksFor = async (endpoints: number): Promise<number> => {
      const chain = busyChain(30);
      const rpcs = await Promise.all(
        Array.from({ length: endpoints }, () => kit.node(chain, { finalized: 0 })),
      );
      const store = createMessageStore();
      let walks = 0;
      let counting = false;
      for (const rpc of rpcs)
        rpc.rules.onHttp = (body) => {
          const asked = body.split('eth_getBlockByNumber').length - 1;
          if (counting && asked > 5 && !body.includes('eth_getLogs')) walks++;
          return undefined;
        };
      await kit.atRest(kit.subject(rpcs), store, chain, [
        () => {
          counting = true;
          chain.takeBack(2);
          mine(chain, 2);
        },
      ]);
      expectChain(store, chain);
      return walks;
    };
    expect(await looksFor(2)).toBe(2);
    expect(await looksFor(1)).toBe(4);
  });
});

describe('an endpoint that stands still', () => {
  it('while another one goes on, is asked last until it has caught up: reading goes on (P6, P13)', async () => {
    const chain = busyChain(30);
    const first = await kit.node(chain);
    const second = await kit.node(chain);
    const store = createMessageStore();
    const subject = kit.subject([first, second], { reorg: { crossCheckMs: 1_000, disagreementLookMs: 100 } });
    let step = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      if (step === 0 && isRead(chain, store)) {
        step = 1;
        // It answers, and all that it says is true.
        first.rules.head = chain.head;
        mine(chain, 5);
      } else if (step === 1 && isRead(chain, store)) {
        step = 2;
        expect(subject.stats().endpointsLagging).toBe(1);
        delete first.rules.head;
      } else if (step === 2 && subject.stats().endpointsLagging === 0) {
        step = 3;
        second.rules.head = chain.head;
        mine(chain, 5);
      }
      return step === 3 && isRead(chain, store);
    });
    expectChain(store, chain);
    expect(subject.stats()).toMatchObject({ reorgs: 0, falseReorgAlarms: 0, providerDisagreements: 0 });
    expect(kit.told('stands still')[0]?.fields).toMatchObject({ block: 30n });
  });

  it('is not one that has what the others have, however long nothing is mined', async () => {
    const chain = busyChain(30);
    const subject = kit.subject([await kit.node(chain), await kit.node(chain, { lag: 1 })], {
      reorg: { crossCheckMs: 100 },
    });
    const store = createMessageStore();
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => kind === 'heartbeat' && ++beats > 30);
    expect(kit.told('stands still')).toEqual([]);
  });
});

describe('an endpoint that hangs', () => {
  it('is not waited for long when the others have answered (P19)', async () => {
    const chain = busyChain(30);
    const rpcs = [
      await kit.node(chain),
      await kit.node(chain),
      await kit.node(chain, { onHttp: () => 'hang' }),
    ];
    const store = createMessageStore();
    const subject = kit.subject(rpcs, { reorg: { voteGraceMs: 20_000, voteMs: 1e9 } });
    await kit.atRest(subject, store, chain, [
      () => {
        chain.takeBack(3);
        mine(chain, 5);
      },
    ]);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([27]);
  });
});
