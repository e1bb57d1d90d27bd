import type {
  DiscoveredContract,
  EventDataCodec,
  KnownBlock,
  LateChange,
  SeqNo,
  SeqNoCodec,
} from '@imart/core';
import type { LogRange } from '../changePorts';
import { EpochMovedError } from '../errors';
import type { SubjectStore } from '../ports';
import { compareEvents, eventOf, type EventDifference } from './compareEvents';
import type { PassStore } from './passes';
import type { BlockReading, PositionRange, RangeReading, RangeSource, ReadingDepth } from './source';

export interface AuditOptions {
  readonly store: Pick<SubjectStore, 'resumePoint' | 'rangeEvents'>;
  readonly passes: Pick<PassStore, 'eventsAt' | 'tamperedEvents'>;
  readonly source: RangeSource;
  readonly codec: EventDataCodec;
  readonly seqNos: SeqNoCodec;
}

export interface AuditRequest extends PositionRange {
  readonly depth: ReadingDepth;
}

/** A contract that is not known as the source tells it. */
export interface ContractDifference {
  /** `missing`: not known, or only from a later place on. `extra`: nothing names it where it is said to be named. */
  readonly kind: 'missing' | 'extra';
  readonly contract: DiscoveredContract;
}

/** What a second reading of a range found. */
export type RangeAudit =
  | {
      readonly kind: 'compared';
      readonly range: PositionRange;
      /** Ascending. */
      readonly differences: readonly EventDifference[];
      readonly contracts: readonly ContractDifference[];
      /**
       * Differences that the source tells by leaving something out, and that could not be looked at closer: their block is not served. They are
       * in neither `differences` nor `change`.
       */
      readonly unconfirmed: readonly EventDifference[];
      /** Events of the log that nobody follows any more: they are kept, and not compared. */
      readonly unfollowed: number;
      /** How many events the source has in the range. */
      readonly events: number;
      readonly wholeBlocks: number;
      /** Makes the log equal to the source. `null`: it is. */
      readonly change: LateChange | null;
    }
  /** The source tells of another branch of the chain than the log: nothing can be compared. */
  | {
      readonly kind: 'other-branch';
      readonly range: PositionRange;
      readonly position: bigint;
      readonly stored: string;
      readonly read: string;
    };

type Compared = Extract<RangeAudit, { kind: 'compared' }>;
type OtherBranch = Extract<RangeAudit, { kind: 'other-branch' }>;

/** Readings that turn out to be of another moment than the log are made again so often. */
const ATTEMPTS_MAX = 20;

/**
 * Reads a range of the source again, with everything that is followed now, and compares it with the log: with the contracts of the
 * settings, with those discovered before, each from its place on, and with those that this reading discovers.
 *
 * What the source leaves out is believed only after the blocks in question have been read whole: an answer that lacks a log looks
 * just like a chain without it (P2).
 *
 * @param request within what is ingested.
 * @throws {EpochMovedError} `retry` when a reorg meanwhile left less than that in the log.
 * @throws {WorkerError} what the source or the store throws.
 */
export async function auditRange(
  options: AuditOptions,
  request: AuditRequest,
  signal: AbortSignal,
): Promise<RangeAudit> {
  const { store, source } = options;
  /** Contracts that only a closer look showed, and contracts that it showed to be none. */
  const named: DiscoveredContract[] = [];
  const disproved = new Map<string, DiscoveredContract>();
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const resume = await store.resumePoint();
    const known = resume.discovered.filter(({ address }) => !disproved.has(address));
    const reading = await source.readRange({ ...request, known: merged(known, named) }, signal);
    const log = await store.rangeEvents(request.fromPosition, request.toPosition);
    // A reorg has ended the log earlier since the range was chosen: what lies beyond its end is not missing in it.
    if (log.nextPosition <= request.toPosition) throw new EpochMovedError(source.id, resume.epoch, null);
    // Something else has changed what is known meanwhile: the reading may lack a contract's logs.
    if (log.epoch !== resume.epoch && attempt < ATTEMPTS_MAX) continue;
    const closer = await lookCloser(options, { log, reading, known, disproved }, signal);
    if (closer.kind === 'other-branch') return closer;
    const before = named.length + disproved.size;
    named.push(...closer.named);
    for (const contract of closer.disproved) disproved.set(contract.address, contract);
    // Their own logs are to be read, or left out, too.
    if (named.length + disproved.size > before && attempt < ATTEMPTS_MAX) continue;
    return compared(options, { log, reading, known, disproved }, closer);
  }
}

