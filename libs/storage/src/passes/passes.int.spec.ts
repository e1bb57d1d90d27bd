import fc from 'fast-check';
import { evmSeqNo, type DiscoveredContract, type Event } from '@imart/core';
import { AGGREGATE, marketEventCodec } from '@imart/market';
import {
  createPassStats,
  FencedError,
  noSnapshots,
  passStep,
  rewind,
  runPasses,
  snapshotEvery,
  type AuditRequest,
  type Pass,
  type PassesOptions,
  type PassStats,
  type PassStepOptions,
  type PassStore,
  type SnapshotRule,
  type SubjectStore,
} from '@imart/pipeline';
import {
  AN_OPERATOR,
  address,
  ALICE,
  append,
  appendMessage,
  BOB,
  CAROL,
  contentsOfStraightFold,
  createFakeRangeSource,
  createMarketScript,
  executeLanes,
  fakeBlock,
  histories,
  MARKET,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type FakeRangeSource,
  type FakeRangeSourceOptions,
} from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { createPassStore } from './passStore';

const SEED = Number(process.env['IMART_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const never = new AbortController().signal;

let server: TestServer;
let market: MarketDatabase;
beforeAll(async () => {
  console.log(`random histories by IMART_SEED=${SEED}`);
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});

interface Opened {
  readonly store: SubjectStore;
  readonly passes: PassStore;
}

async function open(lanes = 1): Promise<Opened> {
  await market.clear();
  const store = await market.open(SUBJECT, lanes);
  const passes = createPassStore({
    pool: market.pool,
    subject: 1,
    subjectId: SUBJECT,
    fencing: null,
    seqNos: evmSeqNo,
  });
  return { store, passes };
}

/** The last position of everything that specs put into the log. */
const lastPosition = (events: readonly Event[]): bigint =>
  events.reduce((last, { source }) => (source.position > last ? source.position : last), 0n) + 2n;

/** What a worker leaves that was given just these events. */
async function fill(
  store: SubjectStore,
  events: readonly Event[],
  last: bigint,
  snapshots: SnapshotRule = noSnapshots,
): Promise<void> {
  await append(store, appendMessage(events, 0n, last));
  await executeLanes(store, snapshots);
  await finalize(store, last);
}

const finalize = (store: SubjectStore, position: bigint): Promise<void> =>
  store.transaction(async (tx) => {
    await tx.lockIngest();
    await tx.finalize({ kind: 'finalize', upToSeqNo: evmSeqNo.last(position), position });
  });

function stepsOf(
  { store, passes }: Opened,
  source: FakeRangeSource,
  stats: PassStats = createPassStats(),
): PassStepOptions {
  return {
    changes: { store, observer: MARKET_OBSERVER, logger: silentLogger },
    passes,
    source,
    codec: marketEventCodec,
    seqNos: evmSeqNo,
    stats,
  };
}

const sourceOf = (events: readonly Event[], more: Partial<FakeRangeSourceOptions> = {}): FakeRangeSource =>
  createFakeRangeSource({ subjectId: SUBJECT, events: () => events, ...more });

/** Makes passes until nothing of them is left to read. */
async function runToEnd(
  opened: Opened,
  source: FakeRangeSource,
  more: Partial<PassesOptions> = {},
): Promise<PassStats> {
  const done = new AbortController();
  const stats = createPassStats();
  let idle = 0;
  await runPasses(
    {
      ...stepsOf(opened, source, stats),
      positionsPerSecond: 1e9,
      mayRead: () => true,
      // The longest wait after a failure.
      random: () => 0.999,
      now: () => performance.now(),
      wait: async (ms) => {
        // Twice the pause of nothing to do.
        if (ms === 500 && ++idle === 2) done.abort();
        if (ms > 500) throw new Error(`a pass is blocked: ${stats.blocked}`);
      },
      ...more,
    },
    done.signal,
  );
  return stats;
}

const passRows = async (): Promise<readonly Record<string, unknown>[]> => {
  const { rows } = await market.pool.query(
    `SELECT kind, from_position::int AS "from", to_position::int AS "to", next_position::int AS next, missing_events::int AS missing,
       different_events::int AS different, extra_events::int AS extra, finished_at IS NOT NULL AS finished FROM passes ORDER BY id`,
  );
  return rows as Record<string, unknown>[];
};

const storedEvents = async (store: SubjectStore, last: bigint): Promise<readonly Event[]> =>
  (await store.rangeEvents(0n, last)).events;

/** The tables are those of a clean pass over these events. */
async function expectClean(store: SubjectStore, events: readonly Event[], last: bigint): Promise<void> {
  expect(await storedEvents(store, last)).toEqual(events);
  expect(await market.contents(SUBJECT)).toEqual(await contentsOfStraightFold(events));
}

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
          const opened = await open(lanes);
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
                    seqNo: evmSeqNo.encode(position, index + 5_000, 0),
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
          await expectClean(opened.store, history, last);
          expect(await passRows()).toMatchObject([
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
    const opened = await open();
    await fill(opened.store, [...all.slice(0, 1), ...all.slice(2, -1)], last, snapshotEvery(2));
    const snapshots = 'SELECT count(*)::int AS n FROM snapshots';
    expect((await market.pool.query(snapshots)).rows).not.toEqual([{ n: 0 }]);
    const stats = await runToEnd(opened, sourceOf(all));
    expect(stats.secondFindings).toEqual({ missing: 2, different: 0, extra: 0 });
    await expectClean(opened.store, all, last);
    const later = script.nextBlock(20n).filled('1').transferred(BOB, CAROL).events as readonly Event[];
    await append(opened.store, appendMessage(later, last + 1n, lastPosition(later)));
    await executeLanes(opened.store, snapshotEvery(2));
    await expectClean(opened.store, later, lastPosition(later));
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
    const opened = await open();
    await fill(opened.store, stored, last);
    const stats = await runToEnd(opened, sourceOf(all));
    expect(stats.secondFindings).toEqual({ missing: 1, different: 1, extra: 0 });
    await expectClean(opened.store, all, last);
    const { rows } = await market.pool.query(
      `SELECT price, from_address FROM activities WHERE kind = 'SALE'`,
    );
    expect(rows).toEqual([{ price: '100', from_address: ALICE }]);
  });

  it('takes nothing back on the word of an answer that leaves logs out: it reads the block whole first (P2)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').nextBlock().listed('3')
      .events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(opened.store, history, last);
    const source = sourceOf(history, { omits: ({ source: { position } }) => position === 2n });
    await runToEnd(opened, source);
    expect(source.whole).toEqual([2n]);
    await expectClean(opened.store, history, last);
    expect(await passRows()).toMatchObject([{ missing: 0, different: 0, extra: 0 }]);
  });

  it('stays where it is when a block with events is not served, and changes nothing (P3)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(opened.store, history, last);
    const source = sourceOf(history.slice(0, 1), { block: (at) => (at === 2n ? null : fakeBlock(at)) });
    await expect(runToEnd(opened, source)).rejects.toThrow(
      /block 2, which has events in the log, is not served/,
    );
    await expectClean(opened.store, history, last);
    expect(await passRows()).toMatchObject([{ next: 0 }]);
  });

  it('stays where it is when the endpoint is on another branch, and changes nothing (P6)', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(opened.store, history, last);
    const elsewhere = (at: bigint) => ({ ...fakeBlock(at), hash: `0x${'bb'.repeat(32)}` });
    const source = sourceOf([], { block: (at) => (at >= 2n ? elsewhere(at) : fakeBlock(at)) });
    await expect(runToEnd(opened, source)).rejects.toThrow(/block 2 is 0x0+3 in the log and 0xbb/);
    await expectClean(opened.store, history, last);
  });

  it('reads nothing above finality, and goes on when more becomes final', async () => {
    const history = createMarketScript().listed('1').nextBlock(5n).listed('2').events as readonly Event[];
    const opened = await open();
    await append(opened.store, appendMessage([], 0n, 10n));
    await executeLanes(opened.store);
    await finalize(opened.store, 4n);
    await runToEnd(opened, sourceOf(history));
    expect(await storedEvents(opened.store, 10n)).toEqual(history.slice(0, 1));
    expect(await passRows()).toMatchObject([{ next: 5, missing: 1 }]);
    await finalize(opened.store, 10n);
    await runToEnd(opened, sourceOf(history));
    expect(await storedEvents(opened.store, 10n)).toEqual(history);
    expect(await passRows()).toMatchObject([{ next: 11, missing: 2 }]);
  });

  it('reads what a rewind has taken back, and the live stream has read anew, a second time', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 9; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const opened = await open();
    await fill(opened.store, history, 12n);
    await runToEnd(opened, sourceOf(history));
    expect(await passRows()).toMatchObject([{ next: 13, missing: 0 }]);
    const changes = { store: opened.store, observer: MARKET_OBSERVER, logger: silentLogger };
    await rewind(changes, { toPosition: 4n, dryRun: false, ...AN_OPERATOR });
    expect(await passRows()).toMatchObject([{ next: 5 }]);
    // This time the provider leaves one out.
    const { nextPosition } = await opened.store.progress();
    const again = history.filter(({ source }) => source.position !== 7n);
    await append(opened.store, appendMessage(again, nextPosition, 12n));
    await executeLanes(opened.store);
    await finalize(opened.store, 12n);
    await runToEnd(opened, sourceOf(history));
    expect(await passRows()).toMatchObject([{ next: 13, missing: 1 }]);
    await expectClean(opened.store, history, 12n);
  });

  it('mends an event whose stored text was changed, and one whose hash alone was', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').nextBlock().listed('3')
      .events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(opened.store, history, last);
    const [first, second, third] = history.map(({ seqNo }) => seqNo);
    await market.pool.query(
      `UPDATE event_log SET data = replace(data, '100', '777') WHERE seq_no = ${first}`,
    );
    await market.pool.query(
      `UPDATE event_log SET content_hash = decode(repeat('00', 16), 'hex') WHERE seq_no = ${second}`,
    );
    await market.pool.query(`UPDATE event_log SET aggregate_hash = 5 WHERE seq_no = ${third}`);
    expect(await opened.passes.tamperedEvents({ fromPosition: 0n, toPosition: last })).toEqual([
      first,
      second,
      third,
    ]);
    await runToEnd(opened, sourceOf(history));
    expect(await opened.passes.tamperedEvents({ fromPosition: 0n, toPosition: last })).toEqual([]);
    await expectClean(opened.store, history, last);
    expect(await passRows()).toMatchObject([{ different: 3 }]);
  });

  it('leaves alone what nobody follows any more', async () => {
    const history = createMarketScript().listed('1').nextBlock().listed('2').events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(opened.store, history, last);
    const source = sourceOf(history, { contracts: new Set([address('another')]) });
    await runToEnd(opened, source);
    await expectClean(opened.store, history, last);
    expect(source.whole).toEqual([]);
  });

  it('skips nothing when it is killed between reading and moving on, or at the commit (Q1)', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 20; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
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
    await expectClean(opened.store, history, last);
    expect(await passRows()).toMatchObject([{ next: Number(last) + 1, missing: 7 }]);
  });

  it('is not moved twice when two processes make it at once (Q15)', async () => {
    const script = createMarketScript();
    for (let i = 0; i < 20; i++) script.listed(String(i)).nextBlock();
    const history = script.events as readonly Event[];
    const last = lastPosition(history);
    const opened = await open();
    await fill(
      opened.store,
      history.filter((_, i) => i % 2 === 0),
      last,
    );
    await opened.passes.ensureSecondPass();
    await Promise.all(
      [3, 4, 5].map((positionsPerRange) => runToEnd(opened, sourceOf(history, { positionsPerRange }))),
    );
    await expectClean(opened.store, history, last);
    expect(await passRows()).toMatchObject([{ next: Number(last) + 1, missing: 10 }]);
  });

  it('is one, however many processes add it at the same moment', async () => {
    const { passes } = await open();
    await Promise.all(Array.from({ length: 8 }, () => passes.ensureSecondPass()));
    expect(await passRows()).toHaveLength(1);
  });
});

