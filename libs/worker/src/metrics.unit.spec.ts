import {
  createPassStats,
  createPipelineStats,
  StorageUnavailableError,
  type SubjectProgress,
} from '@imart/pipeline';
import { createMetrics, silentLogger } from '@imart/runtime';
import type { SubjectReadings } from '@imart/storage';
import { blockSeqNo, fakeBlock } from '@imart/testing';
import { registerTransactions, registerWorkerMetrics } from './metrics';
import type { ChainWords } from './program';
import { positionWords } from './words';
import { createWorkerView } from './workerView';

const evmWords: ChainWords = { position: positionWords('block'), records: 'logs' };

const progress: SubjectProgress = {
  epoch: 0n,
  ingested: blockSeqNo.last(100n),
  nextPosition: 101n,
  lanes: [blockSeqNo.encode(99n, 3, 0)],
  executed: blockSeqNo.encode(99n, 3, 0),
  lastFeedNo: 1n,
  finalized: blockSeqNo.last(90n),
  finalizedPosition: 90n,
  chainTimeUs: fakeBlock(100n).timeUs,
  halt: null,
};

const readings: SubjectReadings = {
  lanes: [
    { lane: 0, events: 17, oldestSeconds: 2.5, oldestTimeUs: fakeBlock(97n).timeUs },
    { lane: 1, events: 0, oldestSeconds: 0, oldestTimeUs: null },
  ],
  passes: [{ kind: 'second', missingEvents: 2, differentEvents: 1, extraEvents: 0, nextPosition: 50n }],
  parkedAggregates: 3,
  releases: [
    { action: 'retry', aggregates: 4 },
    { action: 'skip', aggregates: 1 },
  ],
  headPosition: 104n,
  headTimeUs: fakeBlock(104n).timeUs,
};

function setUp(role: 'all' | 'apply' = 'all', words = evmWords) {
  const config = {
    role,
    parkedAggregatesMax: 1_000,
    progressStallMs: 60_000,
    headStallMs: 600_000,
    clockSkewMaxMs: 60_000,
  };
  const stats = createPipelineStats();
  const passStats = createPassStats();
  const metrics = createMetrics({ labels: { subject: 'eip155:1' }, processMetrics: false });
  const view = createWorkerView({
    config,
    words: words.position,
    logger: silentLogger,
    onTransaction: registerTransactions(metrics),
  });
  const database = { readings: readings as SubjectReadings | Error, asked: 0 };
  let now = 0;
  registerWorkerMetrics({
    metrics,
    config,
    words,
    seqNos: blockSeqNo,
    stats,
    view,
    lanes: 2,
    read: async () => {
      database.asked++;
      if (database.readings instanceof Error) throw database.readings;
      return database.readings;
    },
    passStats: role === 'apply' ? null : passStats,
    registerChain:
      role === 'apply'
        ? null
        : (to) => void to.counter('rpc_errors_total', 'Of the source.', [], (counter) => counter.add(2)),
    stream: {
      stats: { sent: 7, sendErrors: 1, handled: 6, failed: 2, stalled: 1, backendErrors: 3 },
      counts: async (lane) => {
        if (lane === 1) throw new Error('the queue is away');
        return { waiting: 4, active: 1, completed: 200, failed: 5 };
      },
    },
    now: () => now,
  });
  const values = async (...names: string[]): Promise<(string | undefined)[]> => {
    const lines = (await metrics.render()).split('\n');
    return names.map((name) => {
      const [metric = '', label = ''] = name.split('|');
      return lines
        .find((line) => line.startsWith(`imart_${metric}{`) && line.includes(label))
        ?.replace(/^.* /, '');
    });
  };
  return { metrics, stats, passStats, view, database, values, pass: (ms: number) => void (now += ms) };
}

