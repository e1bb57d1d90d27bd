import type { DiscoveredContract, SeqNoCodec } from '@imart/core';
import type { EvmLog } from './log';
import type { DiscoveredCollection, Marketplace } from './marketplace';

/** A marketplace and the contracts whose logs it is shown. */
export interface FollowedMarketplace {
  readonly marketplace: Marketplace;
  /** `all`: whatever contract emitted them (`COLLECTIONS=all`). */
  readonly contracts: readonly string[] | 'all';
  /** It is also shown the logs of every contract that a marketplace's `discover` names, from that log on. */
  readonly discovered?: boolean;
  /**
   * Only logs with exactly so many topics are its own: an ERC-20 Transfer has the first topic of an ERC-721 one, and one
   * topic less (D6).
   */
  readonly topicCount?: number;
}

/** The filter of one `eth_getLogs` query, without its range. */
export interface LogQuery {
  /** Absent: of every contract. */
  readonly address?: readonly string[];
  readonly topics: readonly (readonly string[] | null)[];
}

export interface LogFilterOptions {
  readonly marketplaces: readonly FollowedMarketplace[];
  readonly discovered: readonly DiscoveredContract[];
  readonly seqNo: SeqNoCodec;
  /** Addresses of one query; more of them make more queries of the same batch. @defaultValue 500 */
  readonly addressesPerQueryMax?: number;
}

/** Which logs are asked for, and whose they are. Grows by the contracts that are discovered. */
export interface LogFilter {
  /** In the order in which they see a transaction: by name, so that the order of a setting changes nothing. */
  readonly marketplaces: readonly Marketplace[];
  /** Whether this marketplace, by its index, is shown the logs of every contract there is. */
  followsEverybody(owner: number): boolean;
  /** How many contracts have been discovered. */
  readonly childCount: number;
  /** What to ask for everything that is followed now. */
  queries(): readonly LogQuery[];
  /** What to ask for these discovered contracts; empty when every contract is followed anyway. */
  childQueries(addresses: readonly string[]): readonly LogQuery[];
  /** The contracts discovered after the first `count` ones. */
  childrenAfter(count: number): readonly string[];
  /** Indexes into `marketplaces` of those whose log this is; empty for a foreign one. */
  owners(log: EvmLog): readonly number[];
  /** As `owners`, these contracts being discovered too, and wherever in the chain the log stands. */
  possibleOwners(log: EvmLog, newChildren: ReadonlySet<string>): readonly number[];
  /** What the log says was created. */
  namedIn(log: EvmLog): readonly DiscoveredCollection[];
  /** What the log says was created; empty when its contract is followed from there already. */
  discoveriesIn(log: EvmLog): readonly DiscoveredCollection[];
  isChild(address: string): boolean;
  /** Whether any log of this contract may be somebody's. */
  mayFollow(address: string): boolean;
  /**
   * The contracts that are followed by their address, these among them, each with the first topics that count of it.
   * @param children contracts to take for discovered besides those that are.
   */
  watched(children: ReadonlySet<string>): ReadonlyMap<string, readonly string[]>;
  /**
   * Follows it from the next log on.
   * @returns `null` when it is followed from there already.
   */
  follow(collection: DiscoveredCollection, log: EvmLog): DiscoveredContract | null;
  /** Forgets what was discovered in this block or above it: the chain took them back (R9). */
  forgetFrom(block: number): void;
}

const ADDRESSES_PER_QUERY_MAX = 500;

type ByTopic = Map<string, number[]>;
const NOBODY: readonly number[] = [];

function addOwner(byTopic: ByTopic, topic: string, owner: number): void {
  const owners = byTopic.get(topic);
  if (owners === undefined) byTopic.set(topic, [owner]);
  else if (!owners.includes(owner)) owners.push(owner);
}

