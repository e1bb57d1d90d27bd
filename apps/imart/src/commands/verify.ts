import { evmSeqNo, createAuditReader, followedOn, followedText, wrappedNativeOf } from '@imart/chain-evm';
import { marketEventCodec } from '@imart/market';
import { verifyRange, waitMs, type VerifyResult } from '@imart/pipeline';
import { createLogger } from '@imart/runtime';
import {
  createPassStore,
  createStateAudit,
  OtherChainError,
  subjectFacts,
  type DatabasePool,
} from '@imart/storage';
import type { Command } from '../command';
import { loadImartChainConfig, type ImartChainConfig } from '../config';
import { withDatabase } from '../openDatabase';
import { openSubjectOf } from '../openSubject';
import { createPatience } from '../patience';
import { readOptions } from '../readOptions';
import { UsageError } from '../usageError';
import { reportLines } from '../verifyReport';

const help = `imart verify [--from N] [--to M] [--rpc URL] [--subject ID] [--whole] [--repair] [--patience S]

Reads a range of blocks from the chain again and compares what they say with the event log; then folds every aggregate that the range is
about from the log, in memory, and compares the rows of all state tables and activities. Prints every difference. A worker may run
meanwhile.

  --from N       first block; without it, the first one of the log
  --to M         last block; without it, the last one of the log
  --rpc URL      the endpoint to ask; without it, those of RPC_URLS
  --subject ID   the chain, as eip155:1; needed where the database has several
  --whole        read every block by the receipts of its transactions: finds also what eth_getLogs leaves out of every answer
  --repair       mend what differs: the log by late changes, states by folding them again
  --patience S   ends when no endpoint has given a usable answer for so many seconds; 60 without it

What is followed is said by MARKETS and COLLECTIONS, which must be those of the worker. DATABASE_URL, or DATA_DIR for the embedded
database, says where.

Exit code 0: no difference, or all of them mended. 1: differences, or something could not be compared, or no endpoint answered; what was
mended until then stays mended. 2: wrong usage.
`;

interface Arguments {
  readonly from: bigint | null;
  readonly to: bigint | null;
  readonly rpc: string | null;
  readonly subject: string | undefined;
  readonly whole: boolean;
  readonly repair: boolean;
  readonly patienceMs: number;
}

/** How long endpoints are waited for that give no usable answer. */
const PATIENCE_S_DEFAULT = 60;
const PATIENCE_S_MAX = 86_400;

export const verifyCommand: Command = {
  summary: 'compares log and states with the chain, and mends them',
  help,
  async run(args) {
    const read = readArguments(args);
    const config = await loadImartChainConfig(read.rpc);
    return withDatabase((pool) => verify(pool, config, read));
  },
};

function readArguments(args: readonly string[]): Arguments {
  const { values } = readOptions(args, {
    from: { type: 'string' },
    to: { type: 'string' },
    rpc: { type: 'string' },
    subject: { type: 'string' },
    whole: { type: 'boolean' },
    repair: { type: 'boolean' },
    patience: { type: 'string' },
  });
  const [from, to] = [blockOf('--from', values.from), blockOf('--to', values.to)];
  if (from !== null && to !== null && to < from)
    throw new UsageError(`--to ${to} lies before --from ${from}`);
  return {
    from,
    to,
    rpc: values.rpc ?? null,
    subject: values.subject,
    whole: values.whole === true,
    repair: values.repair === true,
    patienceMs: patienceOf(values.patience) * 1000,
  };
}

function patienceOf(text: string | undefined): number {
  if (text === undefined) return PATIENCE_S_DEFAULT;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > PATIENCE_S_MAX)
    throw new UsageError(`--patience must be a number of seconds from 1 to ${PATIENCE_S_MAX}, got '${text}'`);
  return seconds;
}

function blockOf(option: string, text: string | undefined): bigint | null {
  if (text === undefined) return null;
  if (!/^\d{1,10}$/.test(text) || BigInt(text) > evmSeqNo.max.position)
    throw new UsageError(`${option} must be a block number, got '${text}'`);
  return BigInt(text);
}

