import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addEtlLines, parseEtlLines, readEtlBlock, type EtlLines } from './formats/etl';
import { isChainstorageBlock, readChainstorageBlock } from './formats/chainstorage';
import { isWireBlock, readWireBlock } from './formats/rpcWire';
import { isCase, isEthersReceipt, readCases, readEthersReceipt } from './formats/synthetic';
import { isWeb3Block, readWeb3Block } from './formats/web3';
import { isObject, RecordingError, type Json, type RecordedBlock } from './recording';

/** What loading may be told besides the paths. */
export interface LoadOptions {
  /** Emitting contract of the n-th single log of a cases file, from 0. */
  readonly caseAddresses: Readonly<Record<number, string>>;
  /** Number of the block of the first case. */
  readonly caseFirstNumber: number;
  readonly genesisHash: string;
}

/** All that was recorded, and the .json files of folders that are no recording. */
export interface Loaded {
  readonly blocks: readonly RecordedBlock[];
  readonly skipped: readonly string[];
}

interface Source {
  readonly file: string;
  /** Named itself, not found in a folder: then it must be a recording. */
  readonly named: boolean;
}

function* sourcesOf(paths: readonly string[]): Generator<Source> {
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw new RecordingError([`${path}: there is no such file or folder`]);
    if (!found.isDirectory()) {
      yield { file: path, named: true };
      continue;
    }
    const inside = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
    for (const file of inside) if (file.endsWith('.json')) yield { file: join(path, file), named: false };
  }
}

/**
 * Reads files, and the .json files of folders and their subfolders, whatever their formats.
 *
 * @throws {RecordingError} naming every file that is not valid JSON or whose block cannot be read, and what is wrong.
 */
export function loadRecordings(paths: readonly string[], options: LoadOptions): Loaded {
  const blocks: RecordedBlock[] = [];
  const skipped: string[] = [];
  const problems: string[] = [];
  const etl: EtlLines = { blocks: [], transactions: [], logs: [] };
  const attempt = (file: string, read: () => readonly RecordedBlock[] | undefined): void => {
    try {
      const found = read();
      if (found === undefined) skipped.push(file);
      else blocks.push(...found);
    } catch (error) {
      problems.push(`${file}: ${(error as Error).message}`);
    }
  };
  for (const { file, named } of sourcesOf(paths)) {
    attempt(file, () => {
      const found = readRecording(file, etl, options);
      if (found === undefined && named) throw new Error('it is not in a format that can be replayed');
      return found;
    });
  }
  for (const { line, file } of etl.blocks) {
    attempt(`${file}: block ${String(line['number'])}`, () => [readEtlBlock(line, file, etl)]);
  }
  if (problems.length > 0) throw new RecordingError(problems);
  if (blocks.length === 0) throw new RecordingError([`no recorded block in ${paths.join(', ')}`]);
  return { blocks, skipped };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** Undefined: not a recording. ETL lines are only collected, as a block's parts lie in several files. */
function readRecording(
  file: string,
  etl: EtlLines,
  options: LoadOptions,
): readonly RecordedBlock[] | undefined {
  const text = readFileSync(file, 'utf8');
  const lines = parseEtlLines(text);
  if (lines !== undefined) {
    addEtlLines(lines, file, etl);
    return [];
  }
  const value = parseJson(text);
  if (Array.isArray(value)) {
    // Receipts are read together with the block beside them.
    if (basename(file) === 'receipts.json') return [];
    if (value.length === 0 || !value.every(isObject) || !value.every(isCase)) return undefined;
    const { caseAddresses: addresses, caseFirstNumber: firstNumber, genesisHash: parentHash } = options;
    return readCases(value, file, { addresses, firstNumber, parentHash });
  }
  if (!isObject(value)) return undefined;
  return readBlock(value, file);
}

function readBlock(value: Json, file: string): readonly RecordedBlock[] | undefined {
  try {
    if (isChainstorageBlock(value)) return [readChainstorageBlock(value, file)];
    if (isWeb3Block(value)) return [readWeb3Block(value, file)];
    if (isEthersReceipt(value)) return [readEthersReceipt(value, file)];
    if (isWireBlock(value)) return [readWireBlock(value, receiptsBeside(file), file)];
  } catch (error) {
    const number = value['number'] ?? value['height'] ?? value['blockNumber'];
    throw new Error(`block ${String(number ?? 'of unknown number')}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return undefined;
}

function receiptsBeside(file: string): readonly (Json | null)[] {
  const path = join(dirname(file), 'receipts.json');
  const value = parseJson(readFileSync(path, 'utf8'));
  if (!Array.isArray(value) || !value.every((item) => item === null || isObject(item))) {
    throw new Error(`${path} is not a list of receipts`);
  }
  return value;
}
