import { waitMs } from '@imart/pipeline';
import { seededRandom } from '@imart/testing';
import { ancestors, busyChain, expectChain, mine } from '../testing/busyChain';
import type { FakeChain } from '../testing/fakeChain';
import { createMessageStore, type MessageStore } from '../testing/messageStore';
import { createSubjectKit, isRead, placesOn, word, type SubjectKit } from '../testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

describe('what is no reorg', () => {
  /** Reads with these endpoints, the chain growing, and demands that nothing was ever void. */
  const neverVoid = async (
    chain: FakeChain,
    subject: ReturnType<SubjectKit['subject']>,
    beatsMax: number,
    onBeat: (beat: number) => void = () => undefined,
  ): Promise<MessageStore> => {
    const store = createMessageStore();
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      onBeat(++beats);
      if (beats < beatsMax) mine(chain);
      return beats > beatsMax && isRead(chain, store);
    });
    expect(store.invalidations).toEqual([]);
    expectChain(store, chain);
    return store;
  };

  it('a head that goes backwards, and an old one that comes again (P4)', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain);
    const subject = kit.subject([rpc]);
    await neverVoid(chain, subject, 30, (beat) => {
      rpc.rules.lag = beat % 3 === 0 ? 9 : beat % 5 === 0 ? 40 : 0;
    });
    expect(subject.stats().falseReorgAlarms).toBe(0);
  });

  it('an invented head; it makes nothing final either (P5)', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain, { finalized: null });
    rpc.rules.changeResult = (method, [tag], result) =>
      method === 'eth_getBlockByNumber' && tag === 'latest'
        ? { ...(result as object), number: '0xf4240', hash: word(5), parentHash: word(6) }
        : result;
    const subject = kit.subject([rpc], { finalityDepthBlocks: 20 });
    const store = await neverVoid(chain, subject, 12, (beat) => {
      if (beat === 10) delete rpc.rules.changeResult;
      else if (beat < 10) rpc.rules.head = 30;
      if (beat === 10) delete rpc.rules.head;
    });
    expect(store.finalized).toBe(BigInt(chain.head - 20));
  });

  it('a fail-over to a node that lags (P6)', async () => {
    const chain = busyChain(80);
    const first = await kit.node(chain);
    const second = await kit.node(chain, { lag: 25 });
    const subject = kit.subject([first, second]);
    await neverVoid(chain, subject, 30, (beat) => {
      first.rules.down = beat > 5 && beat < 20;
    });
    expect(subject.stats().reorgs).toBe(0);
  });

  it.each([0, 1])(
    'a node on a branch of its own, while another one has the chain; named at place %i (P6)',
    async (place) => {
      const chain = busyChain(30);
      const good = await kit.node(chain, { finalized: 0 });
      const forked = busyChain(30);
      forked.takeBack(8);
      mine(forked, 60);
      const bad = await kit.node(forked, { finalized: 0 });
      const subject = kit.subject(place === 0 ? [bad, good] : [good, bad], {
        reorg: { disagreementMs: 1e9 },
      });
      const store = createMessageStore();
      // What was read before is the chain's.
      await kit.atRest(kit.subject([good]), store, chain, []);
      let beats = 0;
      await kit.read(subject, store, ({ kind }) => {
        if (kind === 'heartbeat' && ++beats < 30) mine(chain);
        return beats >= 30 && isRead(chain, store);
      });
      expect(store.invalidations).toEqual([]);
      expectChain(store, chain);
    },
  );

  it('a fail-over to a node on a branch of its own: it is waited for the others (P6)', async () => {
    const chain = busyChain(30);
    const forked = busyChain(30);
    forked.takeBack(5);
    mine(forked, 30);
    const good = await kit.node(chain);
    const bad = await kit.node(forked);
    const subject = kit.subject([good, bad], { reorg: { aloneMs: 1e9 } });
    const store = await neverVoid(chain, subject, 40, (beat) => {
      good.rules.down = beat > 10 && beat < 30;
    });
    expect(store.finalized).not.toBeNull();
    expect(kit.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
      expect.stringContaining('nobody has confirmed'),
    );
  });

  it('one of several nodes behind one URL that is on another branch (P6)', async () => {
    const chain = busyChain(30);
    const forked = busyChain(30);
    forked.takeBack(5);
    mine(forked, 6);
    const [branch, random] = [forked.canonical(), seededRandom(7).next];
    // Never so often in a row that it looks like the chain.
    let inRow = 0;
    const isOther = (): boolean => (inRow = inRow < 3 && random() < 0.4 ? inRow + 1 : 0) > 0;
    const rpc = await kit.node(chain, { chance: () => (isOther() ? { branch } : undefined) });
    const subject = kit.subject([rpc]);
    await neverVoid(chain, subject, 40);
    expect(subject.stats().falseReorgAlarms).toBeGreaterThan(0);
  });

  it('removed logs of other branches (P12)', async () => {
    const chain = busyChain(30);
    chain.takeBack(5);
    mine(chain, 5);
    const rpc = await kit.node(chain, { removedLogs: true });
    const subject = kit.subject([rpc]);
    await neverVoid(chain, subject, 10);
    expect(subject.stats().skippedLogs).toMatchObject({ removed: expect.any(Number) as number });
  });
});

