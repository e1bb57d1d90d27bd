/** What is asked of a stream; numbers that are absent are left to the server. */
export interface StreamRequest {
  readonly startingVersion: bigint;
  /** How many transactions before the stream ends; `null`: it does not end. */
  readonly count: bigint | null;
  /** Transactions of one message at most. */
  readonly batchSize: number;
}

function writeVarint(bytes: number[], value: bigint): void {
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
}

/** A `aptos.indexer.v1.GetTransactionsRequest`. */
export function writeStreamRequest({ startingVersion, count, batchSize }: StreamRequest): Buffer {
  const bytes: number[] = [0x08];
  writeVarint(bytes, startingVersion);
  if (count !== null) {
    bytes.push(0x10);
    writeVarint(bytes, count);
  }
  bytes.push(0x18);
  writeVarint(bytes, BigInt(batchSize));
  return Buffer.from(bytes);
}
