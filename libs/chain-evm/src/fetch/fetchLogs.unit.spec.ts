import fc from 'fast-check';
import { createAdaptiveRange } from '../ranges/adaptiveRange';
import type { RpcCall } from '../rpc/batch';
import type { RpcEndpoint } from '../rpc/endpoint';
import { RpcRangeLimitError, RpcTimeoutError, type RangeHint } from '../rpc/errors';
import { createLogReader } from './canonicalLog';
import { fetchLogs } from './fetchLogs';
import { createLogNumbering } from './logNumbering';
import type { FetchContext } from './readAnswers';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const hex = (n: number) => `0x${n.toString(16)}`;
const place = { endpoint: 'rpc#1', method: 'eth_getLogs' };

/** A node with one log in each block, which refuses as it is told to. Answered ranges are recorded. */
function nodeThat(
  refuse: (from: number, to: number) => RangeHint | null,
  answered: [number, number][],
): RpcEndpoint {
  const block = (number: number) => ({
    number: hex(number),
    hash: word(number + 1),
    parentHash: word(number),
    timestamp: '0x1',
  });
  const log = (number: number) => ({
    address: `0x${'1'.repeat(40)}`,
    topics: [],
    data: '0x',
    blockNumber: hex(number),
    blockHash: word(number + 1),
    transactionHash: word(number),
    transactionIndex: '0x0',
    logIndex: '0x0',
  });
  const answer = ({ method, params }: RpcCall): unknown => {
    if (method !== 'eth_getLogs') return block(Number(params[0]));
    const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    const hint = refuse(from, to);
    if (hint !== null) throw new RpcRangeLimitError(place, 'too much', hint);
    answered.push([from, to]);
    return Array.from({ length: to - from + 1 }, (_, i) => log(from + i));
  };
  const together = (calls: readonly RpcCall[]) => {
    try {
      return Promise.resolve(calls.map(answer));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  };
  const stats = { endpoint: 'rpc#1', requests: 0, calls: 0, receivedChars: 0, errors: {}, inFlight: 0 };
  return {
    label: 'rpc#1',
    stats,
    together,
    many: together,
    call: () => Promise.reject(new Error('unused')),
    close: () => undefined,
  };
}

const contextOf = (endpoint: RpcEndpoint, firstBlocks: number): FetchContext => ({
  endpoint,
  sizes: createAdaptiveRange({ firstBlocks, maxBlocks: 1_000, targetLogs: 300 }),
  reader: createLogReader(),
  signal: new AbortController().signal,
  skipped: () => undefined,
  checkBlooms: false,
  numbering: createLogNumbering(() => undefined),
  leftOut: () => undefined,
  bloomAlarm: () => undefined,
});

it('asks for parts that are disjoint, in order, and together the range, whatever the node refuses (Q9, P9)', async () => {
  const hint = fc.record({
    suggested: fc.option(
      fc.record({ from: fc.integer({ min: -50, max: 300 }), to: fc.integer({ min: -50, max: 300 }) }),
    ),
    blocksMax: fc.option(fc.integer({ min: 1, max: 500 })),
    logsMax: fc.option(fc.integer({ min: 1, max: 500 })),
  });
  const inputs = fc.record({
    from: fc.nat(1_000),
    blocks: fc.integer({ min: 1, max: 300 }),
    limit: fc.integer({ min: 1, max: 120 }),
    firstBlocks: fc.integer({ min: 1, max: 400 }),
    // What it suggests, relative to the range that was asked for: right, wrong, inverted, equal.
    hints: fc.array(hint, { minLength: 1, maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(inputs, async ({ from, blocks, limit, firstBlocks, hints }) => {
      const answered: [number, number][] = [];
      let refusals = 0;
      const refuse = (low: number, high: number): RangeHint | null => {
        if (high - low + 1 <= limit) return null;
        const { suggested, ...rest } = hints[refusals++ % hints.length] as RangeHint;
        return {
          ...rest,
          suggested: suggested === null ? null : { from: low + suggested.from, to: low + suggested.to },
        };
      };
      const range = { from, to: from + blocks - 1 };
      const fetched = await fetchLogs(
        contextOf(nodeThat(refuse, answered), firstBlocks),
        [{ topics: [] }],
        range,
        false,
      );
      expect(fetched.logs.map(({ blockNumber }) => blockNumber)).toEqual(
        Array.from({ length: blocks }, (_, i) => from + i),
      );
      expect([fetched.first.number, fetched.last.number]).toEqual([range.from, range.to]);
      // A round number of logs is asked for twice: the halves are what counts.
      const counted = answered.filter(([low, high]) => ![100, 500].includes(high - low + 1));
      let next = from;
      for (const [low, high] of counted) {
        expect(low).toBe(next);
        next = high + 1;
      }
      expect(next).toBe(range.to + 1);
    }),
    { verbose: 1 },
  );
});

it('asks for less after a time-out, and leaves the other attempt to the caller', async () => {
  const answered: [number, number][] = [];
  let slow = true;
  const endpoint = nodeThat((from, to) => {
    if (slow && to - from >= 50) throw new RpcTimeoutError(place, 'no answer');
    return null;
  }, answered);
  const context = contextOf(endpoint, 80);
  await expect(fetchLogs(context, [{ topics: [] }], { from: 0, to: 79 }, false)).rejects.toThrow(
    RpcTimeoutError,
  );
  expect(context.sizes.blocks).toBe(40);
  await fetchLogs(context, [{ topics: [] }], { from: 0, to: 79 }, false);
  expect(answered).toEqual([
    [0, 39],
    [40, 79],
  ]);
  slow = false;
});
