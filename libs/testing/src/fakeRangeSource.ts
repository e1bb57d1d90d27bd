import { type BlockRef, type DiscoveredContract, type Event, type SubjectId } from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import type { BlockReading, RangeRequest, RangeSource } from '@imart/pipeline';
import { fakeBlock } from './fakeSubject';

export interface FakeRangeSourceOptions {
  readonly subjectId: SubjectId;
  /** Everything that is in the chain, ascending. May be changed between readings. */
  readonly events: () => readonly Event[];
  /** Contracts that are followed whatever happens. @defaultValue every contract */
  readonly contracts?: ReadonlySet<string>;
  /** The contract that an event names. @defaultValue none does */
  readonly names?: (event: Event) => string | null;
  /** What answers to ranges leave out; blocks that are read whole have it. @defaultValue nothing */
  readonly omits?: (event: Event) => boolean;
  /** @defaultValue that of `fakeBlock` */
  readonly block?: (position: bigint) => BlockRef | null;
  /** Called before each reading. */
  readonly onRead?: (request: RangeRequest) => void | Promise<void>;
  /** @defaultValue 1,000 */
  readonly positionsPerRange?: number;
}

/** A source whose second reading is written down beforehand. */
export interface FakeRangeSource extends RangeSource {
  readonly requests: readonly RangeRequest[];
  /** Positions that were read whole, in order. */
  readonly whole: readonly bigint[];
  rateLimited: number;
}

export function createFakeRangeSource(options: FakeRangeSourceOptions): FakeRangeSource {
  const {
    subjectId,
    contracts = null,
    names = () => null,
    omits = () => false,
    block = fakeBlock,
    onRead,
    positionsPerRange = 1_000,
  } = options;
  const requests: RangeRequest[] = [];
  const whole: bigint[] = [];

  const isFixed = (address: string): boolean => contracts === null || contracts.has(address);
  /** What of these events is followed, and what it names. */
  const follow = (events: readonly Event[], known: readonly DiscoveredContract[]) => {
    const since = new Map(known.map(({ address, discoveredAt }) => [address, discoveredAt]));
    const named = new Map<string, DiscoveredContract>();
    const own = events.filter((event) => {
      const { address } = event.source;
      if (!isFixed(address) && !(event.seqNo > (since.get(address) ?? Infinity))) return false;
      const contract = names(event);
      if (contract === null) return true;
      const { position, index } = event.source;
      const discoveredAt = blockSeqNo.encode(position, index, 0);
      if (discoveredAt < (since.get(contract) ?? Infinity)) since.set(contract, discoveredAt);
      if (!named.has(contract)) named.set(contract, { address: contract, kind: 'erc721', discoveredAt });
      return true;
    });
    return {
      events: own,
      discovered: [...named.values()],
      follows: (a: string) => isFixed(a) || since.has(a),
    };
  };

  return {
    id: subjectId,
    requests,
    whole,
    positionsPerRange,
    rateLimited: 0,
    async readRange(request) {
      requests.push(request);
      await onRead?.(request);
      const { fromPosition, toPosition, known, depth } = request;
      const all = options
        .events()
        .filter(({ source }) => source.position >= fromPosition && source.position <= toPosition)
        .filter((event) => depth === 'whole' || !omits(event));
      const before = known.filter(({ discoveredAt }) => discoveredAt <= blockSeqNo.last(toPosition));
      const blocks: BlockRef[] = [];
      for (let at = fromPosition; at <= toPosition; at++) {
        const ref = depth === 'quick' && at < toPosition ? null : block(at);
        if (ref !== null) blocks.push(ref);
      }
      return { ...request, ...follow(all, before), blocks, wholeBlocks: 0 };
    },
    async readBlocks(positions, known) {
      return positions.map((position): BlockReading => {
        whole.push(position);
        const all = options.events().filter(({ source }) => source.position === position);
        const { events, discovered } = follow(all, known);
        return {
          position,
          block: block(position),
          events,
          discovered,
          isForeign: (index) =>
            all.some((event) => event.source.index === index) &&
            !events.some((event) => event.source.index === index),
        };
      });
    },
  };
}
