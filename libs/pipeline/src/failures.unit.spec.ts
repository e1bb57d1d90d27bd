import { UNDECODABLE, UNDECODABLE_AGGREGATE, type AppendMessage, type SubjectMessage } from '@imart/core';
import {
  blockSeqNo,
  NATIVE,
  addPoison,
  ALICE,
  appendMessage,
  appendMessages,
  contentsOfStraightFold,
  createFakeSubject,
  createInMemorySubjectStore,
  createMarketScript,
  executeLanes,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type InMemorySubjectStore,
  type MarketScript,
  type StoreMoment,
} from '@imart/testing';
import {
  createCatchUp,
  createExecutor,
  createLane,
  createLaneWorker,
  createPipelineStats,
  EventConflictError,
  LedgerGapError,
  noSnapshots,
  runIngest,
  StorageUnavailableError,
  TooManyParkedError,
  UNKNOWN_ERROR_ATTEMPTS_MAX,
  type IngestOptions,
  type WakeUp,
} from './index';

const never = new AbortController().signal;

function setUp(parkedAggregatesMax = 100, onMoment: (moment: StoreMoment) => void = () => undefined) {
  const store = createInMemorySubjectStore({
    subjectId: SUBJECT,
    lanes: 1,
    observer: MARKET_OBSERVER,
    onMoment,
  });
  const stats = createPipelineStats();
  const executor = () =>
    createExecutor({ store, observer: MARKET_OBSERVER, cachedStatesMax: 100, parkedAggregatesMax });
  const stops: unknown[] = [];
  const sent: WakeUp[] = [];
  const catchUp = createCatchUp({
    store,
    executor: executor(),
    stats,
    logger: silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  const lane = createLane({
    lane: 0,
    store,
    executor: executor(),
    snapshotRule: noSnapshots,
    runEventsMax: 2,
    stats,
    now: () => 0,
  });
  const worker = createLaneWorker({
    store,
    lanes: new Map([[0, lane]]),
    receiver: { start: () => Promise.resolve(), stop: () => Promise.resolve() },
    stats,
    logger: silentLogger,
    random: () => 0,
    onExecuted: () => undefined,
    onStop: (error) => void stops.push(error),
  });
  const ingest = (
    messages: readonly SubjectMessage[],
    overrides: Partial<IngestOptions> = {},
    signal = never,
  ) =>
    runIngest(
      {
        subject: createFakeSubject(SUBJECT, messages),
        store,
        observer: MARKET_OBSERVER,
        sender: { send: async (wakeUps) => void sent.push(...wakeUps) },
        catchUp: null,
        stats,
        logger: silentLogger,
        random: () => 0,
        now: () => 0,
        onCaughtUp: () => Promise.resolve(),
        onHead: () => undefined,
        onIngested: () => undefined,
        ...overrides,
      },
      signal,
    );
  return { store, stats, catchUp, worker, ingest, stops, sent };
}

const range = (script: MarketScript, catchingUp = false): AppendMessage =>
  appendMessage(script.events, 0n, 100n, catchingUp);
const statuses = (store: InMemorySubjectStore): unknown[] =>
  store.contents().rows.map((row) => (row as unknown as { status: string }).status);

describe('an aggregate that fails', () => {
  /** Order 1 is poisoned between its listing and its sale; order 2 is sold. */
  const poisoned = (): MarketScript =>
    addPoison(createMarketScript().listed('1').listed('2'), '1').filled('1').filled('2');

  it('is parked while catching up: its later events wait, the others flow (Q18)', async () => {
    const script = poisoned();
    const { store, catchUp, stats } = setUp();
    await catchUp.push(range(script, true), never);
    await catchUp.drain(never);
    expect(store.contents().parked).toMatchObject([
      { aggregateType: 'order', fromSeqNo: script.events[2]!.seqNo, code: 'UNEXPECTED_EVENT' },
    ]);
    expect(statuses(store)).toEqual(['LISTING', 'SOLD']);
    expect(stats.parkedAggregates).toBe(1);
  });

  it('is parked in a lane, and stays so in later runs and after a restart (Q18)', async () => {
    const script = poisoned();
    const { store, worker, ingest } = setUp();
    await ingest([range(script)]);
    await worker.wake(0, never);
    script.nextBlock(200n).cancelled('1').listed('2', { price: 3n });
    await ingest([appendMessage(script.events, 101n, 300n)]);
    const restarted = createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: 9,
      parkedAggregatesMax: 9,
    });
    const stats = createPipelineStats();
    await createLane({
      lane: 0,
      store,
      executor: restarted,
      snapshotRule: noSnapshots,
      runEventsMax: 9,
      stats,
      now: () => 0,
    }).advance();
    expect(statuses(store)).toEqual(['LISTING', 'SOLD', 'LISTING']);
    expect(store.contents().parked).toHaveLength(1);
  });

  it('whose quantities add up to more than a column holds is parked, and no run fails for it (D2, Q18)', async () => {
    const most = 2n ** 256n - 1n;
    const script = createMarketScript().listed('1');
    for (let i = 0; i < 9; i++) script.received(ALICE, NATIVE, 7n, most);
    const { store, catchUp } = setUp();
    await catchUp.push(range(script, true), never);
    await catchUp.drain(never);
    expect(store.contents().parked).toMatchObject([{ aggregateType: 'balance', code: 'QUANTITY_RANGE' }]);
    expect(store.contents().rows.filter((row) => row.table === 'orders')).toHaveLength(1);
    expect((await store.progress()).executed).toBe((await store.progress()).ingested);
  });

  it('because its event could not be decoded is parked with the reason', async () => {
    const { store, catchUp } = setUp();
    const script = createMarketScript().listed('1');
    const undecodable = {
      ...script.events[0]!,
      seqNo: blockSeqNo.encode(1n, 1, 0),
      aggregateType: UNDECODABLE_AGGREGATE,
      aggregateId: '5',
      name: UNDECODABLE,
      data: { reason: 'truncated data', raw: '{}' },
    };
    await catchUp.push({ ...range(script, true), events: [...script.events, undecodable] }, never);
    await catchUp.drain(never);
    expect(store.contents().parked).toMatchObject([
      { aggregateType: 'undecodable', code: 'UNDECODABLE', message: 'truncated data' },
    ]);
    expect(statuses(store)).toEqual(['LISTING']);
  });

  it('stops the worker when too many others have failed, and nothing of that run is written', async () => {
    const script = ['1', '2', '3'].reduce((all, id) => addPoison(all, id), createMarketScript().listed('9'));
    const caught = setUp(2);
    await expect(caught.catchUp.push(range(script, true), never)).rejects.toBeInstanceOf(TooManyParkedError);
    expect(caught.store.contents()).toEqual({ rows: [], activities: [], parked: [] });

    const laned = setUp(1);
    await laned.ingest([range(script)]);
    await expect(laned.worker.wake(0, never)).rejects.toBeInstanceOf(TooManyParkedError);
    expect(laned.stops).toHaveLength(1);
    // The run before it, of two events with one failure, is whole.
    expect(laned.store.contents().parked).toHaveLength(1);
  });
});

