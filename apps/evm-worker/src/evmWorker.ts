import { aptosSubjects } from '@imart/chain-aptos';
import {
  EVM_SUBJECT_DEFAULTS,
  evmSubjectId,
  evmSubjects,
  followedAdded,
  followedOn,
  followedText,
  openChain,
} from '@imart/chain-evm';
import type { OpenChainOptions, OpenedChain, WorkerProgram } from '@imart/worker';
import { registerChainMetrics } from './chainMetrics';
import {
  BLOCKS,
  evmWorkerConfig,
  evmWorkerSettings,
  type EvmWorkerConfig,
  type ReadingConfig,
} from './config';
import { createReaderCounts } from './readerCounts';

/** The worker of every EVM chain. */
export const evmWorker: WorkerProgram<EvmWorkerConfig, ReadingConfig> = {
  name: 'evm-worker',
  summary: "follows an NFT marketplace's contracts on an EVM chain",
  words: { position: BLOCKS, records: 'logs' },
  ...evmSubjects,
  kindsBeside: [aptosSubjects],
  chainSetting: evmWorkerConfig.chainId.name,
  nearHeadPositions: BigInt(EVM_SUBJECT_DEFAULTS.catchUpDistanceBlocks),
  ...evmWorkerSettings,
  subjectOf: ({ chainId }) => (chainId === undefined ? null : evmSubjectId(Number(chainId))),
  openChain: openEvmChain,
};

async function openEvmChain(
  config: ReadingConfig,
  { logger, signal, onClose }: OpenChainOptions,
): Promise<OpenedChain> {
  const chain = await openChain({ ...config, endBlock: config.endPosition }, logger, signal);
  onClose('RPC connections', () => chain.close());
  const following = await followedOn(chain.chainId, config.markets, config.collections);
  const subject = chain.createSubject(following);
  const secondReaders = createReaderCounts();
  return {
    subject,
    followed: followedText(following),
    health: () => chain.health(),
    registerMetrics: (metrics) => registerChainMetrics(metrics, subject, secondReaders),
    summary() {
      const { skippedLogs, undecodableLogs } = subject.stats();
      return { skippedLogs, undecodableLogs };
    },
    secondReadings: {
      openSource() {
        const source = chain.createAuditReader(following);
        return { source, close: secondReaders.reading(source) };
      },
      followedAdded,
      positionsPerSecond: config.secondPassBlocksPerSecond,
      depth: config.secondPassWholeBlocks ? 'whole' : 'thorough',
    },
  };
}
