import { fork, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFreePort, isPortFree } from '../../../libs/storage/src/embedded/port';
import { contractsOf, deployContracts, type DevnetContracts } from './contracts';
import { createDevnetRpc, type DevnetRpc } from './rpc';

export const DEVNET_CHAIN_ID = 31_337;
/** Chain time between two blocks that are mined on demand, in seconds. */
export const MANUAL_BLOCK_SECONDS = 12;
/** When the chain of a devnet without a block time begins: the same for all, so that runs can be compared. */
const MANUAL_GENESIS_TIME = 1_700_000_000;
const ACCOUNTS = 25;

export interface DevnetOptions {
  /** Keeps chain and traffic between runs. Without it: a temporary directory, removed by `stop` and `kill`. */
  readonly dataDir?: string;
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  readonly port?: number;
  /**
   * A block every so many seconds, by the clock. Absent: blocks are mined on demand (`mine`, `runTraffic`), 12 s of chain
   * time apart, from 2023-11-14T22:13:20Z on.
   */
  readonly blockTimeSec?: number;
}

/** A running development chain with the contracts on it. */
export interface Devnet {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly directory: string;
  readonly blockTimeSec: number | null;
  readonly contracts: DevnetContracts;
  /** Accounts the node signs for, without the deployer's. */
  readonly accounts: readonly string[];
  /** The block with the contracts: nothing of interest lies before it. */
  readonly startBlock: number;
  readonly rpc: DevnetRpc;
  /** Mines one block with what is pending. */
  mine(): Promise<void>;
  /** Writes the chain to the data directory; it goes on. */
  save(): Promise<void>;
  /** Saves the chain and ends its processes. Repeating it is harmless. @throws {Error} when it could not be saved. */
  stop(): Promise<void>;
  /** Ends the processes with SIGKILL: what was not saved is lost. */
  kill(): Promise<void>;
  /** Resolves, with the reason, when the chain's processes have ended for whatever reason. */
  readonly ended: Promise<string>;
}

/** Written once the contracts stand; a directory without it has no chain worth keeping. */
interface Manifest {
  /** A chain's own, at every start: anvil makes its first block anew, and the hash of that block is who the chain is. */
  readonly genesisTime: number;
  /** Otherwise by the clock. */
  readonly onDemand: boolean;
  readonly startBlock: number;
  readonly contracts: DevnetContracts;
}

function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform === 'win32' ? 'win32' : process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  try {
    const manifest = createRequire(__filename).resolve(`${name}/package.json`);
    return join(manifest, '..', 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil');
  } catch (cause) {
    throw new Error(
      `devnet: anvil is not installed for this platform (${name}); run npm ci with optional packages`,
      {
        cause,
      },
    );
  }
}

