import { bloomIncludes, bloomOf } from './bloom';
import { toNumber } from './hex';
import { listOf, logsOf, type Json, type RecordedBlock } from './recording';

/**
 * What is wrong with the recorded blocks, one line each, naming file and block; empty when nothing is. Of a whole block
 * it proves that transactions, receipts and logs are complete, numbered without a hole and of this block, and that the
 * header's logsBloom is that of the logs; of part of a block, that what is there agrees. Blocks that follow each other
 * must be linked. A bloom does not cover data, nor a log that repeats the address and topics of others; hashes of headers
 * and roots, which do, are not recomputed.
 */
export function verifyRecordings(blocks: readonly RecordedBlock[]): string[] {
  const found = blocks.flatMap((block) =>
    verifyBlock(block).map((p) => `${block.file}: block ${block.number}: ${p}`),
  );
  const byNumber = new Map(blocks.map((block) => [block.number, block]));
  for (const block of blocks) {
    const parent = byNumber.get(block.number - 1);
    if (parent !== undefined && block.parentHash !== parent.hash) {
      found.push(
        `${block.file}: block ${block.number}: its parent is ${block.parentHash}, but block ${parent.number} in ${parent.file} is ${parent.hash}`,
      );
    }
  }
  return found;
}

function verifyBlock(block: RecordedBlock): string[] {
  try {
    return [...block.problems, ...(block.extent === 'synthetic' ? [] : [...faultsOf(block)])];
  } catch (error) {
    return [`it cannot be checked: ${(error as Error).message}`];
  }
}

function* faultsOf(block: RecordedBlock): Generator<string> {
  const { transactions, receipts } = block;
  const whole = block.extent === 'whole';
  if (receipts.length !== transactions.length) {
    yield `it has ${transactions.length} transactions, but ${receipts.length} receipts`;
  }
  const missing = receipts.findIndex((receipt) => receipt === null);
  if (missing !== -1) yield `the receipt of transaction ${missing} is missing`;
  for (const [i, tx] of transactions.entries()) {
    if (whole && toNumber(tx['transactionIndex']) !== i) {
      yield `transaction ${i} has the index ${String(tx['transactionIndex'])}`;
      break;
    }
  }
  for (const [i, receipt] of receipts.entries()) {
    const tx = transactions[i];
    if (receipt !== null && tx !== undefined && receipt['transactionHash'] !== tx['hash']) {
      yield `receipt ${i} is of ${String(receipt['transactionHash'])}, not of transaction ${String(tx['hash'])}`;
      break;
    }
  }
  const logs = logsOf(block);
  const parts = [...transactions, ...receipts.filter((r) => r !== null), ...logs];
  const foreign = parts.find(
    (part) => part['blockHash'] !== block.hash || toNumber(part['blockNumber']) !== block.number,
  );
  if (foreign !== undefined) {
    yield `${nameOf(foreign)} is of block ${String(foreign['blockNumber'])} ${String(foreign['blockHash'])}, not ${block.hash}`;
  }
  const indexes = logs.map((log) => toNumber(log['logIndex']));
  const hole = indexes.findIndex((index, i) => (whole ? index !== i : i > 0 && index <= indexes[i - 1]!));
  if (hole !== -1) yield `log ${hole} has the logIndex ${indexes[hole]}: a log is missing or out of order`;
  for (const [i, receipt] of receipts.entries()) {
    const stated = receipt?.['logsBloom'];
    // Of a part, receipts too keep only some of their logs.
    if (
      whole &&
      receipt &&
      stated !== undefined &&
      String(stated).toLowerCase() !== bloomOf(listOf(receipt, 'logs'))
    ) {
      yield `the logsBloom of receipt ${i} is not that of its logs: one is missing or altered`;
      break;
    }
  }
  const bloom = bloomOf(logs);
  const header = String(block.header['logsBloom']).toLowerCase();
  if (whole && bloom !== header)
    yield `its logsBloom is not that of its ${logs.length} logs: one is missing or altered`;
  if (!whole && !bloomIncludes(header, bloom)) yield 'a log is not in its logsBloom: it is altered';
}

function nameOf(part: Json): string {
  if (part['logIndex'] !== undefined) return `log ${toNumber(part['logIndex'])}`;
  return `transaction or receipt ${String(part['hash'] ?? part['transactionHash'])}`;
}
