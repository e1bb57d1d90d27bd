import { laneOf, aggregateHash, type BlockRef } from '@imart/core';
import { append, createMarketScript, appendMessage, fakeBlock, SUBJECT } from '@imart/testing';
import { createMarketDatabase, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { registeredSubjects } from './registeredSubjects';
import { readSubjectReadings } from './subjectReadings';

let server: TestServer;
let market: MarketDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
});
afterAll(async () => {
  await market?.close();
  await server?.stop();
});
beforeEach(() => market.clear());

const LANES = 3;
const script = createMarketScript();
for (let i = 0; i < 30; i++) script.listed(`${i}`);
const { events } = script;
const ofLane = (lane: number): number =>
  events.filter((e) => laneOf(aggregateHash(e.aggregateType, e.aggregateId), LANES) === lane).length;

describe('what waits in the log', () => {
  it('is counted for each lane, with the age of its oldest event by the database’s clock', async () => {
    const store = await market.open(SUBJECT, LANES);
    await append(store, appendMessage(events, 0n, 1_000n));
    await market.pool.query(`UPDATE feed SET committed_at = now() - interval '90 s'`);
    const { lanes } = await readSubjectReadings(market.pool, 1, 'market');
    expect(lanes.map(({ events: waiting }) => waiting)).toEqual([0, 1, 2].map(ofLane));
    const first = (lane: number) =>
      events.find((e) => laneOf(aggregateHash(e.aggregateType, e.aggregateId), LANES) === lane);
    expect(lanes.map(({ oldestTimeUs }) => oldestTimeUs)).toEqual(
      [0, 1, 2].map((lane) => first(lane)?.source.timeUs),
    );
    for (const { oldestSeconds } of lanes) {
      expect(oldestSeconds).toBeGreaterThanOrEqual(90);
      expect(oldestSeconds).toBeLessThan(150);
    }
  });

  it('is nothing for a lane that has executed all, whatever the others have left', async () => {
    const store = await market.open(SUBJECT, LANES);
    await append(store, appendMessage(events, 0n, 1_000n));
    await market.pool.query(
      'UPDATE checkpoints SET seq_no = (SELECT ingested_seq_no FROM subjects) WHERE lane = 1',
    );
    const { lanes } = await readSubjectReadings(market.pool, 1, 'market');
    expect(lanes[1]).toEqual({ lane: 1, events: 0, oldestSeconds: 0, oldestTimeUs: null });
    expect(lanes[0]?.events).toBe(ofLane(0));
  });

  it('stands beside parked aggregates, the head, and what second readings found, by their kind', async () => {
    await market.open(SUBJECT, LANES);
    await market.pool.query(`
      UPDATE subjects SET head_position = 77, head_time_us = 5000000;
      INSERT INTO park_markers (subject, aggregate_type, aggregate_id, from_seq_no, code, message)
        VALUES (1, 'order', 'a', 1, 'TEST', ''), (1, 'order', 'b', 1, 'TEST', ''), (2, 'order', 'c', 1, 'TEST', '');
      INSERT INTO passes (subject, kind, reason, from_position, next_position, missing_events, different_events, extra_events)
        VALUES (1, 'second', '', 0, 10, 2, 0, 1), (1, 'second', '', 10, 30, 3, 4, 0), (2, 'second', '', 0, 99, 9, 9, 9)`);
    expect(await readSubjectReadings(market.pool, 1, 'market')).toMatchObject({
      parkedAggregates: 2,
      headPosition: 77n,
      headTimeUs: 5_000_000n,
      passes: [{ kind: 'second', missingEvents: 5, differentEvents: 4, extraEvents: 1, nextPosition: 30n }],
    });
  });
});

describe('the head', () => {
  it('is never below what is in the log: a block is announced before the next answer about the head', async () => {
    const store = await market.open(SUBJECT, LANES);
    const head = async () => {
      const { headPosition, headTimeUs } = await readSubjectReadings(market.pool, 1, 'market');
      return { position: headPosition, timeUs: headTimeUs };
    };
    const placeOf = ({ position, timeUs }: BlockRef) => ({ position, timeUs });
    await append(store, appendMessage(events, 0n, 10n));
    expect(await head()).toEqual({ position: null, timeUs: null });
    await store.heartbeat(fakeBlock(15n));
    await append(store, appendMessage(events, 11n, 12n));
    expect(await head()).toEqual(placeOf(fakeBlock(15n)));
    await append(store, appendMessage(events, 13n, 16n));
    expect(await head()).toEqual(placeOf(fakeBlock(16n)));
    // What the source itself says counts, also when it lags.
    await store.heartbeat(fakeBlock(14n));
    expect(await head()).toEqual(placeOf(fakeBlock(14n)));
  });
});

describe('what operators released', () => {
  it('is counted by action, without what failed again at the same event and what the chain did', async () => {
    await market.open(SUBJECT, LANES);
    const { releases: before } = await readSubjectReadings(market.pool, 1, 'market');
    expect(before).toEqual([
      { action: 'retry', aggregates: 0 },
      { action: 'skip', aggregates: 0 },
    ]);
    const rows = [
      [1, 'retry', 'released'],
      [1, 'retry', 'parked-again'],
      [1, 'retry', 'unchanged'],
      [1, 'skip', 'released'],
      [1, 'late', 'released'],
      [1, 'invalidate', 'gone'],
      [2, 'retry', 'released'],
    ];
    for (const [subject, action, outcome] of rows) {
      await market.pool.query(
        `INSERT INTO park_actions (subject, aggregate_type, aggregate_id, from_seq_no, action, outcome, acted_by)
         VALUES ($1, 'order', 'a', 1, $2, $3, 'somebody')`,
        [subject, action, outcome],
      );
    }
    expect((await readSubjectReadings(market.pool, 1, 'market')).releases).toEqual([
      { action: 'retry', aggregates: 2 },
      { action: 'skip', aggregates: 1 },
    ]);
  });
});

describe('registered subjects', () => {
  it('are those that the observer has lanes on', async () => {
    expect(await registeredSubjects(market.pool, 'market')).toEqual([]);
    await market.open(SUBJECT, LANES);
    expect(await registeredSubjects(market.pool, 'market')).toEqual([
      { subject: 1, subjectId: SUBJECT, lanes: LANES, startPosition: 0n },
    ]);
    expect(await registeredSubjects(market.pool, 'another')).toEqual([]);
  });
});