async function portOf(asked: number): Promise<number> {
  if (asked === 0) return findFreePort();
  if (!(await isPortFree(asked))) throw new Error(`devnet: port ${asked} is not free`);
  return asked;
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

interface Guard {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
  ask(what: 'save' | 'stop'): Promise<void>;
}

type GuardMessage = { anvil?: number; ready?: true; done?: number; failed?: string; id?: number };

/** The process that holds anvil; resolves when the chain answers. */
async function startGuard(options: {
  args: string[];
  port: number;
  directory: string;
  fresh: boolean;
  temporary: boolean;
}): Promise<Guard> {
  const child = fork(join(__dirname, 'guard.cjs'), [JSON.stringify({ ...options, binary: anvilBinary() })], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let reason = '';
  let anvil: number | undefined;
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const ended = new Promise<string>((done) => {
    child.once('exit', (code, signal) => {
      // A guard that was killed leaves its anvil behind.
      if (code !== 0 && anvil !== undefined) endProcess(anvil);
      reason ||= `the chain's process ended (${signal ?? code})`;
      for (const { reject } of waiting.values()) reject(new Error(`devnet: ${reason}`));
      waiting.clear();
      done(reason);
    });
  });
  let count = 0;
  const guard: Guard = {
    child,
    ended,
    ask(what) {
      const id = ++count;
      return new Promise((done, reject) => {
        waiting.set(id, { resolve: done, reject });
        child.send({ ask: what, id }, (error) => {
          if (error !== null) reject(new Error(`devnet: the chain has ended: ${reason}`, { cause: error }));
        });
      });
    },
  };
  await new Promise<void>((ready, reject) => {
    void ended.then((text) => reject(new Error(`devnet: ${text}`)));
    child.on('message', (message: GuardMessage) => {
      anvil ??= message.anvil;
      if (message.ready === true) ready();
      if (message.done !== undefined) waiting.get(message.done)?.resolve();
      if (message.failed !== undefined) {
        if (message.id === undefined) reason = message.failed;
        else waiting.get(message.id)?.reject(new Error(`devnet: ${message.failed}`));
      }
    });
  });
  return guard;
}

function readManifest(file: string): Manifest | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : null;
}

/**
 * Starts the chain, deploys the contracts on a new one, resumes a kept one: same genesis, same blocks, same addresses. The
 * chain ends with this process, however that ends, and is saved then.
 * @throws {Error} when the data directory is in use, the port is taken or anvil is not installed.
 */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const port = await portOf(options.port ?? 0);
  if (options.dataDir !== undefined) mkdirSync(options.dataDir, { recursive: true });
  const directory = realpathSync(
    options.dataDir === undefined ? mkdtempSync(join(tmpdir(), 'imart-devnet-')) : resolve(options.dataDir),
  );
  const blockTimeSec = options.blockTimeSec ?? null;
  const manifestFile = join(directory, 'devnet.json');
  const old = readManifest(manifestFile);
  const onDemand = blockTimeSec === null;
  if (old !== null && old.onDemand !== onDemand) {
    throw new Error(
      `devnet: ${directory} holds a chain that was mined ${old.onDemand ? 'on demand' : 'by the clock'}; use another directory`,
    );
  }
  const now = (): number => Math.floor(Date.now() / 1_000);
  const genesisTime = old?.genesisTime ?? (onDemand ? MANUAL_GENESIS_TIME : now());
  const args = [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--chain-id',
    String(DEVNET_CHAIN_ID),
    '--silent',
  ];
  args.push('--slots-in-an-epoch', '4', '--disable-block-gas-limit', '--order', 'fees', '--no-mining');
  args.push('--accounts', String(ACCOUNTS), '--balance', '1000000000');
  args.push('--timestamp', String(genesisTime));
  const temporary = options.dataDir === undefined;
  const removeTemporary = (): void => {
    if (temporary) rmSync(directory, { recursive: true, force: true });
  };
  const guard = await startGuard({ args, port, directory, fresh: old === null, temporary }).catch(
    (error: unknown) => {
      removeTemporary();
      throw error;
    },
  );

  const rpcUrl = `http://127.0.0.1:${port}`;
  const rpc = createDevnetRpc(rpcUrl);
  const kill = async (): Promise<void> => {
    guard.child.kill('SIGKILL');
    await guard.ended;
    removeTemporary();
  };
  const mine = async (): Promise<void> => {
    if (onDemand) {
      const { timestamp } = await rpc.call<{ timestamp: string }>('eth_getBlockByNumber', 'latest', false);
      await rpc.call('evm_setNextBlockTimestamp', Number(timestamp) + MANUAL_BLOCK_SECONDS);
    }
    await rpc.call('evm_mine');
  };

  try {
    const [deployer = '', ...accounts] = (await rpc.call<string[]>('eth_accounts')).map((name) =>
      name.toLowerCase(),
    );
    let manifest = old;
    if (!onDemand) {
      // The clock goes on from the first block's time, or from where the saved chain ended.
      const { timestamp } = await rpc.call<{ timestamp: string }>('eth_getBlockByNumber', 'latest', false);
      await rpc.call('evm_setTime', Math.max(now(), Number(timestamp)));
    }
    if (manifest === null) {
      if (onDemand) {
        await rpc.call('evm_setNextBlockTimestamp', MANUAL_GENESIS_TIME + MANUAL_BLOCK_SECONDS);
      }
      manifest = { genesisTime, onDemand, startBlock: 1, contracts: await deployContracts(rpc, deployer) };
      rmSync(join(directory, 'actions.jsonl'), { force: true });
      await guard.ask('save');
      writeFileSync(`${manifestFile}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
      renameSync(`${manifestFile}.new`, manifestFile);
    } else {
      if ((await rpc.call<string>('eth_getCode', contractsOf(deployer).market, 'latest')) === '0x') {
        throw new Error(`devnet: the chain in ${directory} lacks its contracts; remove the directory`);
      }
      // A chain that an older program has made goes on with what came since.
      manifest = { ...manifest, contracts: await deployContracts(rpc, deployer) };
    }
    if (blockTimeSec !== null) await rpc.call('evm_setIntervalMining', blockTimeSec);
    let stopping: Promise<void> | undefined;
    return {
      rpcUrl,
      wsUrl: `ws://127.0.0.1:${port}`,
      chainId: DEVNET_CHAIN_ID,
      directory,
      blockTimeSec,
      contracts: manifest.contracts,
      accounts,
      startBlock: manifest.startBlock,
      rpc,
      mine,
      save: () => guard.ask('save'),
      stop() {
        stopping ??= guard
          .ask('stop')
          .finally(() => guard.ended)
          .finally(removeTemporary);
        return stopping;
      },
      kill,
      ended: guard.ended,
    };
  } catch (error) {
    await kill().catch(() => undefined);
    throw error;
  }
}
