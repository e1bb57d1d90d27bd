import {
  APTOS_REST_DEFAULTS,
  aptosSubjectId,
  aptosSubjects,
  followedAptosMarkets,
  followedAptosText,
  openLedger,
} from '@imart/chain-aptos';
import { evmSubjects } from '@imart/chain-evm';
import type { OpenChainOptions, OpenedChain, WorkerProgram } from '@imart/worker';
import { registerChainMetrics } from './chainMetrics';
import {
  aptosWorkerConfig,
  aptosWorkerSettings,
  VERSIONS,
  type AptosWorkerConfig,
  type ReadingConfig,
} from './config';

/** The worker of every Aptos network. */
export const aptosWorker: WorkerProgram<AptosWorkerConfig, ReadingConfig> = {
  name: 'aptos-worker',
  summary: "follows an NFT marketplace's events on an Aptos network",
  words: { position: VERSIONS, records: 'events' },
  ...aptosSubjects,
  kindsBeside: [evmSubjects],
  chainSetting: aptosWorkerConfig.chainId.name,
  nearHeadPositions: BigInt(APTOS_REST_DEFAULTS.catchUpDistanceVersions),
  ...aptosWorkerSettings,
  subjectOf: ({ chainId, source }) =>
    chainId === undefined ? null : aptosSubjectId(Number(chainId), source === 'events'),
  openChain: openAptosLedger,
};

async function openAptosLedger(
  config: ReadingConfig,
  { logger, signal, onClose }: OpenChainOptions,
): Promise<OpenedChain> {
  const ledger = await openLedger({ ...config, endVersion: config.endPosition }, logger, signal);
  onClose('connections to the ledger', () => ledger.close());
  const following = await followedAptosMarkets(ledger.chainId, config.markets);
  const subject = ledger.createSubject(following.map(({ market }) => market));
  return {
    subject,
    followed: `${followedAptosText(following)}${ledger.followedBy}`,
    refused: (registered) => ledger.refused(registered),
    health: () => ledger.health(),
    registerMetrics: (metrics) => registerChainMetrics(metrics, subject),
    summary() {
      const { transactions, failedTransactions, undecodableEvents, unknownEvents } = subject.stats();
      const unknown = [...unknownEvents.values()].reduce((sum, seen) => sum + seen, 0);
      return { transactions, failedTransactions, undecodableEvents, unknownEvents: unknown };
    },
    // Versions are dense: one that a source leaves out is told by the next one, at once.
    secondReadings: null,
  };
}
