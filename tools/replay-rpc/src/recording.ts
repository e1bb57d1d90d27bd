/** An object as JSON-RPC has it: quantities and bytes as 0x hex text. */
export type Json = Record<string, unknown>;

/** One block of a recording, in the form a node answers. */
export interface RecordedBlock {
  /** Exact: block numbers of recordings are far below 2^53. */
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** The block without its transactions. */
  readonly header: Json;
  readonly transactions: readonly Json[];
  /** As the provider answered: fewer than transactions, or with null, where its answer was broken. */
  readonly receipts: readonly (Json | null)[];
  /** Undefined when nothing in the recording says it. */
  readonly chainId: number | undefined;
  /** `whole`: every log is here, so the header's logsBloom can be proven; `part`: some are; `synthetic`: no real header. */
  readonly extent: 'whole' | 'part' | 'synthetic';
  readonly file: string;
  /** What the format itself shows to be wrong (counts that differ). */
  readonly problems: readonly string[];
}

/** Recordings that cannot be served. The message names file, block and what is wrong, one line for each fault. */
export class RecordingError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'RecordingError';
  }
}

/** The logs of a block in the order of its receipts, as recorded. */
export function logsOf(block: RecordedBlock): readonly Json[] {
  return block.receipts.flatMap((receipt) => (receipt === null ? [] : listOf(receipt, 'logs')));
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(holder: Json, key: string): Json {
  const value = holder[key];
  if (!isObject(value)) throw new Error(`${key} is not an object`);
  return value;
}

/** The list of objects under a key; a missing one is empty, as proto3 JSON leaves it out. */
export function listOf(holder: Json, key: string): readonly Json[] {
  const value = holder[key] ?? [];
  if (!Array.isArray(value) || !value.every(isObject)) throw new Error(`${key} is not a list of objects`);
  return value;
}

export function textAt(holder: Json, key: string): string {
  const value = holder[key];
  if (typeof value !== 'string') throw new Error(`${key} is missing or not text`);
  return value;
}
