import { WorkerError } from '@imart/core';
import { compileEventDecoder, EventDecodeError } from '../abi';
import type { EvmLog, EvmReceipt } from '../log';
import type { MarketTransaction } from '../marketplace';

/** A token that changed hands in a transaction. */
export interface TokenTransfer {
  readonly logIndex: number;
  readonly from: string;
  readonly to: string;
  readonly quantity: bigint;
}

export const transfer = compileEventDecoder<{ from: string; to: string; tokenId: bigint }>(
  'Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
);
export const transferSingle = compileEventDecoder<{ from: string; to: string; id: bigint; value: bigint }>(
  'TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
);
export const transferBatch = compileEventDecoder<{
  from: string;
  to: string;
  ids: bigint[];
  values: bigint[];
}>(
  'TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
);

function transferIn(log: EvmLog, tokenId: bigint): TokenTransfer | null {
  const { topics, data, logIndex } = log;
  // An ERC-20 Transfer has the same topic and one topic less (D6).
  if (topics[0] === transfer.topic0 && topics.length === transfer.topicCount) {
    const event = transfer.decode(topics, data);
    return event.tokenId === tokenId ? { logIndex, from: event.from, to: event.to, quantity: 1n } : null;
  }
  if (topics[0] === transferSingle.topic0 && topics.length === transferSingle.topicCount) {
    const { from, to, id, value } = transferSingle.decode(topics, data);
    return id === tokenId ? { logIndex, from, to, quantity: value } : null;
  }
  if (topics[0] === transferBatch.topic0 && topics.length === transferBatch.topicCount) {
    const { from, to, ids, values } = transferBatch.decode(topics, data);
    const quantity = ids.reduce((sum, id, i) => (id === tokenId ? sum + (values[i] ?? 0n) : sum), 0n);
    return quantity > 0n ? { logIndex, from, to, quantity } : null;
  }
  return null;
}

/** The transfers of one token in a transaction, in the order in which they happened. */
export function transfersOf(receipt: EvmReceipt, collection: string, tokenId: bigint): TokenTransfer[] {
  const found: TokenTransfer[] = [];
  for (const log of receipt.logs) {
    if (log.address !== collection) continue;
    try {
      const one = transferIn(log, tokenId);
      if (one !== null) found.push(one);
    } catch (error) {
      // A token contract may log what it likes: what is no transfer is no witness.
      if (!(error instanceof EventDecodeError)) throw error;
    }
  }
  return found;
}

/** @throws {WorkerError} `park` when it was not given although `needsReceipt` asks for it. */
export function receiptOf(transaction: MarketTransaction, market: string): EvmReceipt {
  if (transaction.receipt !== null) return transaction.receipt;
  throw new WorkerError(
    `${market}: transaction ${transaction.hash} cannot be understood without its receipt`,
    {
      code: 'RECEIPT_MISSING',
      disposition: 'park',
      fields: { market, txHash: transaction.hash },
    },
  );
}
