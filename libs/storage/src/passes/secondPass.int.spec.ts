import fc from 'fast-check';
import { type Event } from '@imart/core';
import { rewind, snapshotEvery, type SubjectStore } from '@imart/pipeline';
import {
  blockSeqNo,
  address,
  ALICE,
  AN_OPERATOR,
  append,
  appendMessage,
  BOB,
  CAROL,
  createMarketScript,
  executeLanes,
  fakeBlock,
  histories,
  MARKET_OBSERVER,
  silentLogger,
} from '@imart/testing';
import {
  createPassKit,
  fill,
  finalize,
  lastPosition,
  runToEnd,
  sourceOf,
  storedEvents,
  type PassKit,
} from '../testing/passKit.spec';
import { startTestServer, type TestServer } from '../testing/testDatabase';

const SEED = Number(process.env['IMART_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let server: TestServer;
let kit: PassKit;
beforeAll(async () => {
  console.log(`random histories by IMART_SEED=${SEED}`);
  server = await startTestServer();
  kit = await createPassKit(server);
});
afterAll(async () => {
  await kit?.market.close();
  await server?.stop();
});

/** An event of the history with another content. */
const changed = (event: Event): Event => ({
  ...event,
  source: { ...event.source, txHash: `0x${'ee'.repeat(32)}` },
});

describe('the second pass', () => {
  it('makes of a log that lacks events, has others and has too many the one that the chain tells, and of its states too (P2)', async () => {
    const fate = fc.constantFrom('right', 'right', 'missing', 'different', 'moved');
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.array(fate, { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 5, max: 60 }),
        async ({ events: history }, fates, lanes, every, positionsPerRange) => {
          const opened = await kit.open(lanes);
          const last = lastPosition(history);
          const log = history.flatMap((event, i): Event[] => {
            const { position, index } = event.source;
            switch (fates[i % fates.length]) {
              case 'missing':
                return [];
              case 'different':
                return [changed(event)];
              case 'moved': // To a place where the chain has nothing.
                return [
                  {
                    ...event,
                    seqNo: blockSeqNo.encode(position, index + 5_000, 0),
                    source: { ...event.source, index: index + 5_000 },
                  },
                ];
              default:
                return [event];
            }
          });
          const sorted = [...log].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
          await fill(opened.store, sorted, last, snapshotEvery(every));
          await runToEnd(opened, sourceOf(history, { positionsPerRange }));
          await kit.expectClean(opened.store, history, last);
          expect(await kit.passRows()).toMatchObject([
            { kind: 'second', next: Number(last) + 1, finished: false },
          ]);
        },
      ),
      { seed: SEED, numRuns: 25, endOnFailure: true },
    );
  });

  it('inserts a missed log below a snapshot, and what comes later is folded on from the right states', async () => {
    const script = createMarketScript()
      .listed('1')
      .nextBlock()
      .priceChanged('1', { price: 300n })
      .nextBlock();
    for (let i = 0; i < 6; i++) script.priceChanged('1', { price: 400n + BigInt(i) }).nextBlock();
    script.minted(ALICE).transferred(ALICE, BOB).nextBlock();
    const all = script.events as readonly Event[];
    const last = lastPosition(all);
    const opened = await kit.open();
    await fill(opened.store, [...all.slice(0, 1), ...all.slice(2, -1)], last, snapshotEvery(2));
    const snapshots = 'SELECT count(*)::int AS n FROM snapshots';
    expect((await kit.market.pool.query(snapshots)).rows).not.toEqual([{ n: 0 }]);
    const stats = await runToEnd(opened, sourceOf(all));
    expect(stats.secondFindings).toEqual({ missing: 2, different: 0, extra: 0 });
    await kit.expectClean(opened.store, all, last);
    const later = script.nextBlock(20n).filled('1').transferred(BOB, CAROL).events as readonly Event[];
    await append(opened.store, appendMessage(later, last + 1n, lastPosition(later)));
    await executeLanes(opened.store, snapshotEvery(2));
    await kit.expectClean(opened.store, later, lastPosition(later));
  });

  it('completes a stored sale whose token a missed Transfer names', async () => {
    const script = createMarketScript().minted(ALICE).nextBlock().listed('1').nextBlock();
    const whole = script.filled('1', { seller: ALICE, price: 100n }).transferred(ALICE, BOB);
    const all = whole.events as readonly Event[];
    const sale = all.find(({ name }) => name === 'OrderFilled') as Event;
    // Without the Transfer the sale tells neither seller nor price, and the token has not moved.
    const poor: Event = { ...sale, data: { ...(sale.data as object), seller: null, price: null } };
    const stored = all.slice(0, -1).map((event) => (event === sale ? poor : event));
    const last = lastPosition(all);
    const opened = await kit.open();
    await fill(opened.store, stored, last);
    const stats = await runToEnd(opened, sourceOf(all));
    expect(stats.secondFindings).toEqual({ missing: 1, different: 1, extra: 0 });
    await kit.expectClean(opened.store, all, last);
    const { rows } = await kit.market.pool.query(
      `SELECT price, from_address FROM activities WHERE kind = 'SALE'`,
    );
    expect(rows).toEqual([{ price: '100', from_address: ALICE }]);
  });

  it('takes nothing back on the word of an answer that leaves logs out: it reads the block whole first (P2)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').nextBlock().listed('3')
      .events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(opened.store, history, last);
    const source = sourceOf(history, { omits: ({ source: { position } }) => position === 2n });
    await runToEnd(opened, source);
    expect(source.whole).toEqual([2n]);
    await kit.expectClean(opened.store, history, last);
    expect(await kit.passRows()).toMatchObject([{ missing: 0, different: 0, extra: 0 }]);
  });

  it('stays where it is when a block with events is not served, and changes nothing (P3)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(opened.store, history, last);
    const source = sourceOf(history.slice(0, 1), { block: (at) => (at === 2n ? null : fakeBlock(at)) });
    await expect(runToEnd(opened, source)).rejects.toThrow(
      /block 2, which has events in the log, is not served/,
    );
    await kit.expectClean(opened.store, history, last);
    expect(await kit.passRows()).toMatchObject([{ next: 0 }]);
  });

  it('stays where it is when the endpoint is on another branch, and changes nothing (P6)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(opened.store, history, last);
    const elsewhere = (at: bigint) => ({ ...fakeBlock(at), hash: `0x${'bb'.repeat(32)}` });
    const source = sourceOf([], { block: (at) => (at >= 2n ? elsewhere(at) : fakeBlock(at)) });
    await expect(runToEnd(opened, source)).rejects.toThrow(/block 2 is 0x0+3 in the log and 0xbb/);
    await kit.expectClean(opened.store, history, last);
  });

  it('reads nothing above finality, and goes on when more becomes final', async () => {
    const history = createMarketScript().listed('1').nextBlock(5n).listed('2').events as readonly Event[];
    const opened = await kit.open();
    await append(opened.store, appendMessage([], 0n, 10n));
    await executeLanes(opened.store);
    await finalize(opened.store, 4n);
    await runToEnd(opened, sourceOf(history));
    expect(await storedEvents(opened.store, 10n)).toEqual(history.slice(0, 1));
    expect(await kit.passRows()).toMatchObject([{ next: 5, missing: 1 }]);
    await finalize(opened.store, 10n);
    await runToEnd(opened, sourceOf(history));
    expect(await storedEvents(opened.store, 10n)).toEqual(history);
    expect(await kit.passRows()).toMatchObject([{ next: 11, missing: 2 }]);
  });

  it('reads what a rewind has taken back, and the live stream has read anew, a second time', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 9; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const opened = await kit.open();
    await fill(opened.store, history, 12n);
    await runToEnd(opened, sourceOf(history));
    expect(await kit.passRows()).toMatchObject([{ next: 13, missing: 0 }]);
    const changes = { store: opened.store, observer: MARKET_OBSERVER, logger: silentLogger };
    await rewind(changes, { toPosition: 4n, dryRun: false, ...AN_OPERATOR });
    expect(await kit.passRows()).toMatchObject([{ next: 5 }]);
    // This time the provider leaves one out.
    const { nextPosition } = await opened.store.progress();
    const again = history.filter(({ source }) => source.position !== 7n);
    await append(opened.store, appendMessage(again, nextPosition, 12n));
    await executeLanes(opened.store);
    await finalize(opened.store, 12n);
    await runToEnd(opened, sourceOf(history));
    expect(await kit.passRows()).toMatchObject([{ next: 13, missing: 1 }]);
    await kit.expectClean(opened.store, history, 12n);
  });

  it('mends an event whose stored text was changed, and one whose hash alone was', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').nextBlock().listed('3')
      .events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(opened.store, history, last);
    const [first, second, third] = history.map(({ seqNo }) => seqNo);
    await kit.market.pool.query(
      `UPDATE event_log SET data = replace(data, '100', '777') WHERE seq_no = ${first}`,
    );
    await kit.market.pool.query(
      `UPDATE event_log SET content_hash = decode(repeat('00', 16), 'hex') WHERE seq_no = ${second}`,
    );
    await kit.market.pool.query(`UPDATE event_log SET aggregate_hash = 5 WHERE seq_no = ${third}`);
    expect(await opened.passes.tamperedEvents({ fromPosition: 0n, toPosition: last })).toEqual([
      first,
      second,
      third,
    ]);
    await runToEnd(opened, sourceOf(history));
    expect(await opened.passes.tamperedEvents({ fromPosition: 0n, toPosition: last })).toEqual([]);
    await kit.expectClean(opened.store, history, last);
    expect(await kit.passRows()).toMatchObject([{ different: 3 }]);
  });

  it('leaves alone what nobody follows any more', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(opened.store, history, last);
    const source = sourceOf(history, { contracts: new Set([address('another')]) });
    await runToEnd(opened, source);
    await kit.expectClean(opened.store, history, last);
    expect(source.whole).toEqual([]);
  });

  it('skips nothing when it is killed between reading and moving on, or at the commit (Q1)', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 20; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(
      opened.store,
      history.filter((_, i) => i % 3 !== 0),
      last,
    );
    let deaths = 0;
    const dying: SubjectStore = {
      ...opened.store,
      transaction: async (work) => {
        const dies = deaths++ % 3;
        if (dies === 0) throw new Error('killed before it began');
        const result = await opened.store.transaction(async (tx) => {
          const done = await work(tx);
          if (dies === 1) throw new Error('killed before the commit');
          return done;
        });
        if (deaths % 2 === 0) throw new Error('killed after the commit');
        return result;
      },
    };
    for (let run = 0; run < 40; run++) {
      await runToEnd({ ...opened, store: dying }, sourceOf(history, { positionsPerRange: 4 })).catch(
        () => undefined,
      );
    }
    await kit.expectClean(opened.store, history, last);
    expect(await kit.passRows()).toMatchObject([{ next: Number(last) + 1, missing: 7 }]);
  });

  it('is not moved twice when two processes make it at once (Q15)', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 20; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const last = lastPosition(history);
    const opened = await kit.open();
    await fill(
      opened.store,
      history.filter((_, i) => i % 2 === 0),
      last,
    );
    await opened.passes.ensureSecondPass();
    await Promise.all(
      [3, 4, 5].map((positionsPerRange) => runToEnd(opened, sourceOf(history, { positionsPerRange }))),
    );
    await kit.expectClean(opened.store, history, last);
    expect(await kit.passRows()).toMatchObject([{ next: Number(last) + 1, missing: 10 }]);
  });

  it('is one, however many processes add it at the same moment', async () => {
    const { passes } = await kit.open();
    await Promise.all(Array.from({ length: 8 }, () => passes.ensureSecondPass()));
    expect(await kit.passRows()).toHaveLength(1);
  });
});
