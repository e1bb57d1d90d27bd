import {
  createFakeChain,
  hashOf,
  type FakeBlock,
  type FakeChain,
  type FakeTransaction,
} from '../../../libs/chain-evm/src/testing/fakeChain';
import type { Action } from '../../devnet/src/actions';
import { chooseActions } from '../../devnet/src/chooseAction';
import { contractsOf, type DevnetContracts } from '../../devnet/src/contracts';
import { DEVNET_CHAIN_ID } from '../../devnet/src/devnet';
import type { Expected, ExpectedActivity, ExpectedLog } from '../../devnet/src/expected';
import { applyAction } from '../../devnet/src/model/applyAction';
import { expectedTables } from '../../devnet/src/model/expectedTables';
import { createModelState, type PredictedLog } from '../../devnet/src/model/state';
import { createRandom } from '../../devnet/src/random';
import { contractAt, encodeLog } from './encodeLog';

/** The address whose first transactions would have deployed the contracts. */
const DEPLOYER = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const ACCOUNTS = Array.from({ length: 24 }, (_, i) => hashOf(`account ${i}`).slice(0, 42));

/** On a branch, what was chosen may need what was taken back: an approval that was not included again. */
const ATTEMPTS_MAX = 100;

/** Something that somebody did: the same transaction wherever it is included. */
interface Deed {
  readonly hash: string;
  readonly action: Action;
}

export interface MarketTrafficOptions {
  /** @defaultValue 1 */
  readonly seed?: number;
  /** @defaultValue a chain of one empty block, of the development chain's id */
  readonly chain?: FakeChain;
}

export interface TrafficReorg {
  /** Blocks that are taken back. */
  readonly depth: number;
  /** Blocks of the new branch. @defaultValue `depth + 1` */
  readonly blocks?: number;
  /** New transactions in each of them. @defaultValue 2 */
  readonly actions?: number;
  /**
   * How much of what was taken back is included again, in its order, at other places; what is not possible any more on the new
   * branch is dropped, as nodes do. From 0 to 1. @defaultValue 0.7
   */
  readonly keep?: number;
}

/**
 * A market on a fake chain: seeded, of every kind of thing that IMart's contracts do, with a model that knows what the tables must
 * hold after a clean pass over the chain as it is. The same calls with the same seed give the same chain.
 */
export interface MarketTraffic {
  readonly chain: FakeChain;
  readonly contracts: DevnetContracts;
  /** Mines a block of this many transactions. */
  mine(actions: number): FakeBlock;
  /** Mines a block with at least this many logs, and few more. */
  mineLogs(logs: number): FakeBlock;
  reorg(reorg: TrafficReorg): void;
  /** What the tables must hold. Everything is replayed: it takes its time on a long chain. */
  expected(): Expected;
}

export function createMarketTraffic(options: MarketTrafficOptions = {}): MarketTraffic {
  const { seed = 1, chain = createFakeChain(1, DEVNET_CHAIN_ID) } = options;
  const contracts = contractsOf(DEPLOYER);
  const random = createRandom(seed);
  const deedsOf = new Map<string, readonly Deed[]>();
  let deedCount = 0;
  let state = createModelState(contracts);
  /** Everything that the state knows, in order. */
  let applied: Deed[] = [];

  const rebuild = (deeds: readonly Deed[]): void => {
    state = createModelState(contracts);
    applied = [...deeds];
    for (const { action } of applied) applyAction(state, action);
  };
  const canonicalDeeds = (): Deed[] =>
    chain.blocks.flatMap((block) => (block === null ? [] : (deedsOf.get(block.hash) ?? [])));

  const transactionOf = ({ hash, action }: Deed, logs: readonly PredictedLog[]): FakeTransaction => ({
    hash,
    from: action.by,
    logs: logs.map((log) => {
      const standard = state.collections.get(log.address)?.standard;
      return encodeLog(contractAt(contracts, log.address, standard), log);
    }),
  });

  /** A block that is being made. */
  const openBlock = () => {
    const deeds: Deed[] = [];
    const transactions: FakeTransaction[] = [];
    let waiting: Action[] = [];
    const add = (deed: Deed): void => {
      const logs = applyAction(state, deed.action);
      applied.push(deed);
      deeds.push(deed);
      transactions.push(transactionOf(deed, logs));
    };
    /** @returns whether it is possible; if not, nothing is changed. */
    const include = (deed: Deed): boolean => {
      const before = applied.length;
      try {
        add(deed);
        return true;
      } catch {
        // A refused action may have changed a part of the state.
        rebuild(applied.slice(0, before));
        return false;
      }
    };
    return {
      get logs() {
        return transactions.reduce((sum, { logs }) => sum + logs.length, 0);
      },
      get count() {
        return deeds.length;
      },
      addNew() {
        for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
          if (waiting.length === 0) {
            const now = BigInt((chain.blocks.findLast((block) => block !== null)?.timestamp ?? 0) + 12);
            waiting = chooseActions({ state, random, accounts: ACCOUNTS, now }, applied.length);
          }
          if (include({ hash: hashOf(`deed ${seed} ${deedCount++}`), action: waiting.shift() as Action }))
            return;
          waiting = [];
        }
        throw new Error('fake traffic: nothing that was chosen is possible');
      },
      include,
      seal(): FakeBlock {
        const block = chain.mineTransactions(transactions);
        deedsOf.set(block.hash, deeds);
        return block;
      },
    };
  };

  return {
    chain,
    contracts,
    mine(actions) {
      const block = openBlock();
      while (block.count < actions) block.addNew();
      return block.seal();
    },
    mineLogs(logs) {
      const block = openBlock();
      while (block.logs < logs) block.addNew();
      return block.seal();
    },
    reorg({ depth, blocks = depth + 1, actions = 2, keep = 0.7 }) {
      const orphans = chain.takeBack(depth);
      rebuild(canonicalDeeds());
      const again = orphans
        .flatMap((block) => (block === null ? [] : (deedsOf.get(block.hash) ?? [])))
        .filter(() => random.chance(keep));
      for (let left = blocks; left > 0; left--) {
        const block = openBlock();
        const share =
          left === 1
            ? again.length
            : Math.min(again.length, random.below(2 * Math.ceil(again.length / left) + 1));
        for (const deed of again.splice(0, share)) {
          if (block.count < actions && random.chance(0.5)) block.addNew();
          block.include(deed);
        }
        while (block.count < actions) block.addNew();
        block.seal();
      }
    },
    expected() {
      const clean = createModelState(contracts);
      const logs: ExpectedLog[] = [];
      const activities: ExpectedActivity[] = [];
      let lastBlock = 0;
      let actions = 0;
      for (const block of chain.blocks) {
        let index = 0;
        for (const deed of (block === null ? undefined : deedsOf.get(block.hash)) ?? []) {
          const { number, timestamp } = block as FakeBlock;
          lastBlock = number;
          actions++;
          for (const { address, event, args, activities: drafts, stamp } of applyAction(clean, deed.action)) {
            const place = { block: number, logIndex: index++, txHash: deed.hash, time: timestamp };
            logs.push({ ...place, address, event, args });
            drafts.forEach((draft, item) => activities.push({ ...place, item, contract: address, ...draft }));
            stamp?.(timestamp);
          }
        }
      }
      return { chainId: chain.chainId, lastBlock, actions, logs, activities, ...expectedTables(clean) };
    },
  };
}
