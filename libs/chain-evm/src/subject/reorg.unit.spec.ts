import { evmSeqNo, type SubjectMessage } from '@imart/core';
import { waitMs } from '@imart/pipeline';
import { createFakeChain, quantity, type Branch, type FakeChain, type FakeLog } from '../testing/fakeChain';
import { createMessageStore, type MessageStore } from '../testing/messageStore';
import { seeded } from '../testing/seeded';
import {
  address,
  child,
  createSubjectKit,
  isRead,
  made,
  moved,
  placesOn,
  sale,
  word,
  type SubjectKit,
} from '../testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

const inTx = (tx: number, log: FakeLog = sale): FakeLog => ({ ...log, tx });

/** A chain of which most blocks have a sale or two. */
function busyChain(length: number): FakeChain {
  const chain = createFakeChain();
  while (chain.head < length) mine(chain);
  return chain;
}
function mine(chain: FakeChain, blocks = 1): void {
  for (let i = 0; i < blocks; i++)
    chain.mine(chain.head % 3 === 0 ? [sale, inTx(1)] : chain.head % 5 === 0 ? [] : [sale]);
}
const ancestors = ({ invalidations }: MessageStore) =>
  invalidations.map(({ ancestor }) => Number(ancestor.position));
const warnings = (): string[] =>
  kit.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
const told = (text: string) => kit.lines.filter(({ message }) => message.includes(text));

/** What was stored is the chain's now, whatever happened before. */
function expectChain(store: MessageStore, chain: FakeChain): void {
  expect(store.places).toEqual(placesOn(chain));
  expect(store.next).toBe(BigInt(chain.head + 1));
}

