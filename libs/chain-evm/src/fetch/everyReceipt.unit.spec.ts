import type { RpcCall } from '../rpc/batch';
import { checkEveryReceipt, type CountedReceipt } from './everyReceipt';
import type { FetchContext } from './readAnswers';

const hash = (n: number): string => `0x${String(n).padStart(64, '0')}`;
const block = { number: 9, hash: hash(900) };

/** The n-th transaction's receipt, with logs of these indexes. */
function receipt(n: number, indexes: readonly number[], places = indexes.length): CountedReceipt {
  const place = {
    blockNumber: 9,
    blockHash: block.hash,
    transactionHash: hash(n),
    transactionIndex: n,
  };
  const log = { ...place, address: `0x${'a'.repeat(40)}`, topics: [], data: '0x' };
  return {
    ...place,
    from: `0x${'b'.repeat(40)}`,
    to: null,
    succeeded: true,
    logs: indexes.map((logIndex) => ({ ...log, logIndex })),
    places,
  } as CountedReceipt;
}

/** A node whose block lists so many transactions; `singly` are those that have a receipt when asked for by hash. */
function context(
  transactions: number,
  singly: readonly number[] = [],
  headerHash = block.hash,
): FetchContext {
  const header = {
    number: '0x9',
    hash: headerHash,
    parentHash: hash(800),
    timestamp: '0x1',
    logsBloom: `0x${'0'.repeat(512)}`,
    transactions: Array.from({ length: transactions }, (_, n) => hash(n)),
  };
  return {
    endpoint: {
      label: 'rpc#1 (test)',
      call: async () => header,
      together: async (calls: readonly RpcCall[]) =>
        calls.map(({ params }) => (singly.some((n) => hash(n) === params[0]) ? {} : null)),
    },
    signal: new AbortController().signal,
  } as unknown as FetchContext;
}

describe('the receipts of a block', () => {
  it('are whole when every transaction has one', async () => {
    await expect(
      checkEveryReceipt(context(3), block, [receipt(0, [0, 1]), receipt(1, []), receipt(2, [2])]),
    ).resolves.toBeUndefined();
  });

  it('are whole without those of transactions that were never executed, as Cronos lists them', async () => {
    await expect(
      checkEveryReceipt(context(3), block, [receipt(0, [0]), receipt(2, [1])]),
    ).resolves.toBeUndefined();
    await expect(checkEveryReceipt(context(1), block, [])).resolves.toBeUndefined();
  });

  it('are refused when one is missing that the node has: at the end, where no log index shows it', async () => {
    await expect(checkEveryReceipt(context(2, [1]), block, [receipt(0, [0])])).rejects.toThrow(
      `the receipt of transaction ${hash(1)} is missing`,
    );
  });

  it('are refused when log indexes have a hole, though the node denies the missing receipt', async () => {
    await expect(checkEveryReceipt(context(3), block, [receipt(0, [0]), receipt(2, [2])])).rejects.toThrow(
      'log 1 is in no receipt',
    );
  });

  it('are not refused for indexes that count by transaction, or for logs that cannot be read', async () => {
    await expect(
      checkEveryReceipt(context(2), block, [receipt(0, [0, 1]), receipt(1, [0])]),
    ).resolves.toBeUndefined();
    await expect(
      checkEveryReceipt(context(2), block, [receipt(0, [0], 2), receipt(1, [2])]),
    ).resolves.toBeUndefined();
  });

  it('are refused when the block is another one by now', async () => {
    await expect(checkEveryReceipt(context(1, [], hash(901)), block, [receipt(0, [0])])).rejects.toThrow(
      'it changed while its receipts were read',
    );
  });
});
