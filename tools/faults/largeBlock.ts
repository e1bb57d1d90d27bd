// A program for a spec: takes one block of 20,000 events into a database and executes it, in as much memory as it is given.
import { Pool } from 'pg';
import { type Event } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { marketEventCodec, marketReducers } from '@imart/market';
import {
  createExecutor,
  createLane,
  createPipelineStats,
  noSnapshots,
  RUN_EVENTS_MAX_DEFAULT,
} from '@imart/pipeline';
import { createSubjectStore, openSubject } from '@imart/storage';
import { appendMessage } from '../../libs/testing/src/fakeSubject';
import { createMarketScript, SUBJECT } from '../../libs/testing/src/marketEvents';

const EVENTS = 20_000;

async function main(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 3 });
  const observer = { name: 'market', subjectId: SUBJECT, reducers: marketReducers };
  const { subject } = await openSubject(pool, {
    identity: { subjectId: SUBJECT, genesisHash: '0x00' },
    observer: observer.name,
    lanes: 1,
    startPosition: 0n,
    followed: '',
  });
  const codec = marketEventCodec;
  const store = createSubjectStore({ pool, subject, lanes: 1, observer, codec, seqNos: evmSeqNo });
  const script = createMarketScript();
  for (let i = 0; i < EVENTS; i++) script.listed(`${i}`, { price: BigInt(i) });
  const events: readonly Event[] = script.events;
  await store.transaction(async (tx) => {
    const { lastFeedNo } = await tx.lockIngest();
    await tx.append(await store.prepareAppend(appendMessage(events, 0n, 1n), lastFeedNo + 1n));
  });
  const executor = createExecutor({ store, observer, cachedStatesMax: 1_000, parkedAggregatesMax: 10 });
  await createLane({
    lane: 0,
    store,
    executor,
    snapshotRule: noSnapshots,
    runEventsMax: RUN_EVENTS_MAX_DEFAULT,
    stats: createPipelineStats(),
    now: () => 0,
  }).advance();
  await pool.end();
  console.log(`executed ${events.length} events of one block`);
}

void main(process.argv[2] ?? '');
