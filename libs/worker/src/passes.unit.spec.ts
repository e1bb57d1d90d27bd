import { createPassStats, createPipelineStats, type SubjectStore } from '@imart/pipeline';
import { silentLogger } from '@imart/runtime';
import type { DatabasePool } from '@imart/storage';
import { blockSeqNo, createFakeRangeSource, MARKET_OBSERVER, SUBJECT } from '@imart/testing';
import { createWorkerPasses } from './passes';
import { positionWords } from './words';

describe('second readings of a process', () => {
  it('close their source when another process takes over, and are not blocked any more; their counts stay', async () => {
    const passStats = Object.assign(createPassStats(), { blocked: 'block 7 is not served', failures: 4 });
    let closed = 0;
    const passes = createWorkerPasses({
      readings: {
        openSource: () => ({
          source: createFakeRangeSource({ subjectId: SUBJECT, events: () => [] }),
          close: () => void closed++,
        }),
        followedAdded: () => [],
        positionsPerSecond: 5,
        depth: 'thorough',
      },
      followed: 'everything',
      words: positionWords('block'),
      seqNos: blockSeqNo,
      nearHeadPositions: 32n,
      // Nothing is asked of it: the lease is over at once.
      pool: {} as DatabasePool,
      subject: 1,
      store: { subjectId: SUBJECT },
      observer: MARKET_OBSERVER,
      stats: createPipelineStats(),
      passStats,
      logger: silentLogger,
      heights: () => ({ head: null, ingestedPosition: null }),
    });
    await passes.run({} as SubjectStore, () => false, AbortSignal.abort());
    expect(closed).toBe(1);
    expect(passStats).toMatchObject({ blocked: null, failures: 4 });
  });
});