describe('metrics of a worker', () => {
  it('are counters when their name ends in _total, and gauges or histograms otherwise', async () => {
    const { metrics } = setUp();
    const types = [...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(45);
    for (const [, name = '', type = ''] of types) {
      const expected = name.endsWith('_total') ? ['counter'] : ['gauge', 'histogram'];
      expect([name, expected.includes(type)]).toEqual([name, true]);
    }
  });

  it('tell the counts as they are now, however often they are read, two readings at a time too', async () => {
    const { metrics, stats, values } = setUp();
    stats.executedEvents = 40;
    await Promise.all([metrics.render(), metrics.render()]);
    stats.executedEvents = 50;
    const [text = '', again] = await Promise.all([metrics.render(), metrics.render()]);
    expect(again).toBe(text);
    expect(await values('executed_events_total')).toEqual(['50']);
    expect(text).toContain('imart_rpc_errors_total{subject="eip155:1"} 2\n');
  });

  it('tell how second readings go, and whether they are held up', async () => {
    const { passStats, values } = setUp();
    const names = ['blocks_total', 'whole_blocks_total', 'failures_total', 'blocked'].map(
      (name) => `second_reading_${name}`,
    );
    expect(await values(...names)).toEqual(['0', '0', '0', '0']);
    Object.assign(passStats, { positions: 90, wholeBlocks: 4, failures: 3, blocked: 'block 7' });
    expect(await values(...names)).toEqual(['90', '4', '3', '1']);
    // Of a process that makes none.
    expect(await setUp('apply').values(...names)).toEqual(names.map(() => undefined));
  });

  it('tell the wake-ups and the jobs, also while one lane’s queue does not answer', async () => {
    const { values } = setUp();
    const wakeUps = ['ups_sent', 'up_send_errors', 'ups_handled', 'ups_failed', 'ups_stalled'];
    expect(await values(...wakeUps.map((name) => `wake_${name}_total`))).toEqual(['7', '1', '6', '2', '1']);
    expect(await values('wake_up_backend_errors_total')).toEqual(['3']);
    expect(
      await values('jobs|lane="0",state="waiting"', 'jobs|lane="0",state="failed"', 'jobs|lane="1"'),
    ).toEqual(['4', '5', undefined]);
  });

  it('tell how far the subject is and how far behind, in blocks, seconds and events of each lane', async () => {
    const { view, values } = setUp();
    view.onLease({ kind: 'held', fencing: 7n });
    view.onHead(fakeBlock(105n));
    view.onLook(progress, 0.25);
    const places = ['head_block', 'ingested_block', 'executed_block', 'finalized_block'];
    expect(await values(...places)).toEqual(['105', '100', '98', '90']);
    // Block times are 12 seconds apart.
    expect(await values('lag_blocks', 'lag_seconds')).toEqual(['7', '60']);
    // The first event that is not executed is of block 97.
    expect(await values('executed_lag_seconds')).toEqual(['96']);
    expect(await values('lane_lag_events|lane="0"', 'lane_oldest_unapplied_seconds|lane="0"')).toEqual([
      '17',
      '2.5',
    ]);
    expect(await values('lane_lag_events|lane="1"', 'lane_oldest_unapplied_seconds|lane="1"')).toEqual([
      '0',
      '0',
    ]);
    expect(await values('parked_aggregates', 'parked_aggregates_max')).toEqual(['3', '1000']);
    expect(
      await values('second_reading_events|finding="missing"', 'second_reading_events|finding="extra"'),
    ).toEqual(['2', '0']);
    expect(await values('second_reading_next_block|kind="second"')).toEqual(['50']);
    expect(await values('database_up', 'database_round_trip_seconds')).toEqual(['1', '0.25']);
  });

  it('say that states are behind while everything is read and no lane moves', async () => {
    const { view, database, values, pass } = setUp();
    const lag = ['lag_seconds', 'executed_lag_seconds'];
    view.onHead(fakeBlock(100n));
    view.onLook({ ...progress, lanes: [progress.ingested], executed: progress.ingested }, 0);
    database.readings = {
      ...readings,
      lanes: [{ lane: 0, events: 0, oldestSeconds: 0, oldestTimeUs: null }],
    };
    expect(await values(...lag)).toEqual(['0', '0']);
    const of90 = { lane: 1, events: 2, oldestSeconds: 9, oldestTimeUs: fakeBlock(90n).timeUs };
    database.readings = { ...readings, lanes: [...readings.lanes, of90] };
    pass(1_000);
    expect(await values(...lag)).toEqual(['0', '120']);
  });

  it('never tell a head below what was read: a block is announced before the next answer about the head', async () => {
    const { view, values } = setUp();
    view.onLease({ kind: 'held', fencing: 7n });
    view.onLook(progress, 0);
    view.onHead(fakeBlock(99n));
    view.onRead(100n, fakeBlock(100n));
    expect(await values('head_block', 'ingested_block', 'lag_blocks')).toEqual(['100', '100', '2']);
    view.onRead(99n, fakeBlock(99n));
    expect(await values('head_block')).toEqual(['100']);
  });

  it('take the head from the database where another process reads the chain', async () => {
    const { view, values } = setUp('apply');
    view.onLook(progress, 0);
    expect(await values('head_block', 'lag_blocks', 'lag_seconds')).toEqual(['104', '6', '48']);
    expect(await values('rpc_errors_total')).toEqual([undefined]);
    expect(await values('worker_info|role="apply"')).toEqual(['1']);
  });

  it('have the same names for every chain, and say what its positions are', async () => {
    const help = async (words: ChainWords): Promise<string[]> =>
      [...(await setUp('all', words).metrics.render()).matchAll(/^# HELP (.*)$/gm)].map(
        ([, text = '']) => text,
      );
    const [blocks, versions] = await Promise.all([
      help(evmWords),
      help({ position: positionWords('version'), records: 'transactions' }),
    ]);
    const names = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ', 1)[0] ?? '');
    expect(names(versions)).toEqual(names(blocks));
    expect(blocks).toContain('imart_lag_blocks Head minus executed, in blocks.');
    expect(blocks).toContain('imart_source_records_total Logs read from the chain by this process.');
    expect(versions).toContain('imart_lag_blocks Head minus executed, in versions.');
    expect(versions).toContain(
      'imart_source_records_total Transactions read from the chain by this process.',
    );
    expect(versions.filter((line) => /\b(blocks?|logs)\b/i.test(line.replace(/^\S+/, '')))).toEqual([]);
  });

  it('are shown while the database is away, with what the process knows, and say that it is (Q12)', async () => {
    const { view, database, values, pass } = setUp();
    view.onLook(progress, 0);
    expect(await values('database_up', 'parked_aggregates')).toEqual(['1', '3']);
    database.readings = new StorageUnavailableError('away', null);
    pass(1_000);
    expect(await values('database_up', 'parked_aggregates', 'ingested_block')).toEqual(['0', '3', '100']);
    expect(await values('rpc_errors_total')).toEqual(['2']);
  });

  it('ask the database once for one reading of the page', async () => {
    const { metrics, database, pass } = setUp();
    await Promise.all([metrics.render(), metrics.render()]);
    expect(database.asked).toBe(1);
    pass(1_000);
    await metrics.render();
    expect(database.asked).toBe(2);
  });

  it('tell lease, standby, halt and sessions', async () => {
    const { view, stats, values } = setUp();
    const names = ['lease_held', 'standby', 'lease_fencing', 'halted'];
    expect(await values(...names)).toEqual(['0', '0', '0', '0']);
    view.onLease({ kind: 'standby', holder: 'another' });
    expect(await values(...names)).toEqual(['0', '1', '0', '0']);
    view.onLease({ kind: 'held', fencing: 3n });
    view.onLook({ ...progress, halt: { code: 'REORG_TOO_DEEP', message: 'm', haltedAtMs: 0 } }, 0);
    expect(await values(...names)).toEqual(['1', '0', '3', '1']);
    view.onRestart('FENCED');
    view.onRestart('FENCED');
    stats.sessionRestarts = 5;
    expect(
      await values('session_restarts_total|code="FENCED"', 'session_restarts_total|code="EPOCH_MOVED"'),
    ).toEqual(['2', '5']);
  });

  it('tell reorgs and their depth, late changes, and what operators released', async () => {
    const { stats, values } = setUp();
    Object.assign(stats, {
      reorgs: 2,
      reorgBlocks: 9,
      reorgDepthMax: 7,
      retractedEvents: 30,
      lateChanges: 4,
    });
    const names = ['reorgs_total', 'reorg_blocks_total', 'reorg_depth_max_blocks', 'retracted_events_total'];
    expect(await values(...names)).toEqual(['2', '9', '7', '30']);
    expect(await values('late_changes_total')).toEqual(['4']);
    const released = ['retry', 'skip'].map((action) => `released_aggregates|action="${action}"`);
    expect(await values(...released)).toEqual(['4', '1']);
  });

  it('tell how long transactions take, and the clock', async () => {
    const { view, values } = setUp();
    view.transaction('lanes')();
    const end = view.transaction('ingest');
    expect(await values('transaction_seconds_count|part="ingest"')).toEqual([undefined]);
    end();
    expect(
      await values('transaction_seconds_count|part="lanes"', 'transaction_seconds_count|part="ingest"'),
    ).toEqual(['1', '1']);
    expect(await values('clock_skew_seconds', 'clock_skewed')).toEqual(['0', '0']);
    view.onHead({ ...fakeBlock(1n), timeUs: BigInt(Date.now() + 3_600_000) * 1000n });
    expect(Number((await values('clock_skew_seconds'))[0])).toBeLessThan(-3_500);
    expect(await values('clock_skewed')).toEqual(['1']);
  });
});

describe('health of a worker', () => {
  const report = async (checks: ReturnType<ReturnType<typeof setUp>['view']['readiness']>) =>
    Object.fromEntries(
      await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await check()] as const)),
    );

  it('says that it stands by, and that this is well', async () => {
    const { view } = setUp();
    view.onLease({ kind: 'standby', holder: 'imart-evm-worker a:1' });
    view.onLook(progress, 0);
    expect(await report(view.readiness())).toEqual({
      halt: { ok: true },
      lease: { ok: true, detail: 'standby: imart-evm-worker a:1 reads the chain' },
    });
    expect(Object.keys(view.progressChecks())).toEqual(['halt', 'executed']);
  });

  it('expects of who holds the lease that blocks come, go into the log and are executed', async () => {
    const { view } = setUp();
    view.onLease({ kind: 'held', fencing: 1n });
    expect(Object.keys(view.progressChecks())).toEqual(['halt', 'ingested', 'head', 'executed']);
    expect(setUp('apply').view.progressChecks()).not.toHaveProperty('ingested');
  });

  it('is red on both pages while the chain stands still, with the reason', async () => {
    const { view } = setUp('apply');
    view.onLook({ ...progress, halt: { code: 'REORG_TOO_DEEP', message: 'too deep', haltedAtMs: 0 } }, 0);
    const red = { ok: false, detail: 'the chain stands still (REORG_TOO_DEEP): too deep' };
    expect(await report(view.readiness())).toEqual({ halt: red });
    expect(await report(view.progressChecks())).toEqual({ halt: red, executed: { ok: true } });
  });
});
