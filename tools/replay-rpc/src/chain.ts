import { genesisBlock } from './formats/synthetic';
import { toNumber } from './hex';
import { logsOf, RecordingError, type Json, type RecordedBlock } from './recording';

/** Consecutive recorded blocks, both ends included. */
export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** The recorded blocks as a node knows its chain. Blocks above `head` are not there yet. */
export interface RecordedChain {
  readonly chainId: number;
  /** In order; block 0, which is served but not recorded, is left out. */
  readonly pieces: readonly Piece[];
  head(): number;
  /** @throws {RecordingError} not a recorded block. */
  setHead(number: number): void;
  byNumber(number: number): RecordedBlock | undefined;
  byHash(hash: string): RecordedBlock | undefined;
  transaction(hash: string): { readonly block: RecordedBlock; readonly transaction: Json } | undefined;
  receipt(hash: string): Json | undefined;
  /** Logs of a block in order of their index. */
  logs(block: RecordedBlock): readonly Json[];
  /** The first block of the range that cannot be answered for, or undefined. */
  firstMissing(range: Piece): number | undefined;
  /** The last block at or below the number that is recorded; block 0 when none is. */
  lastAtOrBelow(number: number): RecordedBlock;
}

/**
 * @throws {RecordingError} blocks of several chains, one number with two contents, or a head that is not recorded.
 */
export function createRecordedChain(
  recorded: readonly RecordedBlock[],
  options: {
    readonly chainId: number | undefined;
    readonly head: number | undefined;
    readonly genesisHash: string;
  },
): RecordedChain {
  const blocks = withoutRepeats(recorded);
  const chainId = options.chainId ?? chainIdOf(blocks);
  const pieces = piecesOf(blocks.map((block) => block.number));
  if (blocks[0]?.number !== 0) blocks.unshift(genesisBlock(options.genesisHash));
  const numbers = new Map(blocks.map((block) => [block.number, block]));
  const hashes = new Map(blocks.map((block) => [block.hash, block]));
  const transactions = new Map(
    blocks.flatMap((block) =>
      block.transactions.map((transaction) => [String(transaction['hash']), { block, transaction }] as const),
    ),
  );
  const receipts = new Map(
    blocks.flatMap((block) =>
      block.receipts.flatMap((receipt) =>
        receipt === null ? [] : [[String(receipt['transactionHash']), { block, receipt }] as const],
      ),
    ),
  );
  const logs = new Map(blocks.map((block) => [block.hash, inOrder(logsOf(block))]));
  let head = blocks.at(-1)!.number;
  const known = <T extends { block: RecordedBlock }>(found: T | undefined): T | undefined =>
    found !== undefined && found.block.number <= head ? found : undefined;

  const chain: RecordedChain = {
    chainId,
    pieces,
    head: () => head,
    setHead(number) {
      if (!numbers.has(number)) {
        throw new RecordingError([`head ${number} is not recorded; recorded are ${describePieces(pieces)}`]);
      }
      head = number;
    },
    byNumber: (number) => (number <= head ? numbers.get(number) : undefined),
    byHash(hash) {
      const block = hashes.get(hash.toLowerCase());
      return block !== undefined && block.number <= head ? block : undefined;
    },
    transaction: (hash) => known(transactions.get(hash.toLowerCase())),
    receipt: (hash) => known(receipts.get(hash.toLowerCase()))?.receipt,
    logs: (block) => logs.get(block.hash) ?? [],
    firstMissing({ from, to }) {
      let next = from === 0 ? 1 : from;
      for (const piece of pieces) if (piece.from <= next && next <= piece.to) next = piece.to + 1;
      next = Math.min(next, Math.max(head + 1, from));
      return next <= to ? next : undefined;
    },
    lastAtOrBelow(number) {
      const limit = Math.min(number, head);
      return blocks.findLast((block) => block.number <= limit) ?? blocks[0]!;
    },
  };
  if (options.head !== undefined) chain.setHead(options.head);
  return chain;
}

/** `14000000-14000005, 15000000`. */
export function describePieces(pieces: readonly Piece[]): string {
  return pieces.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function inOrder(logs: readonly Json[]): readonly Json[] {
  const indexed = logs.map((log) => ({ log, index: toNumber(log['logIndex']) }));
  return indexed.sort((a, b) => a.index - b.index).map(({ log }) => log);
}

/** The same block from two files is one block; two different ones under one number cannot both be served. */
function withoutRepeats(recorded: readonly RecordedBlock[]): RecordedBlock[] {
  const problems: string[] = [];
  const byNumber = new Map<number, RecordedBlock>();
  for (const block of recorded) {
    const other = byNumber.get(block.number);
    if (other === undefined) byNumber.set(block.number, block);
    else if (other.hash !== block.hash || JSON.stringify(logsOf(other)) !== JSON.stringify(logsOf(block))) {
      problems.push(
        `block ${block.number} is recorded differently in ${other.file} and ${block.file}: serve one of them`,
      );
    }
  }
  if (problems.length > 0) throw new RecordingError(problems);
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

function chainIdOf(blocks: readonly RecordedBlock[]): number {
  const files = new Map<number, string>();
  for (const { chainId, file } of blocks)
    if (chainId !== undefined && !files.has(chainId)) files.set(chainId, file);
  if (files.size > 1) {
    const named = [...files].map(([chainId, file]) => `chain ${chainId} in ${file}`).join(', ');
    throw new RecordingError([
      `blocks of several chains: ${named}; serve one chain, or name one with --chain-id`,
    ]);
  }
  return [...files.keys()][0] ?? 1;
}

function piecesOf(numbers: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  for (const number of numbers) {
    const last = pieces.at(-1);
    if (last?.to === number - 1) pieces[pieces.length - 1] = { from: last.from, to: number };
    else pieces.push({ from: number, to: number });
  }
  return pieces;
}
