import { startTestServer, type TestServer } from '../../libs/storage/src/testing/testDatabase';
import { startReplayRpc, type ReplayRpc } from '../replay-rpc/src';
import { MAINNET_FOLDERS, MAINNET_MARKETS, recorded } from './recordings';
import { query, type Row } from './tables';
import { createWorkerProcesses, type WorkerProcesses } from './workerProcess';

/** Workers that run at the same time. */
const AT_ONCE = 2;

/** All recorded mainnet blocks, each contiguous piece followed by a worker of its own into a database of its own. */
export interface MainnetRun {
  /** First and last block of each piece. */
  readonly pieces: readonly { readonly from: number; readonly to: number }[];
  /** Rows of all databases, piece after piece; each with the piece's first block as `piece`. */
  query(sql: string): Promise<readonly Row[]>;
  stop(): Promise<void>;
}

/** Runs them all to their ends. @throws what the first worker said that did not end with 0. */
export async function runMainnet(): Promise<MainnetRun> {
  const workers: WorkerProcesses = createWorkerProcesses();
  let server: TestServer | undefined;
  let rpc: ReplayRpc | undefined;
  const stop = async (): Promise<void> => {
    await workers.close();
    await rpc?.stop();
    await server?.stop();
  };
  try {
    server = await startTestServer();
    rpc = await startReplayRpc({
      files: [...MAINNET_FOLDERS, 'chainstorage/native_block_17000000.json'].map(recorded),
    });
    const databases: { piece: number; url: string }[] = [];
    const waiting = [...rpc.pieces];
    const next = async (): Promise<void> => {
      for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
        const { url } = await (server as TestServer).createDatabase();
        databases.push({ piece: piece.from, url });
        await workers.run({
          RPC_URLS: (rpc as ReplayRpc).url,
          MARKETS: MAINNET_MARKETS,
          COLLECTIONS: 'all',
          START_BLOCK: piece.from,
          END_BLOCK: piece.to,
          DATABASE_URL: url,
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    databases.sort((a, b) => a.piece - b.piece);
    return {
      pieces: rpc.pieces,
      async query(sql) {
        const rows: Row[] = [];
        for (const { piece, url } of databases) {
          for (const row of await query(url, sql)) rows.push({ ...row, piece });
        }
        return rows;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