describe('the past of what is followed newly', () => {
  const FACTORY = address('factory');
  const CHILD = address('child');
  const at = (event: Event, contract: string): Event => ({
    ...event,
    source: { ...event.source, address: contract },
  });
  const names = (event: Event): string | null =>
    event.source.address === FACTORY && event.source.index === 0 ? CHILD : null;

  /** Listings of the market everywhere; the factory makes the child in block 5; the child's tokens move ever after. */
  function historyOf(blocks: number): readonly Event[] {
    const script = createMarketScript();
    for (let block = 1; block <= blocks; block++) {
      if (block === 5) {
        script.event(AGGREGATE.maker, `${FACTORY}:${ALICE}`, 'MakerOrdersVoided', {
          market: 'imart',
          maker: ALICE,
          belowNonce: null,
          side: null,
        });
      }
      script.listed(String(block));
      if (block > 5) script.minted(ALICE, BigInt(block)).transferred(ALICE, BOB, BigInt(block));
      script.nextBlock();
    }
    return script.events.map((event) => {
      if (event.name === 'MakerOrdersVoided') return at(event, FACTORY);
      return event.name.startsWith('Token') ? at(event, CHILD) : event;
    }) as readonly Event[];
  }
  const ofMarket = (events: readonly Event[]): readonly Event[] =>
    events.filter(({ source }) => source.address === MARKET);
  const everything = new Set([MARKET, FACTORY]);
  const register = ({ passes }: Opened, now: string) =>
    passes.registerFollowed(now, (before, text) =>
      text.split(',').filter((entry) => !before.split(',').includes(entry)),
    );

  it('is read beside the live stream, which follows what is discovered from then on, without a gap between them', async () => {
    const history = historyOf(40);
    const opened = await open();
    await register(opened, 'market');
    await append(opened.store, appendMessage(ofMarket(history), 0n, 20n));
    await executeLanes(opened.store);
    await finalize(opened.store, 15n);
    expect(await register(opened, 'market,factory')).toMatchObject({
      before: 'market',
      added: ['factory'],
      backfill: { fromPosition: 0n, toPosition: 20n },
    });
    let head = 20n;
    /** The live stream reads on with what is known to it: the child only once the backfill has told of it. */
    const goOn = async (): Promise<void> => {
      if (head >= 40n) return;
      const { discovered } = await opened.store.resumePoint();
      const follows = ({ source }: Event): boolean =>
        everything.has(source.address) || discovered.some((contract) => contract.address === source.address);
      await append(opened.store, appendMessage(history.filter(follows), head + 1n, head + 2n));
      await executeLanes(opened.store);
      head += 2n;
    };
    const source = sourceOf(history, { contracts: everything, names, positionsPerRange: 6, onRead: goOn });
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    while (head < 40n) await goOn();
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    await expectClean(opened.store, history, 40n);
    const [pass] = await passRows();
    expect(pass).toMatchObject({ kind: 'backfill', from: 0, finished: true });
    // It went on to where the live stream had come without the child.
    expect(pass?.['to']).toBeGreaterThan(20);
    expect(pass?.['next']).toBe((pass?.['to'] as number) + 1);
  });

  it('is read above finality with every block’s hash and little at once: a reading of another branch is seen to be one (P6)', async () => {
    const opened = await open();
    await register(opened, 'market');
    await append(opened.store, appendMessage([], 0n, 150n));
    await executeLanes(opened.store);
    await finalize(opened.store, 20n);
    await register(opened, 'market,factory');
    const source = sourceOf([], { contracts: everything, positionsPerRange: 100 });
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    expect(
      source.requests.map(({ fromPosition, toPosition, depth }) => [fromPosition, toPosition, depth]),
    ).toEqual([
      [0n, 20n, 'quick'],
      [21n, 70n, 'thorough'],
      [71n, 120n, 'thorough'],
      [121n, 150n, 'thorough'],
    ]);
  });

  it('is one pass, however often the settings change before it is done', async () => {
    const history = historyOf(12);
    const opened = await open();
    await register(opened, 'market');
    await append(opened.store, appendMessage(ofMarket(history), 0n, 12n));
    await executeLanes(opened.store);
    await register(opened, 'market,other');
    const [first] = (await opened.passes.unfinished()) as [Pass];
    const request: AuditRequest = { fromPosition: 0n, toPosition: 3n, depth: 'quick' };
    await passStep(
      stepsOf(opened, sourceOf(history, { contracts: everything, names })),
      first,
      request,
      never,
    );
    await register(opened, 'market,other,factory');
    expect(await passRows()).toMatchObject([
      { kind: 'backfill', next: 4, finished: true },
      { kind: 'backfill', next: 0, to: 12, finished: false },
    ]);
    await runToEnd(opened, sourceOf(history, { contracts: everything, names }), { positionsPerSecond: 0 });
    await expectClean(opened.store, history, 12n);
  });

  it('begins the second pass anew: what is new has been read by nobody twice', async () => {
    const history = historyOf(12);
    const opened = await open();
    await register(opened, 'market');
    await fill(opened.store, ofMarket(history), 12n);
    await runToEnd(opened, sourceOf(ofMarket(history)));
    expect(await passRows()).toMatchObject([{ kind: 'second', next: 13 }]);
    await register(opened, 'market,factory');
    expect(await passRows()).toMatchObject([{ kind: 'second', next: 0 }, { kind: 'backfill' }]);
  });

  it('does so also when a range is being read at that moment: it does not go on behind it', async () => {
    const history = historyOf(12);
    const opened = await open();
    await register(opened, 'market');
    await fill(opened.store, ofMarket(history), 12n);
    await opened.passes.ensureSecondPass();
    const [second] = (await opened.passes.unfinished()) as [Pass];
    const steps = stepsOf(opened, sourceOf(ofMarket(history)));
    await passStep(steps, second, { fromPosition: 0n, toPosition: 5n, depth: 'thorough' }, never);
    const during = sourceOf(ofMarket(history), {
      onRead: async () => void (await register(opened, 'market,factory')),
    });
    const next = { fromPosition: 6n, toPosition: 9n, depth: 'thorough' } as const;
    expect(await passStep(stepsOf(opened, during), second, next, never)).toEqual({ kind: 'moved' });
    expect(await passRows()).toMatchObject([{ kind: 'second', next: 0 }, { kind: 'backfill' }]);
  });

  it('is nothing when something is left out, and nothing when nothing was read yet', async () => {
    const opened = await open();
    await register(opened, 'market');
    expect(await register(opened, 'market,factory')).toMatchObject({ added: ['factory'], backfill: null });
    await append(opened.store, appendMessage([], 0n, 3n));
    expect(await register(opened, 'market')).toMatchObject({ added: [], backfill: null });
    expect(await passRows()).toEqual([]);
    expect(await register(opened, 'market')).toEqual({ before: 'market', added: [], backfill: null });
  });

  it('is not registered by a process that has lost the lease', async () => {
    const { store } = await open();
    await append(store, appendMessage([], 0n, 3n));
    await market.pool.query(
      `INSERT INTO ingest_leases (subject, fencing, holder, expires_at) VALUES (1, 7, 'another', now() + interval '1 minute')`,
    );
    const context = { pool: market.pool, subject: 1, subjectId: SUBJECT, seqNos: evmSeqNo };
    await expect(
      createPassStore({ ...context, fencing: 6n }).registerFollowed('more', () => ['more']),
    ).rejects.toThrow(FencedError);
    expect((await market.pool.query('SELECT followed FROM subjects')).rows).toEqual([{ followed: '' }]);
    expect(await passRows()).toEqual([]);
    await createPassStore({ ...context, fencing: 7n }).registerFollowed('more', () => ['more']);
    expect(await passRows()).toHaveLength(1);
  });

  it('ends where a reorg has ended the log, and the live stream reads the rest', async () => {
    const history = historyOf(12);
    const opened = await open();
    await register(opened, 'market');
    await append(opened.store, appendMessage(ofMarket(history), 0n, 12n));
    await executeLanes(opened.store);
    await register(opened, 'market,factory');
    const source = sourceOf(history, { contracts: everything, names, positionsPerRange: 4 });
    const [pass] = (await opened.passes.unfinished()) as [Pass];
    await passStep(
      stepsOf(opened, source),
      pass,
      { fromPosition: 0n, toPosition: 9n, depth: 'thorough' },
      never,
    );
    await market.pool.query('UPDATE subjects SET next_position = 8');
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    expect(await passRows()).toMatchObject([{ next: 10, to: 12, finished: true }]);
  });

  it('is read again for a contract that the second pass discovers: from there to where the live stream has come', async () => {
    const history = historyOf(30);
    const opened = await open();
    await append(opened.store, appendMessage(ofMarket(history), 0n, 30n));
    await executeLanes(opened.store);
    await finalize(opened.store, 8n);
    const source = sourceOf(history, { contracts: everything, names, positionsPerRange: 6 });
    await runToEnd(opened, source);
    await expectClean(opened.store, history, 30n);
    expect(await passRows()).toMatchObject([
      { kind: 'second', next: 9 },
      { kind: 'backfill', from: 6, to: 30, finished: true },
    ]);
  });

  it('forgets a contract that no event names, with everything that was read because of it', async () => {
    const history = historyOf(10).filter(({ source }) => source.address !== CHILD);
    const bogus: DiscoveredContract = {
      address: address('bogus'),
      kind: 'erc721',
      discoveredAt: evmSeqNo.encode(2n, 0, 0),
    };
    const stray = (place: bigint): Event => {
      const [event] = createMarketScript()
        .nextBlock(place - 1n)
        .minted(CAROL, place).events as readonly Event[];
      const seqNo = evmSeqNo.encode(place, 99, 0);
      return {
        ...(event as Event),
        seqNo,
        source: { ...(event as Event).source, index: 99, address: bogus.address },
      };
    };
    const log = [...history, stray(3n), stray(9n)].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
    const opened = await open();
    await fill(opened.store, log, 10n);
    await market.pool.query(
      `INSERT INTO discovered_contracts VALUES (1, '${bogus.address}', 'erc721', ${bogus.discoveredAt})`,
    );
    await runToEnd(opened, sourceOf(history, { contracts: everything, names, positionsPerRange: 4 }));
    await expectClean(opened.store, history, 10n);
    const { discovered } = await opened.store.resumePoint();
    expect(discovered.map((contract) => contract.address)).toEqual([CHILD]);
  });
});

