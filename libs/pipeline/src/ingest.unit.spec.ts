import {
  ReorgTooDeepError,
  type AppendMessage,
  type Event,
  type ResumePoint,
  type Subject,
  type SubjectMessage,
} from '@imart/core';
import {
  blockSeqNo,
  AN_OPERATOR,
  addPoison,
  ALICE,
  appendMessage,
  contentsOfStraightFold,
  createInMemorySubjectStore,
  createMarketScript,
  executeLanes,
  fakeBlock,
  MARKET,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type InMemorySubjectStore,
  type StoreMoment,
} from '@imart/testing';
import {
  applyLateChange,
  createCatchUp,
  createExecutor,
  createPipelineStats,
  HaltedError,
  rewind,
  runIngest,
  skipParked,
  StorageUnavailableError,
  type IngestOptions,
  type WakeUp,
} from './index';

const never = new AbortController().signal;

/** What a source does next: a message, or something that happens before its next one. */
type Step = SubjectMessage | (() => Promise<unknown>);

/** A source whose readings are written down: each `messages` is the next one of them. */
interface ScriptedSubject extends Subject {
  /** Where each reading was asked to go on. */
  readonly resumed: readonly ResumePoint[];
  /** Readings that were ended: their signal was aborted, or their iterator was returned. */
  readonly ended: () => number;
}

function scripted(...readings: readonly (readonly Step[])[]): ScriptedSubject {
  const resumed: ResumePoint[] = [];
  let ended = 0;
  return {
    id: SUBJECT,
    resumed,
    ended: () => ended,
    identify: () => Promise.resolve({ subjectId: SUBJECT, genesisHash: '0x00' }),
    async *messages(resume, signal) {
      const steps = readings[resumed.length] ?? [];
      resumed.push(resume);
      signal.addEventListener('abort', () => ended++);
      for (const step of steps) {
        if (typeof step === 'function') await step();
        else yield step;
      }
      yield { kind: 'end', atPosition: 0n };
    },
    executed: () => undefined,
  };
}

function setUp(onMoment: (moment: StoreMoment) => void = () => undefined) {
  const store = createInMemorySubjectStore({
    subjectId: SUBJECT,
    lanes: 2,
    observer: MARKET_OBSERVER,
    onMoment,
  });
  const stats = createPipelineStats();
  const sent: WakeUp[] = [];
  const ingested: bigint[] = [];
  const catchUp = createCatchUp({
    store,
    executor: createExecutor({
      store,
      observer: MARKET_OBSERVER,
      cachedStatesMax: 9,
      parkedAggregatesMax: 9,
    }),
    stats,
    logger: silentLogger,
    random: () => 0,
    now: () => 0,
    onCommitted: () => undefined,
  });
  const ingest = (subject: Subject, overrides: Partial<IngestOptions> = {}) =>
    runIngest(
      {
        subject,
        store,
        observer: MARKET_OBSERVER,
        sender: { send: async (wakeUps) => void sent.push(...wakeUps) },
        catchUp,
        stats,
        logger: silentLogger,
        random: () => 0,
        now: () => 0,
        onCaughtUp: () => Promise.resolve(),
        onHead: () => undefined,
        onIngested: (position) => void ingested.push(position),
        ...overrides,
      },
      never,
    );
  return { store, stats, sent, ingested, ingest };
}

const changing = (store: InMemorySubjectStore) => ({
  store,
  observer: MARKET_OBSERVER,
  logger: silentLogger,
});

const invalidateAfter = (position: bigint): SubjectMessage => ({
  kind: 'invalidate',
  fromSeqNo: blockSeqNo.first(position + 1n),
  ancestor: fakeBlock(position),
});
const finalizeAt = (position: bigint): SubjectMessage => ({
  kind: 'finalize',
  position,
  upToSeqNo: blockSeqNo.last(position),
});
const heartbeat: SubjectMessage = { kind: 'heartbeat', head: fakeBlock(9n) };

/** Listed in block 1, sold in 2, listed again in 3. */
const events = createMarketScript().listed('1').nextBlock().filled('1').nextBlock().listed('1').events;
const range = (from: bigint, to: bigint, of: readonly Event[] = events): AppendMessage =>
  appendMessage(of, from, to);
const catchingUp = (message: AppendMessage): AppendMessage => ({ ...message, catchingUp: true });
const upTo = (position: bigint): readonly Event[] =>
  events.filter(({ source }) => source.position <= position);

