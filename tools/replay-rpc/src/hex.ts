import type { Json } from './recording';

/** Fields that are quantities in transactions, receipts and logs; a block's `nonce` is bytes. */
const QUANTITIES: ReadonlySet<string> = new Set([
  'baseFeePerGas',
  'blobGasPrice',
  'blobGasUsed',
  'blockNumber',
  'chainId',
  'cumulativeGasUsed',
  'difficulty',
  'effectiveGasPrice',
  'excessBlobGas',
  'gas',
  'gasLimit',
  'gasPrice',
  'gasUsed',
  'logIndex',
  'maxFeePerBlobGas',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'number',
  'size',
  'status',
  'timestamp',
  'totalDifficulty',
  'transactionIndex',
  'type',
  'v',
  'value',
  'yParity',
]);
const ADDRESSES: ReadonlySet<string> = new Set(['address', 'contractAddress', 'from', 'miner', 'to']);

/**
 * A quantity in any of the recorded forms (number, decimal or hex text, boolean, ethers' BigNumber) as JSON-RPC writes
 * it: 0x hex without leading zeros.
 */
export function quantity(value: unknown): string {
  if (typeof value === 'boolean') return value ? '0x1' : '0x0';
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new Error(`${value} is not an exact integer`);
  if (typeof value === 'number' || typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value))
    return `0x${BigInt(value).toString(16)}`;
  if (typeof value === 'object' && value !== null && 'hex' in value) return quantity(value.hex);
  throw new Error(`${JSON.stringify(value) ?? 'nothing'} is not a quantity`);
}

/** `n` blocks, seconds or positions as JSON-RPC writes them, as a number. */
export function toNumber(value: unknown): number {
  const number = Number(BigInt(quantity(value)));
  if (!Number.isSafeInteger(number)) throw new Error(`${String(value)} is too large`);
  return number;
}

/** The object with quantities in hex and addresses in lower case; fields in `drop` left out, others untouched. */
export function toRpcForm(source: Json, drop: readonly string[] = []): Json {
  const result: Json = {};
  for (const [key, value] of Object.entries(source)) {
    if (drop.includes(key)) continue;
    if (value !== null && (QUANTITIES.has(key) || (key === 'nonce' && !isBlockNonce(value)))) {
      result[key] = field(key, value);
    } else if (ADDRESSES.has(key) && typeof value === 'string') result[key] = value.toLowerCase();
    else result[key] = value;
  }
  return result;
}

function field(key: string, value: unknown): string {
  try {
    return quantity(value);
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error });
  }
}

function isBlockNonce(value: unknown): boolean {
  return typeof value === 'string' && value.length === 18 && value.startsWith('0x');
}
