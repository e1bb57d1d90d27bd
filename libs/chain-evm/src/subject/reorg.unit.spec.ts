import { type SubjectMessage } from '@imart/core';
import { evmSeqNo } from '../seqNo';
import { waitMs } from '@imart/pipeline';
import { ancestors, busyChain, expectChain, mine } from '../testing/busyChain';
import { createFakeChain, quantity, type Branch, type FakeChain } from '../testing/fakeChain';
import { createMessageStore, type MessageStore } from '../testing/messageStore';
import {
  address,
  child,
  createSubjectKit,
  inTx,
  isRead,
  made,
  moved,
  sale,
  word,
  type SubjectKit,
} from '../testing/subjectKit';

let kit: SubjectKit;
beforeEach(() => (kit = createSubjectKit()));
afterEach(() => kit.close());

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
      expect(kit.told('took blocks back')).toEqual([
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
