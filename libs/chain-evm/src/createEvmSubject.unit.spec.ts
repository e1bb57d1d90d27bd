import { evmSeqNo, type SubjectMessage, type AppendMessage } from '@imart/core';
import { waitMs } from '@imart/pipeline';
import { createFakeChain, type FakeBlock } from './testing/fakeChain';
import {
  appends,
  createRangeKit,
  expectContiguous,
  fromStart,
  places,
  placesOf,
  sparseChain,
  type RangeKit,
} from './testing/rangeReading';
import { sale, word } from './testing/subjectKit';

let kit: RangeKit;
beforeEach(() => (kit = createRangeKit()));
afterEach(() => kit.close());

describe('reading a chain to its end', () => {
  it('gives every log at its place, in contiguous ranges, then ends', async () => {
    const chain = sparseChain(300);
    const rpc = await kit.node(chain);
    const messages = await kit.take(
      kit.subject([rpc], { endBlock: 300n, ranges: { firstBlocks: 20, maxBlocks: 30 } }),
    );
    expect(places(messages)).toEqual(placesOf(chain));
    expectContiguous(messages);
    expect(messages.at(-1)).toEqual({ kind: 'end', atPosition: 300n });
    expect(messages.find(({ kind }) => kind === 'heartbeat')).toMatchObject({
      head: { position: 300n, hash: chain.blocks[300]?.hash },
    });
    const event = appends(messages)[0]?.events[0];
    expect(event?.source).toMatchObject({
      timeUs: BigInt((chain.blocks[1] as FakeBlock).timestamp) * 1_000_000n,
      blockHash: chain.blocks[1]?.hash,
    });
  });

  it('remembers every block above finality, and of the others the last of each range', async () => {
    const chain = sparseChain(200);
    const rpc = await kit.node(chain, { finalized: 150 });
    const messages = await kit.take(
      kit.subject([rpc], { endBlock: 200n, ranges: { firstBlocks: 40, maxBlocks: 40 } }),
    );
    const remembered = appends(messages).flatMap(({ blocks }) => blocks);
    expect(remembered.filter(({ position }) => position > 150n).map(({ position }) => position)).toEqual(
      Array.from({ length: 50 }, (_, i) => BigInt(151 + i)),
    );
    expect(remembered.filter(({ position }) => position <= 150n).map(({ position }) => position)).toEqual([
      39n,
      79n,
      119n,
      150n,
    ]);
    expect(messages.filter(({ kind }) => kind === 'finalize')).toEqual([
      { kind: 'finalize', upToSeqNo: evmSeqNo.last(150n), position: 150n },
    ]);
  });

  it('tells catching up from following', async () => {
    const rpc = await kit.node(sparseChain(200), { finalized: 150 });
    const messages = await kit.take(
      kit.subject([rpc], { endBlock: 200n, catchUpDistanceBlocks: 32, unfinalizedRangeBlocksMax: 10 }),
    );
    expect(appends(messages).every(({ toPosition, catchingUp }) => catchingUp === toPosition < 168n)).toBe(
      true,
    );
    expect(appends(messages).some(({ catchingUp }) => !catchingUp)).toBe(true);
  });

  it('asks for no header of a block whose logs tell its time', async () => {
    const chain = sparseChain(300);
    const rpc = await kit.node(chain, { blockTimestamps: true });
    const messages = await kit.take(
      kit.subject([rpc], { endBlock: 200n, ranges: { firstBlocks: 50, maxBlocks: 50 } }),
    );
    expect(places(messages)).toEqual(placesOf(chain, 200));
    // Two for each range, block 0 apart, and those of the head and of finality.
    expect(rpc.count('eth_getBlockByNumber')).toBeLessThanOrEqual(2 * 5 + 4);
    expect(appends(messages)[0]?.events[0]?.source.timeUs).toBe(
      BigInt((chain.blocks[1] as FakeBlock).timestamp) * 1_000_000n,
    );
  });

  it('looks at the head now and then while it reads, and says what is final', async () => {
    const chain = sparseChain(100);
    const rpc = await kit.node(chain, { finalized: 100 });
    const messages = await kit.take(
      kit.subject([rpc], {
        endBlock: 100n,
        catchUpPollIntervalMs: 0,
        ranges: { firstBlocks: 20, maxBlocks: 20 },
      }),
    );
    const kinds = messages.map((message) =>
      message.kind === 'finalize' ? `final ${message.position}` : message.kind,
    );
    expect(kinds).toEqual([
      ...[19, 39, 59, 79, 99, 100].flatMap((to) => ['heartbeat', 'append', `final ${to}`]),
      'end',
    ]);
    expect(places(messages)).toEqual(placesOf(chain));
  });

  it('goes on from where it was, and gives the same events', async () => {
    const chain = sparseChain(200);
    const rpc = await kit.node(chain);
    const whole = await kit.take(kit.subject([rpc], { endBlock: 200n }));
    const first = await kit.take(kit.subject([rpc], { endBlock: 77n }));
    const window = appends(first)
      .flatMap(({ blocks }) => blocks)
      .slice(-1);
    const rest = await kit.take(kit.subject([rpc], { endBlock: 200n, ranges: { firstBlocks: 7 } }), {
      ...fromStart,
      nextPosition: 78n,
      window,
    });
    expectContiguous(rest, 78n);
    expect([...appends(first), ...appends(rest)].flatMap(({ events }) => events)).toEqual(
      appends(whole).flatMap(({ events }) => events),
    );
  });

  it('ends at once when it was there already', async () => {
    const rpc = await kit.node(sparseChain(20));
    expect(
      await kit.take(kit.subject([rpc], { endBlock: 10n }), { ...fromStart, nextPosition: 11n }),
    ).toEqual([{ kind: 'end', atPosition: 10n }]);
  });

  it('waits for an end beyond the head, saying so once', async () => {
    const chain = sparseChain(20);
    const rpc = await kit.node(chain);
    const messages = await kit.take(kit.subject([rpc], { endBlock: 23n }), fromStart, ({ kind }) => {
      if (
        kind === 'heartbeat' &&
        rpc.count('eth_chainId') > 0 &&
        chain.head < 25 &&
        kit.lines.some(({ message }) => message.startsWith('END_BLOCK'))
      )
        chain.mine([sale]);
      return false;
    });
    expect(messages.at(-1)).toEqual({ kind: 'end', atPosition: 23n });
    expect(kit.lines.filter(({ message }) => message.startsWith('END_BLOCK'))).toEqual([
      { level: 'info', message: expect.any(String) as string, fields: { head: 20, block: 23 } },
    ]);
  });

  it('ends without an error when it is told to', async () => {
    const rpc = await kit.node(sparseChain(20));
    const messages = await kit.take(kit.subject([rpc]), fromStart, ({ kind }) => {
      if (kind === 'append') kit.end();
      return false;
    });
    expect(messages.at(-1)?.kind).toBe('append');
  });

  it('reads no further than executed events allow (P19)', async () => {
    const chain = sparseChain(400);
    const rpc = await kit.node(chain);
    const subject = kit.subject([rpc], {
      endBlock: 400n,
      eventsAheadMax: 20,
      rangesInFlightMax: 2,
      ranges: { firstBlocks: 10, maxBlocks: 10 },
    });
    const iterator = subject.messages(fromStart, kit.signal)[Symbol.asyncIterator]();
    let last: AppendMessage | null = null;
    const all: SubjectMessage[] = [];
    // Nothing is executed: it must come to rest.
    let pending = iterator.next();
    const step = async (): Promise<boolean> => {
      const result = await Promise.race([pending, waitMs(150, kit.signal).then(() => null)]);
      if (result === null || result.done === true) return false;
      all.push(result.value);
      if (result.value.kind === 'append') last = result.value;
      pending = iterator.next();
      return true;
    };
    while (await step());
    const rested = places(all).length;
    expect(rested).toBeGreaterThan(20);
    expect(rested).toBeLessThanOrEqual(20 + 3 * 10);
    for (let more = true; more;) {
      subject.executed((last as unknown as AppendMessage).toSeqNo);
      more = await step();
    }
    expect(places(all)).toEqual(placesOf(chain));
  });
});

