import { randomUUID } from 'node:crypto';
import { marketEventCodec, marketReducers } from '@imart/market';
import { anyAggregate, createEventService, createEventWorker } from '@imart/event-service';
import {
  blockSeqNo,
  append,
  executeLanes,
  marketOfEverything,
  silentLogger,
  stockItem,
  SUBJECT,
  wholeRange,
} from '@imart/testing';
import { reducerVersionsText, storedReducerVersions } from '../passes/reducerVersions';
import { createReadDatabase, readLanes, readStaleSubjects, readStatus, type ReadDatabase } from '../read';
import { subjectNumber } from '../read/database';
import { replay } from '../replay';
import { ensureSecondaryIndexes } from '../secondaryIndexes';
import { createMarketDatabase, VIEWS_FILE, type MarketDatabase } from '../testing/marketDatabase';
import { startTestServer, type TestServer } from '../testing/testDatabase';
import { openCommands } from './openCommands';

let server: TestServer;
let market: MarketDatabase;
let reading: ReadDatabase;

beforeAll(async () => {
  server = await startTestServer();
  market = await createMarketDatabase(server);
  reading = createReadDatabase({ seqNosOf: () => blockSeqNo, connectionString: market.database.url });
});
afterAll(async () => {
  await reading?.close();
  await market?.close();
  await server?.stop();
});

const observer = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };
const definition = anyAggregate(stockItem);

/** Commands in the database of a chain: each type of subject has what is its own. */
it('commands leave a chain in the same database alone, and it leaves them', async () => {
  const { store } = await openCommands({ pool: market.pool, definition });
  const service = createEventService({
    stores: new Map([['stock-item', { definition, store }]]),
    newId: randomUUID,
    random: Math.random,
  });
  const worker = createEventWorker({
    definition,
    store,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.now(),
    parkedAggregatesMax: 10,
  });
  const add = async (): Promise<void> => {
    await service.request({ type: 'stock-item', id: 'pen', name: 'Added', data: { quantity: 1 } });
    await worker.drain(new AbortController().signal);
  };
  await add();

  // Commands were executed before, but no state of a chain is of an older program.
  expect(await storedReducerVersions(market.pool, observer)).toBe(reducerVersionsText(observer));
  const chain = await market.open(SUBJECT, 2);
  const { events } = marketOfEverything();
  await append(chain, wholeRange(events));
  await executeLanes(chain);
  // Whatever versions the chain's states are of, lanes of commands go on.
  await add();
  expect((await store.subject.progress()).executed).toBe(2n);

  const subjects = (await readStatus(reading)).subjects.map(({ subject }) => subject);
  expect(subjects).toEqual([SUBJECT]);
  expect((await readStaleSubjects(reading, 60_000)).map(({ subject }) => subject)).toEqual([SUBJECT]);
  expect(new Set((await readLanes(reading)).map(({ subject }) => subject))).toEqual(new Set([SUBJECT]));
  await expect(subjectNumber(reading, 'commands:stock-item')).rejects.toMatchObject({
    code: 'UNKNOWN_SUBJECT',
  });

  const client = await market.pool.connect();
  await ensureSecondaryIndexes(client);
  client.release();
  const before = await market.contents(SUBJECT);
  const result = await replay({
    pool: market.pool,
    viewsFile: VIEWS_FILE,
    codec: marketEventCodec,
    seqNosOf: () => blockSeqNo,
    observerOf: () => observer,
    onDifference: 'refuse',
    onProgress: () => undefined,
  });
  expect(result).toMatchObject({ switched: true, events: events.length, differences: [] });
  expect(await market.contents(SUBJECT)).toEqual(before);
  await add();
  expect(await store.subject.parked()).toEqual([]);
});