describe('passes beside other work', () => {
  const quiet = (opened: Opened, source: FakeRangeSource, more: Partial<PassesOptions>): PassesOptions => ({
    ...stepsOf(opened, source),
    positionsPerSecond: 10,
    mayRead: () => true,
    random: () => 0.5,
    now: () => 0,
    ...more,
  });

  it('read nothing while the worker catches up', async () => {
    const opened = await open();
    await fill(opened.store, [], 5n);
    const source = sourceOf([]);
    const done = new AbortController();
    let looks = 0;
    await runPasses(
      quiet(opened, source, {
        mayRead: () => false,
        wait: async () => {
          if (++looks === 5) done.abort();
        },
      }),
      done.signal,
    );
    expect(source.requests).toEqual([]);
  });

  it('read so many positions a second, five seconds of them at once, and slower for a provider that is asked too often', async () => {
    const opened = await open();
    await fill(opened.store, [], 1_000n);
    const pauses: number[] = [];
    const source = sourceOf([], {
      onRead: () => {
        if (source.requests.length === 2) source.rateLimited++;
      },
    });
    const done = new AbortController();
    await runPasses(
      quiet(opened, source, {
        wait: async (ms) => {
          if (pauses.push(ms) === 4) done.abort();
        },
      }),
      done.signal,
    );
    expect(source.requests.map((one) => one.toPosition - one.fromPosition + 1n)).toEqual([
      50n,
      50n,
      50n,
      50n,
    ]);
    expect(source.requests.every(({ depth }) => depth === 'thorough')).toBe(true);
    expect(pauses).toEqual([5_000, 10_000, 9_000, 8_100]);
  });

  it('are off at a rate of 0, backfills are not', async () => {
    const opened = await open();
    await opened.passes.registerFollowed('a', () => []);
    await fill(opened.store, [], 5n);
    await opened.passes.registerFollowed('b', () => ['b']);
    const source = sourceOf([]);
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    expect(await passRows()).toMatchObject([{ kind: 'backfill', finished: true }]);
    expect(source.requests).toHaveLength(1);
  });

  it('go on after a failure, more and more slowly, and say it once', async () => {
    const opened = await open();
    await fill(opened.store, [], 5n);
    const said: string[] = [];
    const waits: number[] = [];
    const done = new AbortController();
    let failures = 0;
    const source = sourceOf([], {
      onRead: () => {
        if (++failures <= 4) throw new Error('the provider has thrown these blocks away');
      },
    });
    const options = quiet(opened, source, {
      wait: async (ms) => {
        waits.push(ms);
        if (waits.length === 5) done.abort();
      },
    });
    await runPasses(
      {
        ...options,
        changes: { ...options.changes, logger: { ...silentLogger, warn: (text) => void said.push(text) } },
      },
      done.signal,
    );
    expect(waits.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
    expect(said).toHaveLength(1);
    expect(options.stats.failures).toBe(4);
    expect(options.stats.blocked).toBeNull();
    expect(await passRows()).toMatchObject([{ next: 6 }]);
  });

  it('are not held up any more when there is nothing to read', async () => {
    const opened = await open();
    await fill(opened.store, [], 5n);
    const done = new AbortController();
    let mayRead = true;
    const source = sourceOf([], {
      onRead: () => {
        throw new Error('the provider has thrown these blocks away');
      },
    });
    const held: boolean[] = [];
    const options = quiet(opened, source, {
      mayRead: () => mayRead,
      wait: async () => {
        held.push(options.stats.blocked !== null);
        mayRead = options.stats.blocked === null;
        if (held.length === 10 || (held.includes(true) && held.at(-1) === false)) done.abort();
      },
    });
    await runPasses(options, done.signal);
    expect(held.slice(-2)).toEqual([true, false]);
  });

  it('end when another process has taken over', async () => {
    const opened = await open();
    await fill(opened.store, [], 5n);
    await market.pool.query(
      `INSERT INTO ingest_leases (subject, fencing, holder, expires_at) VALUES (1, 7, 'another', now() + interval '1 minute')`,
    );
    await expect(runToEnd({ ...opened, store: opened.store.fenced(6n) }, sourceOf([]))).rejects.toThrow(
      FencedError,
    );
    expect(await passRows()).toMatchObject([{ next: 0 }]);
  });
});