describe('a reorg', () => {
  it('is one message: rolled back before the new branch is read on, in the same reading (R10)', async () => {
    const { store, stats, sent, ingested, ingest } = setUp();
    const branch = [...upTo(1n), ...createMarketScript().nextBlock().cancelled('1').events];
    const subject = scripted([
      range(0n, 1n),
      range(2n, 3n),
      async () => void (await executeLanes(store)),
      invalidateAfter(1n),
      range(2n, 4n, branch),
    ]);
    await ingest(subject);
    await executeLanes(store);
    expect(store.contents()).toEqual(await contentsOfStraightFold(branch));
    expect(subject.resumed).toHaveLength(1);
    expect(ingested).toEqual([1n, 3n, 1n, 4n]);
    expect(stats).toMatchObject({ reorgs: 1, reorgBlocks: 2, reorgDepthMax: 2, retractedEvents: 2 });
    // The lanes are told under the new epoch, after the rollback and after the branch.
    expect(sent.filter(({ epoch }) => epoch === 1n).map(({ seqNo, lane }) => [seqNo, lane])).toEqual([
      [blockSeqNo.last(1n), 0],
      [blockSeqNo.last(1n), 1],
      ...[0, 1].map((lane) => [expect.anything(), lane]),
    ]);
  });

  it('while catching up takes back what is on its way to the database as well (R1, R4)', async () => {
    const { store, ingest } = setUp();
    const branch = [...upTo(1n), ...createMarketScript().nextBlock().cancelled('1').events];
    await ingest(
      scripted([
        catchingUp(range(0n, 1n)),
        catchingUp(range(2n, 3n)),
        invalidateAfter(1n),
        catchingUp(range(2n, 4n, branch)),
      ]),
    );
    expect(store.contents()).toEqual(await contentsOfStraightFold(branch));
    const { executed, ingested, epoch } = await store.progress();
    expect([executed, ingested, epoch]).toEqual([blockSeqNo.last(4n), blockSeqNo.last(4n), 1n]);
  });

  it('is tried again until the database takes it, and once only (Q12)', async () => {
    let failures = 4;
    const { store, stats, ingest } = setUp((moment) => {
      if (moment === 'cutLog' && failures-- > 0) throw new StorageUnavailableError('gone', undefined);
    });
    await ingest(scripted([range(0n, 3n), invalidateAfter(1n), range(2n, 2n)]));
    expect(store.events()).toEqual(upTo(2n));
    expect(stats).toMatchObject({ reorgs: 1, retries: 4, sessionRestarts: 0 });
  });

  it('of which nobody learned that it was committed leads to a new reading, from where the log ends', async () => {
    let taken = 0;
    const { store, stats, ingest } = setUp((moment) => {
      if (moment === 'cutLog') taken++;
      if (moment === 'committed' && taken === 1) {
        taken++;
        throw new StorageUnavailableError('the connection broke', undefined);
      }
    });
    const subject = scripted([range(0n, 3n), invalidateAfter(1n), range(2n, 9n)], [range(2n, 2n)]);
    await ingest(subject);
    expect(subject.resumed[1]).toMatchObject({ nextPosition: 2n, window: [fakeBlock(1n)] });
    expect(store.events()).toEqual(upTo(2n));
    expect(stats.sessionRestarts).toBe(1);
  });

  it('below what is final stops, and nothing is written (R7)', async () => {
    const { store, ingest } = setUp();
    const reading = scripted([range(0n, 3n), finalizeAt(2n), invalidateAfter(1n)]);
    await expect(ingest(reading)).rejects.toBeInstanceOf(ReorgTooDeepError);
    expect(store.events()).toEqual(events);
    expect(reading.ended()).toBe(1);
  });
});

