import type { Subject } from '@imart/core';
import { createBackPressure } from '@imart/endpoints';
import { waitMs } from '@imart/pipeline';
import { createEventFilter } from './eventFilter';
import { aptosSeqNo } from './seqNo';
import { identify } from './subject/identify';
import {
  APTOS_SUBJECT_DEFAULTS,
  aptosSubjectId,
  type AptosSubjectOptions,
  type AptosSubjectStats,
} from './subject/options';
import { readLedger } from './subject/readLedger';
import { createTranslator } from './translate';

/** An Aptos ledger as an ordered source of market events. It never takes anything back. */
export interface AptosSubject extends Subject {
  stats(): AptosSubjectStats;
  /** Closes the source. The subject is not to be used afterwards. */
  close(): void;
}

/**
 * Follows the events of the markets on one Aptos ledger. One iteration of `messages` at a time; while none runs, nothing is asked.
 *
 * @throws {WorkerError} from its messages, `stop` only: {@link VersionGapError}, {@link LedgerReplacedError},
 * {@link WrongChainError}, {@link RpcPrunedError}, {@link RpcAnswerRefusedError}, {@link RpcMethodUnsupportedError}. All else is
 * retried inside.
 */
export function createAptosSubject(options: AptosSubjectOptions): AptosSubject {
  const { chainId, source, wait = waitMs } = options;
  const settings = { ...APTOS_SUBJECT_DEFAULTS, ...options };
  const subjectId = aptosSubjectId(chainId, options.bareEvents);
  const translator = createTranslator({
    subjectId,
    filter: createEventFilter(options.markets),
    seqNo: aptosSeqNo,
    onUnknownType: (type, version) =>
      options.logger?.warn('events of a followed package are not known: nothing is made of them', {
        type,
        version: String(version),
      }),
  });
  let backPressure = createBackPressure(settings.eventsAheadMax);

  return {
    id: subjectId,
    identify: (signal) => identify(source, subjectId, chainId, options.genesisHash ?? null, signal),
    async *messages(resume, signal) {
      backPressure = createBackPressure(settings.eventsAheadMax);
      const reading = {
        ...settings,
        subjectId,
        source,
        translator,
        backPressure,
        endVersion: options.endVersion ?? null,
        wait,
      };
      try {
        yield* readLedger(reading, resume, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    executed: (upTo) => backPressure.executed(upTo),
    stats: () => ({
      ...translator.stats,
      endpoints: source.stats(),
      eventsAhead: backPressure.waiting,
    }),
    close: () => source.close(),
  };
}
