import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type BlockRef, type DiscoveredContract, type Event } from '@imart/core';
import { evmSeqNo } from '@imart/chain-evm';
import { AGGREGATE, tokenAggregateId } from '@imart/market';
import { address, ALICE, BOB, CAROL, MARKET, SUBJECT } from '../../libs/testing/src/marketEvents';
import { randomHistory } from '../../libs/testing/src/randomMarket';
import type { Random } from '../devnet/src/random';

/** A log that became an event, without its place. */
interface Draft {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly name: string;
  readonly data: unknown;
  readonly address: string;
  /** Names a new contract, which is followed from there on. */
  readonly discovers?: string;
  /** Read only when this contract was discovered before. */
  readonly needs?: string;
}

/** Included in a block, perhaps in another one on another branch. */
export interface Transaction {
  readonly hash: string;
  readonly drafts: readonly Draft[];
}

export interface ScriptedBlock extends BlockRef {
  readonly transactions: readonly Transaction[];
}

/** What the nodes have at one moment. Block n stands at index n. */
export interface ChainState {
  readonly blocks: readonly ScriptedBlock[];
  readonly finalized: bigint | null;
}

/** A chain's whole history as its nodes tell it, with the branches that it left; the last state is the final one. */
export interface ChainScript {
  readonly states: readonly ChainState[];
  readonly forks: number;
  /** What nodes leave out of answers to ranges. */
  readonly omits: Omission;
}

export interface ChainScriptOptions {
  readonly transactions: number;
  /** How many of the events fail whenever they are folded. */
  readonly poison: number;
  /** How likely a block is followed by a fork. */
  readonly forkChance: number;
  /** How far finality is behind the head, in blocks: no fork reaches below it. */
  readonly finalityDepth: number;
  /** How likely a step gives a block without transactions. */
  readonly emptyChance: number;
  /** How many of the transactions nodes leave out when a range is read for the first time. */
  readonly omitted: number;
}

const hashOf = (...parts: readonly (string | bigint | number)[]): string =>
  `0x${createHash('sha256').update(parts.join('/')).digest('hex')}`;

/** Contents: any market history, poison and factories among it. */
function transactionsOf(random: Random, options: ChainScriptOptions): Transaction[] {
  const events: readonly Event[] = fc
    .sample(randomHistory, { seed: random.below(2 ** 31), numRuns: 12 })
    .flat()
    .slice(-options.transactions * 2);
  const poisoned = new Set(
    Array.from({ length: options.poison }, () => random.below(Math.max(1, events.length))),
  );
  const drafts: Draft[] = events.map(({ aggregateType, aggregateId, name, data }, i) =>
    // Its reducer throws at an event that its aggregate cannot have.
    aggregateType === AGGREGATE.order && poisoned.has(i)
      ? {
          aggregateType,
          aggregateId,
          name: 'TokenMinted',
          data: { to: ALICE, standard: 'erc721' },
          address: MARKET,
        }
      : { aggregateType, aggregateId, name, data: withoutAbsent(data), address: MARKET },
  );
  const made: string[] = [];
  const transactions: Transaction[] = [];
  while (transactions.length < options.transactions) {
    const own: Draft[] = [];
    if (random.chance(0.12)) {
      const collection = address(`made${made.length}`);
      made.push(collection);
      own.push(creationOf(collection));
      // A factory's transaction may mint right away, before anybody knows the collection.
      if (random.chance(0.5)) own.push(mintOf(collection, 1n));
    } else if (made.length > 0 && random.chance(0.25)) {
      own.push(mintOf(random.pick(made), BigInt(1 + random.below(3))));
    }
    own.push(...drafts.splice(0, 1 + random.below(2)));
    if (own.length === 0) own.push(mintOf(address('art'), BigInt(1 + random.below(9))));
    transactions.push({ hash: hashOf('tx', transactions.length), drafts: own });
  }
  return transactions;

  function mintOf(collection: string, tokenId: bigint): Draft {
    const to = random.pick([ALICE, BOB, CAROL]);
    return {
      aggregateType: AGGREGATE.token,
      aggregateId: tokenAggregateId(collection, tokenId),
      ...(random.chance(0.7)
        ? { name: 'TokenMinted', data: { to, standard: 'erc721' } }
        : { name: 'TokenTransferred', data: { from: ALICE, to, standard: 'erc721' } }),
      address: collection,
      ...(made.includes(collection) ? { needs: collection } : {}),
    };
  }
}

/** What a log does not tell is not in its event: a field that is there without a value is read back as none. */
function withoutAbsent(data: unknown): unknown {
  return Object.fromEntries(Object.entries(data as object).filter(([, value]) => value !== undefined));
}