describe('the log', () => {
  it('takes a range again without writing it twice, and refuses another content (P11)', async () => {
    const script = createMarketScript().listed('1').nextBlock().listed('2');
    const { store, ingest } = setUp();
    const message = range(script);
    await ingest([message]);
    const again = { ...message, fromPosition: 0n };
    const append = (events: AppendMessage['events']) =>
      store.transaction(async (tx) => {
        await tx.lockIngest();
        return tx.append(await store.prepareAppend({ ...again, events }, 9n));
      });
    expect(await append(script.events)).toEqual({ kind: 'already-there' });
    const other = { ...script.events[0]!, data: { ...script.events[0]!.data, price: 1n } };
    await expect(append([other, script.events[1]!])).rejects.toBeInstanceOf(EventConflictError);
    await expect(append([script.events[0]!])).rejects.toThrow('no longer has it');
    expect(store.events()).toEqual(script.events);
  });

  it('never has a hole: a range that does not continue it stops the worker', async () => {
    const { store, ingest, catchUp } = setUp();
    const script = createMarketScript();
    await ingest([appendMessage(script.events, 0n, 4n)]);
    const gap = appendMessage(script.events, 6n, 9n);
    await expect(ingest([gap])).rejects.toMatchObject({
      code: 'LEDGER_GAP',
      fields: { expected: 5n, actual: 6n },
    });
    expect((await store.progress()).nextPosition).toBe(5n);

    const other = setUp();
    await other.catchUp.push(appendMessage([], 0n, 4n, true), never);
    await other.catchUp.push({ ...gap, catchingUp: true }, never);
    await expect(other.catchUp.drain(never)).rejects.toBeInstanceOf(LedgerGapError);
    expect(catchUp).toBeDefined();
  });
});

