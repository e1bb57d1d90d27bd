import { evmSeqNo } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  append,
  createFakeRangeSource,
  createInMemorySubjectStore,
  createMarketScript,
  appendMessage,
  fakeBlock,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
} from '@imart/testing';
import { auditRange, invalidate } from '../index';

const never = new AbortController().signal;

describe('a range that is read a second time', () => {
  it('is to be chosen again when a reorg meanwhile left less than that in the log: nothing beyond its end is missing', async () => {
    const { events } = createMarketScript().listed('1').nextBlock(5n).filled('1').nextBlock(3n).listed('1');
    const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
    await append(store, appendMessage(events, 0n, 9n));
    const source = createFakeRangeSource({
      subjectId: SUBJECT,
      events: () => events,
      // The source is on the new branch already, which has the same blocks here.
      onRead: async () => {
        const { epoch } = await store.progress();
        await invalidate(
          { store, observer: MARKET_OBSERVER, logger: silentLogger },
          { kind: 'invalidate', fromSeqNo: evmSeqNo.first(5n), ancestor: fakeBlock(4n) },
          epoch,
        );
      },
    });
    const options = { store, passes: store, source, codec: marketEventCodec, seqNos: evmSeqNo };
    const whole = { fromPosition: 0n, toPosition: 9n, depth: 'thorough' } as const;
    await expect(auditRange(options, whole, never)).rejects.toMatchObject({
      code: 'EPOCH_MOVED',
      disposition: 'retry',
    });
    expect((await store.progress()).nextPosition).toBe(5n);
    // What is left of it is right.
    expect(await auditRange(options, { ...whole, toPosition: 4n }, never)).toMatchObject({
      kind: 'compared',
      differences: [],
      change: null,
    });
  });
});
