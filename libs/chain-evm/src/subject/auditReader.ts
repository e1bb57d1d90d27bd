import { type BlockRef, type DiscoveredContract, type SubjectIdentity } from '@imart/core';
import { evmSeqNo } from '../seqNo';
import { waitMs, type BlockReading, type RangeReading, type RangeSource } from '@imart/pipeline';
import { toBlockRef } from '../fetch/canonicalBlock';
import { fetchRange, type RangeData } from '../fetch/fetchRange';
import { mergeLogs } from '../fetch/logOrder';
import { blocksToldInPart } from '../fetch/partialBlocks';
import { blocksWithPromisedLogs } from '../fetch/promisedLogs';
import type { FetchContext } from '../fetch/readAnswers';
import { checkNothingBefore, lastBlockUpTo } from '../fetch/skippedHeights';
import { fetchWholeBlock, ownLogs, type WholeBlock } from '../fetch/wholeBlock';
import { createLogFilter, type FollowedMarketplace, type LogFilter } from '../follow';
import type { EvmBlock, EvmReceipt } from '../log';
import { ADAPTIVE_RANGE_DEFAULTS } from '../ranges/adaptiveRange';
import { rangeText, type BlockRange } from '../ranges/blockRange';
import { createRpcEndpoint, RPC_ENDPOINT_DEFAULTS } from '../rpc/endpoint';
import { BlockNotServedError, RpcInconsistentError } from '../rpc/errors';
import { createRpcPool, RPC_POOL_DEFAULTS } from '../rpc/pool';
import { createTranslator } from '../translate';
import { createFetchContexts } from './fetchContexts';
import { identify } from './identify';
import { evmSubjectId, type EvmSubjectOptions, type EvmSubjectStats } from './options';

/** What a second reading of an EVM chain is made of; meanings as for the subject. Nothing is connected to before it reads. */
export interface AuditReaderOptions extends Pick<
  EvmSubjectOptions,
  | 'chainId'
  | 'rpcUrls'
  | 'marketplaces'
  | 'wrappedNative'
  | 'logger'
  | 'ranges'
  | 'genesisHash'
  | 'addressesPerQueryMax'
  | 'rpc'
  | 'onAvailability'
  | 'random'
  | 'now'
  | 'wait'
> {
  /**
   * Whether `thorough` readings read the blocks whole whose headers promise logs that the answer lacks. To be switched off on chains
   * whose blooms say so of most blocks. @defaultValue true
   */
  readonly checkBlooms?: boolean;
  /** Asks the endpoints in the reverse order, so that it is not the one that the live stream trusts. @defaultValue false */
  readonly lastFirst?: boolean;
}

/** Reads ranges of an EVM chain again, with connections of its own. */
export interface AuditReader extends RangeSource {
  /** As of a subject. */
  identify(signal: AbortSignal): Promise<SubjectIdentity>;
  stats(): Pick<EvmSubjectStats, 'endpoints' | 'skippedLogs'>;
  /** Closes kept connections. It is not to be used afterwards. */
  close(): void;
}

/** Endpoints are asked for a block that they do not have so often before it is told. */
const NOT_SERVED_ATTEMPTS = 3;

/** The code of `RpcRateLimitedError`. */
const RATE_LIMITED = 'RPC_RATE_LIMITED';

/** A second reading is never in a hurry. @defaultValue for `rpc.inFlightMax` */
const IN_FLIGHT_MAX = 2;

/** Blocks that are read whole at the same time. */
const WHOLE_AT_ONCE = 2;

