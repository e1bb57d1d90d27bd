import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  type AppendMessage,
  type BlockRef,
  type DiscoveredContract,
  type Event,
  type LateChange,
  type ResumePoint,
  type Subject,
  type SubjectMessage,
} from '@imart/core';
import { blockSeqNo } from './blockSeqNo';
import { AGGREGATE } from '@imart/market';
import type { LogRange } from '@imart/pipeline';
import { address, ALICE, SUBJECT } from './marketEvents';
import { randomHistory } from './randomMarket';
import type { SeededRandom } from './seededRandom';

interface ChainBlock {
  readonly ref: BlockRef;
  /** What happened, ascending. */
  readonly events: readonly Event[];
  /** What a provider tells of it at first: with events left out, events that say something else, and events that never were. */
  readonly told: readonly Event[];
  readonly discovered: readonly DiscoveredContract[];
}

/** No chain of this project tells a time after the year 9999. */
const CALENDAR_END_US = 253_402_300_800_000_000n;

/** A chain that grows, forks and becomes final, whose providers are not to be trusted. Everything follows from one number. */
export interface ForkingChain {
  readonly head: bigint;
  readonly finalized: bigint;
  grow(blocks: number): void;
  /** Another branch takes the place of the last blocks that are not final, and includes some of their events again, elsewhere. */
  fork(depth: number, blocks: number): void;
  finalize(position: bigint): void;
  events(): readonly Event[];
  /** The contracts that are known when all events are, by address, each by its first event. */
  discovered(): ReadonlyMap<string, DiscoveredContract>;
  /** A reading of what a provider tells first. */
  createSubject(catchingUp: number): Subject;
  /** What a second, better reading of a range finds. */
  difference(range: LogRange, fromPosition: bigint, toPosition: bigint): LateChange;
}