describe('a log that somebody else has changed', () => {
  /** An operator goes back to block 1 while the source is read on. */
  const goBack = (store: InMemorySubjectStore) => () =>
    rewind(changing(store), { toPosition: 1n, dryRun: false, ...AN_OPERATOR });

  it.each([
    ['a range', range(4n, 6n)],
    ['a range far below the head', catchingUp(range(4n, 6n))],
    ['what is final', finalizeAt(3n)],
    ['a reorg', invalidateAfter(2n)],
    ['a heartbeat', heartbeat],
  ] as const)('is noticed with %s: nothing of it is written, reading starts anew', async (_what, message) => {
    const { store, stats, ingest } = setUp();
    const subject = scripted(
      [range(0n, 1n), range(2n, 3n), goBack(store), message],
      [range(2n, 2n), catchingUp(range(3n, 3n))],
    );
    await ingest(subject);
    await executeLanes(store);
    expect(subject.resumed.map(({ nextPosition }) => nextPosition)).toEqual([0n, 2n]);
    expect(subject.ended()).toBe(2);
    expect(store.events()).toEqual(events);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    expect(await store.progress()).toMatchObject({ finalizedPosition: null, nextPosition: 4n, epoch: 1n });
    expect(stats).toMatchObject({ sessionRestarts: 1, reorgs: 0 });
  });

  it('while a range is on its way to the database is not written over by it', async () => {
    const { store, stats, ingest } = setUp();
    const subject = scripted(
      [
        catchingUp(range(0n, 1n)),
        catchingUp(range(2n, 2n)),
        goBack(store),
        catchingUp(range(3n, 3n)),
        catchingUp(range(4n, 4n)),
      ],
      [catchingUp(range(2n, 4n))],
    );
    await ingest(subject);
    expect(subject.resumed.map(({ nextPosition }) => nextPosition)).toEqual([0n, 2n]);
    expect(store.contents()).toEqual(await contentsOfStraightFold(events));
    expect(await store.progress()).toMatchObject({ nextPosition: 5n, executed: blockSeqNo.last(4n) });
    expect(stats.sessionRestarts).toBe(1);
  });

  it('by late knowledge is read on with the contracts that are known then', async () => {
    const { store, ingest } = setUp();
    const contract = { address: ALICE, kind: 'erc721', discoveredAt: events[0]!.seqNo };
    const learn = async () => {
      const { epoch } = await store.progress();
      const nothing = { blocks: [], inserted: [], replaced: [], retracted: [] };
      await applyLateChange(changing(store), { epoch, ...nothing, discovered: [contract] });
    };
    const subject = scripted([range(0n, 1n), learn, range(2n, 9n)], [range(2n, 3n)]);
    await ingest(subject);
    expect(subject.resumed[1]).toMatchObject({ nextPosition: 2n, discovered: [contract] });
    expect(store.events()).toEqual(events);
  });

  it('by a skip makes the caught-up aggregate go on as it then is', async () => {
    const { store, ingest } = setUp();
    const script = addPoison(createMarketScript().listed('1').nextBlock(), '1').nextBlock().filled('1');
    const key = { aggregateType: 'order', aggregateId: `${MARKET}:1` };
    const skip = () => skipParked(changing(store), { ...key, actedBy: 'me', reason: 'because' });
    const parts = [range(0n, 2n, script.events), range(3n, 3n, script.events)] as const;
    await ingest(
      scripted(
        [catchingUp(parts[0]), heartbeat, finalizeAt(0n), skip, catchingUp(parts[1])],
        [catchingUp(parts[1])],
      ),
    );
    const [listed, , filled] = script.events;
    expect(store.contents()).toEqual(await contentsOfStraightFold([listed!, filled!]));
  });
});

describe('catching up', () => {
  it('makes snapshots in ranges that may be taken back, and none where the row is the newest one', async () => {
    const script = createMarketScript().listed('1');
    for (let i = 0n; i < 250n; i++) script.priceChanged('1', { price: i });
    script.nextBlock();
    for (let i = 0n; i < 250n; i++) script.priceChanged('1', { price: i });
    const { store, ingest } = setUp();
    const final = { ...catchingUp(range(0n, 1n, script.events)), blocks: [fakeBlock(1n)] };
    const mayGo = { ...catchingUp(range(2n, 3n, script.events)), blocks: [fakeBlock(2n), fakeBlock(3n)] };
    const made: number[][] = [];
    const look = async () => void made.push(store.snapshots().map(({ state }) => state.version));
    await ingest(scripted([final, heartbeat, finalizeAt(1n), look, mayGo, finalizeAt(1n), look]));
    // The state at the border, and one after every hundred events of the aggregate.
    expect(made).toEqual([[], [251, 300, 400, 500]]);
  });
});

describe('a subject that stands still', () => {
  it.each([
    ['a range', range(2n, 3n)],
    ['a range far below the head', catchingUp(range(2n, 3n))],
    ['what is final', finalizeAt(1n)],
    ['a heartbeat', heartbeat],
  ] as const)('takes nothing: not %s', async (_what, message) => {
    const { store, ingest } = setUp();
    const halt = () => store.halt('REORG_TOO_DEEP', 'the chain is another one');
    await expect(ingest(scripted([range(0n, 1n), halt, message]))).rejects.toMatchObject({
      code: 'HALTED',
      fields: { haltCode: 'REORG_TOO_DEEP' },
    });
    expect(await store.progress()).toMatchObject({ nextPosition: 2n, finalizedPosition: null });
    await expect(ingest(scripted([range(2n, 3n)]))).rejects.toBeInstanceOf(HaltedError);
    await store.clearHalt('REORG_TOO_DEEP', AN_OPERATOR);
    await ingest(scripted([range(2n, 3n)]));
    expect(store.events()).toEqual(events);
  });
});