/** Each contract once, from its earliest place on. */
function merged(
  known: readonly DiscoveredContract[],
  more: readonly DiscoveredContract[],
): readonly DiscoveredContract[] {
  if (more.length === 0) return known;
  const byAddress = new Map(known.map((contract) => [contract.address, contract]));
  for (const contract of more) {
    const before = byAddress.get(contract.address);
    if (before === undefined || contract.discoveredAt < before.discoveredAt)
      byAddress.set(contract.address, contract);
  }
  return [...byAddress.values()];
}

/** Both sides of one reading. */
interface Sides {
  readonly log: LogRange;
  readonly reading: RangeReading;
  /** What the log knows of discovered contracts, without the disproved ones. */
  readonly known: readonly DiscoveredContract[];
  readonly disproved: ReadonlyMap<string, DiscoveredContract>;
}

/** What the blocks of doubtful places say. */
interface CloserLook {
  readonly kind: 'looked';
  readonly differences: readonly EventDifference[];
  readonly unconfirmed: readonly EventDifference[];
  readonly unfollowed: number;
  readonly wholeBlocks: number;
  /** Hashes of all blocks that were read. */
  readonly hashes: ReadonlyMap<bigint, string>;
  /** What the whole blocks named, and the reading did not. */
  readonly named: readonly DiscoveredContract[];
  /** What is known from one of these places, and is not named there. */
  readonly disproved: readonly DiscoveredContract[];
}

/** Reads every block whole in which the source does not have what the log has. */
async function lookCloser(
  { source, passes, codec, seqNos }: AuditOptions,
  { log, reading, known, disproved }: Sides,
  signal: AbortSignal,
): Promise<CloserLook | OtherBranch> {
  const range = { fromPosition: reading.fromPosition, toPosition: reading.toPosition };
  const hashes = hashesOf(reading);
  const conflict = otherBranch(range, log, hashes);
  if (conflict !== null) return conflict;

  const positionOf = (seqNo: SeqNo): bigint => seqNos.decode(seqNo).position;
  const isFollowed = ({ stored }: EventDifference): boolean =>
    stored === null || reading.follows(stored.source.address) || disproved.has(stored.source.address);
  const tampered = new Set(await passes.tamperedEvents(range));
  const all = withTampered(compareEvents(log.events, reading.events, codec), log, reading, tampered);
  const own = all.filter(isFollowed);
  const namedAt = new Map(reading.discovered.map(({ address, discoveredAt }) => [address, discoveredAt]));
  const unnamed = log.discovered.filter(
    ({ address, discoveredAt }) => !disproved.has(address) && namedAt.get(address) !== discoveredAt,
  );
  const doubtful = [
    ...own.filter(({ kind }) => kind !== 'missing').map((difference) => eventOf(difference).seqNo),
    ...unnamed.map(({ discoveredAt }) => discoveredAt),
  ];
  const positions = [...new Set(doubtful.map(positionOf))].sort((a, b) => (a < b ? -1 : 1));
  const blocks = await source.readBlocks(positions, merged(known, reading.discovered), signal);
  const whole = new Map<bigint, BlockReading>(blocks.map((block) => [block.position, block]));
  for (const { position, block } of blocks) if (block !== null) hashes.set(position, block.hash);
  const closerConflict = otherBranch(range, log, hashes);
  if (closerConflict !== null) return closerConflict;

  const differences: EventDifference[] = [];
  const unconfirmed: EventDifference[] = [];
  let unfollowed = all.length - own.length;
  const looked = new Set<bigint>();
  for (const difference of own) {
    const position = positionOf(eventOf(difference).seqNo);
    const block = whole.get(position);
    if (block === undefined) differences.push(difference);
    else if (block.block === null) unconfirmed.push(difference);
    else if (!looked.has(position)) {
      looked.add(position);
      const stored = log.events.filter((event) => event.source.position === position);
      const closer = withTampered(compareEvents(stored, block.events, codec), log, block, tampered);
      for (const one of closer.filter(isFollowed)) {
        const isForeign = one.kind === 'extra' && block.isForeign(one.stored.source.index);
        if (isForeign && !disproved.has(one.stored.source.address)) unfollowed++;
        else differences.push(one);
      }
    }
  }
  return {
    kind: 'looked',
    differences,
    unconfirmed,
    unfollowed,
    hashes,
    wholeBlocks: reading.wholeBlocks + positions.length,
    named: blocks
      .flatMap(({ discovered }) => discovered)
      .filter(({ address, discoveredAt }) => discoveredAt < (namedAt.get(address) ?? Infinity)),
    disproved: unnamed.filter(({ address, discoveredAt }) => {
      const block = whole.get(positionOf(discoveredAt));
      // Of a factory that nobody follows any more: what it made stays followed.
      if (block === undefined || block.block === null || block.isForeign(seqNos.decode(discoveredAt).index))
        return false;
      return !block.discovered.some((one) => one.address === address && one.discoveredAt === discoveredAt);
    }),
  };
}