describe('catching up', () => {
  it('waits for the database also where it only has to append a range that it took (Q12)', async () => {
    const failing: StoreMoment[] = ['lockIngest'];
    const { store, catchUp, ingest } = setUp(1, (moment) => {
      if (moment !== failing[0]) return;
      failing.shift();
      throw new Error('the connection broke');
    });
    const message = range(createMarketScript().listed('1'), true);
    // Its commit fails; meanwhile another process appends the same range, and its lane is behind.
    await catchUp.push(message, never);
    await ingest([{ ...message, catchingUp: false }]);
    failing.push('commit', 'committed');
    await catchUp.drain(never);
    expect(failing).toEqual([]);
    expect(store.events()).toHaveLength(1);
  });

  it('begins anew with nothing of a range that was not committed: another process has put another one in its place (Q1)', async () => {
    const failing: StoreMoment[] = ['commit'];
    const { store, catchUp, ingest } = setUp(1, (moment) => {
      if (moment !== failing[0]) return;
      failing.shift();
      throw new Error('the connection broke');
    });
    const ended = new AbortController();
    await catchUp.push(range(createMarketScript().listed('1', { price: 1n }), true), ended.signal);
    ended.abort();
    await expect(catchUp.drain(ended.signal)).rejects.toThrow('the connection broke');
    // Who takes over meanwhile is told of another branch, which ends at the same place: nothing was taken back, the epoch is the same.
    const script = createMarketScript().listed('1', { price: 7n });
    await ingest([range(script)]);
    await executeLanes(store);
    const { events } = script.nextBlock(101n).cancelled('1');
    catchUp.begin(0n);
    await catchUp.push(appendMessage(events, 101n, 200n, true), never);
    await catchUp.drain(never);
    expect(store.events()).toEqual(events);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
  });
});

describe('ingest', () => {
  it('sends wake-ups after their events are committed, and goes on when they cannot be sent', async () => {
    const { store, ingest, sent } = setUp();
    const script = createMarketScript().listed('1').nextBlock().listed('2');
    const messages = appendMessages(script.events, [1n, 9n]);
    const seen: number[] = [];
    await ingest(messages, {
      sender: {
        send: async (wakeUps) => {
          seen.push(store.events().length);
          sent.push(...wakeUps);
          throw new Error('the queue is gone');
        },
      },
    });
    expect(seen).toEqual([1, 2]);
    expect(sent.map(({ seqNo }) => seqNo)).toEqual(script.events.map(({ seqNo }) => seqNo));
    expect((await store.progress()).nextPosition).toBe(10n);
  });

  it('tries again until the database takes the range (Q12), and sends wake-ups once', async () => {
    let failures = 5;
    const { store, stats, ingest, sent } = setUp(1, (moment) => {
      if (moment === 'committed' && failures-- > 0) throw new Error('the connection broke');
    });
    await ingest([range(createMarketScript().listed('1'))]);
    expect(stats.retries).toBe(5);
    expect(store.events()).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });

  it('waits for the database also before its first read, and starts where the log ends, not anew (Q12)', async () => {
    const { store, ingest } = setUp();
    const script = createMarketScript().listed('1').nextBlock().listed('2');
    const messages = appendMessages(script.events, [1n, 9n]);
    await ingest(messages.slice(0, 1));
    let failures = 3;
    const resumePoint = () =>
      failures-- > 0
        ? Promise.reject(new StorageUnavailableError('the connection broke', undefined))
        : store.resumePoint();
    await ingest(messages, { store: { ...store, resumePoint } });
    expect(store.events()).toEqual(script.events);
    expect(failures).toBe(-1);
  });

  it('stops at an error that nobody has given a fate and that comes again each time', async () => {
    let met = 0;
    const { ingest, store } = setUp(1, (moment) => {
      if (moment !== 'append') return;
      met++;
      throw new TypeError('a column is not there');
    });
    await expect(ingest([range(createMarketScript().listed('1'))])).rejects.toThrow('a column is not there');
    expect(met).toBe(UNKNOWN_ERROR_ATTEMPTS_MAX);
    expect(store.events()).toHaveLength(0);
  });

  it('says once that it has caught up, after everything before is durable', async () => {
    const { store, ingest, catchUp } = setUp();
    const script = createMarketScript().listed('1').nextBlock().filled('1');
    const [first, second, third] = appendMessages(script.events, [1n, 2n, 3n]) as [
      AppendMessage,
      AppendMessage,
      AppendMessage,
    ];
    const caughtUp: unknown[] = [];
    const end = await ingest(
      [{ ...first, catchingUp: true }, second, third, { kind: 'end', atPosition: 3n }],
      {
        catchUp,
        onCaughtUp: async () => void caughtUp.push((await store.progress()).executed),
      },
    );
    expect(end).toBe('end-position');
    expect(caughtUp).toEqual([first.toSeqNo]);
  });

  it('moves finality forward only', async () => {
    const { store, ingest } = setUp();
    const finalize = (position: bigint): SubjectMessage => ({
      kind: 'finalize',
      position,
      upToSeqNo: blockSeqNo.last(position),
    });
    await ingest([range(createMarketScript().minted(ALICE)), finalize(40n), finalize(30n)]);
    expect((await store.progress()).finalized).toBe(blockSeqNo.last(40n));
    expect((await store.resumePoint()).finalizedPosition).toBe(40n);
  });
});