export function createAuditReader(options: AuditReaderOptions): AuditReader {
  const { chainId, logger, random, now, wait = waitMs, checkBlooms = true, lastFirst = false } = options;
  const rpc = {
    ...RPC_ENDPOINT_DEFAULTS,
    ...RPC_POOL_DEFAULTS,
    inFlightMax: IN_FLIGHT_MAX,
    ...options.rpc,
  };
  const subjectId = evmSubjectId(chainId);
  const endpoints = options.rpcUrls.map((url, i) => createRpcEndpoint({ ...rpc, url, place: i + 1, now }));
  const pool = createRpcPool({
    endpoints: lastFirst ? endpoints.reverse() : endpoints,
    chainId,
    logger,
    random,
    now,
    wait,
    schedule: rpc.retry ?? rpc.schedule,
    refusedAnswersMax: rpc.refusedAnswersMax,
    complainEveryMs: rpc.complainEveryMs,
    onAvailability: options.onAvailability,
  });
  const skippedLogs: Record<string, number> = {};
  const contexts = createFetchContexts({
    ranges: { ...ADAPTIVE_RANGE_DEFAULTS, ...options.ranges },
    logger,
    skipped: (reason, count = 1) => {
      skippedLogs[reason] = (skippedLogs[reason] ?? 0) + count;
    },
    // Blocks that are suspected are read whole, which says more than the same node's answer to the same question.
    checkBlooms: false,
    bloomAlarm: () => undefined,
  });

  const filterOf = (known: readonly DiscoveredContract[], to: number): LogFilter =>
    createLogFilter({
      marketplaces: options.marketplaces as readonly FollowedMarketplace[],
      discovered: known.filter(({ discoveredAt }) => discoveredAt <= evmSeqNo.last(BigInt(to))),
      seqNo: evmSeqNo,
      ...(options.addressesPerQueryMax === undefined
        ? {}
        : { addressesPerQueryMax: options.addressesPerQueryMax }),
    });

  const ask = <T>(
    what: string,
    signal: AbortSignal,
    work: (context: FetchContext) => Promise<T>,
  ): Promise<T> =>
    pool.run({
      what: `${what}, again`,
      signal,
      giveUp: (error, attempt) =>
        error instanceof BlockNotServedError &&
        attempt >= Math.max(NOT_SERVED_ATTEMPTS, pool.endpoints.length),
      work: (endpoint) => work(contexts.of(endpoint, signal)),
    });

  const translate = (filter: LogFilter, data: RangeData) => {
    const chain = { chainId, wrappedNative: options.wrappedNative };
    const { events } = createTranslator({ subjectId, chain, filter, seqNo: evmSeqNo })(data);
    return { events, discovered: namedIn(filter, data) };
  };

  return {
    id: subjectId,
    identify: (signal) => identify(pool, subjectId, options.genesisHash ?? null, signal),
    get positionsPerRange() {
      return contexts.sizesOf(pool.preferred()).blocks;
    },
    get rateLimited() {
      return pool.stats().reduce((sum, { errors }) => sum + (errors[RATE_LIMITED] ?? 0), 0);
    },

    readRange: ({ fromPosition, toPosition, depth, known }, signal) => {
      const asked = { from: Number(fromPosition), to: Number(toPosition) };
      return ask(rangeText(asked), signal, async (context): Promise<RangeReading> => {
        const last = await lastBlockUpTo(context, asked.to, asked.from);
        const filter = filterOf(known, asked.to);
        const follows = (address: string): boolean => filter.mayFollow(address);
        if (last === null) {
          return {
            fromPosition,
            toPosition,
            events: [],
            discovered: [],
            blocks: [],
            wholeBlocks: 0,
            follows,
          };
        }
        const range = { from: asked.from, to: last.number };
        const { data, wholeBlocks } =
          depth === 'whole'
            ? await readWhole(context, filter, range)
            : await readByLogs(context, filter, range, depth === 'thorough', checkBlooms);
        await checkNothingBefore(context, range.from, data.first);
        const { events, discovered } = translate(filter, data);
        const blocks = depth === 'quick' ? [data.last] : [...data.headers.values()];
        return {
          fromPosition,
          toPosition,
          events,
          discovered,
          blocks: blocks.sort((a, b) => a.number - b.number).map(toBlockRef),
          wholeBlocks,
          follows,
        };
      });
    },

    async readBlocks(positions, known, signal) {
      const readings: BlockReading[] = [];
      for (const position of positions) {
        const number = Number(position);
        const reading = await ask(rangeText({ from: number, to: number }), signal, async (context) => {
          const filter = filterOf(known, number);
          const block = await lastBlockUpTo(context, number, number);
          const whole = block === null ? null : await fetchWholeBlock(context, number, block);
          if (whole === null)
            return { position, block: null, events: [], discovered: [], isForeign: () => true };
          const data = dataOfWhole(filter, { from: number, to: number }, [whole]);
          const { events, discovered } = translate(filter, data);
          return {
            position,
            block: toBlockRef(whole.block) as BlockRef | null,
            events,
            discovered,
            isForeign: (index: number) => {
              const log = whole.logs.find(({ logIndex }) => logIndex === index);
              return log !== undefined && filter.owners(log).length === 0;
            },
          };
        });
        readings.push(reading);
      }
      return readings;
    },

    stats: () => ({ endpoints: pool.stats(), skippedLogs: { ...skippedLogs } }),
    close: () => pool.close(),
  };
}

interface ReadData {
  readonly data: RangeData;
  readonly wholeBlocks: number;
}

/**
 * By `eth_getLogs`; in a thorough reading, blocks whose header promises other logs, or which have others by their hash, whole, until
 * no whole block names a contract whose logs were not asked for.
 */
async function readByLogs(
  context: FetchContext,
  filter: LogFilter,
  range: BlockRange,
  thorough: boolean,
  checkBlooms: boolean,
): Promise<ReadData> {
  const whole = new Map<number, WholeBlock>();
  for (;;) {
    const data = await fetchRange(context, filter, {
      range,
      queries: filter.queries(),
      allHeaders: thorough,
      children: [],
    });
    if (!thorough) return { data, wholeBlocks: 0 };
    const blocks = [...data.headers.values()].filter(({ number }) => !whole.has(number));
    const promising = checkBlooms
      ? await blocksWithPromisedLogs(filter.watched(data.children), blocks, data.logs)
      : [];
    const others = blocks.filter((block) => !promising.includes(block));
    const suspects = [...promising, ...(await blocksToldInPart(context, filter, data, others))];
    for (const read of await readAll(context, suspects)) whole.set(read.block.number, read);
    if (!followNamed(filter, [...whole.values()], data.children)) {
      return { data: withWhole(filter, data, whole), wholeBlocks: whole.size };
    }
  }
}

