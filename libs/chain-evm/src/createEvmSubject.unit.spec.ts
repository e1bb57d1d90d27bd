import { evmSeqNo } from './seqNo';
import type { FakeBlock } from './testing/fakeChain';
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
});

describe('who the chain is', () => {
  const { signal } = new AbortController();

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