describe('a chain that takes blocks back', () => {
  it.each([
    ['by a longer branch', 1, 3],
    ['by one of the same length', 5, 5],
    ['by a longer branch, more deeply', 20, 21],
    ['by a shorter branch', 10, 4],
    ['by one block instead of many', 30, 1],
  ])(
    '%s: what is void is said once, then the new branch is read (%i blocks, then %i)',
    async (_, depth, blocks) => {
      const chain = busyChain(80);
      const rpc = await kit.node(chain);
      const store = createMessageStore();
      const subject = kit.subject([rpc]);
      await kit.atRest(subject, store, chain, [
        () => {
          chain.takeBack(depth);
          mine(chain, blocks);
        },
        () => mine(chain, 3),
      ]);
      expectChain(store, chain);
      expect(store.invalidations).toEqual([
        {
          kind: 'invalidate',
          fromSeqNo: evmSeqNo.first(BigInt(80 - depth + 1)),
          ancestor: {
            position: BigInt(80 - depth),
            hash: chain.blocks[80 - depth]?.hash,
            parentHash: chain.blocks[79 - depth]?.hash,
            timeUs: BigInt(chain.blocks[80 - depth]?.timestamp ?? 0) * 1_000_000n,
          },
        },
      ]);
      expect(subject.stats()).toMatchObject({
        reorgs: 1,
        reorgBlocks: depth,
        deepestReorgBlocks: depth,
        falseReorgAlarms: 0,
      });
      expect(told('took blocks back')).toEqual([
        {
          level: 'warn',
          message: expect.any(String) as string,
          fields: expect.objectContaining({ from: BigInt(81 - depth), to: 80n }) as object,
        },
      ]);
    },
  );

  it('for a branch without events, is followed there, and knows its blocks (R5)', async () => {
    const chain = busyChain(20);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        chain.takeBack(6);
        for (let i = 0; i < 8; i++) chain.mine();
      },
      // From a block that the branch without events has.
      () => {
        chain.takeBack(2);
        mine(chain, 3);
      },
    ]);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([14, 20]);
  });

  it('with the same transaction at another place: the old one is void, the new one is there once (R6)', async () => {
    const chain = busyChain(20);
    const transaction = { hash: word(77), logs: [sale] };
    chain.mineTransactions([transaction]);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        chain.takeBack(1);
        chain.mine();
        chain.mineTransactions([{ logs: [sale] }, transaction]);
      },
    ]);
    expectChain(store, chain);
    const own = store.events.filter(({ source }) => source.txHash === word(77));
    expect(own.map(({ source }) => `${source.position}/${source.index}`)).toEqual(['22/1']);
  });

  it('up to the border of what was read as final: the border block is remembered, empty ones too (R1)', async () => {
    const chain = createFakeChain(61);
    mine(chain, 10);
    const rpc = await kit.node(chain, { finalized: 60 });
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc], { ranges: { firstBlocks: 25, maxBlocks: 25 } }), store, chain, [
      () => {
        chain.takeBack(10);
        mine(chain, 12);
      },
    ]);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([60]);
    expect(store.finalized).toBe(60n);
  });

  it('between two ranges that were on their way at once, is noticed between them', async () => {
    const chain = busyChain(100);
    const rpc = await kit.node(chain, { finalized: 0 });
    const store = createMessageStore();
    const subject = kit.subject([rpc], { unfinalizedRangeBlocksMax: 10, rangesInFlightMax: 2 });
    let forked = false;
    await kit.read(subject, store, (message) => {
      // Ranges behind this one are there or on their way by now.
      if (message.kind === 'append' && message.toPosition === 50n && !forked) {
        forked = true;
        chain.takeBack(70);
        mine(chain, 80);
      }
      return isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)[0]).toBe(30);
  });

  it('and again while it is followed: what was read last is void too (R3)', async () => {
    const chain = busyChain(40);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    const subject = kit.subject([rpc]);
    const depths = [8, 9, 12, 25];
    let rounds = 0;
    await kit.read(subject, store, (message) => {
      if (isRead(chain, store) && rounds === 0) {
        chain.takeBack(3);
        mine(chain, 4);
        rounds++;
      } else if (message.kind === 'invalidate' && depths.length > 0) {
        // Before anything of the branch that it found out about is read: below its ancestor, too.
        chain.takeBack(depths.shift() as number);
        mine(chain, 6);
      }
      return depths.length === 0 && isRead(chain, store);
    });
    expectChain(store, chain);
    expect(store.invalidations).toHaveLength(5);
  });

  it('and returns to the branch that it had before (R3)', async () => {
    const chain = busyChain(40);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    let first: Branch = [];
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        first = chain.canonical();
        chain.takeBack(4);
        mine(chain, 6);
      },
      () => chain.switchTo(first),
      () => mine(chain, 2),
    ]);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([36, 36]);
  });

  it('forgets collections that only the old branch had, and their logs; new ones are followed (R9)', async () => {
    const chain = createFakeChain(5);
    chain.mine([made(1)]);
    chain.mine([moved(1), moved(2)]);
    chain.mine([made(2)]);
    chain.mine([moved(1), moved(2)]);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        chain.takeBack(2);
        chain.mine([moved(1), moved(2)]);
        chain.mine([moved(2), made(3), moved(3)]);
        chain.mine([moved(1), moved(2), moved(3)]);
      },
      // The same collection again, later than on the old branch.
      () => chain.mine([moved(2), made(2), moved(2)]),
      () => chain.mine([moved(2)]),
    ]);
    expectChain(store, chain);
    expect(store.discovered.map((one) => one.address)).toEqual([child(1), child(3), child(2)]);
  });

  it('forgets what only the old branch showed of how a node numbers its logs', async () => {
    const chain = createFakeChain();
    const foreign = { address: address(77), topics: [word(1)] };
    // Numbered from each transaction on, which only a block with two sales shows.
    const perTransaction = (log: Record<string, unknown>): Record<string, unknown> => {
      const { logs = [] } = chain.byHash(log['blockHash'] as string) ?? {};
      const first = logs.find((other) => other['transactionHash'] === log['transactionHash']);
      return { ...log, logIndex: quantity(Number(log['logIndex']) - Number(first?.['logIndex'])) };
    };
    const rpc = await kit.node(chain, {
      changeResult: (method, _, result) =>
        method === 'eth_getLogs'
          ? (result as Record<string, unknown>[]).map(perTransaction)
          : method === 'eth_getBlockReceipts'
            ? (result as { logs: Record<string, unknown>[] }[]).map((receipt) => ({
                ...receipt,
                logs: receipt.logs.map(perTransaction),
              }))
            : result,
    });
    for (let i = 0; i < 10; i++) chain.mine([foreign, inTx(1)]);
    chain.mine([sale, inTx(1)]);
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        chain.takeBack(2);
        for (let i = 0; i < 3; i++) chain.mine([foreign, inTx(1)]);
      },
    ]);
    const clean = createMessageStore();
    await kit.atRest(kit.subject([rpc]), clean, chain, []);
    expect(clean.places.at(-1)).toMatch(/^12\/0 /);
    expect(store.places).toEqual(clean.places);
  });

  it('lets reading go on when events that nobody will execute any more held it up (P19)', async () => {
    const chain = createFakeChain();
    for (let i = 0; i < 40; i++) chain.mine([sale]);
    const rpc = await kit.node(chain, { finalized: 0 });
    const store = createMessageStore();
    const subject = kit.subject([rpc], {
      eventsAheadMax: 15,
      unfinalizedRangeBlocksMax: 4,
      rangesInFlightMax: 1,
    });
    // Nothing is ever executed.
    const messages = subject
      .messages(store.resumePoint(), new AbortController().signal)
      [Symbol.asyncIterator]();
    const next = async (): Promise<SubjectMessage> => {
      const { value } = (await messages.next()) as { value: SubjectMessage };
      store.take(value);
      return value;
    };
    const waits = waitMs(300, new AbortController().signal).then(() => null);
    let blocked = next();
    while ((await Promise.race([blocked, waits])) !== null) blocked = next();
    expect(subject.stats().eventsAhead).toBeGreaterThan(15);
    expect(store.next).toBeLessThan(25n);
    subject.executed(evmSeqNo.last(8n));
    chain.takeBack(32);
    for (let i = 0; i < 12; i++) chain.mine([sale]);
    while (ancestors(store).length === 0) {
      await blocked;
      blocked = next();
    }
    // Nothing of the old branch is waited for any more, nor of the new one what would be too much.
    while (store.next < 21n) {
      await blocked;
      blocked = next();
    }
    expect(ancestors(store)).toEqual([8]);
    await messages.return?.();
  });
});