describe('removed logs (P12)', () => {
  it('are a hint: the newest block is looked at before their range is given', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain, { finalized: 0 });
    const store = createMessageStore();
    const subject = kit.subject([rpc]);
    let armed = false;
    const stale: string[] = [];
    rpc.rules.changeResult = (method, _, result) => {
      if (!armed || method !== 'eth_getLogs') return result;
      armed = false;
      const block = chain.blocks[31];
      if (block === null || block === undefined) return result;
      stale.push(block.hash);
      // The node is about to leave this branch, and knows it already.
      queueMicrotask(() => {
        chain.takeBack(4);
        mine(chain, 6);
      });
      const removed = { ...block.logs[0], blockHash: word(9), removed: true };
      return [...(result as object[]), removed];
    };
    await kit.read(subject, store, (message) => {
      if (message.kind === 'append') {
        expect(message.blocks.map(({ hash }) => hash)).not.toContain(stale[0]);
        if (message.toPosition === 30n && chain.head === 30) {
          armed = true;
          mine(chain);
        }
      }
      return stale.length > 0 && isRead(chain, store);
    });
    expect(stale).toHaveLength(1);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([27]);
  });
});

describe('a websocket', () => {
  it('that dies without a word or tells of other branches delays nothing for good and makes no reorg (P13, P6)', async () => {
    const chain = busyChain(30);
    const forked = busyChain(30);
    forked.takeBack(6);
    mine(forked, 8);
    const rpc = await kit.node(chain);
    const astray = await kit.node(forked, {}, { webSocket: true });
    const store = createMessageStore();
    const subject = kit.subject([rpc], { wsUrl: astray.wsUrl });
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => {
      if (kind !== 'heartbeat') return false;
      beats++;
      mine(chain);
      mine(forked);
      if (beats % 7 === 0) astray.dropWebSockets();
      return beats > 40;
    });
    expect(store.invalidations).toEqual([]);
    expect(store.next).toBeGreaterThan(60n);
    expect(store.places).toEqual(placesOn(chain).slice(0, store.places.length));
  });

  it('tells of a reorg early: it is followed without a poll', async () => {
    const chain = busyChain(30);
    const rpc = await kit.node(chain, { finalized: 0 }, { webSocket: true });
    const store = createMessageStore();
    // After the first look there is none within the time of this test but for the reason that a head gives.
    const subject = kit.subject([rpc], { wsUrl: rpc.wsUrl, pollIntervalMs: 1e9 });
    const subscribed = async (): Promise<void> => {
      while (rpc.subscriptions === 0) await waitMs(5, new AbortController().signal);
    };
    let forked = false;
    await kit.read(subject, store, async () => {
      if (isRead(chain, store) && !forked) {
        forked = true;
        await subscribed();
        chain.takeBack(3);
        mine(chain, 5);
      }
      return forked && chain.head === 32 && isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([27]);
  });
});
