import type { PipelineStats } from '@imart/pipeline';
import type { Logger } from '@imart/runtime';
import { behindHead } from './heights';
import { reportProgress } from './reportProgress';
import type { WorkerConfig } from './settings';
import type { PositionWords } from './words';
import type { WorkerView } from './workerView';

export interface ShowProgressOptions {
  readonly config: Pick<WorkerConfig, 'role' | 'endPosition'>;
  readonly words: PositionWords;
  /** A process without lanes counts as catching up when it is farther below the head. */
  readonly nearHeadPositions: bigint;
  readonly view: Pick<WorkerView, 'head' | 'ingestedPosition' | 'catchingUp'>;
  readonly stats: Readonly<Pick<PipelineStats, 'ingestedEvents' | 'executedEvents'>>;
  readonly startPosition: bigint;
  readonly logger: Logger;
}

/** Shows how far this process is with what its role does, until stopped: a bar in a terminal, log lines elsewhere. */
export function showProgress(options: ShowProgressOptions): { stop(): void } {
  const { config, words, nearHeadPositions, view, stats, startPosition, logger } = options;
  const isFar = (): boolean => (behindHead(view) ?? 0n) > nearHeadPositions;
  return reportProgress({
    sample: () => ({
      atMs: performance.now(),
      startPosition,
      position: view.ingestedPosition ?? startPosition - 1n,
      target: config.endPosition ?? view.head?.position ?? null,
      events: config.role === 'ingest' ? stats.ingestedEvents : stats.executedEvents,
    }),
    logger,
    output: process.stdout,
    catchingUp: () => (config.role === 'ingest' ? isFar() : view.catchingUp),
    words,
  });
}