/** Every block by its receipts, in one unbroken chain. */
async function readWhole(context: FetchContext, filter: LogFilter, range: BlockRange): Promise<ReadData> {
  const heights = Array.from({ length: range.to - range.from + 1 }, (_, i) => range.from + i);
  const blocks: WholeBlock[] = [];
  for (let i = 0; i < heights.length; i += WHOLE_AT_ONCE) {
    const read = await Promise.all(
      heights.slice(i, i + WHOLE_AT_ONCE).map((height) => fetchWholeBlock(context, height, null)),
    );
    for (const one of read) {
      if (one === null) continue;
      const before = blocks.at(-1);
      if (before !== undefined && one.block.parentHash !== before.block.hash) {
        throw new RpcInconsistentError(
          { endpoint: context.endpoint.label, method: 'eth_getBlockByNumber' },
          `block ${one.block.number} is no child of block ${before.block.number}`,
        );
      }
      blocks.push(one);
    }
  }
  if (blocks.at(-1)?.block.number !== range.to) {
    throw new BlockNotServedError(
      { endpoint: context.endpoint.label, method: 'eth_getBlockByNumber' },
      `block ${range.to} is not served any more`,
      range.to,
    );
  }
  followNamed(filter, blocks, new Set());
  return { data: dataOfWhole(filter, range, blocks), wholeBlocks: blocks.length };
}

/** Two at a time. */
async function readAll(context: FetchContext, blocks: readonly EvmBlock[]): Promise<readonly WholeBlock[]> {
  const read: (WholeBlock | null)[] = [];
  for (let i = 0; i < blocks.length; i += WHOLE_AT_ONCE) {
    const some = blocks.slice(i, i + WHOLE_AT_ONCE);
    read.push(...(await Promise.all(some.map((block) => fetchWholeBlock(context, block.number, block)))));
  }
  return read.filter((one) => one !== null);
}

/**
 * Follows what these blocks named, so that its logs are asked for.
 * @param asked contracts whose logs were asked for already.
 * @returns whether there was any other.
 */
function followNamed(filter: LogFilter, blocks: readonly WholeBlock[], asked: ReadonlySet<string>): boolean {
  let found = false;
  for (const { logs } of [...blocks].sort((a, b) => a.block.number - b.block.number)) {
    for (const log of logs) {
      for (const collection of filter.discoveriesIn(log)) {
        if (asked.has(collection.address)) continue;
        filter.follow(collection, log);
        found = true;
      }
    }
  }
  return found;
}

/** A reading in which some blocks are replaced by what their receipts say. */
function withWhole(filter: LogFilter, data: RangeData, whole: ReadonlyMap<number, WholeBlock>): RangeData {
  if (whole.size === 0) return data;
  const rest = data.logs.filter(({ blockNumber }) => !whole.has(blockNumber));
  const receipts = new Map(data.receipts);
  const timestamps = new Map(data.timestamps);
  const inOrder = [...whole.values()].sort((a, b) => a.block.number - b.block.number);
  const logs = inOrder.flatMap((one) => {
    addReceipts(receipts, one);
    timestamps.set(one.block.number, one.block.timestamp);
    return ownLogs(one.logs, filter, data.children);
  });
  return { ...data, logs: mergeLogs([rest, logs]), receipts, timestamps };
}

/** Blocks that were read whole as a range. */
function dataOfWhole(filter: LogFilter, range: BlockRange, blocks: readonly WholeBlock[]): RangeData {
  const receipts = new Map<string, EvmReceipt>();
  for (const one of blocks) addReceipts(receipts, one);
  const children = new Set<string>();
  return {
    range,
    first: (blocks[0] as WholeBlock).block,
    last: (blocks.at(-1) as WholeBlock).block,
    headers: new Map(blocks.map(({ block }) => [block.number, block])),
    logs: blocks.flatMap(({ logs }) => ownLogs(logs, filter, children)),
    timestamps: new Map(blocks.map(({ block }) => [block.number, block.timestamp])),
    receipts,
    numberedFrom: range.from,
    received: blocks.reduce((sum, { logs }) => sum + logs.length, 0),
    children,
  };
}

function addReceipts(receipts: Map<string, EvmReceipt>, { receipts: own }: WholeBlock): void {
  for (const receipt of own) receipts.set(receipt.transactionHash, receipt);
}

/** Every contract that followed logs named, at its first place. */
function namedIn(filter: LogFilter, { logs }: RangeData): readonly DiscoveredContract[] {
  const named = new Map<string, DiscoveredContract>();
  for (const log of logs) {
    if (filter.owners(log).length === 0) continue;
    for (const { address, standard } of filter.namedIn(log)) {
      if (named.has(address)) continue;
      const discoveredAt = evmSeqNo.encode(BigInt(log.blockNumber), log.logIndex, 0);
      named.set(address, { address, kind: standard, discoveredAt });
    }
  }
  return [...named.values()];
}