async function verify(pool: DatabasePool, config: ImartChainConfig, args: Arguments): Promise<number> {
  const subject = await openSubjectOf(pool, args.subject);
  const { store, observer } = subject;
  const chainId = chainIdOf(subject.subjectId, config);
  const followed = await followedOn(chainId, config.markets, config.collections);
  const facts = await subjectFacts(pool, subject.subject);
  if (facts.followed !== followedText(followed)) {
    throw new UsageError(
      `MARKETS and COLLECTIONS are not those of the worker: it follows ${facts.followed}, the settings say ${followedText(followed)}`,
    );
  }
  const { nextPosition } = await store.progress();
  const [first, last] = [subject.startPosition, nextPosition - 1n];
  const fromPosition = args.from ?? first;
  const toPosition = args.to ?? last;
  if (last < first) throw new UsageError('nothing of the chain is in the log yet');
  if (fromPosition < first || toPosition > last || fromPosition > toPosition)
    throw new UsageError(
      `the log has blocks ${first} to ${last}; ${fromPosition} to ${toPosition} are not within`,
    );

  const stopped = new AbortController();
  const logger = createLogger({
    level: 'warn',
    secrets: config.rpcUrls,
    fields: { app: 'imart' },
    output: process.stderr,
  });
  const patience = createPatience({
    patienceMs: args.patienceMs,
    wait: waitMs,
    onEnd: (error) => stopped.abort(error),
  });
  const source = createAuditReader({
    chainId,
    rpcUrls: config.rpcUrls,
    marketplaces: followed,
    wrappedNative: wrappedNativeOf(chainId),
    logger,
    genesisHash: config.genesisHash ?? null,
    ranges: { maxBlocks: config.rangeBlocksMax },
    checkBlooms: config.checkBlooms,
    onAvailability: (available, reason) => patience.told(available, reason),
    random: Math.random,
    now: () => Date.now(),
  });
  try {
    const { genesisHash } = await source.identify(stopped.signal);
    if (genesisHash !== facts.genesisHash)
      throw new OtherChainError(subject.subjectId, facts.genesisHash, genesisHash);
    const result = await verifyRange(
      {
        changes: { store, observer, logger },
        passes: createPassStore({ ...subject.storeOptions, subjectId: subject.subjectId, fencing: null }),
        source,
        states: createStateAudit(subject.storeOptions),
        codec: marketEventCodec,
        seqNos: evmSeqNo,
      },
      { fromPosition, toPosition, depth: args.whole ? 'whole' : 'thorough', repair: args.repair },
      (item) => {
        for (const line of reportLines(item, marketEventCodec)) process.stdout.write(`${line}\n`);
      },
      stopped.signal,
    );
    process.stdout.write(`${summary(result, fromPosition, toPosition, args.repair)}\n`);
    return result.differences === result.mended && result.unclear === 0 ? 0 : 1;
  } finally {
    patience.close();
    source.close();
    await logger.close();
  }
}

function chainIdOf(subjectId: string, { chainId }: ImartChainConfig): number {
  const match = /^eip155:(\d+)$/.exec(subjectId);
  if (match === null) throw new UsageError(`${subjectId} is not an EVM chain`);
  if (chainId !== undefined && String(chainId) !== match[1])
    throw new UsageError(`CHAIN_ID is ${chainId}, the chain in the database is ${subjectId}`);
  return Number(match[1]);
}

function summary(result: VerifyResult, from: bigint, to: bigint, repair: boolean): string {
  const { events, aggregates, differences, mended, unclear, backfillFrom } = result;
  const found =
    differences === 0
      ? 'no difference'
      : `${differences} ${differences === 1 ? 'difference' : 'differences'}`;
  return [
    `blocks ${from}..${to}: ${events} events, ${aggregates} aggregates compared; ${found}`,
    ...(repair && differences > 0 ? [`, ${mended} mended`] : []),
    ...(unclear > 0 ? [`; ${unclear} could not be compared`] : []),
    ...(backfillFrom === null
      ? []
      : [
          `\nwhat was discovered now is to be read from block ${backfillFrom} on: the worker does it, now or at its next start`,
        ]),
  ].join('');
}
