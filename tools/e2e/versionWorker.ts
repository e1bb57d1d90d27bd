// A worker whose chain has versions instead of blocks, no reorgs and no second readings: what an app gives, and nothing more.
import type { BlockRef, Event, Subject, SubjectId } from '@imart/core';
import { waitMs } from '@imart/pipeline';
import { defineConfig, defineSetting, text, type ConfigOf } from '@imart/runtime';
import {
  engineSettings,
  positionSettings,
  positionWords,
  programSettings,
  roleSettings,
  startWorker,
  whereChainIsRead,
  type OpenedChain,
  type ReadingConfigOf,
  type WorkerProgram,
} from '@imart/worker';
// Not by its name: the whole of it runs in jest only.
import { fakeBlock } from '../../libs/testing/src/fakeSubject';
import { createMarketScript } from '../../libs/testing/src/marketEvents';
import { versionSeqNo } from './versionSeqNo';

const VERSIONS = positionWords('version');
const SUBJECT_ID = 'versions:77' as SubjectId;
const seqNos = versionSeqNo;
/** Far below the head, so that the first of them are part of catching up. */
const LAST_VERSION = 200n;
const RANGE_VERSIONS = 10n;
const HEARTBEAT_MS = 20;

const schema = defineConfig({
  ...roleSettings,
  node: whereChainIsRead(defineSetting({ name: 'NODE', type: text, group: 'Chain', meaning: 'A node.' })),
  ...positionSettings(VERSIONS, seqNos.max.position),
  ...engineSettings,
});
type Config = ConfigOf<typeof schema>;
type Reading = ReadingConfigOf<typeof schema>;

/** Listings, of which every second one is sold, one event in every fifth version. */
function eventsOfChain(): readonly Event[] {
  const script = createMarketScript();
  for (let id = 1; id < 20; id++) {
    script.listed(`${id}`).nextBlock(5n);
    if (id % 2 === 0) script.filled(`${id}`).nextBlock(5n);
  }
  return script.events.map((event) => ({
    ...event,
    subjectId: SUBJECT_ID,
    seqNo: seqNos.encode(event.source.position, event.source.index, 0),
  }));
}

function createSubject(endPosition: bigint | undefined): Subject {
  const events = eventsOfChain();
  const last = endPosition ?? LAST_VERSION;
  const head: BlockRef = fakeBlock(LAST_VERSION);
  return {
    id: SUBJECT_ID,
    identify: async () => ({ subjectId: SUBJECT_ID, genesisHash: '0x77' }),
    executed: () => undefined,
    async *messages({ nextPosition }, signal) {
      yield { kind: 'heartbeat', head };
      for (let from = nextPosition; from <= last && !signal.aborted; from += RANGE_VERSIONS) {
        const to = from + RANGE_VERSIONS - 1n < last ? from + RANGE_VERSIONS - 1n : last;
        const within = events.filter(({ source }) => source.position >= from && source.position <= to);
        yield {
          kind: 'append',
          fromPosition: from,
          toPosition: to,
          toSeqNo: seqNos.last(to),
          events: within,
          blocks: [fakeBlock(to)],
          discovered: [],
          catchingUp: to < LAST_VERSION / 2n,
          sourceRecords: Number(to - from) + 1,
        };
        yield { kind: 'finalize', upToSeqNo: seqNos.last(to), position: to };
      }
      if (endPosition !== undefined && !signal.aborted) yield { kind: 'end', atPosition: endPosition };
      while (!signal.aborted) {
        yield { kind: 'heartbeat', head };
        await waitMs(HEARTBEAT_MS, signal);
      }
    },
  };
}

async function openFakeChain({ endPosition, node }: Reading): Promise<OpenedChain> {
  return {
    subject: createSubject(endPosition),
    followed: `everything at ${node}`,
    health: () => ({ ok: true }),
    registerMetrics: (metrics) =>
      void metrics.gauge('nodes', 'Nodes that are asked.', [], (gauge) => gauge.set(1)),
    summary: () => ({ nodes: 1 }),
    secondReadings: null,
  };
}

const program: WorkerProgram<Config, Reading> = {
  name: 'version-worker',
  summary: 'follows a chain of versions',
  words: { position: VERSIONS, records: 'transactions' },
  seqNos,
  namespace: 'versions',
  kindsBeside: [],
  chainSetting: 'NETWORK',
  nearHeadPositions: 100n,
  ...programSettings({ schema, environment: () => process.env }),
  subjectOf: () => null,
  openChain: openFakeChain,
};

startWorker(program, process.argv.slice(2));