function creationOf(collection: string): Draft {
  return {
    aggregateType: AGGREGATE.collection,
    aggregateId: collection,
    name: 'CollectionCreated',
    data: {
      standard: 'erc721',
      creator: ALICE,
      name: 'made',
      category: '',
      tags: [],
      description: '',
      uri: '',
      royalties: [],
      maximum: null,
      nameBytes: null,
    },
    address: MARKET,
    discovers: collection,
  };
}

export function createChainScript(random: Random, options: ChainScriptOptions): ChainScript {
  const waiting = transactionsOf(random, options);
  const omitted = new Set(Array.from({ length: options.omitted }, () => random.pick(waiting).hash));
  let blocks: ScriptedBlock[] = [];
  let finalized: bigint | null = null;
  let branch = 0;
  let forks = 0;
  const states: ChainState[] = [];

  const addBlock = (transactions: readonly Transaction[]): void => {
    const position = BigInt(blocks.length);
    const parentHash = blocks.at(-1)?.hash ?? hashOf('before the first');
    blocks = [
      ...blocks,
      {
        position,
        hash: hashOf('block', branch, parentHash, position),
        parentHash,
        timeUs: 1_600_000_000_000_000n + position * 12_000_000n + BigInt(branch),
        transactions,
      },
    ];
  };
  const keep = (): void => {
    const final = BigInt(blocks.length - 1 - options.finalityDepth);
    if (final >= 0n && (finalized === null || final > finalized)) finalized = final;
    states.push({ blocks, finalized });
  };
  /** Replaces the newest blocks: what they held is included again, in another order, later, or never. */
  const fork = (): void => {
    const depthMax = blocks.length - 1 - Number(finalized ?? 0n);
    if (depthMax < 1) return;
    forks++;
    branch++;
    const depth = 1 + random.below(Math.min(depthMax, options.finalityDepth));
    const orphaned = blocks.slice(blocks.length - depth).flatMap((block) => block.transactions);
    blocks = blocks.slice(0, blocks.length - depth);
    const again = random.chance(0.2) ? [] : orphaned.filter(() => random.chance(0.75));
    if (random.chance(0.3)) again.reverse();
    const length = Math.max(1, depth + random.below(4) - 1);
    for (let i = 0; i < length; i++) {
      const share = i === length - 1 ? again.splice(0) : again.splice(0, random.below(3));
      // What comes late is included after the new branch.
      if (i === length - 1 && random.chance(0.3)) waiting.unshift(...share.splice(random.below(2)));
      addBlock(share);
    }
  };

  addBlock([]);
  while (waiting.length > 0) {
    addBlock(random.chance(options.emptyChance) ? [] : waiting.splice(0, 1 + random.below(2)));
    keep();
    while (random.chance(options.forkChance)) {
      fork();
      keep();
    }
  }
  // The end of the chain is a block that no fork has touched.
  addBlock([]);
  keep();
  return { states, forks, omits: ({ hash }) => omitted.has(hash) };
}

/** What a subject tells of blocks. */
export interface ReadBlocks {
  readonly events: readonly Event[];
  /** Contracts that these blocks named, known or not, each at its first place. */
  readonly discovered: readonly DiscoveredContract[];
  readonly sourceRecords: number;
}

/** What a reading of blocks leaves out: a node that lacks logs without saying so (P2). */
export type Omission = (transaction: Transaction) => boolean;

/**
 * Reads blocks as a subject does that knows these contracts, each from its place on: complete for what is discovered on the way.
 */
export function readBlocks(
  blocks: readonly ScriptedBlock[],
  known: readonly DiscoveredContract[],
  omitted: Omission = () => false,
): ReadBlocks {
  const since = new Map(known.map((one) => [one.address, one.discoveredAt]));
  const events: Event[] = [];
  const discovered = new Map<string, DiscoveredContract>();
  let sourceRecords = 0;
  for (const block of blocks) {
    let index = -1;
    for (const transaction of block.transactions) {
      for (const draft of transaction.drafts) {
        index++;
        if (omitted(transaction)) continue;
        sourceRecords++;
        const seqNo = evmSeqNo.encode(block.position, index, 0);
        if (draft.needs !== undefined && seqNo <= (since.get(draft.needs) ?? Infinity)) continue;
        if (draft.discovers !== undefined && !discovered.has(draft.discovers)) {
          const contract = { address: draft.discovers, kind: 'erc721', discoveredAt: seqNo };
          discovered.set(draft.discovers, contract);
          if (seqNo < (since.get(draft.discovers) ?? Infinity)) since.set(draft.discovers, seqNo);
        }
        events.push({
          subjectId: SUBJECT,
          seqNo,
          aggregateType: draft.aggregateType,
          aggregateId: draft.aggregateId,
          name: draft.name,
          data: draft.data,
          source: {
            position: block.position,
            index,
            txHash: transaction.hash,
            blockHash: block.hash,
            timeUs: block.timeUs,
            address: draft.address,
          },
        });
      }
    }
  }
  return { events, discovered: [...discovered.values()], sourceRecords };
}
