import { type DiscoveredContract, type Event } from '@imart/core';
import { AGGREGATE } from '@imart/market';
import { FencedError, passStep, type AuditRequest, type Pass } from '@imart/pipeline';
import {
  blockSeqNo,
  address,
  ALICE,
  append,
  appendMessage,
  BOB,
  CAROL,
  createMarketScript,
  executeLanes,
  MARKET,
  SUBJECT,
} from '@imart/testing';
import {
  createPassKit,
  fill,
  finalize,
  runToEnd,
  sourceOf,
  stepsOf,
  type OpenedPasses,
  type PassKit,
} from '../testing/passKit.spec';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { createPassStore } from './passStore';

const never = new AbortController().signal;

let server: TestServer;
let kit: PassKit;
beforeAll(async () => {
  server = await startTestServer();
  kit = await createPassKit(server);
});
afterAll(async () => {
  await kit?.market.close();
  await server?.stop();
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
  const register = ({ passes }: OpenedPasses, now: string) =>
    passes.registerFollowed(now, (before, text) =>
      text.split(',').filter((entry) => !before.split(',').includes(entry)),
    );

  it('is read beside the live stream, which follows what is discovered from then on, without a gap between them', async () => {
    const history = historyOf(40);
    const opened = await kit.open();
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
    await kit.expectClean(opened.store, history, 40n);
    const [pass] = await kit.passRows();
    expect(pass).toMatchObject({ kind: 'backfill', from: 0, finished: true });
    // It went on to where the live stream had come without the child.
    expect(pass?.['to']).toBeGreaterThan(20);
    expect(pass?.['next']).toBe((pass?.['to'] as number) + 1);
  });

  it('is read above finality with every block’s hash and little at once: a reading of another branch is seen to be one (P6)', async () => {
    const opened = await kit.open();
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
    const opened = await kit.open();
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
    expect(await kit.passRows()).toMatchObject([
      { kind: 'backfill', next: 4, finished: true },
      { kind: 'backfill', next: 0, to: 12, finished: false },
    ]);
    await runToEnd(opened, sourceOf(history, { contracts: everything, names }), { positionsPerSecond: 0 });
    await kit.expectClean(opened.store, history, 12n);
  });

  it('begins the second pass anew: what is new has been read by nobody twice', async () => {
    const history = historyOf(12);
    const opened = await kit.open();
    await register(opened, 'market');
    await fill(opened.store, ofMarket(history), 12n);
    await runToEnd(opened, sourceOf(ofMarket(history)));
    expect(await kit.passRows()).toMatchObject([{ kind: 'second', next: 13 }]);
    await register(opened, 'market,factory');
    expect(await kit.passRows()).toMatchObject([{ kind: 'second', next: 0 }, { kind: 'backfill' }]);
  });

  it('does so also when a range is being read at that moment: it does not go on behind it', async () => {
    const history = historyOf(12);
    const opened = await kit.open();
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
    expect(await kit.passRows()).toMatchObject([{ kind: 'second', next: 0 }, { kind: 'backfill' }]);
  });

  it('is nothing when something is left out, and nothing when nothing was read yet', async () => {
    const opened = await kit.open();
    await register(opened, 'market');
    expect(await register(opened, 'market,factory')).toMatchObject({ added: ['factory'], backfill: null });
    await append(opened.store, appendMessage([], 0n, 3n));
    expect(await register(opened, 'market')).toMatchObject({ added: [], backfill: null });
    expect(await kit.passRows()).toEqual([]);
    expect(await register(opened, 'market')).toEqual({ before: 'market', added: [], backfill: null });
  });

  it('is not registered by a process that has lost the lease', async () => {
    const { store } = await kit.open();
    await append(store, appendMessage([], 0n, 3n));
    await kit.market.pool.query(
      `INSERT INTO ingest_leases (subject, fencing, holder, expires_at) VALUES (1, 7, 'another', now() + interval '1 minute')`,
    );
    const context = { pool: kit.market.pool, subject: 1, subjectId: SUBJECT, seqNos: blockSeqNo };
    await expect(
      createPassStore({ ...context, fencing: 6n }).registerFollowed('more', () => ['more']),
    ).rejects.toThrow(FencedError);
    expect((await kit.market.pool.query('SELECT followed FROM subjects')).rows).toEqual([{ followed: '' }]);
    expect(await kit.passRows()).toEqual([]);
    await createPassStore({ ...context, fencing: 7n }).registerFollowed('more', () => ['more']);
    expect(await kit.passRows()).toHaveLength(1);
  });

  it('ends where a reorg has ended the log, and the live stream reads the rest', async () => {
    const history = historyOf(12);
    const opened = await kit.open();
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
    await kit.market.pool.query('UPDATE subjects SET next_position = 8');
    await runToEnd(opened, source, { positionsPerSecond: 0 });
    expect(await kit.passRows()).toMatchObject([{ next: 10, to: 12, finished: true }]);
  });

  it('is read again for a contract that the second pass discovers: from there to where the live stream has come', async () => {
    const history = historyOf(30);
    const opened = await kit.open();
    await append(opened.store, appendMessage(ofMarket(history), 0n, 30n));
    await executeLanes(opened.store);
    await finalize(opened.store, 8n);
    const source = sourceOf(history, { contracts: everything, names, positionsPerRange: 6 });
    await runToEnd(opened, source);
    await kit.expectClean(opened.store, history, 30n);
    expect(await kit.passRows()).toMatchObject([
      { kind: 'second', next: 9 },
      { kind: 'backfill', from: 6, to: 30, finished: true },
    ]);
  });

  it('forgets a contract that no event names, with everything that was read because of it', async () => {
    const history = historyOf(10).filter(({ source }) => source.address !== CHILD);
    const bogus: DiscoveredContract = {
      address: address('bogus'),
      kind: 'erc721',
      discoveredAt: blockSeqNo.encode(2n, 0, 0),
    };
    const stray = (place: bigint): Event => {
      const [event] = createMarketScript()
        .nextBlock(place - 1n)
        .minted(CAROL, place).events as readonly Event[];
      const seqNo = blockSeqNo.encode(place, 99, 0);
      return {
        ...(event as Event),
        seqNo,
        source: { ...(event as Event).source, index: 99, address: bogus.address },
      };
    };
    const log = [...history, stray(3n), stray(9n)].sort((a, b) => (a.seqNo < b.seqNo ? -1 : 1));
    const opened = await kit.open();
    await fill(opened.store, log, 10n);
    await kit.market.pool.query(
      `INSERT INTO discovered_contracts VALUES (1, '${bogus.address}', 'erc721', ${bogus.discoveredAt})`,
    );
    await runToEnd(opened, sourceOf(history, { contracts: everything, names, positionsPerRange: 4 }));
    await kit.expectClean(opened.store, history, 10n);
    const { discovered } = await opened.store.resumePoint();
    expect(discovered.map((contract) => contract.address)).toEqual([CHILD]);
  });
});