/** The blocks that a reading tells of: its own, and those that its events name. */
function hashesOf({ blocks, events }: RangeReading): Map<bigint, string> {
  const hashes = new Map<bigint, string>();
  for (const { source } of events) hashes.set(source.position, source.blockHash);
  for (const { position, hash } of blocks) hashes.set(position, hash);
  return hashes;
}

function otherBranch(
  range: PositionRange,
  log: LogRange,
  hashes: ReadonlyMap<bigint, string>,
): OtherBranch | null {
  for (const { position, hash } of log.blocks) {
    const read = hashes.get(position);
    if (read !== undefined && read !== hash)
      return { kind: 'other-branch', range, position, stored: hash, read };
  }
  return null;
}

/** Events that say what they should, and are not what was written: they are written again. */
function withTampered(
  differences: readonly EventDifference[],
  log: LogRange,
  { events }: { readonly events: RangeReading['events'] },
  tampered: ReadonlySet<SeqNo>,
): readonly EventDifference[] {
  if (tampered.size === 0) return differences;
  const told = new Set(differences.map((difference) => eventOf(difference).seqNo));
  const read = new Map(events.map((event) => [event.seqNo, event]));
  const more = log.events.flatMap((stored): EventDifference[] => {
    const own = read.get(stored.seqNo);
    if (own === undefined || told.has(stored.seqNo) || !tampered.has(stored.seqNo)) return [];
    return [{ kind: 'different', stored, read: own }];
  });
  return [...differences, ...more].sort((a, b) => (eventOf(a).seqNo < eventOf(b).seqNo ? -1 : 1));
}

async function compared(
  { passes }: AuditOptions,
  { log, reading, known, disproved }: Sides,
  { differences, unconfirmed, unfollowed, wholeBlocks, hashes }: CloserLook,
): Promise<Compared> {
  const since = new Map(known.map(({ address, discoveredAt }) => [address, discoveredAt]));
  const missing = reading.discovered.filter(
    ({ address, discoveredAt }) => discoveredAt < (since.get(address) ?? Infinity),
  );
  const contracts: ContractDifference[] = [
    ...missing.map((contract): ContractDifference => ({ kind: 'missing', contract })),
    ...[...disproved.values()].map((contract): ContractDifference => ({ kind: 'extra', contract })),
  ];
  const audit: Compared = {
    kind: 'compared',
    range: { fromPosition: reading.fromPosition, toPosition: reading.toPosition },
    differences,
    contracts,
    unconfirmed,
    unfollowed,
    events: reading.events.length,
    wholeBlocks,
    change: null,
  };
  if (differences.length === 0 && contracts.length === 0) return audit;

  // What was read only because of a contract that is none was never to be read, wherever it stands.
  const strays = [...disproved.keys()].filter((address) => !reading.follows(address));
  const extra = strays.length === 0 ? [] : await passes.eventsAt(strays);
  const retracted = new Set([
    ...differences.flatMap((d) => (d.kind === 'extra' ? [d.stored.seqNo] : [])),
    ...extra,
  ]);
  const replaced = differences.flatMap((d) => (d.kind === 'different' ? [d.read] : []));
  // A contract is forgotten with the event that named it: what is still named there is told again.
  const going = new Set([...retracted, ...replaced.map(({ seqNo }) => seqNo)]);
  const again = reading.discovered.filter((contract) => going.size > 0 && !missing.includes(contract));
  const change: LateChange = {
    epoch: log.epoch,
    blocks: [...hashes]
      .map(([position, hash]): KnownBlock => ({ position, hash }))
      .sort((a, b) => (a.position < b.position ? -1 : 1)),
    inserted: differences.flatMap((d) => (d.kind === 'missing' ? [d.read] : [])),
    replaced,
    retracted: [...retracted].sort((a, b) => (a < b ? -1 : 1)),
    discovered: [...missing, ...again],
  };
  return { ...audit, change };
}
