import { aggregateHash, laneOf, type SeqNo } from '@imart/core';
import { appendMessage, createMarketScript, silentLogger, SUBJECT } from '@imart/testing';
import {
  createPipelineStats,
  runSweeper,
  wakeUpsFor,
  type Logger,
  type SubjectStore,
  type SweeperOptions,
  type WakeUp,
} from './index';

const script = createMarketScript();
for (let i = 0; i < 20; i++) script.listed(`${i}`);

describe('the wake-ups of a range', () => {
  it('are one for each event at the head, to its lane, and one for the range to each lane without events', () => {
    const message = appendMessage(script.events, 0n, 5n);
    const wakeUps = wakeUpsFor(message, 64, 3n);
    const ofEvents = wakeUps.filter(({ id }) => !id.startsWith('range'));
    expect(ofEvents.map(({ seqNo, lane }) => [seqNo, lane])).toEqual(
      script.events.map(({ seqNo, aggregateType, aggregateId }) => [
        seqNo,
        laneOf(aggregateHash(aggregateType, aggregateId), 64),
      ]),
    );
    const lanes = new Set(ofEvents.map(({ lane }) => lane));
    const ofRange = wakeUps.filter(({ id }) => id.startsWith('range'));
    expect(ofRange.map(({ lane }) => lane)).toEqual(
      Array.from({ length: 64 }, (_, lane) => lane).filter((lane) => !lanes.has(lane)),
    );
    expect(ofRange.every(({ seqNo, epoch }) => seqNo === message.toSeqNo && epoch === 3n)).toBe(true);
  });

  it('are one for each lane while catching up', () => {
    const wakeUps = wakeUpsFor(appendMessage(script.events, 0n, 5n, true), 3, 0n);
    expect(wakeUps.map(({ lane }) => lane)).toEqual([0, 1, 2]);
  });

  it('have ids without colons that hold place, epoch and lane: the same for the same, no other twice (Q5)', () => {
    const message = appendMessage(script.events, 0n, 5n);
    const ids = wakeUpsFor(message, 8, 1n).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.join()).not.toContain(':');
    expect(wakeUpsFor(message, 8, 1n).map(({ id }) => id)).toEqual(ids);
    const replayed = wakeUpsFor(message, 8, 2n).map(({ id }) => id);
    expect(replayed.filter((id) => ids.includes(id))).toEqual([]);
    const next = wakeUpsFor(appendMessage([], 6n, 6n), 8, 1n).map(({ id }) => id);
    expect(next.filter((id) => ids.includes(id))).toEqual([]);
  });
});

describe('the sweeper', () => {
  /** Runs it over what it sees in each round; ends with the last one. */
  async function sweep(
    rounds: readonly (readonly bigint[] | Error)[],
    send: (wakeUps: readonly WakeUp[]) => void,
    logger: Logger = silentLogger,
    more: Partial<SweeperOptions> = {},
    onLook: () => void = () => undefined,
  ) {
    const stopping = new AbortController();
    const stats = createPipelineStats();
    let round = 0;
    const store = {
      subjectId: SUBJECT,
      progress: async () => {
        onLook();
        const lanes = rounds[round++] as readonly bigint[] | Error;
        if (round === rounds.length) stopping.abort();
        if (lanes instanceof Error) throw lanes;
        return { lanes, ingested: 100n, epoch: 7n };
      },
    } as unknown as SubjectStore;
    await runSweeper(
      {
        store,
        sender: { send: async (wakeUps) => send(wakeUps) },
        stats,
        logger,
        intervalMs: 0,
        now: () => 1,
        ...more,
      },
      stopping.signal,
    );
    return stats;
  }

  it('wakes lanes that are behind and do not move, and no others', async () => {
    const sent: WakeUp[] = [];
    const stats = await sweep(
      [
        [10n, 50n, 100n],
        [10n, 60n, 100n],
        [10n, 60n, 100n],
        [100n, 100n, 100n],
      ],
      (wakeUps) => sent.push(...wakeUps),
    );
    expect(sent).toMatchObject([
      { lane: 0, seqNo: 100n, epoch: 7n },
      { lane: 0, seqNo: 100n },
      { lane: 1, seqNo: 100n },
    ]);
    expect(stats.sweptWakeUps).toBe(3);
  });

  it('uses ids of its own, never twice, so that no finished job hides one (Q5)', async () => {
    const sent: WakeUp[] = [];
    await sweep(
      Array.from({ length: 10 }, () => [1n, 2n]),
      (wakeUps) => sent.push(...wakeUps),
    );
    expect(sent.length).toBe(18);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(18);
    expect(sent.map(({ id }) => id).join()).not.toContain(':');
    const message = { ...appendMessage([], 0n, 5n), toSeqNo: 100n as SeqNo };
    const own = wakeUpsFor(message, 2, 7n).map(({ id }) => id);
    expect(sent.filter(({ id }) => own.includes(id))).toEqual([]);
  });

  it('drives lanes of its own process itself, also when no job can be sent; another process’s get one (rule 3)', async () => {
    const sent: WakeUp[] = [];
    const woken: number[] = [];
    const own = { lanes: new Set([0, 2]), wake: async (lane: number) => void woken.push(lane) };
    const behind = [10n, 10n, 10n];
    const stats = await sweep([behind, behind], (wakeUps) => void sent.push(...wakeUps), silentLogger, {
      own,
    });
    expect(woken).toEqual([0, 2]);
    expect(sent.map(({ lane }) => lane)).toEqual([1]);
    expect(stats.sweptWakeUps).toBe(3);
    woken.length = 0;
    const refuse = (): void => {
      throw new Error('the queue is full');
    };
    await sweep([behind, behind, behind], refuse, silentLogger, { own });
    expect(woken).toEqual([0, 2, 0, 2]);
  });

  it('drives a lane once at a time, and again when it has failed', async () => {
    const woken: string[] = [];
    let failFirst: () => void = () => undefined;
    const own = {
      lanes: new Set([0]),
      wake: (): Promise<never> => {
        woken.push('begun');
        return new Promise((_resolve, reject) => (failFirst = () => reject(new Error('it failed'))));
      },
    };
    const begunAt: number[] = [];
    const onLook = (): void => {
      begunAt.push(woken.length);
      if (begunAt.length === 5) failFirst();
    };
    await sweep(
      Array.from({ length: 10 }, () => [10n]),
      () => undefined,
      silentLogger,
      { own },
      onLook,
    );
    expect(begunAt.slice(0, 5)).toEqual([0, 0, 1, 1, 1]);
    expect(woken).toEqual(['begun', 'begun']);
  });

  it('goes on when the database or the queue fails, and says so', async () => {
    const lines: string[] = [];
    const sent: WakeUp[] = [];
    let fails = true;
    await sweep(
      [[1n], new Error('the database is gone'), [1n], [1n], [1n]],
      (wakeUps) => {
        fails = !fails;
        if (!fails) throw new Error('the queue is gone');
        sent.push(...wakeUps);
      },
      { ...silentLogger, warn: (_message, fields) => void lines.push(String(fields?.['error'])) },
    );
    expect(lines).toContain('the database is gone');
    expect(lines).toContain('the queue is gone');
    expect(sent.length).toBeGreaterThan(0);
  });
});