describe('at the start (R2)', () => {
  /** Reads all of the chain, then is away while something happens. */
  const stopped = async (chain: FakeChain, finalized = 0): Promise<MessageStore> => {
    const store = createMessageStore();
    const rpc = await kit.node(chain, { finalized });
    await kit.atRest(kit.subject([rpc]), store, chain, []);
    return store;
  };

  it.each([
    ['longer', 7, 20],
    ['as long', 7, 7],
    ['shorter', 7, 3],
    ['one block', 25, 1],
  ])('a branch that came meanwhile is found before anything is given: %s', async (_, depth, blocks) => {
    const chain = busyChain(30);
    const store = await stopped(chain);
    chain.takeBack(depth);
    mine(chain, blocks);
    const kinds: string[] = [];
    const rpc = await kit.node(chain, { finalized: 0 });
    await kit.read(kit.subject([rpc]), store, (message) => {
      kinds.push(message.kind);
      if (message.kind === 'invalidate') expect(rpc.count('eth_getLogs')).toBe(0);
      return isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([30 - depth]);
    expect(kinds.filter((kind) => kind !== 'heartbeat')[0]).toBe('invalidate');
  });

  it('a chain that is only shorter is waited for, and followed when it is another one (P4)', async () => {
    const chain = busyChain(30);
    const store = await stopped(chain);
    chain.takeBack(10);
    let beats = 0;
    await kit.read(kit.subject([await kit.node(chain, { finalized: 0 })]), store, ({ kind }) => {
      if (kind === 'heartbeat' && ++beats === 5) {
        expect(store.invalidations).toEqual([]);
        mine(chain, 1);
      }
      return isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([20]);
  });

  it('a chain that is shorter than what is final is waited for', async () => {
    const chain = busyChain(30);
    const store = await stopped(chain, 25);
    const kept = chain.canonical();
    chain.takeBack(20);
    let beats = 0;
    await kit.read(kit.subject([await kit.node(chain, { finalized: 5 })]), store, ({ kind }) => {
      if (kind === 'heartbeat' && ++beats === 5) {
        chain.switchTo(kept);
        mine(chain);
      }
      return isRead(chain, store);
    });
    expect(store.invalidations).toEqual([]);
    expectChain(store, chain);
  });
});

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
    expect(warnings()).toContainEqual(expect.stringContaining('nobody has confirmed'));
  });

  it('one of several nodes behind one URL that is on another branch (P6)', async () => {
    const chain = busyChain(30);
    const forked = busyChain(30);
    forked.takeBack(5);
    mine(forked, 6);
    const [branch, random] = [forked.canonical(), seeded(7)];
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
    expect(told('different branches')[0]?.fields).toMatchObject({ block: 26n, ancestor: 25n });
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
    expect(told('stands still')[0]?.fields).toMatchObject({ block: 30n });
  });

  it('is not one that has what the others have, however long nothing is mined', async () => {
    const chain = busyChain(30);
    const subject = kit.subject([await kit.node(chain), await kit.node(chain, { lag: 1 })], {
      reorg: { crossCheckMs: 100 },
    });
    const store = createMessageStore();
    let beats = 0;
    await kit.read(subject, store, ({ kind }) => kind === 'heartbeat' && ++beats > 30);
    expect(told('stands still')).toEqual([]);
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
        setTimeout(() => {
          chain.takeBack(3);
          mine(chain, 5);
        }, 20);
      }
      return forked && chain.head === 32 && isRead(chain, store);
    });
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([27]);
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

describe('heights without a block (P17)', () => {
  it.each([
    ['that only the old branch has', true, false],
    ['that only the new branch has', false, true],
    ['that both have, at other heights', true, true],
  ])('%s', async (_, before, after) => {
    const chain = busyChain(20);
    if (before) chain.skipHeight();
    mine(chain, 1);
    const rpc = await kit.node(chain);
    const store = createMessageStore();
    await kit.atRest(kit.subject([rpc]), store, chain, [
      () => {
        chain.takeBack(before ? 2 : 1);
        if (after && before) mine(chain, 1);
        if (after) chain.skipHeight();
        mine(chain, 1);
      },
      () => mine(chain, 2),
    ]);
    expectChain(store, chain);
    expect(ancestors(store)).toEqual([20]);
  });
});
