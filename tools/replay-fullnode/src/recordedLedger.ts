import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createFakeLedger, type FakeLedger } from '../../../libs/chain-aptos/src/testing/fakeLedger';

/** A recording that cannot be served. */
export class RecordingError extends Error {}

export interface RecordedLedgerOptions {
  /** Files and folders of transactions in protobuf's JSON form; served in this order, folders sorted by name. */
  readonly files: readonly string[];
  readonly chainId: number;
  /** Version of the first one; the others follow without a gap. @defaultValue the one that it was recorded with */
  readonly firstVersion?: bigint;
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

function readRecording(file: string): { version?: string; info?: { hash?: unknown } } {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new RecordingError(`${file}: ${(error as Error).message}`);
  }
  const transaction = json as { version?: string; info?: { hash?: unknown } } | null;
  if (typeof transaction?.info?.hash !== 'string')
    throw new RecordingError(`${file}: is no transaction in protobuf's JSON form`);
  return transaction;
}

/**
 * A ledger of transactions that were recorded, one after the other: what is between them was not recorded, so that only the first one
 * keeps its version. Hashes of transactions are those of the recordings, roots of the accumulator are made anew.
 * @throws {RecordingError}
 */
export function createRecordedLedger({ files, chainId, firstVersion }: RecordedLedgerOptions): FakeLedger {
  const recordings = files.flatMap(filesIn).map(readRecording);
  const [first] = recordings;
  if (first === undefined) throw new RecordingError('there is no recording');
  const ledger = createFakeLedger(chainId, 'recorded', firstVersion ?? BigInt(first.version ?? '0'));
  for (const recording of recordings) ledger.addRecorded(recording);
  return ledger;
}