function merge(a: readonly number[], b: readonly number[]): readonly number[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

export function createLogFilter(options: LogFilterOptions): LogFilter {
  const { seqNo, addressesPerQueryMax = ADDRESSES_PER_QUERY_MAX } = options;
  const followed = [...options.marketplaces].sort((a, b) =>
    a.marketplace.name < b.marketplace.name ? -1 : 1,
  );
  const byAddress = new Map<string, ByTopic>();
  const ofAll: ByTopic = new Map();
  const ofChildren: ByTopic = new Map();
  /** Last log before the followed ones, as (block, index). */
  const children = new Map<string, { block: number; index: number }>();
  const childOrder: string[] = [];
  const fixedTopics = new Set<string>();

  followed.forEach(({ marketplace, contracts, discovered }, owner) => {
    for (const topic of marketplace.topics) {
      if (contracts === 'all') addOwner(ofAll, topic, owner);
      else if (discovered === true) addOwner(ofChildren, topic, owner);
      if (contracts !== 'all' && contracts.length > 0) fixedTopics.add(topic);
    }
    if (contracts === 'all') return;
    for (const address of contracts) {
      const key = address.toLowerCase();
      const byTopic = byAddress.get(key) ?? (new Map() as ByTopic);
      byAddress.set(key, byTopic);
      for (const topic of marketplace.topics) addOwner(byTopic, topic, owner);
    }
  });
  const followsChildren = ofChildren.size > 0;
  for (const { address, discoveredAt } of options.discovered) {
    const { position, index } = seqNo.decode(discoveredAt);
    if (children.has(address)) continue;
    children.set(address, { block: Number(position), index });
    childOrder.push(address);
  }

  const addressQueries = (addresses: readonly string[], topics: readonly string[]): LogQuery[] => {
    const queries: LogQuery[] = [];
    for (let i = 0; i < addresses.length; i += addressesPerQueryMax) {
      queries.push({ address: addresses.slice(i, i + addressesPerQueryMax), topics: [topics] });
    }
    return queries;
  };

  /** Queries of every contract, one for each number of topics that is demanded. */
  const allQueries = (): LogQuery[] => {
    const byCount = new Map<number, Set<string>>();
    for (const { marketplace, contracts, topicCount = 1 } of followed) {
      if (contracts !== 'all') continue;
      const topics = byCount.get(topicCount) ?? new Set<string>();
      byCount.set(topicCount, topics);
      for (const topic of marketplace.topics) topics.add(topic);
    }
    // A place for each topic, whatever it is: a log with fewer topics does not match.
    return [...byCount].map(([count, topics]) => ({
      topics: [[...topics], ...new Array<null>(count - 1).fill(null)],
    }));
  };

  const withCount = (owners: readonly number[] | undefined, log: EvmLog): readonly number[] => {
    if (owners === undefined) return NOBODY;
    const fits = (owner: number): boolean => {
      const count = followed[owner]?.topicCount;
      return count === undefined || count === log.topics.length;
    };
    return owners.every(fits) ? owners : owners.filter(fits);
  };

  const ownersOf = (log: EvmLog, isChild: boolean): readonly number[] => {
    const topic = log.topics[0];
    if (topic === undefined) return NOBODY;
    const fixed = withCount(byAddress.get(log.address)?.get(topic), log);
    const any = ofAll.size === 0 ? NOBODY : withCount(ofAll.get(topic), log);
    const child = isChild ? withCount(ofChildren.get(topic), log) : NOBODY;
    return merge(merge(fixed, any), child);
  };

  const namedIn = (log: EvmLog): DiscoveredCollection[] => {
    const named: DiscoveredCollection[] = [];
    for (const owner of ownersOf(log, children.has(log.address))) {
      const marketplace = followed[owner]?.marketplace;
      if (marketplace?.discover === undefined) continue;
      for (const { address, standard } of marketplace.discover(log)) {
        named.push({ address: address.toLowerCase(), standard });
      }
    }
    return named;
  };

  /** A contract that an earlier reading knew only from a later log on is not. */
  const isFollowedFrom = (address: string, { blockNumber, logIndex }: EvmLog): boolean => {
    const since = children.get(address);
    if (since === undefined) return false;
    return since.block < blockNumber || (since.block === blockNumber && since.index <= logIndex);
  };

  return {
    marketplaces: followed.map(({ marketplace }) => marketplace),
    followsEverybody: (owner) => followed[owner]?.contracts === 'all',
    get childCount() {
      return childOrder.length;
    },
    queries() {
      const topics = new Set(fixedTopics);
      if (childOrder.length > 0) for (const topic of ofChildren.keys()) topics.add(topic);
      const addresses = followsChildren
        ? [...new Set([...byAddress.keys(), ...childOrder])]
        : [...byAddress.keys()];
      return [...addressQueries(addresses, [...topics]), ...allQueries()];
    },
    childQueries: (addresses) => (followsChildren ? addressQueries(addresses, [...ofChildren.keys()]) : []),
    childrenAfter: (count) => childOrder.slice(count),
    owners(log) {
      const since = children.get(log.address);
      const isChild =
        since !== undefined &&
        (log.blockNumber > since.block || (log.blockNumber === since.block && log.logIndex > since.index));
      return ownersOf(log, isChild);
    },
    possibleOwners: (log, newChildren) =>
      ownersOf(log, children.has(log.address) || newChildren.has(log.address)),
    namedIn,
    discoveriesIn: (log) => namedIn(log).filter(({ address }) => !isFollowedFrom(address, log)),
    isChild: (address) => children.has(address),
    mayFollow: (address) => ofAll.size > 0 || byAddress.has(address) || children.has(address),
    watched(more) {
      const topicsOf = new Map<string, readonly string[]>();
      for (const [address, byTopic] of byAddress) topicsOf.set(address, [...byTopic.keys()]);
      if (!followsChildren) return topicsOf;
      const childTopics = [...ofChildren.keys()];
      for (const address of [...childOrder, ...more]) {
        const own = byAddress.get(address)?.keys() ?? [];
        topicsOf.set(address, [...new Set([...own, ...childTopics])]);
      }
      return topicsOf;
    },
    follow({ address, standard }, log) {
      if (isFollowedFrom(address, log)) return null;
      const { blockNumber, logIndex } = log;
      if (!children.has(address)) childOrder.push(address);
      children.set(address, { block: blockNumber, index: logIndex });
      return { address, kind: standard, discoveredAt: seqNo.encode(BigInt(blockNumber), logIndex, 0) };
    },
    forgetFrom(block) {
      for (let i = childOrder.length - 1; i >= 0; i--) {
        const address = childOrder[i] as string;
        if ((children.get(address)?.block ?? -1) < block) continue;
        children.delete(address);
        childOrder.splice(i, 1);
      }
    },
  };
}
