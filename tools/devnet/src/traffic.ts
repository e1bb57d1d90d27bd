import { join } from 'node:path';
import type { Action } from './actions';
import { chooseActions } from './chooseAction';
import type { Devnet } from './devnet';
import type { Expected, ExpectedActivity, ExpectedLog } from './expected';
import { openJournal, type Journal, type JournalEntry, type Placement } from './journal';
import { applyAction, dueOf } from './model/applyAction';
import { expectedTables } from './model/expectedTables';
import { createModelState, type PredictedLog } from './model/state';
import { createRandom } from './random';
import type { RpcCall } from './rpc';
import { transactionOf } from './transaction';

interface Receipt {
  readonly transactionHash: string;
  readonly status: string;
  readonly logs: readonly { readonly logIndex: string; readonly address: string }[];
}

interface Block {
  readonly number: string;
  readonly timestamp: string;
  readonly transactions: readonly { readonly hash: string; readonly from: string; readonly nonce: string }[];
}

/** Falls by one with every action: the node mines the dearer transaction first, so all of them in the order of asking. */
const FIRST_GAS_PRICE = 1_000_000_000_000n;
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** Makes things happen on a devnet, and knows what has happened. One per devnet at a time. */
export interface Traffic {
  /** Asks for this many actions; they are pending then. Of an action that needs an approval, the approval counts too. */
  submit(count: number, oneByOne: boolean): Promise<void>;
  /** Reads the blocks since the last time. @throws {Error} when the chain did other than the model says. */
  confirm(): Promise<void>;
  /** How many actions wait for a block. */
  readonly pending: number;
  /** How many actions have been asked for, pending ones and those of earlier runs included. */
  readonly count: number;
  /** What must have come of the confirmed actions. @throws {Error} while actions are pending. */
  expected(): Expected;
}

/** What an entry was and will be, beside the journal's own line. */
interface InFlight {
  readonly index: number;
  readonly hash: string;
  readonly logs: readonly PredictedLog[];
}

/**
 * Goes on from the devnet's journal: what was asked for and is not on the chain, because it was never mined or a reorg of
 * less than 64 blocks removed it, is forgotten. The same seed on a new devnet that
 * mines on demand gives the same actions.
 */
export async function openTraffic(devnet: Devnet, seed: number): Promise<Traffic> {
  const journal = openJournal(join(devnet.directory, 'actions.jsonl'));
  await settle(devnet, journal);
  const state = createModelState(devnet.contracts);
  const logs: ExpectedLog[] = [];
  const activities: ExpectedActivity[] = [];
  const nonces = new Map<string, number>();
  const queue: InFlight[] = [];
  const random = createRandom(seed + journal.entries.length);
  let head = devnet.startBlock;
  let time = 0n;

  const settleLogs = (predicted: readonly PredictedLog[], at: Placement): void => {
    head = Math.max(head, at.block);
    predicted.forEach(({ address, event, args, activities: drafts, stamp }, offset) => {
      const place = { block: at.block, logIndex: at.firstLog + offset, txHash: at.hash, time: at.time };
      logs.push({ ...place, address, event, args });
      drafts.forEach((draft, item) => activities.push({ ...place, item, contract: address, ...draft }));
      stamp?.(at.time);
    });
  };
  for (const { action, nonce, placement } of journal.entries) {
    settleLogs(applyAction(state, action), placement as Placement);
    nonces.set(action.by, nonce + 1);
  }
  let scanned = head;

  const nonceOf = async (account: string): Promise<number> => {
    const known = nonces.get(account);
    return known ?? Number(await devnet.rpc.call<string>('eth_getTransactionCount', account, 'latest'));
  };

  const readTime = async (): Promise<void> => {
    const block = await devnet.rpc.call<Block>('eth_getBlockByNumber', 'latest', false);
    time = BigInt(block.timestamp);
  };

  return {
    get pending() {
      return queue.length;
    },
    get count() {
      return journal.entries.length;
    },

    async submit(count, oneByOne) {
      await readTime();
      const planned: { action: Action; nonce: number; call: RpcCall; logs: PredictedLog[] }[] = [];
      const first = journal.entries.length;
      let chosen: Action[] = [];
      while (planned.length < count) {
        const index = first + planned.length;
        if (chosen.length === 0)
          chosen = chooseActions({ state, random, accounts: devnet.accounts, now: time }, index);
        const action = chosen.shift() as Action;
        const nonce = await nonceOf(action.by);
        nonces.set(action.by, nonce + 1);
        const { to, data, value, gas } = transactionOf(action, devnet.contracts, dueOf(state, action));
        const gasPrice = hex(FIRST_GAS_PRICE - BigInt(index));
        const transaction = {
          from: action.by,
          nonce: hex(nonce),
          to,
          data,
          value: hex(value),
          gas: hex(gas),
          gasPrice,
        };
        planned.push({
          action,
          nonce,
          call: { method: 'eth_sendTransaction', params: [transaction] },
          logs: applyAction(state, action),
        });
      }
      journal.append(planned);
      const hashes: string[] = [];
      if (oneByOne) {
        for (const { call } of planned)
          hashes.push(await devnet.rpc.call<string>(call.method, ...call.params));
      } else {
        hashes.push(...(await devnet.rpc.batch<string>(planned.map(({ call }) => call))));
      }
      planned.forEach(({ logs: predicted }, offset) =>
        queue.push({ index: first + offset, hash: hashes[offset] as string, logs: predicted }),
      );
    },

    async confirm() {
      const latest = Number(await devnet.rpc.call<string>('eth_blockNumber'));
      const placements: [number, Placement][] = [];
      for (let number = scanned + 1; number <= latest; number++) {
        const [receipts, block] = (await devnet.rpc.batch([
          { method: 'eth_getBlockReceipts', params: [hex(number)] },
          { method: 'eth_getBlockByNumber', params: [hex(number), false] },
        ])) as [Receipt[], Block];
        for (const receipt of receipts) {
          const next = queue[0];
          if (next === undefined || receipt.transactionHash !== next.hash) {
            if (queue.some(({ hash }) => hash === receipt.transactionHash)) {
              throw new Error(
                `devnet traffic: block ${number} has the actions in another order than asked for`,
              );
            }
            continue; // Somebody else's transaction.
          }
          queue.shift();
          const placement = placementOf(receipt, next, number, Number(block.timestamp), journal);
          settleLogs(next.logs, placement);
          placements.push([next.index, placement]);
        }
        scanned = number;
      }
      if (placements.length > 0) journal.place(placements);
    },

    expected() {
      if (queue.length > 0) throw new Error(`devnet traffic: ${queue.length} actions are pending`);
      return {
        chainId: devnet.chainId,
        lastBlock: head,
        actions: journal.entries.length,
        logs: [...logs],
        activities: [...activities],
        ...expectedTables(state),
      };
    },
  };
}

