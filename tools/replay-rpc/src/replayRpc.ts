import { createRecordedChain, type Piece } from './chain';
import { createMethods } from './methods';
import { RecordingError } from './recording';
import { loadRecordings } from './recordings';
import { startRpcServer } from './server';
import { verifyRecordings } from './verify';

/** Hash of Ethereum mainnet's block 0. */
export const MAINNET_GENESIS_HASH = '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3';

export interface ReplayRpcOptions {
  /** Files and folders of recordings, of one chain. */
  readonly files: readonly string[];
  /** @defaultValue `0`: a free port. */
  readonly port?: number;
  /** @defaultValue `127.0.0.1` */
  readonly host?: string;
  /** The last block that is there yet. @defaultValue the last recorded one. */
  readonly head?: number;
  /** How far `finalized` and `safe` lie below the head, in blocks. @defaultValue `0` */
  readonly finalityDepth?: number;
  /** @defaultValue what the recorded transactions say, else 1. */
  readonly chainId?: number;
  /** Hash of block 0, which has no transactions. @defaultValue {@link MAINNET_GENESIS_HASH} */
  readonly genesisHash?: string;
  /** eth_getLogs over more blocks is refused. @defaultValue no limit. */
  readonly maxRange?: number;
  /** eth_getLogs with more logs is refused. @defaultValue no limit. */
  readonly maxResults?: number;
  /** Every answer waits so long, in ms. @defaultValue `0` */
  readonly latencyMs?: number;
  /** Whether recordings are proven complete before they are served. @defaultValue `true` */
  readonly verify?: boolean;
  /** Emitting contracts of single logs (cases files), by position from 0. */
  readonly caseAddresses?: Readonly<Record<number, string>>;
  /** Number of the block of the first single log. @defaultValue `1` */
  readonly caseFirstNumber?: number;
}

/** A node that knows recorded blocks only. */
export interface ReplayRpc {
  readonly url: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly pieces: readonly Piece[];
  /** Files of the folders that are no recordings and were left out. */
  readonly skipped: readonly string[];
  head(): number;
  /** Moves the head; newHeads subscribers hear of every recorded block above the old one. */
  setHead(number: number): void;
  stop(): Promise<void>;
}

/**
 * Serves recorded blocks as a JSON-RPC node. What was not recorded is never answered with emptiness: a block is null,
 * logs of a range with a hole are an error that names the block.
 *
 * @throws {RecordingError} a recording is corrupt (naming file, block and fault), or the options do not fit it.
 */
export async function startReplayRpc(options: ReplayRpcOptions): Promise<ReplayRpc> {
  const genesisHash = options.genesisHash ?? MAINNET_GENESIS_HASH;
  const { blocks, skipped } = loadRecordings(options.files, {
    caseAddresses: options.caseAddresses ?? {},
    caseFirstNumber: options.caseFirstNumber ?? 1,
    genesisHash,
  });
  if (options.verify !== false) {
    const problems = verifyRecordings(blocks);
    if (problems.length > 0) throw new RecordingError(problems);
  }
  const chain = createRecordedChain(blocks, { chainId: options.chainId, head: options.head, genesisHash });
  const methods = createMethods(chain, {
    finalityDepth: options.finalityDepth ?? 0,
    maxRange: options.maxRange,
    maxResults: options.maxResults,
  });
  const server = await startRpcServer(chain, methods, {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    latencyMs: options.latencyMs ?? 0,
  });
  return {
    url: server.url,
    wsUrl: server.wsUrl,
    chainId: chain.chainId,
    pieces: chain.pieces,
    skipped,
    head: () => chain.head(),
    setHead(number) {
      const before = chain.head();
      chain.setHead(number);
      for (const { from, to } of chain.pieces) {
        for (let n = Math.max(from, before + 1); n <= Math.min(to, number); n++) server.announce(n);
      }
    },
    stop: () => server.stop(),
  };
}