describe('who the chain is', () => {
  const { signal } = new AbortController();

  it('is its id and the hash of its first block', async () => {
    const chain = sparseChain(3);
    expect(await kit.subject([await kit.node(chain)]).identify(signal)).toEqual({
      subjectId: 'eip155:1',
      genesisHash: chain.blocks[0]?.hash,
    });
  });

  it('is refused when all endpoints serve another chain (P14)', async () => {
    const other = await kit.node(createFakeChain(3, 5));
    await expect(kit.subject([other]).identify(signal)).rejects.toMatchObject({
      code: 'WRONG_CHAIN',
      disposition: 'stop',
    });
  });

  it('needs a stated hash where nobody has the first block, which must agree where somebody has', async () => {
    const chain = sparseChain(3);
    const rpc = await kit.node(chain, {
      changeResult: (_, [number], result) => (number === '0x0' ? null : result),
    });
    await expect(kit.subject([rpc]).identify(signal)).rejects.toMatchObject({ code: 'GENESIS_UNAVAILABLE' });
    expect(await kit.subject([rpc], { genesisHash: word(7) }).identify(signal)).toMatchObject({
      genesisHash: word(7),
    });
    await expect(
      kit.subject([await kit.node(chain)], { genesisHash: word(7) }).identify(signal),
    ).rejects.toMatchObject({ code: 'WRONG_GENESIS' });
  });
});