export function createForkingChain(random: SeededRandom): ForkingChain {
  const blocks: ChainBlock[] = [];
  let branch = 0;
  let finalized = -1n;
  let pool: Event[] = [];
  /** Events of blocks that were forked away: the next ones may include them again (R6). */
  let orphans: Event[] = [];

  const draw = (): Event => {
    if (orphans.length > 0 && random.chance(0.5)) return orphans.shift() as Event;
    if (pool.length === 0) {
      const [history] = fc.sample(randomHistory, { numRuns: 1, seed: random.between(0, 2 ** 31 - 1) });
      pool = (history ?? []).map(withinCalendar);
    }
    const event = pool.shift();
    if (event === undefined) return draw();
    if (event.aggregateType !== AGGREGATE.order || !random.chance(0.03)) return event;
    return { ...event, name: 'TokenMinted', data: { to: ALICE, standard: 'erc721' } };
  };

  const placed = (event: Event, ref: BlockRef, index: number): Event => ({
    ...event,
    seqNo: blockSeqNo.encode(ref.position, index, 0),
    source: { ...event.source, position: ref.position, index, blockHash: ref.hash, timeUs: ref.timeUs },
  });

  /** Of what happened, what a provider tells: seldom all of it. */
  const tell = (events: readonly Event[], ref: BlockRef): readonly Event[] => {
    if (!random.chance(0.3)) return events;
    const told: Event[] = [];
    for (const event of events) {
      const index = event.source.index;
      const fate = random.next();
      if (fate >= 0.1) told.push(fate < 0.2 ? placed(draw(), ref, index) : event);
      if (random.chance(0.1)) told.push(placed(draw(), ref, index + 1));
    }
    return told;
  };

  const add = (): void => {
    const position = BigInt(blocks.length);
    const parent = blocks.at(-1)?.ref.hash ?? `0x${'00'.repeat(32)}`;
    const hash = `0x${(BigInt(branch) * 1_000_000n + position + 1n).toString(16).padStart(64, '0')}`;
    const timeUs = 1_600_000_000_000_000n + position * 12_000_000n + BigInt(branch);
    const ref: BlockRef = { position, hash, parentHash: parent, timeUs };
    const events = Array.from({ length: random.pick([0, 0, 1, 2, 3, 5]) }, (_, i) =>
      placed(draw(), ref, 2 * i),
    );
    const discovered = events
      .filter(() => random.chance(0.1))
      .map(({ seqNo }): DiscoveredContract => ({
        address: address(`c${random.between(1, 6)}`),
        kind: 'erc721',
        discoveredAt: seqNo,
      }));
    blocks.push({ ref, events, told: tell(events, ref), discovered });
  };

  const refAt = (position: bigint): BlockRef | undefined => blocks[Number(position)]?.ref;

  const append = (
    fromPosition: bigint,
    toPosition: bigint,
    known: Set<string>,
    catchingUp: boolean,
  ): AppendMessage => {
    const part = blocks.slice(Number(fromPosition), Number(toPosition) + 1);
    const events = part.flatMap(({ told }) => told);
    const seen = new Set(events.map(({ seqNo }) => seqNo));
    const discovered = part
      .flatMap((block) => block.discovered)
      .filter(({ discoveredAt }) => seen.has(discoveredAt))
      .filter((one) => !known.has(one.address) && known.add(one.address));
    return {
      kind: 'append',
      fromPosition,
      toPosition,
      toSeqNo: blockSeqNo.last(toPosition),
      events,
      blocks: toPosition > finalized ? part.map(({ ref }) => ref) : part.slice(-1).map(({ ref }) => ref),
      discovered,
      catchingUp,
      sourceRecords: events.length,
    };
  };

  async function* read(resume: ResumePoint, catchingUp: number): AsyncGenerator<SubjectMessage> {
    const known = new Set(resume.discovered.map((one) => one.address));
    let next = resume.nextPosition;
    const tip = resume.window.at(-1);
    if (tip !== undefined && refAt(tip.position)?.hash !== tip.hash) {
      const ancestor = resume.window.findLast((block) => refAt(block.position)?.hash === block.hash);
      if (ancestor === undefined) throw new RangeError('the chain forked below what its reader knows');
      next = ancestor.position + 1n;
      yield { kind: 'invalidate', fromSeqNo: blockSeqNo.first(next), ancestor };
      known.clear();
      for (const { address: kept, discoveredAt } of resume.discovered)
        if (discoveredAt < blockSeqNo.first(next)) known.add(kept);
    }
    yield { kind: 'heartbeat', head: blocks.at(-1)?.ref as BlockRef };
    const head = BigInt(blocks.length) - 1n;
    while (next <= head) {
      const last = next + BigInt(random.between(0, 4));
      const final = next <= finalized && last > finalized ? finalized : last;
      const to = final < head ? final : head;
      yield append(next, to, known, random.chance(catchingUp));
      next = to + 1n;
      if (finalized >= 0n && random.chance(0.3)) {
        const position = finalized < to ? finalized : to;
        yield { kind: 'finalize', position, upToSeqNo: blockSeqNo.last(position) };
      }
    }
    if (finalized >= 0n)
      yield { kind: 'finalize', position: finalized, upToSeqNo: blockSeqNo.last(finalized) };
    yield { kind: 'end', atPosition: head };
  }

  const discovered = (): ReadonlyMap<string, DiscoveredContract> => {
    const known = new Map<string, DiscoveredContract>();
    for (const one of blocks.flatMap((block) => block.discovered))
      if (!known.has(one.address)) known.set(one.address, one);
    return known;
  };

  return {
    get head() {
      return BigInt(blocks.length) - 1n;
    },
    get finalized() {
      return finalized;
    },
    grow(count) {
      for (let i = 0; i < count; i++) add();
    },
    fork(depth, count) {
      const gone = blocks.splice(Math.max(Number(finalized) + 1, 1, blocks.length - depth));
      orphans = gone.flatMap(({ events }) => events);
      branch++;
      for (let i = 0; i < count; i++) add();
    },
    finalize(position) {
      if (position > finalized) finalized = position;
    },
    events: () => blocks.flatMap(({ events }) => events),
    discovered,
    createSubject: (catchingUp) => ({
      id: SUBJECT,
      identify: () => Promise.resolve({ subjectId: SUBJECT, genesisHash: '0x00' }),
      messages: (resume) => read(resume, catchingUp),
      executed: () => undefined,
    }),
    difference({ epoch, events: stored }, fromPosition, toPosition) {
      const part = blocks.slice(Number(fromPosition), Number(toPosition) + 1);
      const right = new Map(part.flatMap(({ events }) => events).map((event) => [event.seqNo, event]));
      const inLog = new Map(stored.map((event) => [event.seqNo, event]));
      const named = [...discovered().values()].filter(({ discoveredAt }) => {
        const { position } = blockSeqNo.decode(discoveredAt);
        return position >= fromPosition && position <= toPosition;
      });
      const replaced = [...right.values()].filter((event) => {
        const known = inLog.get(event.seqNo);
        return known !== undefined && !isDeepStrictEqual(known, event);
      });
      const inserted = [...right.values()].filter(({ seqNo }) => !inLog.has(seqNo));
      const retracted = stored.map(({ seqNo }) => seqNo).filter((seqNo) => !right.has(seqNo));
      const changed = inserted.length + replaced.length + retracted.length > 0;
      return {
        epoch,
        blocks: part.map(({ ref: { position, hash } }) => ({ position, hash })),
        inserted,
        replaced,
        retracted,
        discovered: changed ? named : [],
      };
    },
  };
}

function withinCalendar(event: Event): Event {
  const { expiresAtUs } = event.data as { expiresAtUs?: bigint | null };
  if (typeof expiresAtUs !== 'bigint' || expiresAtUs < CALENDAR_END_US) return event;
  return { ...event, data: { ...(event.data as object), expiresAtUs: CALENDAR_END_US } };
}
