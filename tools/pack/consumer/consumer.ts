// What a user of the packages writes in TypeScript: compiled against the packed packages, and run.
import assert from 'node:assert';
import { join } from 'node:path';
import {
  evmSeqNo,
  findMarketplace,
  loadMarketplace,
  MarketplaceFileError,
  type EmitMarketEvent,
  type Marketplace,
} from '@imart/chain-evm';
import { WorkerError, type Disposition, type Event, type SubjectId } from '@imart/core';
import { defineAggregate, testAggregate } from '@imart/event-service';
import { AGGREGATE, marketEventCodec, marketReducers, type MarketEventData } from '@imart/market';
import { createStateCache, foldRun, noSnapshots, type FoldedRun } from '@imart/pipeline';
import { defineConfig, defineSetting, integer, loadConfig } from '@imart/runtime';
import { applyViews, migrate, prismaDirectory, readMigrationFiles } from '@imart/storage';
import { createWakeUpStream, laneQueueName, type WakeUpBackend } from '@imart/stream';
import {
  engineSettings,
  loadWorkerConfig,
  positionSettings,
  positionWords,
  readsChain,
  roleSettings,
  type WorkerConfig,
} from '@imart/worker';
// Its code runs in jest only.
import type { MarketScript } from '@imart/testing';
import { z } from 'zod';

const subjectId = 'eip155:1' as SubjectId;

/** An event, folded by the reducers of the market. */
function foldOneMint(): FoldedRun {
  const data: MarketEventData['TokenMinted'] = { to: `0x${'11'.repeat(20)}`, standard: 'erc721' };
  const event: Event = {
    subjectId,
    seqNo: evmSeqNo.encode(1n, 0, 0),
    aggregateType: AGGREGATE.token,
    aggregateId: `0x${'22'.repeat(20)}:7`,
    name: 'TokenMinted',
    data: marketEventCodec.decode('TokenMinted', marketEventCodec.encode('TokenMinted', data)),
    source: {
      position: 1n,
      index: 0,
      txHash: `0x${'33'.repeat(32)}`,
      blockHash: `0x${'44'.repeat(32)}`,
      timeUs: 1_600_000_000_000_000n,
      address: `0x${'22'.repeat(20)}`,
    },
  };
  return foldRun([event], {
    observer: { name: 'consumer', subjectId, reducers: marketReducers },
    cache: createStateCache(10, true),
    snapshotRule: noSnapshots,
    parked: new Set(),
  });
}

/** A marketplace of one's own has the type that the packages give it. */
const marketplace: Marketplace = {
  name: 'mine',
  topics: [`0x${'55'.repeat(32)}`],
  contracts: () => [],
  needsReceipt: () => false,
  translate: (transaction, emit: EmitMarketEvent) => {
    for (const log of transaction.logs) {
      emit(log, AGGREGATE.token, `${log.address}:1`, 'TokenBurned', {
        from: log.address,
        standard: 'erc721',
      });
    }
  },
};

export const sold = (script: MarketScript): MarketScript => script.listed('1').filled('1', { price: 5n });

async function main(): Promise<void> {
  const { activities, rows } = foldOneMint();
  assert.deepStrictEqual([activities.map((activity) => activity.kind), rows.length], [['MINT'], 1]);

  assert.strictEqual(findMarketplace('seaport-1.5')?.name, 'seaport-1.5');
  assert.strictEqual(findMarketplace(marketplace.name), undefined);
  const missing: unknown = await loadMarketplace('./missing.cjs').catch((error: unknown) => error);
  assert.ok(missing instanceof MarketplaceFileError && missing instanceof WorkerError);
  const disposition: Disposition = missing.disposition;
  assert.strictEqual(disposition, 'stop');

  const schema = defineConfig({
    sizeMax: defineSetting({
      name: 'SIZE_MAX',
      type: integer({ min: 1 }),
      default: '5',
      meaning: 'A bound.',
    }),
  });
  const sizeMax: number = loadConfig(schema, {}).config.sizeMax;
  assert.strictEqual(sizeMax, 5);

  type Events = { readonly Renamed: { readonly to: string } };
  const named = defineAggregate<string, Events>({
    type: 'named',
    events: { Renamed: { schema: z.object({ to: z.string() }) } },
    rules: [
      {
        name: 'another-name',
        refuses: (asked, marked) => (asked.data.to === marked?.data.to ? 'it has this name' : null),
      },
    ],
    reducer: { version: 1, initial: () => '', fold: (_state, { data }) => data.to },
  });
  const rename = { name: 'Renamed', data: { to: 'a' } } as const;
  testAggregate(named).given([]).when(rename).then([rename]).thenState('a');
  testAggregate(named).given([rename]).when(rename).then({ refusedBy: 'another-name' });

  assert.ok(readMigrationFiles(join(prismaDirectory(), 'migrations')).length > 0);
  const pool = {} as Parameters<typeof migrate>[0] & Parameters<typeof applyViews>[0];
  await assert.rejects(() => migrate(pool, 'nowhere'), WorkerError);

  const backend: WakeUpBackend = { kind: 'redis', url: 'redis://127.0.0.1:1' };
  assert.strictEqual(typeof createWakeUpStream, 'function');
  assert.match(laneQueueName('consumer', subjectId, 0, backend.kind), /consumer/);
  const worker = defineConfig({
    ...roleSettings,
    ...positionSettings(positionWords('version'), 9n),
    ...engineSettings,
  });
  const loaded = await loadWorkerConfig({ schema: worker }, { ROLE: 'apply', END_VERSION: '9' });
  const config: WorkerConfig = loaded.config;
  assert.deepStrictEqual([config.endPosition, readsChain(config)], [9n, false]);
  console.log(`consumer.ts used the packages (${backend.kind} not needed)`);
}

void main();
