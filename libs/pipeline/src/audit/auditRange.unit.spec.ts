import { type DiscoveredContract, type Event } from '@imart/core';
import { marketEventCodec } from '@imart/market';
import {
  blockSeqNo,
  address,
  ALICE,
  append,
  createFakeRangeSource,
  createInMemorySubjectStore,
  createMarketScript,
  appendMessage,
  fakeBlock,
  MARKET,
  MARKET_OBSERVER,
  silentLogger,
  SUBJECT,
  type FakeRangeSourceOptions,
} from '@imart/testing';
import { auditRange, invalidate, type RangeAudit } from '../index';

const never = new AbortController().signal;

/** Compares a log with a source, blocks 0 to 9. */
async function audit(
  log: readonly Event[],
  discovered: readonly DiscoveredContract[],
  source: Omit<FakeRangeSourceOptions, 'subjectId'>,
): Promise<RangeAudit> {
  const store = createInMemorySubjectStore({ subjectId: SUBJECT, lanes: 1, observer: MARKET_OBSERVER });
  await append(store, { ...appendMessage(log, 0n, 9n), discovered });
  return auditRange(
    {
      store,
      passes: store,
      source: createFakeRangeSource({ ...source, subjectId: SUBJECT }),
      codec: marketEventCodec,
      seqNos: blockSeqNo,
    },
    { fromPosition: 0n, toPosition: 9n, depth: 'thorough' },
    never,
  );
}
const at = (event: Event, contract: string): Event => ({
  ...event,
  source: { ...event.source, address: contract },
});

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
          { kind: 'invalidate', fromSeqNo: blockSeqNo.first(5n), ancestor: fakeBlock(4n) },
          epoch,
        );
      },
    });
    const options = { store, passes: store, source, codec: marketEventCodec, seqNos: blockSeqNo };
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

  it('leaves an event alone that nobody follows any more, also in a block that it reads whole for another one', async () => {
    const { events } = createMarketScript().listed('1', { price: 1n }).minted(ALICE);
    const [listed, minted] = events as readonly Event[] as [Event, Event];
    const foreign = at(minted, address('another'));
    const other = { ...listed, data: { ...(listed.data as object), price: 2n } };
    // The chain does not even have it.
    const found = await audit([listed, foreign], [], {
      events: () => [other],
      contracts: new Set([MARKET]),
    });
    expect(found).toMatchObject({
      kind: 'compared',
      differences: [{ kind: 'different', stored: listed, read: other }],
      unfollowed: 1,
      change: { replaced: [other], retracted: [] },
    });
  });

  it('leaves an event alone that a followed contract wrote when nobody of now followed it yet', async () => {
    const [factory, child] = [address('factory'), address('child')];
    const { events } = createMarketScript()
      .minted(ALICE, 1n)
      .nextBlock()
      .listed('1')
      .nextBlock()
      .minted(ALICE, 2n);
    const [before, made, after] = events as readonly Event[] as [Event, Event, Event];
    // It was followed by settings of its own then; now it is because a factory names it, from there on.
    const log = [at(before, child), at(made, factory), at(after, child)];
    const { position, index } = made.source;
    const discoveredAt = blockSeqNo.encode(position, index, 0);
    const found = await audit(log, [{ address: child, kind: 'erc721', discoveredAt }], {
      events: () => log,
      contracts: new Set([factory]),
      names: ({ source }) => (source.address === factory ? child : null),
    });
    expect(found).toMatchObject({
      kind: 'compared',
      differences: [],
      contracts: [],
      unfollowed: 1,
      change: null,
    });
  });

  it('tells of another branch, and of no difference, when the source has another block than the log (P6)', async () => {
    const { events } = createMarketScript().listed('1').nextBlock().listed('2');
    const another = { ...fakeBlock(9n), hash: `0x${'bb'.repeat(32)}` };
    const found = await audit(events as readonly Event[], [], {
      events: () => [],
      block: (position) => (position === 9n ? another : fakeBlock(position)),
    });
    expect(found).toEqual({
      kind: 'other-branch',
      range: { fromPosition: 0n, toPosition: 9n },
      position: 9n,
      stored: fakeBlock(9n).hash,
      read: another.hash,
    });
  });
});