function placementOf(
  receipt: Receipt,
  entry: InFlight,
  block: number,
  time: number,
  journal: Journal,
): Placement {
  const { action } = journal.entries[entry.index] as JournalEntry;
  if (receipt.status !== '0x1') {
    throw new Error(
      `devnet traffic: ${action.kind} of ${action.by} was refused by the contracts (${entry.hash})`,
    );
  }
  if (receipt.logs.length !== entry.logs.length) {
    throw new Error(
      `devnet traffic: ${action.kind} gave ${receipt.logs.length} logs instead of ${entry.logs.length} (${entry.hash})`,
    );
  }
  return { hash: entry.hash, block, firstLog: Number(receipt.logs[0]?.logIndex ?? 0), time };
}

/** Placements less deep than this are looked up anew when the traffic is opened: a reorg may have changed them. */
const REORG_DEPTH_MAX = 64;

/** Finds where the entries were mined, and drops those that are not on the chain. */
async function settle(devnet: Devnet, journal: Journal): Promise<void> {
  const mined = new Map<string, number>();
  const accounts = [...new Set(journal.entries.map(({ action }) => action.by))];
  const counts = await devnet.rpc.batch<string>(
    accounts.map((account) => ({ method: 'eth_getTransactionCount', params: [account, 'latest'] })),
  );
  accounts.forEach((account, i) => mined.set(account, Number(counts[i])));
  const latest = Number(await devnet.rpc.call<string>('eth_blockNumber'));
  const kept = journal.entries.filter(({ action, nonce }) => nonce < (mined.get(action.by) ?? 0));
  const unplaced = new Map<string, JournalEntry>();
  let from = devnet.startBlock;
  for (const entry of kept) {
    if (entry.placement !== null && entry.placement.block <= latest - REORG_DEPTH_MAX)
      from = entry.placement.block;
    else unplaced.set(`${entry.action.by}:${entry.nonce}`, entry);
  }
  const isChanged = kept.length < journal.entries.length || unplaced.size > 0;
  for (let number = from; number <= latest && unplaced.size > 0; number++) {
    const [receipts, block] = (await devnet.rpc.batch([
      { method: 'eth_getBlockReceipts', params: [hex(number)] },
      { method: 'eth_getBlockByNumber', params: [hex(number), true] },
    ])) as [Receipt[], Block];
    block.transactions.forEach(({ hash, from: by, nonce }, i) => {
      const key = `${by.toLowerCase()}:${Number(nonce)}`;
      const entry = unplaced.get(key);
      if (entry === undefined) return;
      const firstLog = Number(receipts[i]?.logs[0]?.logIndex ?? 0);
      entry.placement = { hash, block: number, firstLog, time: Number(block.timestamp) };
      unplaced.delete(key);
    });
  }
  if (unplaced.size > 0)
    throw new Error('devnet traffic: the journal is of another chain; use another data directory');
  if (isChanged) journal.replace(kept);
}

export interface TrafficRun {
  readonly seed: number;
  /** How many transactions, at least 1. */
  readonly actions: number;
  /** Transactions per block on average; each block has between 1 and twice as many less one. @defaultValue `8` */
  readonly perBlock?: number;
}

/**
 * Exactly so many actions, mined as fast as possible in blocks of its own, then nothing more. Called again on the same
 * devnet it goes on; the result covers everything since the devnet was new.
 * @throws {Error} when the chain did other than the model says: a fault of the traffic or the contracts.
 */
export async function runTraffic(devnet: Devnet, run: TrafficRun): Promise<Expected> {
  const traffic = await openTraffic(devnet, run.seed);
  const sizes = createRandom(run.seed ^ 0x5eed);
  const perBlock = run.perBlock ?? 8;
  for (let left = run.actions; left > 0;) {
    const size = Math.min(left, 1 + sizes.below(2 * perBlock - 1));
    await traffic.submit(size, false);
    await devnet.mine();
    await traffic.confirm();
    left -= size;
  }
  while (traffic.pending > 0) await traffic.confirm();
  return traffic.expected();
}
